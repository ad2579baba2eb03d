"""Where events go: what takes them one by one, and files that keep every event found so far."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from realtime.errors import OutputError, UsageError
from realtime.output.event_table import cells, columns, csv_head, csv_row
from realtime.output.line_file import NO_ROOM, LineFile, is_stream
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
