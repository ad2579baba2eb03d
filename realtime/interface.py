"""For who builds it in: a loop over what is seen, tables of what was found. Three functions around `realtime.pipeline`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import OmegaConf

from realtime import settings as configs
from realtime.errors import MissingPartError
from realtime.naming.recognizer import Recognizer
from realtime.output.event_table import cells, columns
from realtime.output.frame_table import COLUMNS, rows
from realtime.pipeline import Pipeline, Step
from realtime.sources import open_source
from realtime.watching import LiveSettings, Status

if TYPE_CHECKING:
    import pandas


def watch(source: int | str | Path, *settings: str, as_live: bool = False) -> Iterator[Step]:
    """What each frame led to, as it is seen: `step.frame`, `step.views`, `step.readings`, `step.events`.

    Of a camera or stream, or `as_live`, `step.provisional` tells at its apex what is probably an event, and what of that is
    withdrawn (unless "provisional=false"); `step.events` holds events for good.

    After a source's last frame comes one step more where its end made a movement known. Who leaves the loop closes the source.

    Args:
        source: a camera's number, an address, or a file.
        settings: as on the command line, such as "faces.most=2" or "network=dual_atme".
        as_live: a file is played at its own clock, and frames are dropped as a camera would.

    Raises:
        MerError: the source or a setting cannot be used, see `realtime.errors`.
    """
    chosen = _chosen(settings)
    yield from _steps(source, chosen, Recognizer(chosen.network, chosen.engine), as_live)


def analyse(clip: str | Path, *settings: str) -> pandas.DataFrame:
    """The events of a recording, a row each; the columns are those of `mer-replay`'s events.csv.

    `.attrs["judged"]` says how much of the time could be judged, and why not the rest (`realtime.judged.Judged.as_dict`).

    Args:
        settings: as for `watch`.

    Raises:
        MerError: as `watch`; pandas is not installed.
    """
    frame, chosen, status = _pandas().DataFrame, _chosen(settings), Status()
    recognizer = Recognizer(chosen.network, chosen.engine)
    found = []
    for step in _steps(clip, chosen, recognizer, as_live=False):
        status.note(step)
        found += [cells(known.event.as_dict()) for known in step.events]
    table = frame(found, columns=columns(recognizer.classes))
    table.attrs["judged"] = status.judged.as_dict()
    return table


def measure(clip: str | Path, *settings: str) -> pandas.DataFrame:
    """Head pose, gaze, blendshapes and the spotter's curve, a row a frame and face; the columns are those of frames.csv.

    Args:
        settings: as for `watch`.

    Raises:
        MerError: as `analyse`.
    """
    frame = _pandas().DataFrame
    return frame([row for step in watch(clip, "faces.measures=true", *settings) for row in rows(step)], columns=COLUMNS)


def _steps(source: int | str | Path, chosen: LiveSettings, recognizer: Recognizer, as_live: bool) -> Iterator[Step]:
    with open_source(source, as_live=as_live, settings=chosen.source) as opened:
        pipeline = Pipeline(opened.info.name, chosen, wait=not opened.info.live, recognizer=recognizer, now=opened.info.now)
        try:
            step = None
            for frame in opened:
                step = pipeline(frame, opened.waiting())
                yield step
            last = pipeline.finish()
            if step and last:
                yield replace(step, known=last)
        finally:
            pipeline.close()


def _chosen(settings: tuple[str, ...]) -> LiveSettings:
    return OmegaConf.to_object(configs.load("live", settings, LiveSettings))


def _pandas():
    try:
        import pandas
    except ModuleNotFoundError as error:
        raise MissingPartError("tables need pandas: pip install 'mer-live[pandas]', or loop over realtime.watch(…)") from error
    return pandas
