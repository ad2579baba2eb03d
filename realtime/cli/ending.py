"""How a session is told to end from outside: Ctrl-C, SIGTERM (a service manager), SIGHUP (a closed terminal)."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

BY = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]  # Windows has no SIGHUP


class Ended(KeyboardInterrupt):
    """SIGTERM or SIGHUP came: whoever knows what to do at Ctrl-C does the same. code: what a shell reports for it."""

    def __init__(self, number: int):
        super().__init__(signal.Signals(number).name)
        self.code = 128 + number


def heard() -> list[int]:
    """Who starts a program with SIGHUP ignored (nohup) wants it to outlive the terminal."""
    return [number for number in BY if signal.getsignal(number) != signal.SIG_IGN]


@contextmanager
def signals() -> Iterator[None]:
    """Raises Ended in the main thread at the first SIGTERM or SIGHUP; a second one does not break off the ending."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    told: list[int] = []

    def end(number: int, _) -> None:
        told.append(number)
        if len(told) == 1:
            raise Ended(number)

    before = {number: signal.signal(number, end) for number in heard()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
