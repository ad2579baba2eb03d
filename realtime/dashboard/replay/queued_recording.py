"""One recording that was dropped on the page, from its turn in the queue to what was found in it."""

from __future__ import annotations

import pickle
import secrets
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from realtime.dashboard.replay.faces import Faces
from realtime.dashboard.replay.seekable_copy import Copy
from realtime.dashboard.replay.sensitivity import USUAL
from realtime.judged import Judged
from realtime.output.exports import Found
from realtime.records import Keyframes
from realtime.watch import Watch

WAITING, WORKING, DONE, CANCELLED, FAILED = "waiting", "working", "done", "cancelled", "failed"
MOST_EVENTS = 2000  # of one recording whose pictures are kept


@dataclass
class Job:
    """One recording of one browser's queue, whose key is `owner`. token: names it in addresses; it cannot be guessed.

    seconds: its stated length or None. sensitivity: see there. began: monotonic seconds. judged: how much of it was judged.
    sound: alone, by the recording's clock; None where it has none.
    faces: where the face was in each frame. message: what went wrong, one line. stored: its session in the event log,
    where a person asked for that; whole: with the recording itself.
    """

    owner: str
    clip: Path
    name: str
    model: str
    engine: str
    folder: Path
    seconds: float | None = None
    sensitivity: str = USUAL
    token: str = field(default_factory=lambda: secrets.token_urlsafe(18))
    state: str = WAITING
    progress: float = 0.0
    began: float = 0.0
    message: str = ""
    found: Found | None = None
    copy: Copy | None = None
    faces: Faces | None = None
    judged: Judged | None = None
    sound: Path | None = None
    stored: int | None = None
    whole: bool = False
    watch: Watch | None = field(default=None, repr=False)
    stopped: threading.Event = field(default_factory=threading.Event, repr=False)

    @property
    def over(self) -> bool:
        return self.state in (DONE, CANCELLED, FAILED)

    @property
    def left(self) -> float | None:
        """Seconds that the rest will take, going by what was done; None where nothing can be said."""
        passed = time.monotonic() - self.began
        known = self.state == WORKING and self.progress > 0.03 and passed > 1
        return passed / self.progress * (1 - self.progress) if known else None

    @property
    def shown(self) -> bool:
        """Whether there is something to look at."""
        return self.over and self.copy is not None and len(self.copy.times) > 0

    def keep(self, number: int, keyframes: Keyframes) -> None:
        """An event's views go to the page's private folder: in memory, those of an hour would be gigabytes."""
        if number <= MOST_EVENTS:
            self._views(number).write_bytes(pickle.dumps(keyframes))

    def keyframes(self, number: int) -> Keyframes:
        """Raises KeyError where there are none (any more)."""
        try:
            return pickle.loads(self._views(number).read_bytes())  # our own file, in a folder only we may enter
        except OSError as error:
            raise KeyError(number) from error

    def _views(self, number: int) -> Path:
        return self.folder / f"event-{number}.pickle"
