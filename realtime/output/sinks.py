"""Where events go: files that keep every event found so far, and the one thread that feeds them.

A sink that fails never stops the stream: it is reported once, retired, and what it missed is counted.
"""

from __future__ import annotations

import json
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from operator import methodcaller
from pathlib import Path

from realtime.errors import OutputError, UsageError
from realtime.output.event_table import cells, columns, csv_head, csv_row
from realtime.output.line_file import NO_ROOM, LineFile, is_stream
from realtime.output.log_health import BEAT_S
from realtime.records import Event, Marker

MOST_WAITING = 10_000  # lines or rows in memory, while a disk is full or a log locked


class Sink:
    """Takes events one by one. All methods are called from the `Writer`'s thread: open, write, provisional, mark and beat, close.

    Attributes:
        say: set by the Writer; for one line that a person should know though the work goes on.

    Raises:
        OutputError: it cannot write; `name` says what failed.
    """

    name = "events"
    say: Callable[[str], None] = staticmethod(lambda line: None)

    def open(self) -> None: ...

    def write(self, event: Event) -> None: ...

    def provisional(self, event: Event) -> None:
        """What is told at its apex, or withdrawn (no `Event.final`). Only who can say both apart should take it."""

    def mark(self, marker: Marker) -> None: ...

    def beat(self) -> None:
        """Called every BEAT_S seconds in which nothing is written."""

    def close(self) -> None: ...


def file_sink(path: str | Path, classes: Sequence[str] = (), now: bool = False) -> Sink:
    """The sink for the events of one session: by the path's ending .jsonl or .csv; streams (see `LineFile`) are JSON lines
    unless they end in .csv. The file is made now; one that holds events is not overwritten.

    Args:
        classes: the network's class names, so that a CSV has its full header even without events.
        now: whether events will have their utc.

    Raises:
        UsageError: another ending.
        OutputError: the file cannot be written or holds something.
    """
    ending = Path(path).suffix.lower()
    if ending == ".csv":
        return CsvSink(path, classes, after=["utc"] * now, kept=True)
    if ending == ".jsonl" or is_stream(path):
        return JsonlSink(path, kept=True)
    raise UsageError(f"cannot tell the format of events file '{path}': name it .jsonl or .csv")


class _LineSink(Sink):
    """Lines of a file. Where the disk of one that is kept is full, they wait in memory; each further one, each beat and the end try again."""

    def __init__(self, path: str | Path, kept: bool):
        self.name = str(path)
        self.file = LineFile(path, kept)
        self._waiting: deque[str] = deque()
        self._said = False

    def put(self, line: str) -> None:
        self._waiting.append(line)
        self.beat()

    def beat(self) -> None:
        while self._waiting:
            try:
                self.file.write(self._waiting[0])
            except OutputError as error:
                full = isinstance(error.__cause__, OSError) and error.__cause__.errno in NO_ROOM
                if not (full and self.file.lasting and len(self._waiting) < MOST_WAITING):
                    error.lost = len(self._waiting) - 1  # beside the one that is being written
                    self._waiting.clear()
                    raise
                if not self._said:
                    self._said = True
                    self.say(f"{error}; until then events wait")
                return
            self._waiting.popleft()
        self._said = False

    def close(self) -> None:
        try:
            self.beat()
        finally:
            self.file.close()
        if self._waiting:
            error = OutputError(f"'{self.name}' found no room: {len(self._waiting)} lines are not in it")
            error.lost = len(self._waiting)
            self._waiting.clear()
            raise error


class JsonlSink(_LineSink):
    """One JSON object a line: `Event.as_dict`. Of what is told at its apex there are two with one number."""

    def __init__(self, path: str | Path, kept: bool = False):
        """
        Args:
            kept: see `LineFile`.
        """
        super().__init__(path, kept)

    def write(self, event: Event) -> None:
        self.write_row(event.as_dict())

    provisional = write

    def write_row(self, row: dict) -> None:
        self.put(json_line(row))


class CsvSink(_LineSink):
    """One event a line; the columns are those of `event_table`. The header comes first even without events."""

    def __init__(
        self,
        path: str | Path,
        classes: Sequence[str] = (),
        before: Sequence[str] = (),
        separator: str = ",",
        kept: bool = False,
        after: Sequence[str] = (),
    ):
        """
        Args:
            before: names of columns that stand before the event's own (the log's export has a session).
            after: of those behind them.
            kept: see `LineFile`.
        """
        super().__init__(path, kept)
        self.before, self.after, self.separator = tuple(before), tuple(after), separator
        self.columns: list[str] = []
        if classes:
            self._header(classes)

    def write(self, event: Event) -> None:
        self.write_row(event.as_dict())

    def write_row(self, row: dict) -> None:
        if not self.columns:
            self._header(row["scores"])
        self.put(csv_row(cells(row), self.columns, self.separator))

    def close(self) -> None:
        if not self.columns:
            self._header(())
        super().close()

    def _header(self, classes: Iterable[str]) -> None:
        self.columns = columns(classes, self.before, self.after)
        self.put(csv_head(self.columns, self.separator))


def json_line(row: dict) -> str:
    """A row of a JSONL file."""
    return json.dumps(row, ensure_ascii=False) + "\n"


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
