"""`--participant` and `--baseline`: what is usual of a person, learnt from the first seconds of a camera or from a stretch of a recording."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from realtime.errors import MerError, UsageError
from realtime.output import baselines
from realtime.pipeline import Pipeline, Step
from realtime.records import Event
from realtime.sources import open_source
from realtime.spotting.baseline import Learner
from realtime.spotting.settings import Baseline
from realtime.watching import LiveSettings


def known(participant: str | None, say: Callable[[str], None], learns: bool) -> Baseline | None:
    """The participant's baseline, where one is to be used.

    Raises:
        UsageError: one is to be learnt, and nobody is named.
    """
    if participant is None:
        if learns:
            raise UsageError("whose baseline? Name the person: --participant p03")
        return None
    found = baselines.find(participant)
    if found is None and not learns:
        say(f"there is no baseline of {participant} yet: --baseline learns one from a neutral stretch")
    return None if learns else found


def words(baseline: Baseline) -> str:
    usual = f"{baseline.blinks_a_minute:g} blinks a minute, speech {100 * baseline.speech:.0f} % of the time"
    alarms = (
        f"{len(baseline.alarms)} movements that look like micro-expressions" if baseline.alarms else "no movement that looks like a micro-expression"
    )
    return f"baseline of {baseline.participant}, {baseline.seconds:.0f} s: {usual}, {alarms}; reported from a probability of {baseline.confidence:.2f} on"


def span(said: str) -> tuple[float, float]:
    """ "30" → (0, 30); "5-35" → (5, 35).

    Raises:
        UsageError: it is neither.
    """
    found = re.fullmatch(r"(?:(\d+(?:\.\d+)?)-)?(\d+(?:\.\d+)?)", said)
    begin, end = (float(found[1] or 0), float(found[2])) if found else (0.0, 0.0)
    if not begin < end:
        raise UsageError(f"--baseline {said}: expected seconds, or from which to which second: 5-35")
    return begin, end


def learn(clip: Path, between: tuple[float, float], participant: str, chosen: LiveSettings) -> Baseline:
    """From a stretch of a recording that somebody knows to be neutral; it is kept.

    Raises:
        SourceError: the recording cannot be read.
        UsageError: too little was seen in it.
    """
    from realtime.face.tracker import FaceTracker

    learner, track = Learner(chosen.spotter), FaceTracker(chosen.faces)
    try:
        with open_source(clip, settings=chosen.source) as source:
            for frame in source:
                if frame.pts > between[1]:
                    break
                if frame.pts >= between[0]:
                    views = track(frame)
                    learner(views[0] if views else None)
    finally:
        track.close()
    baseline = learner.baseline(participant)
    baselines.save(baseline)
    return baseline


class Learning:
    """The first seconds of a live source are the person's baseline: learnt, kept, and used from then on.

    Attributes:
        over: since when it is used, or is not to be had; None while it is learnt.
    """

    def __init__(self, participant: str, seconds: float, chosen: LiveSettings, say: Callable[[str], None]):
        self._participant, self._seconds, self._say = participant, seconds, say
        self._learner = Learner(chosen.spotter)
        self.over: float | None = None
        self._began: float | None = None

    def note(self, pipeline: Pipeline, step: Step) -> None:
        if self.over is not None:
            return
        self._began = step.frame.pts if self._began is None else self._began
        self._learner(step.views[0] if step.views else None)
        if step.frame.pts - self._began >= self._seconds:
            self.over = step.frame.pts
            try:
                baseline = self._learner.baseline(self._participant)
                pipeline.use(baseline)
                self._say(words(baseline))
                baselines.save(baseline)
            except MerError as error:
                self._say(f"{error}; it goes on without")

    def holds(self, event: Event) -> bool:
        """Whether it lies in the stretch that is the person's usual."""
        return self.over is None or event.onset_s < self.over
