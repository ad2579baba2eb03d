"""One page that watches live: source → Watch → what the page shows. Knows nothing of WebSockets."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, replace

from realtime.dashboard.live_choice import Choice
from realtime.dashboard.live_figures import Rate, face_of, number, percentiles
from realtime.dashboard.shared import Shared
from realtime.dashboard.shelf import Remembering, Shelf
from realtime.errors import MerError
from realtime.kept import Keeper, beside
from realtime.log import Session, SqliteSink
from realtime.pipeline import Pipeline, Step
from realtime.recognition import Recognizer
from realtime.records import Event, Keyframes
from realtime.sinks import Writer
from realtime.sources import Source, SourceCounts
from realtime.sources.packets import Packets
from realtime.warm import warm_naming
from realtime.watch import Watch, leading

log = logging.getLogger(__name__)

MOST_POINTS = 900  # of the curve that wait for a page: half a minute
RECENT = 300  # frames, over which latencies are told


class LiveSession:
    """`start`, then look at `state()` as often as you like; `stop` ends it. Methods may be called from any thread.

    tell(kind, content): "ready", "event" (a dict), "problem" or "word" (one line), "ended"; from other threads. source: open, or what
    opens it, in a thread, since that may take seconds.
    """

    def __init__(self, shared: Shared, choice: Choice, source: Source | Callable[[], Source], tell: Callable[[str, dict], None]):
        self.shared, self.choice, self.shelf = shared, choice, Shelf()
        self.source: Source | None = None if callable(source) else source
        self.watch: Watch | None = None
        self.phase = "loading"
        self._open, self._tell = source, tell
        self._asked: Remembering | None = None
        self._next: tuple[Pipeline, Remembering] | None = None
        self._guard = threading.Lock()  # of what is swapped between frames
        self._building = threading.Lock()
        self._stopped = threading.Event()
        self._points: deque[tuple[float, float, float, str | None]] = deque(maxlen=MOST_POINTS)
        self._face: dict | None = None
        self._events = 0
        self._shown: tuple[int, float] | None = None  # the latest frame's index, and when it was done
        self._rate = Rate()
        self._log: tuple[Writer, SqliteSink, int] | None = None
        self._pictures: Keeper | None = None

    # --- from outside

    def start(self) -> None:
        threading.Thread(target=self._run, name="live", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()
        for part in (self.watch or self.source,):
            if part is not None:
                part.stop() if isinstance(part, Watch) else part.close()
        self.keep(False)

    def change(self, choice: Choice) -> None:
        """Another network, engine or spotter, from some frame on; the source stays. Returns at once."""
        threading.Thread(target=self._rebuild, args=(choice,), name="rebuild", daemon=True).start()

    def keep(self, on: bool, pictures: bool = False) -> None:
        """Whether events go to the log from now on, and whether their pictures are kept beside it. Raises MerError."""
        with self._guard:
            self._pictures = Keeper(beside(self.shared.log)) if on and pictures else None
            if on == (self._log is not None):
                return
            if on:
                name = self.source.info.name if self.source else "live"
                session = Session(self.choice.model, [name], asdict(self.choice.applied(self.shared.settings)))
                sink = SqliteSink(session, self.shared.log)
                frames = self.watch.status.frames if self.watch else 0
                self._log = Writer([sink], report=lambda line: self._tell("problem", {"text": line})), sink, frames
                return
            (writer, sink, before), self._log = self._log, None
        frames = self.watch.status.frames if self.watch else before
        counts = self.source.counts if self.source else SourceCounts()
        sink.finish(frames - before, counts.drops, counts.warnings)
        writer.close()

    @property
    def stored(self) -> str:
        """What is being stored, in words; empty where nothing is."""
        return "" if self._log is None else "events and their pictures" if self._pictures else "events"

    def state(self) -> dict:
        """What is new since the last call: phase, curve points, face, latest frame."""
        points = []
        while self._points:
            points.append([number(value) if not isinstance(value, str) else value for value in self._points.popleft()])
        shown, taken = self._shown, None
        if shown and isinstance(self.source, Packets):
            taken = self.source.taken(shown[0])
        phase = self.phase
        if phase == "running" and self.source.state != "running":
            phase = self.source.state
        return {
            "phase": phase,
            "points": points,
            "face": self._face,
            "frames": self.watch.status.frames if self.watch else 0,
            "taken": taken,
            "age_ms": round((time.monotonic() - shown[1]) * 1000, 1) if shown else None,
            "recording": self.stored,
        }

    def health(self) -> dict:
        """The figures of the strip below the picture."""
        watch, asked = self.watch, self._asked
        if watch is None or asked is None:
            return {}
        counts, pipeline = self.source.counts, watch.pipeline
        latencies = list(watch.status.latencies)[-RECENT:]
        movements = {}
        with suppress(RuntimeError):  # a face turned up while they were counted
            movements = dict(pipeline.counts)
        return {
            "fps_in": round(self._rate(counts.frames), 1),
            "fps_out": round(watch.status.fps(), 1),
            "frames": watch.status.frames,
            "drops": counts.drops,
            "faults": counts.warnings,
            "gaps": len(counts.gaps),
            "latency_ms": percentiles(latencies),
            "event_ms": percentiles(pipeline.timings.get("event", ())),
            "movements": movements,
            "backend": asked.engines,
            "model": asked.name,
            "source": self.source.info.name,
            "size": [self.source.info.width, self.source.info.height],
            "events": self._events,
        }

    # --- the watching thread

    def _run(self) -> None:
        try:
            if self.source is None:
                self.source = self._open()
            pipeline, self._asked = self._pipeline(self.choice)
            self.watch = Watch(self.source, pipeline, self._found, self._step)
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
                self._tell("problem", {"text": f"Live stopped because of a defect in mer-live: {type(error).__name__}: {error}"})
        finally:
            if self.source is not None:
                self.source.close()
            with self._guard:
                waiting, self._next, self.phase = self._next, None, "ended"
            if waiting is not None:
                waiting[0].close()
            if self.source is not None:
                self.keep(False)
            self._tell("ended", {})

    def _pipeline(self, choice: Choice) -> tuple[Pipeline, Remembering]:
        recognizer = self.shared.recognizer(choice.model, choice.engine)
        warm_naming(recognizer)
        asked = Remembering(recognizer)
        return Pipeline(self.source.info.name, choice.applied(self.shared.settings), recognizer=asked), asked

    def _rebuild(self, choice: Choice) -> None:
        with self._building:
            try:
                fresh = self._pipeline(choice)
            except MerError as error:
                self._tell("problem", {"text": f"{error}. It goes on as it was."})
                return
            with self._guard:
                before, self._next, self.choice = self._next, fresh, choice
                over = self.phase == "ended"
            for pipeline, _ in filter(None, (before, fresh if over else None)):
                pipeline.close()

    def _step(self, step: Step) -> None:
        self._points.append((step.frame.pts, *leading(step)))
        self._face = face_of(self.watch.pipeline, step)
        self._shown = step.frame.index, time.monotonic()
        with self._guard:
            fresh, self._next = self._next, None
        if fresh is not None:
            for event in self.watch.pipeline.finish():
                self._found(event)
            self.watch.pipeline, self._asked = fresh
            self._tell("word", {"text": f"Now with {self._asked.engines}.", "brief": True})

    def _found(self, event: Event) -> None:
        self._events += 1
        keyframes = self._asked.asked.pop(0)
        event = replace(event, event=self._events)
        keeper = None
        with self._guard:
            if self._log is not None:
                self._log[0].write(event)
                keeper = self._pictures
            sink = self._log[1] if self._log else None
        threading.Thread(target=self._shelve, args=(event, keyframes, self._asked.recognizer, keeper, sink)).start()

    def _shelve(self, event: Event, keyframes: Keyframes, recognizer: Recognizer, keeper: Keeper | None, sink: SqliteSink | None) -> None:
        """Beside the stream: the page is told, and pictures are packed and, if wanted, written."""
        self._tell("event", {"event": event, "keyframes": keyframes})
        self.shelf.put(event, keyframes, recognizer)
        if keeper is None:
            return
        for _ in range(100):  # the log's own thread gives the session its number
            if sink.id is not None:
                try:
                    keeper.keep(sink.id, event, keyframes)
                except MerError as error:
                    self._tell("problem", {"text": str(error)})
                return
            time.sleep(0.05)
