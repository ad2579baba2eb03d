"""One page that watches live: source → Watch → what the page shows; and how many may at a time. Knows nothing of WebSockets."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Protocol

from realtime.dashboard.live.choices import Choice
from realtime.dashboard.live.latest_events import Numbers, Run, Shelf
from realtime.dashboard.live.latest_frames import LatestFrames
from realtime.dashboard.live.readings import SET_ASIDE, Rate, face_of, health, number
from realtime.dashboard.live.storing import Keeping, Stored
from realtime.dashboard.shared import Shared
from realtime.errors import MerError, UsageError
from realtime.output.recorder import Recorder, Tapped, recordings
from realtime.pipeline import Pipeline, Step
from realtime.records import Event, Keyframes
from realtime.sources import Source, SourceCounts
from realtime.sources.browser import Packets
from realtime.watching import Watch, leading

SEATS = max(1, (os.cpu_count() or 1) // 2)  # live pages at a time: each takes most of a core


class Sitter(Protocol):
    def put_out(self) -> None:
        """Another page has taken the place."""

    def end(self) -> None:
        """The program ends."""


class Seats:
    """Who watches now. The machine has room for so many pages at full rate; a new one may take the oldest's place."""

    def __init__(self, most: int):
        self.most = most
        self._taken: list[Sitter] = []
        self._guard = threading.Lock()

    @property
    def full(self) -> str:
        """What to say to a page that finds no seat."""
        return f"Live already runs in another tab or window, and this machine has room for {self.most} at full rate."

    def take(self, who: Sitter, over: bool) -> bool:
        with self._guard:
            if who in self._taken:
                return True
            out = None
            if len(self._taken) >= self.most:
                if not over:
                    return False
                out = self._taken.pop(0)
            self._taken.append(who)
        if out is not None:
            out.put_out()
        return True

    def leave(self, who: Sitter) -> None:
        with self._guard, suppress(ValueError):
            self._taken.remove(who)

    def empty(self) -> None:
        for who in list(self._taken):
            who.end()


def seats_of(shared: Shared) -> Seats:
    """The seats of this program, the same for a page with a WebSocket and one without."""
    if not hasattr(shared, "live_seats"):
        shared.live_seats = Seats(SEATS)
        shared.at_end(shared.live_seats.empty)
    return shared.live_seats


log = logging.getLogger(__name__)

MOST_POINTS = 900  # of the curve that wait for a page: half a minute


