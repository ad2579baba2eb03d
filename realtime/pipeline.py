"""The whole way of the data, top to bottom: frame → face → spotter → network → event.

pipeline = Pipeline("clip.mp4", settings)
for frame in source:
    step = pipeline(frame)      # step.events: the movements that became known by now, each with its key frames
last = pipeline.finish()        # those still under way
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np

from realtime.face.tracker import FaceSettings, FaceTracker
from realtime.naming.action_units import UnitEstimator
from realtime.naming.namer import Namer
from realtime.naming.recognizer import Recognizer
from realtime.records import Event, FaceView, Frame, Recognized
from realtime.sources import open_source
from realtime.spotting import Reading, Spotter, SpotterSettings, Verifier
from realtime.spotting.settings import Baseline
from realtime.timings import Timings
from realtime.warm import warm_stream


@dataclass
class PipelineSettings:
    """What a person may choose about the way from frames to events.

    Attributes:
        network: one of the zoo, or the path of an .onnx file with its manifest beside it.
        engine: what runs it: "auto", "tensorrt", "onnx" or "cpu" (`engines.runtime`).
        action_units: the network that estimates the action units of an event; None: nothing is estimated.
        provisional: tell at its apex what is probably an event, and confirm or withdraw it later; never of a recording that waits.
        faces: how they are found and followed.
        spotter: what counts as a movement.
    """

    network: str = "kernel_ridge"
    engine: str = "auto"
    action_units: str | None = "action_units"
    provisional: bool = True
    faces: FaceSettings = field(default_factory=FaceSettings)
    spotter: SpotterSettings = field(default_factory=SpotterSettings)


@dataclass(frozen=True, eq=False)
class Step:
    """What one frame led to.

    Attributes:
        readings: by face id, also of faces that have just gone out of view.
        known: all that became known, in that order: where naming is late, an event may be told and confirmed in one step.
    """

    frame: Frame
    views: list[FaceView]
    readings: dict[int, Reading]
    known: list[Recognized]

    @property
    def events(self) -> list[Recognized]:
        """Events for good."""
        return [one for one in self.known if one.event.final]

    @property
    def provisional(self) -> list[Recognized]:
        """What is probably an event, told at its apex (`Event.provisional`), and what of that is withdrawn now (`Event.withdrawn`). One that
        is confirmed comes in `events` under the same number."""
        return [one for one in self.known if not one.event.final]


class Pipeline:
    """Turns frames of one source into events. Stateful: frames come in order, from one thread.

    A worker names the movements (`Namer`) while the stream goes on; events keep the order of their offsets. With `wait` (for recordings) the stream waits instead, and an event
    comes with the very step that ends it.

    Attributes:
        counts: what the spotters spotted and dropped, by cause.
        source: its name.
        recognize: the network, with its name and classes.
        timings: milliseconds, the latest ones: of the stages "faces", "landmarks" (beside the stream), "spotting" and
            "naming"; and of each event "delay" (from its offset to the frame at which it was known, in the source's clock),
            "label" (from that frame's arrival to the label) and "event" (from the offset frame's arrival).
    """

    def __init__(self, source: str, settings: PipelineSettings, wait: bool = False, recognizer: Recognizer | None = None, now: bool = False):
        """
        Args:
            recognizer: shared by several pipelines; by default the network that the settings name, already warmed up.
            now: as in `SourceInfo`; events then have their `utc`.
        """
        cv2.setNumThreads(1)  # its pool spins while it waits, which costs more than sharing out pictures this small gains
        self.source = source
        self._settings, self._early = settings, settings.provisional and not wait
        self.timings = timings = Timings()  # filled without a way back to the pipeline
        self._track = FaceTracker(settings.faces, took=lambda seconds: timings.took("landmarks", seconds))
        estimate = UnitEstimator(settings.action_units) if settings.action_units else None
        self._verifier = Verifier(settings.spotter.verifier, settings.engine) if settings.spotter.verifier else None
        self._spotters: dict[int, Spotter] = {}
        self._seen: dict[int, float] = {}  # face → pts of its latest view
        self._counts: Counter[str] = Counter()  # of faces that are gone for good
        self._latest: Frame | None = None
        warm_stream(settings.spotter, self._verifier)
        self._namer = Namer(source, recognizer or Recognizer(settings.network, settings.engine), estimate, wait, now, timings)

    def __call__(self, frame: Frame, waiting: Sequence[Frame] = ()) -> Step:
        """
        Args:
            waiting: frames that will probably come next; what they are is the same without them, only later known.
        """
        self._latest = frame
        with self.timings.timed("faces"):
            views = self._track(frame, waiting)
        with self.timings.timed("spotting"):
            readings = self._spot(views, frame.pts)
        for face, reading in readings.items():
            if reading.keyframes:
                self._namer.name(face, reading.keyframes, frame)
            if reading.suspected:
                self._namer.name_ahead(reading.suspected)
            if reading.early:
                self._namer.name_early(face, reading.early, frame)
            for early in reading.withdrawn:
                self._namer.withdraw(face, early)
        return Step(frame, views, readings, list(self._namer.known()))

    def use(self, usual: Baseline) -> None:
        """From now on what is usual of the person is known; what was under way is let go."""
        self._settings = replace(self._settings, spotter=replace(self._settings.spotter, usual=usual))
        self._spotters.clear()
        self._seen.clear()
        self._namer.withdraw_all()

    def follow(self, frames: Iterable[Frame]) -> Iterator[Recognized]:
        """What is recognized in a whole stream, as it becomes known; closed at its end, or where whoever asks goes away."""
        try:
            for frame in frames:
                yield from self(frame).events
            yield from (one for one in self.finish() if one.event.final)
        finally:
            self.close()

    def finish(self) -> list[Recognized]:
        """The source has ended: the movements that are still under way or being named, and what was told early and is withdrawn now
        (no `Event.final`); then the tracker is let go."""
        for face, spotter in self._spotters.items():
            if keyframes := spotter.finish():
                assert self._latest is not None  # movements come of frames
                self._namer.name(face, keyframes, self._latest)
        self._namer.withdraw_all()
        events = self._namer.finish()
        self.close()
        return events

    def close(self) -> None:
        self._namer.close()
        self._track.close()

    def in_image(self, face: int, points: np.ndarray) -> np.ndarray | None:
        """N×2 points of a face's aligned view in pixels of the frame, see `FaceTracker.in_image`: for who draws on it."""
        return self._track.in_image(face, points)

    @property
    def recognize(self) -> Recognizer:
        return self._namer.recognize

    @property
    def counts(self) -> Counter[str]:
        return sum((spotter.counts for spotter in list(self._spotters.values())), Counter(self._counts))

    @property
    def remarks(self) -> list[str]:
        """What a person should know of how it was done: lines for a summary."""
        spotted = [spotter.remark for spotter in self._spotters.values()]
        return list(dict.fromkeys(remark for remark in (self._track.remark, *spotted) if remark))

    @property
    def judged_as_a_whole(self) -> bool:
        """Whether the source was so short that it was judged after its end, see `Spotter.finish`."""
        return any(spotter.remark for spotter in self._spotters.values())

    def _spot(self, views: list[FaceView], pts: float) -> dict[int, Reading]:
        readings = {}
        for view in views:
            if view.face not in self._spotters:
                self._spotters[view.face] = Spotter(self._settings.spotter, self._verifier, early=self._early)
            readings[view.face] = self._spotters[view.face](view)
            self._seen[view.face] = view.pts
        for face in self._spotters.keys() - readings.keys():
            readings[face] = reading = self._spotters[face].lost()
            told = reading.keyframes or reading.early or reading.withdrawn
            if not told and pts - self._seen[face] > self._settings.faces.remember_seconds:  # it would have another id
                self._counts += self._spotters.pop(face).counts
                del self._seen[face]
        return readings


def replay(clip: str | Path, settings: PipelineSettings | None = None) -> Iterator[Event]:
    """The events of a recording, in order, each as soon as the frame is read that ends it.

    Raises:
        SourceError: there is nothing to read, or it broke off; what was found before has been given.
        ModelError: the network cannot be had.
    """
    with open_source(clip) as source:
        pipeline = Pipeline(source.info.name, settings or PipelineSettings(), wait=True)
        for known in pipeline.follow(source):
            yield known.event
