"""What a person should know though the work goes on: a plan that is not used, a GPU that failed. Each line is said once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

_said: set[str] = set()
_listeners: list[Callable[[str], None]] = []
_guard = threading.Lock()


def say(line: str) -> None:
    """Tell every listener, or the log "engines" where nobody listens. A line that was said before is not said again."""
    with _guard:
        if line in _said:
            return
        _said.add(line)
        listeners = list(_listeners)
    for listener in listeners:
        listener(line)
    if not listeners:
        logging.getLogger("engines").warning(line)


def listen(callback: Callable[[str], None]) -> Callable[[], None]:
    """`callback(line)` is called, from whichever thread has something to say. Returns a function that ends this."""
    with _guard:
        _listeners.append(callback)

    def end() -> None:
        with _guard:
            if callback in _listeners:
                _listeners.remove(callback)

    return end


def forget() -> None:
    """Every line may be said again."""
    with _guard:
        _said.clear()
