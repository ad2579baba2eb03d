"""How long each stage took, lately."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

KEPT = 20_000  # of each stage


class Timings(dict[str, deque[float]]):
    """Stage → milliseconds, the latest ones. Written by any thread."""

    def __missing__(self, stage: str) -> deque[float]:
        return self.setdefault(stage, deque(maxlen=KEPT))

    def took(self, stage: str, seconds: float) -> None:
        self[stage].append(seconds * 1000)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        begun = time.perf_counter()
        yield
        self.took(stage, time.perf_counter() - begun)
