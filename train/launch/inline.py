"""One after another, in this very process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial


def each(function: Callable, shared: object, tasks: Iterable, workers: int, tell: Callable, gpu: bool = False) -> Iterator[tuple]:
    """See `train.launch`. `workers` and `gpu` are not used."""
    for task in tasks:
        yield task, function(shared, task, partial(tell, task))
