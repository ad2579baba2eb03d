"""The one thread that feeds the sinks: one that fails never stops the stream; it is reported once, retired, and what it missed is counted."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from operator import methodcaller

from realtime.errors import OutputError
from realtime.output.log_health import BEAT_S
from realtime.output.sinks import Sink
from realtime.records import Event, Marker


@dataclass
class Fault:
    """What a sink could not do.

    Attributes:
        lost: events that it did not take.
    """

    sink: str
    message: str
    lost: int = 0


class Writer:
    """One thread that feeds several sinks from a bounded queue, so that a slow disk never holds up the stream.

    patience_s: how long `write` may wait for room in the queue: 0 for a camera (the event is dropped and counted),
        longer for a recording, which can wait.
    report: called once for each sink that fails, with one line; from the writer's thread.
    faults: what failed so far, and what was lost by it.
    """

    def __init__(self, sinks: Sequence[Sink], report: Callable[[str], None] = lambda line: None, capacity: int = 256, patience_s: float = 0.0):
        self.faults: list[Fault] = []
        self._sinks: dict[Sink, Fault | None] = {sink: None for sink in sinks}  # sink → its Fault, once it has failed
        for sink in sinks:
            sink.say = report
        self._report = report
        self._patience = patience_s
        self._queue: queue.Queue[Event | Marker | None] = queue.Queue(capacity)
        self._full: Fault | None = None
        self._closed = False
        self._in_hand = 0
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def write(self, event: Event | Marker) -> None:
        """Hand an event, a provisional one or a marker over. Never raises, waits at most `patience_s`."""
        try:
            if self._closed:
                raise queue.Full
            self._queue.put(event, block=self._patience > 0, timeout=self._patience or None)
        except queue.Full:
            if self._full is None:
                self._full = self._fault("events", "events come faster than they can be written: some are dropped")
            self._full.lost += 1

    def close(self, timeout_s: float = 30.0) -> None:
        """Write what is queued, close the sinks, and return within `timeout_s`, done or not."""
        if self._closed:
            return
        self._closed = True
        deadline = time.monotonic() + timeout_s
        with suppress(queue.Full):
            self._queue.put(None, timeout=timeout_s)
        self._thread.join(max(0.0, deadline - time.monotonic()))
        if self._thread.is_alive():
            left = self._in_hand + sum(event is not None for event in self._queue.queue)
            stuck = self._fault("events", f"writing did not end within {timeout_s:g} s: the last events may be missing")
            stuck.lost = left

    @property
    def exit_code(self) -> int:
        """0, or OutputError's code where something was not written."""
        return OutputError.exit_code if self.faults else 0

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def _run(self) -> None:
        self._each(lambda sink: sink.open())
        while True:
            try:
                event = self._queue.get(timeout=BEAT_S)
            except queue.Empty:
                self._each(lambda sink: sink.beat())
                continue
            if event is None:
                break
            self._in_hand = 1
            self._each(*_call(event))
            self._in_hand = 0
        self._each(lambda sink: sink.close())

    def _each(self, action: Callable[[Sink], None], loses: int = 0) -> None:
        for sink, fault in self._sinks.items():
            if fault is None:
                try:
                    action(sink)
                    continue
                except Exception as error:  # whatever a sink does, the others go on
                    reason = str(error) if isinstance(error, OutputError) else f"{sink.name}: {type(error).__name__}: {error}"
                    fault = self._sinks[sink] = self._fault(sink.name, " ".join(reason.split()))
                    fault.lost += error.lost if isinstance(error, OutputError) else 0
                    with suppress(Exception):
                        sink.close()
            fault.lost += loses

    def _fault(self, sink: str, message: str) -> Fault:
        fault = Fault(sink, message)
        self.faults.append(fault)
        with suppress(Exception):  # a closed terminal must not end the thread
            self._report(message)
        return fault


def _call(one: Event | Marker) -> tuple[Callable[[Sink], None], int]:
    """What is done with it, and how many events are lost where that fails."""
    if isinstance(one, Marker):
        return methodcaller("mark", one), 1
    return (methodcaller("write", one), 1) if one.final else (methodcaller("provisional", one), 0)
