"""On a Ray cluster. The samples travel to it once; nothing but the program itself must lie on its machines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from realtime.cli import cluster
from realtime.errors import MerError


def each(function: Callable, shared: object, tasks: Iterable, workers: int, tell: Callable, gpu: bool = False) -> Iterator[tuple]:
    """See `train.launch`. A task whose worker was killed is done again, elsewhere. `workers`: of a Ray started here."""
    for task, result in cluster.each(_call, (function, shared), tasks, workers, gpu=gpu):
        if isinstance(result, cluster.Failed):
            if result.killed:
                raise MerError(f"Ray gave a fold up, {result.error}: finished folds are kept, run again")
            raise result.error
        answer, told = result
        for message in told:
            tell(task, message)
        yield task, answer


def _call(shared: tuple, task: object) -> tuple[object, list]:
    function, own = shared
    told: list = []
    return function(own, task, told.append), told
