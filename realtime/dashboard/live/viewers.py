"""How many pages may watch live at a time."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from typing import Protocol

from realtime.dashboard.shared import Shared

SEATS = max(1, (os.cpu_count() or 1) // 2)  # live pages at a time: each takes most of a core


class Sitter(Protocol):
    def put_out(self) -> None:
        """Another page has taken the place."""

    def end(self) -> None:
        """The program ends."""


class Seats:
    """Who watches now. The machine has room for so many pages at full rate; a new one may take the oldest's place."""

    def __init__(self, most: int):
        self.most = most
        self._taken: list[Sitter] = []
        self._guard = threading.Lock()

    @property
    def full(self) -> str:
        """What to say to a page that finds no seat."""
        return f"Live already runs in another tab or window, and this machine has room for {self.most} at full rate."

    def take(self, who: Sitter, over: bool) -> bool:
        with self._guard:
            if who in self._taken:
                return True
            out = None
            if len(self._taken) >= self.most:
                if not over:
                    return False
                out = self._taken.pop(0)
            self._taken.append(who)
        if out is not None:
            out.put_out()
        return True

    def leave(self, who: Sitter) -> None:
        with self._guard, suppress(ValueError):
            self._taken.remove(who)

    def empty(self) -> None:
        for who in list(self._taken):
            who.end()


def seats_of(shared: Shared) -> Seats:
    """The seats of this program, the same for a page with a WebSocket and one without."""
    if not hasattr(shared, "live_seats"):
        shared.live_seats = Seats(SEATS)
        shared.at_end(shared.live_seats.empty)
    return shared.live_seats
