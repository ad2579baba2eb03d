"""Large files that are written beside the events while the stream goes on."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import Any, Self

from realtime.cli import common
from realtime.errors import OutputError
from realtime.output.writer import Fault
from realtime.pipeline import Step


class Beside:
    """A large file that is written beside the events, where `make` makes one. A disk that fills up ends it, not the work."""

    name = ""

    def __init__(self, command: str, make: Callable[[], Any] | None):
        """
        Args:
            command: says what went wrong.

        Raises:
            OutputError: it cannot be made.
        """
        self._say = common.complain(command)
        self.faults: list[Fault] = []
        self._file: Any = make() if make else None

    def write(self, step: Step, *more: Any) -> None:
        if self._file:
            with self._counted():
                self._write(step, *more)

    @property
    def exit_code(self) -> int:
        return OutputError.exit_code if self.faults else 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        if self._file:
            with self._counted():
                self._file.close()
                self._closed()

    def _write(self, step: Step, *more: Any) -> None:
        self._file.write(step)

    def _closed(self) -> None: ...

    @contextmanager
    def _counted(self):
        try:
            yield
        except OutputError as error:
            self._say(str(error))
            self.faults.append(Fault(self.name, str(error)))
            self._file = None


class Frames(Beside):
    """frames.csv."""

    name = "frames"
