"""What a person is told: the errors that this package raises, and the warnings it logs while the work goes on.

Warnings (a plan that is not used, a GPU that failed) go to the logger "mer_live" of Python's logging, each line once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class EngineError(Exception):
    """A network or a flow engine cannot be had. Its text is one line, made to be shown to the user as it is.

    `realtime` turns it into its own `ModelError`.
    """


class GpuLost(EngineError):
    """The GPU failed while running: out of memory, or gone. Whoever catches it goes on with the CPU."""


class Once(logging.Filter):
    """Lets each line through once in a process."""

    def __init__(self) -> None:
        super().__init__()
        self._said: set[str] = set()
        self._guard = threading.Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        line = record.getMessage()
        with self._guard:
            new = line not in self._said
            self._said.add(line)
        return new

    def forget(self) -> None:
        """Every line may be said again."""
        with self._guard:
            self._said.clear()


notices = logging.getLogger("mer_live")
notices.setLevel(logging.WARNING)  # whatever a library sets for all
once = Once()
notices.addFilter(once)


@contextmanager
def on_notice(callback: Callable[[str], object]) -> Iterator[None]:
    """Inside the block `callback(line)` is called with each warning, from whichever thread has one."""
    handler = _Lines(callback)
    notices.addHandler(handler)
    try:
        yield
    finally:
        notices.removeHandler(handler)


class _Lines(logging.Handler):
    def __init__(self, callback: Callable[[str], object]) -> None:
        super().__init__()
        self._callback = callback

    def emit(self, record: logging.LogRecord) -> None:
        self._callback(record.getMessage())
