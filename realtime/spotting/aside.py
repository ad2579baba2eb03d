"""What was noticed and not reported: when, and why."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

EXPLAINED = 8  # of the latest movements, about which something was said
BESIDE = 0.1  # seconds by which two looks at one movement may differ


@dataclass(frozen=True)
class SetAside:
    """A movement that is no event. pts: its apex, seconds in the source's clock. cause: as in `Spotter.counts`; or what
    the verifier thinks it was, one of its classes ("micro": one, but not surely enough)."""

    pts: float
    cause: str


@dataclass(frozen=True)
class _Waiting:
    onset: float
    apex: float
    offset: float


class Aside:
    """Of one face. A movement that the detector has the last word on waits until that has had its time."""

    def __init__(self):
        self._new: list[SetAside] = []
        self._explained: deque[float] = deque(maxlen=EXPLAINED)
        self._waiting: deque[_Waiting] = deque()

    def drop(self, cause: str, apex: float) -> None:
        """Nothing is said of what is left of a movement about which something was said already."""
        if not any(abs(apex - pts) <= BESIDE for pts in self._explained):
            self._new.append(SetAside(apex, cause))
        self.reported(apex)

    def reported(self, apex: float) -> None:
        """Nothing more needs to be said of it."""
        self._explained.append(apex)

    def wait(self, onset: float, apex: float, offset: float) -> None:
        self._waiting.append(_Waiting(onset, apex, offset))

    def settle(self, before: float, during: Callable[[float, float], dict[str, float]]) -> None:
        """before: what ended by then has had its time. during(begin, end): the detector's scores of that time."""
        while self._waiting and self._waiting[0].offset <= before:
            one = self._waiting.popleft()
            if any(one.onset - BESIDE <= pts <= one.offset + BESIDE for pts in self._explained):
                continue
            scores = during(one.onset, before)
            self.drop(max(scores, key=scores.get) if scores else "nothing", one.apex)

    def take(self) -> tuple[SetAside, ...]:
        """What is new since the last call."""
        new, self._new = tuple(self._new), []
        return new
