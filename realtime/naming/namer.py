"""From spotted movements to events, beside the stream: naming one (optical flow, then the network) takes longer than a frame lasts."""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

from engines.flow.shared import SharedFlow
from realtime.naming.action_units import UnitEstimator
from realtime.naming.recognizer import Recognizer
from realtime.records import Event, FaceView, Frame, Keyframes, Recognized
from realtime.timings import Timings

MOST_PENDING = 16  # movements that may wait to be named; beyond, the loop waits, and a live source drops frames
Named = tuple[str, dict[str, float], dict[str, float] | None]  # label, scores, action units


class Namer:
    """Movements in, events out, in the same order. All methods are called from one thread; a worker does the naming.

    An event that was told at its apex keeps its number when it is confirmed; that of a withdrawn one is given to no other.

    Attributes:
        recognize: the network.
    """

    def __init__(self, source: str, recognize: Recognizer, estimate: UnitEstimator | None, wait: bool, now: bool, timings: Timings):
        """
        Args:
            wait: the loop waits for each name.
            now: as in `SourceInfo`; events then have their `utc`.
            timings: gets "naming", "delay", "label", "event", "early" and "early label", see `Pipeline`.
        """
        self.recognize = recognize
        self._source, self._estimate, self._wait, self._timings = source, estimate, wait, timings
        # taken once: a wall clock that is set while it runs must not tear events apart
        self._wall = time.time() - time.monotonic() if now else None
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="recognizer", initializer=_after_the_frames)
        self._pending: deque[Future[Recognized]] = deque()
        self._spotted = 0
        self._early: dict[tuple[int, int], tuple[int, Future[Recognized]]] = {}  # (face, its number) → event's number, and its name
        self._ahead: deque[tuple[tuple[int, ...], Future[Named]]] = deque(maxlen=MOST_PENDING)  # of which pictures
        self._worker.submit(recognize.warm)
        if estimate:
            self._worker.submit(estimate.warm)

    def name_ahead(self, suspected: Keyframes) -> None:
        """Begin to name what is probably told in a moment: of a network that looks no further than the apex, the label is then there."""
        if self.recognize.until_apex:
            self._ahead.append((_looked_at(suspected), self._worker.submit(self._named, suspected)))

    def name(self, face: int, keyframes: Keyframes, known: Frame) -> None:
        """known: the frame at which the movement turned out to be over."""
        if keyframes.early is not None:
            number, _ = self._early.pop((face, keyframes.early))
        else:
            number = self._next()
        ahead = next((named for pictures, named in self._ahead if pictures == _looked_at(keyframes)), None)
        self._pending.append(self._worker.submit(self._event, number, face, keyframes, known, ahead))

    def name_early(self, face: int, keyframes: Keyframes, known: Frame) -> None:
        """The same of one that is told at its apex. known: the frame at which that had passed."""
        assert keyframes.early is not None
        number = self._next()
        future = self._worker.submit(self._provisional, number, face, keyframes, known)
        self._early[face, keyframes.early] = number, future
        self._pending.append(future)

    def withdraw(self, face: int, early: int) -> None:
        """What was told at its apex is none."""
        _, told = self._early.pop((face, early))
        self._pending.append(self._worker.submit(_withdrawn, told))

    def withdraw_all(self) -> None:
        for face, early in list(self._early):
            self.withdraw(face, early)

    def known(self) -> Iterator[Recognized]:
        """What has been named by now."""
        while self._pending and (self._wait or self._pending[0].done() or len(self._pending) > MOST_PENDING):
            yield self._pending.popleft().result()

    def finish(self) -> list[Recognized]:
        """All that is still being named."""
        events = [future.result() for future in self._pending]
        self._pending.clear()
        return events

    def close(self) -> None:
        self._worker.shutdown(cancel_futures=True)

    def _next(self) -> int:
        self._spotted += 1
        return self._spotted

    def _named(self, keyframes: Keyframes) -> Named:
        with self._timings.timed("naming"):
            flow = SharedFlow()  # both look at the flow from onset to apex
            return *self.recognize(keyframes, flow), self._estimate(keyframes, flow) if self._estimate else None

    def _event(self, number: int, face: int, keyframes: Keyframes, known: Frame, ahead: Future[Named] | None) -> Recognized:
        """ahead: was submitted before this, to the same worker."""
        label, scores, units = ahead.result() if ahead else self._named(keyframes)
        named, offset = time.monotonic(), keyframes.offset
        self._timings.took("delay", known.pts - offset.pts)
        self._timings.took("label", named - known.arrival)
        self._timings.took("event", named - offset.arrival)
        event = self._record(number, face, keyframes, label, scores, named - offset.arrival)
        return Recognized(replace(event, units=units, provisional=None if keyframes.early is None else False), keyframes)

    def _provisional(self, number: int, face: int, keyframes: Keyframes, known: Frame) -> Recognized:
        label, scores = self.recognize(keyframes)
        named, apex = time.monotonic(), keyframes.apex
        self._timings.took("early", known.pts - apex.pts)
        self._timings.took("early label", named - apex.arrival)
        return Recognized(replace(self._record(number, face, keyframes, label, scores, named - apex.arrival), provisional=True), keyframes)

    def _record(self, number: int, face: int, keyframes: Keyframes, label: str, scores: dict[str, float], latency: float) -> Event:
        return Event(
            event=number,
            source=self._source,
            face=face,
            onset_s=keyframes.onset.pts,
            apex_s=keyframes.apex.pts,
            offset_s=keyframes.offset.pts,
            label=label,
            scores=scores,
            model=self.recognize.name,
            latency_ms=latency * 1000,
            kind=keyframes.kind,
            confidence=keyframes.confidence,
            utc=self._utc(keyframes.apex),
        )

    def _utc(self, view: FaceView) -> str | None:
        if self._wall is None:
            return None
        return datetime.fromtimestamp(self._wall + view.arrival, UTC).isoformat(timespec="milliseconds")


def _looked_at(keyframes: Keyframes) -> tuple[int, ...]:
    """Which pictures a network sees that looks no further than the apex."""
    return keyframes.onset.face, keyframes.onset.index, keyframes.apex.index


def _withdrawn(told: Future[Recognized]) -> Recognized:
    """In the worker, after it was named."""
    before = told.result()
    return Recognized(replace(before.event, withdrawn=True), before.keyframes)


def _after_the_frames() -> None:
    """A name may come a little later, a frame that waits is dropped: on Linux, where a thread has a priority of its own, naming gets a lower one."""
    if sys.platform == "linux":
        os.nice(10)
