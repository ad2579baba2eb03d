"""The views behind an event: the recording is replayed, and what was spotted is kept."""

from __future__ import annotations

import re
from pathlib import Path

from realtime.errors import SourceError, UsageError
from realtime.output.log import Log
from realtime.pipeline import Pipeline
from realtime.records import Event, Keyframes
from realtime.sources import open_source
from realtime.watch import LiveSettings

SAME = 0.01  # seconds between two onsets of one event


def find(what: str, number: int, settings: LiveSettings) -> tuple[Event, Keyframes]:
    """The event `number` (from 1) of the recording `what`; or, where `what` is SESSION/EVENT, that event of the log.

    Raises UsageError where there is no such event, SourceError where the recording is not there any more.
    """
    logged = _logged(*map(int, what.split("/"))) if re.fullmatch(r"\d+/\d+", what) else None
    clip = logged["clip"] if logged else what
    if not Path(clip).is_file():
        raise SourceError(f"no recording at {clip}: an event can be explained while the recording it came from is there")
    pipeline = Pipeline(Path(clip).name, settings, wait=True)
    with open_source(clip) as source:
        found = [(known.event, known.keyframes) for known in pipeline.follow(source)]
    if logged:
        same = [pair for pair in found if abs(pair[0].onset_s - logged["onset_s"]) < SAME]
        if not same:
            raise UsageError(f"{clip} shows no event at {logged['onset_s']:.3f} s any more: it was found with other settings")
        return same[0]
    if not 1 <= number <= len(found):
        raise UsageError(f"{clip} has {len(found)} events, got event={number}: give the number of one of them")
    return found[number - 1]


def _logged(session: int, number: int) -> dict:
    log = Log()
    found = log.session(session)
    event = next((row for row in log.events(session) if row["event"] == number), None)
    if event is None:
        raise UsageError(f"session {session} has no event {number}: mer-log show {session} lists them")
    clips = [clip for clip in found["sources"] if event["source"] in (clip, Path(clip).name, Path(clip).stem)]
    return event | {"clip": clips[0] if clips else event["source"]}