class LiveSession:
    """`start`, then look at `state()` as often as you like; `stop` ends it. Methods may be called from any thread.

    Args:
        source: open, or what opens it, in a thread, since that may take seconds.
        tell: (kind, content), from other threads: "ready"; "provisional" (an event that is told at its apex, or withdrawn); "event" (the
            event, and "ended": microseconds in the browser's clock at which its offset was taken, or None), then its "pictures" (the event,
            its keyframes); "problem" or "word" (one line); "ended".
    """

    def __init__(self, shared: Shared, choice: Choice, source: Source | Callable[[], Source], tell: Callable[[str, dict], None]):
        self.shared, self.choice, self.shelf, self.found = shared, choice, Shelf(), Run()
        self.measured = LatestFrames()
        self.source: Source | None = None if callable(source) else source
        self.watch: Watch | None = None
        self.phase = "loading"
        self._open, self._tell = source, tell
        self._next: Pipeline | None = None
        self._guard = threading.Lock()  # of what is swapped between frames
        self._wanted: Choice | None = None  # while it is built
        self._stopped = threading.Event()
        self._points: deque[tuple[float, float, float, str | None]] = deque(maxlen=MOST_POINTS)
        self._aside: deque[tuple[float, str]] = deque(maxlen=MOST_POINTS)
        self._face: dict | None = None
        self._events = 0
        self._numbers = Numbers()
        self._shown: tuple[int, float] | None = None  # the latest frame's index, and when it was done
        self._rate = Rate()
        self._thread = threading.Thread(target=self._run, name="live", daemon=True)
        self.keeping = Keeping(shared, self._problem)
        self.recorder: Recorder | None = None  # once a person has pressed REC

    # --- from outside

    @property
    def over(self) -> bool:
        """Whether nothing is watched any more; what was found can still be looked at."""
        return self._stopped.is_set() or self.phase == "ended"

    def start(self) -> None:
        self._thread.start()

    def join(self, seconds: float = 5.0) -> bool:
        """After `stop`: wait until its models are let go, which must not happen while the program ends. Whether they are."""
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(seconds)
        return not self._thread.is_alive()

    def stop(self) -> None:
        self._stopped.set()
        if self.watch is not None:
            self.watch.stop()
        elif self.source is not None:
            self.source.close()
        self.join()  # what has ended and is still being named is stored, too
        self.keep(False)
        self.record(False)

    def change(self, choice: Choice) -> None:
        """Another network, engine or spotter, from some frame on; the source stays. Returns at once. Of several that come
        while one is built, only the latest counts."""
        with self._guard:
            builds, self._wanted = self._wanted is not None, choice
        if not builds:
            threading.Thread(target=self._rebuild_on, name="rebuild", daemon=True).start()

    def keep(self, on: bool, pictures: bool = False) -> None:
        """Whether events go to the log from now on, and whether their pictures are kept beside it.

        Raises:
            MerError: where they cannot be.
        """
        if on:
            self.keeping.on(self.choice, self.source.info.name if self.source else "live", pictures)
        else:
            self.keeping.off(self.source.counts if self.source else SourceCounts())

    def record(self, on: bool) -> None:
        """Whether the stream itself goes to the disk from now on, into a folder beside the log.

        Raises:
            MerError: where it cannot.
        """
        if on:
            if not isinstance(self.source, Tapped) or self.over:
                raise UsageError("start the camera first: there is nothing to record yet")
            if self.recorder is None:
                self.recorder = Recorder(self.source, self.source.info.name, recordings(self.shared.log), self._problem)
            self.recorder.start()
        elif self.recorder is not None and (words := self.recorder.stop()):
            self._tell("word", {"text": f"Recorded: {words}."})

    def _problem(self, line: str) -> None:
        self._tell("problem", {"text": line})

    def state(self) -> dict:
        """What is new since the last call: phase, curve points, what was set aside (seconds, why in words), face, latest frame."""
        points = []
        while self._points:
            points.append([number(value) if not isinstance(value, str) else value for value in self._points.popleft()])
        aside = []
        while self._aside:
            aside.append(self._aside.popleft())
        shown, taken = self._shown, None
        if shown and isinstance(self.source, Packets):
            taken = self.source.taken(shown[0])
        phase = self.phase
        if phase == "running" and self.source.state != "running":
            phase = self.source.state
        return {
            "phase": phase,
            "points": points,
            "set_aside": aside,
            "face": self._face,
            "frames": self.watch.status.frames if self.watch else 0,
            "taken": taken,
            "age_ms": round((time.monotonic() - shown[1]) * 1000, 1) if shown else None,
            "recording": " and ".join(filter(None, (self.keeping.words, "video frames" if self._films else ""))),
            "films": self._films,
            "measured": len(self.measured),
        }

    @property
    def _films(self) -> bool:
        return self.recorder is not None and self.recorder.on

    def health(self) -> dict:
        """The figures of the strip below the picture; none before the first frame."""
        return {} if self.watch is None else health(self.watch, self._rate, self._events)

    # --- the watching thread

    def _run(self) -> None:
        try:
            if self.source is None:
                self.source = self._open()
            self.watch = Watch(self.source, self._pipeline(self.choice), self._found, self._step, self._provisional)
            if self._stopped.is_set():
                self.watch.stop()
                self.watch.pipeline.close()
                return
            self.phase = "running"
            self._tell("ready", {})
            self.watch.run()
            if self.watch.failure is not None and not self._stopped.is_set():
                raise self.watch.failure
            if not self._stopped.is_set():
                self._tell("word", {"text": "The source has ended."})
        except MerError as error:
            if not self._stopped.is_set():
                self._tell("problem", {"text": str(error)})
        except Exception as error:  # a defect: the page should not wait for ever
            if not self._stopped.is_set():  # what was pulled away while it was being built may well complain
                log.exception("live stopped")
                defect = f"{type(error).__name__}: {error}"
                self._tell("problem", {"text": f"Live stopped because of a defect in mer-live: {defect}"})
        finally:
            if self.source is not None:
                self.source.close()
            with self._guard:
                waiting, self._next, self.phase = self._next, None, "ended"
                self.watch = None  # with it go its networks and the decoder's pictures; what was found stays as long as the page
            if waiting is not None:
                waiting.close()
            if self.source is not None:
                self.keep(False)
            self.record(False)
            if self.recorder is not None:
                self.recorder.close()
            self._tell("ended", {})

    def _pipeline(self, choice: Choice) -> Pipeline:
        recognizer = self.shared.recognizer(choice.model, choice.engine)
        info = self.source.info
        return Pipeline(info.name, choice.applied(self.shared.settings), recognizer=recognizer, now=info.now)

    def _rebuild_on(self) -> None:
        """Until the last that was wanted is built."""
        while True:
            choice = self._wanted
            self._rebuild(choice)
            with self._guard:
                if self._wanted is choice:
                    self._wanted = None
                    return

    def _rebuild(self, choice: Choice) -> None:
        if self.source is None:  # it is being opened, and begins with this choice
            self.choice = choice
            return
        try:
            fresh = self._pipeline(choice)
        except Exception as error:
            if not isinstance(error, MerError):
                log.exception("a live session could not be changed")
            self._tell("problem", {"text": f"{error}. It goes on as it was."})
            return
        with self._guard:
            before, self._next, self.choice = self._next, fresh, choice
            over = self.phase == "ended"
        for pipeline in filter(None, (before, fresh if over else None)):
            pipeline.close()

    def _step(self, step: Step) -> None:
        self.keeping.note(step)
        if self.choice.measures:
            self.measured.write(step)
        self._points.append((step.frame.pts, *leading(step)))
        self._aside += [(round(one.pts, 3), SET_ASIDE.get(one.cause, one.cause)) for reading in step.readings.values() for one in reading.set_aside]
        self._face = face_of(self.watch.pipeline, step)
        self._shown = step.frame.index, time.monotonic()
        with self._guard:
            fresh, self._next = self._next, None
        if fresh is not None:
            for last in self.watch.pipeline.finish():
                (self._found if last.event.final else self._provisional)(last.event, last.keyframes)
            self.watch.pipeline = fresh
            self._tell("word", {"text": f"Now with {fresh.recognize.engines}.", "brief": True})

    def _provisional(self, event: Event, keyframes: Keyframes) -> None:
        event = replace(event, event=self._numbers.of(event))
        self.keeping.write(event)
        self._tell("provisional", {"event": event})

    def _found(self, event: Event, keyframes: Keyframes) -> None:
        self._events += 1
        event = replace(event, event=self._numbers.of(event))
        stored = self.keeping.write(event)
        try:
            if self.recorder is not None:
                self.recorder.write(event)
        except MerError as error:
            self._problem(str(error))
        self.found.put(event)
        self.shelf.put(event, keyframes, self.watch.pipeline.recognize)
        ended = self.source.taken(keyframes.offset.index) if isinstance(self.source, Packets) else None
        self._tell("event", {"event": event, "ended": ended})
        threading.Thread(target=self._shelve, args=(event, keyframes, stored), name="pictures").start()

    def _shelve(self, event: Event, keyframes: Keyframes, stored: Stored | None) -> None:
        """Beside the stream: first what a person waits for, then what is only put away."""
        self._tell("pictures", {"event": event, "keyframes": keyframes})
        self.shelf.pack(event.event)
        try:
            if stored is not None:
                stored.pictures(event, keyframes)
        except MerError as error:
            self._tell("problem", {"text": str(error)})
