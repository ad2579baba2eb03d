"""All events of a live page's latest run, as a file that the browser saves: they were in memory only."""

from __future__ import annotations

from collections import deque
from pathlib import Path

from realtime.errors import UsageError
from realtime.output.exports import KINDS, Found, write
from realtime.records import Event

MOST = 5000  # events of one run that are held
FORMATS = {what: name for what, name in {"csv": "CSV", "excel": "Excel", "elan": "ELAN"}.items() if what in KINDS}


class Run:
    """From any thread."""

    def __init__(self):
        self._events: deque[Event] = deque(maxlen=MOST)
        self._dropped = 0

    def put(self, event: Event) -> None:
        self._dropped += len(self._events) == MOST
        self._events.append(event)

    @property
    def word(self) -> str:
        """What to know of a file of them; "" where there is nothing to know."""
        return f"The file holds the latest {MOST} events; the first {self._dropped} are no longer there." if self._dropped else ""

    def file(self, what: str, folder: Path) -> Path:
        """The file, over an older one. what: of FORMATS. folder: a private one. Raises MerError."""
        if what not in FORMATS:
            raise UsageError(f"events are not written as '{what[:60]}': expected one of {', '.join(FORMATS)}")
        if not (events := list(self._events)):
            raise UsageError("there are no events yet")
        classes = dict.fromkeys(name for event in events for name in event.scores)  # of all models that ran
        found = Found("live", events, classes=tuple(classes), model=events[-1].model)
        return write(what, found, folder)
