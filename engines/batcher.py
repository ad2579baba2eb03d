"""Calls from many threads, run as one batch: what a GPU needs to serve many streams."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import numpy as np

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Call(Generic[Item, Result]):
    __slots__ = ("item", "done", "result", "error")

    def __init__(self, item: Item) -> None:
        self.item, self.done = item, False
        self.result: Result
        self.error: BaseException | None = None


class Batcher(Generic[Item, Result]):
    """`batcher(item)` → its result. While one batch runs, calls gather; the next batch takes them, oldest first.

    It has no thread: whichever waiting caller wakes first runs the batch for all. A caller alone is run at once, or once it
    has waited in vain for company.

    Args:
        run: the results of a list of items, in their order; called by one thread at a time.
        most: items a batch.
        patience: seconds; as long as others come within such a time, the batch waits for them.
    """

    def __init__(self, run: Callable[[list[Item]], Sequence[Result]], most: int = 64, patience: float = 0.0) -> None:
        self._run, self._most, self._patience = run, most, patience
        self._waiting: deque[_Call[Item, Result]] = deque()
        self._running = False
        self._changed = threading.Condition()

    def __call__(self, item: Item) -> Result:
        """Raises what `run` raised for the batch that the item was in, in each caller of that batch."""
        call: _Call[Item, Result] = _Call(item)
        with self._changed:
            self._waiting.append(call)
        while (batch := self._take(call)) is not None:
            self._do(batch)
        if call.error is not None:
            raise call.error
        return call.result

    def _take(self, call: _Call[Item, Result]) -> list[_Call[Item, Result]] | None:
        """Wait for the turn, then take what waits; None once `call` is done."""
        with self._changed:
            while self._running and not call.done:
                self._changed.wait()
            if call.done:
                return None
            self._running = True
        come = 0
        while self._patience and come < len(self._waiting) < self._most:
            come = len(self._waiting)
            time.sleep(self._patience)
        with self._changed:
            return [self._waiting.popleft() for _ in range(min(len(self._waiting), self._most))]

    def _do(self, batch: list[_Call[Item, Result]]) -> None:
        results: Sequence[Result] = ()
        error: BaseException | None = None
        try:
            results = self._run([call.item for call in batch])
            if len(results) != len(batch):
                raise RuntimeError(f"{len(results)} results for a batch of {len(batch)}")
        except BaseException as raised:  # whatever it is, nobody may be left waiting
            error = raised
        with self._changed:
            for place, call in enumerate(batch):
                call.done, call.error = True, error
                if not error:
                    call.result = results[place]
            self._running = False
            self._changed.notify_all()


def groups(pieces: list[dict], most: int) -> list[list[dict]]:
    """The same samples in groups of at most `most`; pieces are cut where a group is full."""
    found: list[list[dict]] = [[]]
    filled = 0
    for piece in pieces:
        rows, begin = samples(piece), 0
        while begin < rows:
            if filled == most:
                found, filled = [*found, []], 0
            end = min(rows, begin + most - filled)
            found[-1].append({name: _part(array, begin, end) for name, array in piece.items()})
            begin, filled = end, filled + end - begin
    return found


def samples(piece: dict) -> int:
    """How many samples {input: (N, …)} holds."""
    return next(iter(piece.values())).shape[0]


def _part(array, begin: int, end: int):
    if (begin, end) == (0, array.shape[0]):
        return array
    return (array if isinstance(array, np.ndarray) else array.numpy())[begin:end]
