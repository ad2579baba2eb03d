"""One source being watched: its frames go through a pipeline, its events to whoever wants them, its state to a view."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Protocol, Self

from realtime.errors import MerError
from realtime.judged import Judged
from realtime.naming.recognizer import Recognizer
from realtime.pipeline import Pipeline, PipelineSettings, Step
from realtime.records import Event, Keyframes, Recognized
from realtime.sources import Source, SourceCounts, SourceInfo, SourceSettings
from realtime.sources.demo import called

FPS_SECONDS = 2.0  # the measured rate is that of the last two seconds
CURVE_SECONDS = 6.0  # of the difference curve that a view may show
KEPT_EVENTS = 8
KEPT_LATENCIES = 2000
# A micro-expression is a dozen frames at 30 a second. Where one frame in a hundred is dropped, nine of ten still have all
# of theirs (0.99 to the 12th); beyond, results are called incomplete.
MOST_DROPPED = 0.01
TURN_SECONDS = 0.0005  # Python hands its lock on after ten times as long; a frame asks for it dozens of times


@dataclass
class LiveSettings(PipelineSettings):
    """Everything that `configs/live.yaml` holds."""

    source: SourceSettings = field(default_factory=SourceSettings)


@dataclass
class Status:
    """What a view may show of a running watch. Written by the watching thread, read by others.

    Attributes:
        curve: (pts, difference, threshold, gate) of the latest moments, the last CURVE_SECONDS.
        latencies: milliseconds from a frame's arrival to the end of its processing.
        judged: how much of the source's time was judged, and why the rest was not.
    """

    frames: int = 0
    frames_with_face: int = 0
    judged: Judged = field(default_factory=Judged)
    face_found: bool = False
    pts: float = 0.0
    events_total: int = 0
    events: deque[Event] = field(default_factory=lambda: deque(maxlen=KEPT_EVENTS))
    curve: deque[tuple[float, float, float, str | None]] = field(default_factory=deque)
    latencies: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT_LATENCIES))
    done_at: deque[float] = field(default_factory=deque)

    def fps(self) -> float:
        """Frames a second that were processed lately; 0 where none were."""
        done = list(self.done_at)
        recent = [t for t in done if t > time.monotonic() - FPS_SECONDS]
        return (len(recent) - 1) / (recent[-1] - recent[0]) if len(recent) > 1 and recent[-1] > recent[0] else 0.0

    def copy(self) -> Self:
        """As it is now, while it is written on."""
        now = copy(self)
        now.judged = self.judged.copy()
        now.events, now.curve, now.latencies, now.done_at = self.events.copy(), self.curve.copy(), self.latencies.copy(), self.done_at.copy()
        return now

    def note(self, step: Step) -> None:
        now = time.monotonic()
        self.frames += 1
        self.face_found = bool(step.views)
        self.frames_with_face += self.face_found
        self.judged.add(step)
        self.pts = step.frame.pts
        self.latencies.append((now - step.frame.arrival) * 1000)
        self.done_at.append(now)
        while now - self.done_at[0] > FPS_SECONDS:
            self.done_at.popleft()
        self.curve.append((self.pts, *leading(step)))
        while self.pts - self.curve[0][0] > CURVE_SECONDS:
            self.curve.popleft()


def too_busy(counts: SourceCounts, name: str) -> str:
    """How many frames of a source were dropped, in words, where that was too many; else ""."""
    if counts.dropped <= MOST_DROPPED * counts.frames:
        return ""
    return f"too busy: {counts.dropped} of {counts.frames} frames of {name} were dropped"


@dataclass
class Account:
    """What is known of a watch at one moment; another process may be told.

    Attributes:
        name: as its events call the source.
        info: what was opened.
        state: of the source.
        counts: of the source.
        movements: what was spotted and set aside, by cause (`Pipeline.counts`).
        remarks: lines for a summary (`Pipeline.remarks`).
        label_ms: of each event, from the frame at which it was known to its label (as "label" in `Pipeline.timings`).
        event_ms: the same from its offset frame.
        error: what ended it, if it did not simply end.
    """

    name: str
    info: SourceInfo
    state: str
    counts: SourceCounts
    status: Status
    movements: Counter[str] = field(default_factory=Counter)
    remarks: list[str] = field(default_factory=list)
    label_ms: list[float] = field(default_factory=list)
    event_ms: list[float] = field(default_factory=list)
    error: Exception | None = None

    @property
    def too_busy(self) -> str:
        return too_busy(self.counts, self.name)

    @property
    def incomplete(self) -> str:
        """Why what was found may not be all there was to find, one line; "" where nothing is known to be missing."""
        return self.too_busy or (f"{self.name} broke off" if self.error is not None else "")


class Watched(Protocol):
    """A source that is watched here (`Watch`) or in another process (`realtime.parallel.watches`). `run` returns when all is done
    and never raises; `stop` may come from any thread."""

    @property
    def account(self) -> Account: ...

    def run(self) -> None: ...

    def stop(self) -> None: ...


def leading(step: Step) -> tuple[float, float, str | None]:
    """(difference, threshold, gate) of the first face of a step; (NaN, NaN, "lost") where there is none."""
    if not step.views:
        return float("nan"), float("nan"), "lost"
    reading = step.readings[step.views[0].face]
    return reading.difference, reading.threshold, reading.gate


def pipeline_of(source: Source, chosen: LiveSettings, recognizer: Recognizer) -> Pipeline:
    """As a source wants it that is watched while it runs."""
    info = source.info
    early = chosen.provisional and info.live  # of a recording that is worked through nobody waits for the end
    return Pipeline(called(info), replace(chosen, provisional=early), recognizer=recognizer, now=info.now)


class Watch:
    """Runs a source through a pipeline until it ends, breaks off, or `stop` is called (from any thread).

    Args:
        on_event: called for each event, in order, with its key frames.
        on_provisional: called for each that is told at its apex, and again where that is withdrawn, see `Step.provisional`.
        on_step: called after each frame; for views, timelines and videos.

    Attributes:
        latest: the last step, for a picture.
        error: what ended it, if it did not simply end. Events found before that have been handed over.
        interruption: who ran it was told to end (Ctrl-C, a signal), and says so here.
    """

    def __init__(
        self,
        source: Source,
        pipeline: Pipeline,
        on_event: Callable[[Event, Keyframes], None],
        on_step: Callable[[Step], None] = lambda step: None,
        on_provisional: Callable[[Event, Keyframes], None] = lambda event, keyframes: None,
    ):
        self.source, self.pipeline = source, pipeline
        self.status = Status()
        self.latest: Step | None = None
        self.error: Exception | None = None
        self.interruption: KeyboardInterrupt | None = None
        self._on_event, self._on_step, self._on_provisional = on_event, on_step, on_provisional
        self._stop = threading.Event()

    def run(self) -> None:
        """Returns when all is done; never raises, see `error`."""
        try:
            self._follow()
        except Exception as error:
            self.error = error
        finally:
            self.source.close()
            self.pipeline.close()
            # who is called often holds this watch: let go, both are freed with their pictures as soon as nobody wants them
            self._on_event = self._on_provisional = self._on_step = _nobody

    def stop(self) -> None:
        self._stop.set()
        self.source.close()

    @property
    def failure(self) -> MerError | None:
        """`error` where it is one that a user can do something about; a defect of ours is raised as it is."""
        if self.error is not None and not isinstance(self.error, MerError):
            raise self.error
        return self.error

    @property
    def account(self) -> Account:
        source, pipeline = self.source, self.pipeline
        label_ms, event_ms = (list(pipeline.timings.get(what, ())) for what in ("label", "event"))
        status, movements, remarks = self.status.copy(), pipeline.counts, pipeline.remarks
        return Account(pipeline.source, source.info, source.state, source.counts, status, movements, remarks, label_ms, event_ms, self.error)

    def _follow(self) -> None:
        try:
            for frame in self.source:
                step = self.pipeline(frame, self.source.waiting())
                self.latest = step
                self.status.note(step)
                self._hand_over(step.known)
                self._on_step(step)
                if self._stop.is_set():
                    break
        finally:
            # also when the source broke off: what was found until then is kept
            self._hand_over(self.pipeline.finish())
            if self.pipeline.judged_as_a_whole:
                self.status.judged.as_a_whole()

    def _hand_over(self, events: list[Recognized]) -> None:
        for known in events:
            if not known.event.final:
                self._on_provisional(known.event, known.keyframes)
                continue
            self._on_event(known.event, known.keyframes)
            self.status.events_total += 1
            self.status.events.append(known.event)


def _nobody(*_: object) -> None: ...


def side_by_side(runs: Sequence[Callable[[], None]]) -> list[threading.Thread]:
    """A thread for each `Watched.run`, to be started. Several take turns at Python's lock more often, so that none waits long for another's
    frame."""
    if len(runs) > 1:
        sys.setswitchinterval(TURN_SECONDS)
    return [threading.Thread(target=run, name=f"watch {i}", daemon=True) for i, run in enumerate(runs)]
