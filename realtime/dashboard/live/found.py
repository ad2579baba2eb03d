"""All events of a live page's latest run, as a file that the browser saves: they were in memory only."""

from __future__ import annotations

import tempfile
from collections import deque
from pathlib import Path

from realtime.exports import KINDS, Found, write
from realtime.records import Event

MOST = 5000  # events of one run that are held
FORMATS = {what: name for what, name in {"csv": "CSV", "excel": "Excel", "elan": "ELAN"}.items() if what in KINDS}


class Run:
    """From any thread. dropped: older events that are held no longer."""

    def __init__(self):
        self._events: deque[Event] = deque(maxlen=MOST)
        self.dropped = 0

    def put(self, event: Event) -> None:
        self.dropped += len(self._events) == MOST
        self._events.append(event)

    def file(self, what: str, temp: Path) -> tuple[str, bytes]:
        """(name, content). what: of FORMATS. temp: a private folder, as it was afterwards. Raises MerError."""
        events = list(self._events)
        classes = dict.fromkeys(name for event in events for name in event.scores)  # of all models that ran
        found = Found("live", events, classes=tuple(classes), model=events[-1].model if events else "")
        with tempfile.TemporaryDirectory(dir=temp) as folder:
            path = write(what, found, Path(folder))
            return path.name, path.read_bytes()
