"""The pictures around a logged event: from its recording, or from what was kept of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from realtime.errors import SourceError
from realtime.face.tracker import FaceSettings, FaceTracker
from realtime.output import stored_pictures
from realtime.records import FaceView, Frame, Keyframes, evenly
from realtime.review.item import Item, Marks
from realtime.sources import SourceSettings, lies_here, open_source

MARGIN_S = 1.0  # of the recording before the onset and after the offset: what led to it, and what came of it
LEAST_MARGIN_S = 0.1  # that marks may come near the ends of what was read
MOST_S = 3.0  # a longer movement is cut to this: what is held in memory stays bounded


@dataclass(frozen=True, eq=False)
class Film:
    """The pictures around an event.

    Attributes:
        views: of one face, in order, one at least.
        frame_s: seconds from frame to frame.
        window: the seconds of the recording that were read; None for kept pictures, there are no more of them.
    """

    views: list[FaceView]
    frame_s: float
    window: tuple[float, float] | None

    @property
    def times(self) -> np.ndarray:
        """(N,) float64, seconds in the source's clock, of each view."""
        return np.array([view.pts for view in self.views])

    def covers(self, marks: Marks) -> bool:
        """Whether the movement and a little around it are in the film, or as much as will ever be."""
        start, end = window(marks, LEAST_MARGIN_S)
        return self.window is None or (self.window[0] <= start and end <= self.window[1])

    def at(self, moment: float) -> FaceView:
        """The view nearest to a moment in seconds."""
        return self.views[int(np.abs(self.times - moment).argmin())]

    def moved(self, moment: float, frames: int) -> float:
        """The time of the picture that many frames after the one nearest to `moment`; beyond the film, by `frame_s`."""
        place = int(np.abs(self.times - moment).argmin()) + frames
        inside = min(max(place, 0), len(self.views) - 1)
        return round(max(0.0, self.views[inside].pts + (place - inside) * self.frame_s), 3)

    def keyframes(self, marks: Marks) -> Keyframes | None:
        """As the network would be asked about the marked movement; None where the three are not of one alignment."""
        onset, apex, offset = (self.at(moment) for moment in (marks.onset_s, marks.apex_s, marks.offset_s))
        if len({onset.anchor, apex.anchor, offset.anchor}) > 1 or not onset.pts < apex.pts <= offset.pts:
            return None
        between = [view for view in self.views if onset.pts <= view.pts <= offset.pts and view.anchor == onset.anchor]
        return Keyframes(onset, apex, offset, peak=0.0, threshold=0.0, kind=marks.kind, between=tuple(evenly(between)))


def recording(session: dict, source: str) -> Path | None:
    """Where a source of a session lies on this machine; None for a camera, a stream, and a file that is gone."""
    path = session["files"].get(source)
    return Path(path).absolute() if path and lies_here(path) else None


def as_read(session: dict) -> SourceSettings:
    """How the session read its recordings: another rate or stream would show other moments."""
    chosen = session["settings"].get("source")
    fps, stream = (chosen.get(name) if isinstance(chosen, dict) else None for name in ("fps", "stream"))
    fps = fps if isinstance(fps, int | float) and 0 < fps < float("inf") else None
    return SourceSettings(fps=fps, stream=stream if isinstance(stream, int) else None)


def window(marks: Marks, margin: float) -> tuple[float, float]:
    """The seconds to read around a movement."""
    return max(0.0, marks.onset_s - margin), min(marks.offset_s, marks.onset_s + MOST_S) + margin


def kept_film(session: dict, item: Item, log: Path) -> Film:
    """The pictures that were kept of an event.

    Raises:
        SourceError: why there are none, in words.
    """
    found = stored_pictures.find(stored_pictures.beside(log), item.session, item.source, item.event)
    if found is not None:
        views = found.views()
        return Film(views, float(np.median(np.diff(found.times))) if len(views) > 1 else 1 / 30, None)
    if item.source in session["files"]:
        raise SourceError(f"The recording is no longer at {session['files'][item.source]}, and no pictures were kept.")
    raise SourceError("It was a camera, a stream or a file dropped into the page, and no pictures were kept: this event can be judged, but not seen.")


class Reel:
    """One pass through a recording, decoded in a child process, that leaves a film for every window asked for.

    A recording cannot be entered in its middle; but what comes later can still be asked for while the pass goes on.
    """

    def __init__(self, path: Path, settings: SourceSettings | None = None):
        """
        Args:
            settings: see `as_read`.

        Raises:
            SourceError: it cannot be opened.
        """
        self.path = path
        self.position = -1.0  # seconds, of the last frame read
        self._source = open_source(path, settings=settings)
        self._frame_s = 1 / (self._source.info.fps or 30)
        self._asked: dict[object, _Cutting] = {}

    def want(self, key: object, start: float, end: float) -> bool:
        """Asks for a film; False where the pass is already beyond its start."""
        if start <= self.position:
            return False
        self._finished(key, "")  # asked for with other marks before
        self._asked[key] = _Cutting(start, end)
        return True

    def pending(self, within: float) -> bool:
        """Whether anything is still asked for that begins in the next `within` seconds of the recording."""
        return any(one.start < self.position + within for one in self._asked.values())

    def read(self) -> dict[object, Film | str]:
        """One frame further; the films that are finished by it, or in words why there is none. All at the end."""
        why = f"{self.path.name} ends before"
        try:
            frame = next(self._source, None)
        except SourceError as error:
            frame, why = None, str(error)
        if frame is None:
            return {key: self._finished(key, f"No picture of the event: {why}.") for key in list(self._asked)}
        self.position, done = frame.pts, {}
        for key, one in list(self._asked.items()):
            if frame.pts > one.end:
                done[key] = self._finished(key, f"No face is found there in {self.path.name}.")
            elif frame.pts >= one.start:
                one.take(frame, self._source.waiting())
        return done

    def close(self) -> None:
        for key in list(self._asked):
            self._finished(key, "")
        self._source.close()

    def _finished(self, key: object, why: str) -> Film | str:
        one = self._asked.pop(key, None)
        if one is not None and one.tracker is not None:
            one.tracker.close()
        return Film(one.views, self._frame_s, (one.start, one.end)) if one is not None and one.views else why


@dataclass(eq=False)
class _Cutting:
    """The largest face from `start` to `end` seconds."""

    start: float
    end: float
    tracker: FaceTracker | None = None
    views: list[FaceView] = field(default_factory=list)

    def take(self, frame: Frame, waiting: list[Frame]) -> None:
        self.tracker = self.tracker or FaceTracker(FaceSettings())
        self.views += self.tracker(frame, waiting)[:1]
