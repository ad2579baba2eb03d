"""The whole way of the data, top to bottom: frame → face → spotter → network → event.

pipeline = Pipeline("clip.mp4", settings)
for frame in source:
    step = pipeline(frame)      # step.events: the movements that became known by now, each with its key frames
last = pipeline.finish()        # those still under way
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np

from engines.flow.shared import SharedFlow
from realtime.face.tracker import FaceSettings, FaceTracker
from realtime.naming.action_units import UnitEstimator
from realtime.naming.recognizer import Recognizer
from realtime.records import Event, FaceView, Frame, Keyframes, Recognized
from realtime.sources import open_source
from realtime.spotting import Reading, Spotter, SpotterSettings, Verifier
from realtime.spotting.settings import Baseline
from realtime.warm import warm_stream

MOST_PENDING = 16  # movements that may wait to be named; beyond, the loop waits, and a live source drops frames
KEPT_TIMINGS = 20_000  # of each stage


@dataclass
class PipelineSettings:
    """What a person may choose about the way from frames to events.

    Attributes:
        network: one of the zoo, or the path of an .onnx file with its manifest beside it.
        engine: what runs it: "auto", "tensorrt", "onnx" or "cpu" (`engines.runtime`).
        action_units: the network that estimates the action units of an event; None: nothing is estimated.
        faces: how they are found and followed.
        spotter: what counts as a movement.
    """

    network: str = "kernel_ridge"
    engine: str = "auto"
    action_units: str | None = "action_units"
    faces: FaceSettings = field(default_factory=FaceSettings)
    spotter: SpotterSettings = field(default_factory=SpotterSettings)


@dataclass(frozen=True, eq=False)
class Step:
    """What one frame led to.

    Attributes:
        readings: by face id, also of faces that have just gone out of view.
    """

    frame: Frame
    views: list[FaceView]
    readings: dict[int, Reading]
    events: list[Recognized]


class Pipeline:
    """Turns frames of one source into events. Stateful: frames come in order, from one thread.

    Naming a movement (optical flow, then the network) takes longer than a frame lasts, so a worker does it while the stream
    goes on; events keep the order of their offsets. With `wait` (for recordings) the stream waits instead, and an event
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
        self._settings, self._wait = settings, wait
        # taken once: a wall clock that is set while it runs must not tear events apart
        self._wall = time.time() - time.monotonic() if now else None
        self.timings: dict[str, deque[float]] = {}
        self.recognize = recognizer or Recognizer(settings.network, settings.engine)
        landmarks = self.timings["landmarks"] = deque(maxlen=KEPT_TIMINGS)  # filled without a way back to the pipeline
        self._track = FaceTracker(settings.faces, took=lambda seconds: landmarks.append(seconds * 1000))
        self._estimate = UnitEstimator(settings.action_units) if settings.action_units else None
        self._verifier = Verifier(settings.spotter.verifier, settings.engine) if settings.spotter.verifier else None
        self._spotters: dict[int, Spotter] = {}
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="recognizer")
        self._pending: deque[Future[Recognized]] = deque()
        self._spotted = 0
        self._latest: Frame | None = None
        warm_stream(settings.spotter, self._verifier)
        self._worker.submit(self.recognize.warm)
        if self._estimate:
            self._worker.submit(self._estimate.warm)

    def __call__(self, frame: Frame, waiting: Sequence[Frame] = ()) -> Step:
        """
        Args:
            waiting: frames that will probably come next; what they are is the same without them, only later known.
        """
        self._latest = frame
        with self._timed("faces"):
            views = self._track(frame, waiting)
        with self._timed("spotting"):
            readings = self._spot(views)
        for face, reading in readings.items():
            if reading.keyframes:
                self._name(face, reading.keyframes)
        return Step(frame, views, readings, list(self._known()))

    def use(self, usual: Baseline) -> None:
        """From now on what is usual of the person is known; what was under way is let go."""
        self._settings = replace(self._settings, spotter=replace(self._settings.spotter, usual=usual))
        self._spotters.clear()

    def follow(self, frames: Iterable[Frame]) -> Iterator[Recognized]:
        """What is recognized in a whole stream, as it becomes known; closed at its end, or where whoever asks goes away."""
        try:
            for frame in frames:
                yield from self(frame).events
            yield from self.finish()
        finally:
            self.close()

    def finish(self) -> list[Recognized]:
        """The source has ended: the movements that are still under way or being named; then the tracker is let go."""
        for face, spotter in self._spotters.items():
            if keyframes := spotter.finish():
                self._name(face, keyframes)
        events = [future.result() for future in self._pending]
        self._pending.clear()
        self.close()
        return events

    def close(self) -> None:
        self._worker.shutdown(cancel_futures=True)
        self._track.close()

    def in_image(self, face: int, points: np.ndarray) -> np.ndarray | None:
        """N×2 points of a face's aligned view in pixels of the frame, see `FaceTracker.in_image`: for who draws on it."""
        return self._track.in_image(face, points)

    @property
    def counts(self) -> Counter[str]:
        return sum((spotter.counts for spotter in self._spotters.values()), Counter())

    @property
    def remarks(self) -> list[str]:
        """What a person should know of how it was done: lines for a summary."""
        spotted = [spotter.remark for spotter in self._spotters.values()]
        return list(dict.fromkeys(remark for remark in (self._track.remark, *spotted) if remark))

    @property
    def judged_as_a_whole(self) -> bool:
        """Whether the source was so short that it was judged after its end, see `Spotter.finish`."""
        return any(spotter.remark for spotter in self._spotters.values())

    def _spot(self, views: list[FaceView]) -> dict[int, Reading]:
        readings = {}
        for view in views:
            spotter = self._spotters.setdefault(view.face, Spotter(self._settings.spotter, self._verifier))
            readings[view.face] = spotter(view)
        for face in self._spotters.keys() - readings.keys():
            readings[face] = self._spotters[face].lost()
        return readings

    def _name(self, face: int, keyframes: Keyframes) -> None:
        assert self._latest is not None  # movements come of frames
        self._spotted += 1
        self._pending.append(self._worker.submit(self._event, self._spotted, face, keyframes, self._latest))

    def _event(self, number: int, face: int, keyframes: Keyframes, known: Frame) -> Recognized:
        """known: the frame at which the movement turned out to be over."""
        with self._timed("naming"):
            flow = SharedFlow()  # both look at the flow from onset to apex
            label, scores = self.recognize(keyframes, flow)
            units = self._estimate(keyframes, flow) if self._estimate else None
        named, offset = time.monotonic(), keyframes.offset
        self._took("delay", known.pts - offset.pts)
        self._took("label", named - known.arrival)
        self._took("event", named - offset.arrival)
        event = Event(
            event=number,
            source=self.source,
            face=face,
            onset_s=keyframes.onset.pts,
            apex_s=keyframes.apex.pts,
            offset_s=keyframes.offset.pts,
            label=label,
            scores=scores,
            model=self.recognize.name,
            latency_ms=(named - offset.arrival) * 1000,
            kind=keyframes.kind,
            confidence=keyframes.confidence,
            utc=self._utc(keyframes.apex),
            units=units,
        )
        return Recognized(event, keyframes)

    def _utc(self, view: FaceView) -> str | None:
        if self._wall is None:
            return None
        return datetime.fromtimestamp(self._wall + view.arrival, UTC).isoformat(timespec="milliseconds")

    def _known(self) -> Iterator[Recognized]:
        while self._pending and (self._wait or self._pending[0].done() or len(self._pending) > MOST_PENDING):
            yield self._pending.popleft().result()

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        begun = time.perf_counter()
        yield
        self._took(stage, time.perf_counter() - begun)

    def _took(self, what: str, seconds: float) -> None:
        self.timings.setdefault(what, deque(maxlen=KEPT_TIMINGS)).append(seconds * 1000)


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
