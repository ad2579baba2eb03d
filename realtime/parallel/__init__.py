"""One function over many tasks: in this process, in several on this machine, or on a Ray cluster.

The function is called as `function(shared, task)`, or as `function(shared, task, tell)` where messages are wanted: what it
gives to its `tell` at any time arrives here as tell(task, message), soon and before its result. Whatever ends
the caller's loop, Ctrl-C too, ends the work at once; what was yielded before is done and is never done again.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from typing import Any

from realtime.errors import MerError
from realtime.parallel import cluster
from realtime.parallel.local import Failed, inline, processes

LAUNCHERS = ("inline", "processes", "ray")


def each(
    function: Callable,
    shared: object,
    tasks: Iterable,
    launcher: str | None = None,
    workers: int | None = None,
    tell: Callable[[Any, Any], None] | None = None,
    gpu: bool = False,
) -> Generator[tuple, None, None]:
    """(task, result) of every task, in the order in which they end.

    Args:
        shared: travels once to each worker.
        launcher: one of LAUNCHERS; None: processes, but inline where one worker or one task is all.
        workers: how many at a time; all cores by default. A cluster at RAY_ADDRESS has its own number.
        tell: takes (task, message).
        gpu: tasks may want their share of a cluster's GPUs.

    Raises:
        MerError: a worker was killed (as often as it was tried).
        Exception: whatever the function itself raises.
    """
    with closing(outcomes(function, shared, tasks, launcher, workers, tell, gpu)) as found:
        for task, result in found:
            if isinstance(result, Failed):
                raise MerError(f"{result.error}: what is done stays; run it again, with fewer workers") if result.killed else result.error
            yield task, result


def outcomes(
    function: Callable,
    shared: object,
    tasks: Iterable,
    launcher: str | None = None,
    workers: int | None = None,
    tell: Callable[[Any, Any], None] | None = None,
    gpu: bool = False,
    again: Callable[[object], bool] | None = None,
) -> Generator[tuple, None, None]:
    """As `each`, but a task that fails yields a `Failed` in its place, and the others go on.

    again: of ray alone, see `realtime.parallel.cluster`.
    """
    tasks = list(tasks)
    if launcher is None:
        launcher = "inline" if workers == 1 or len(tasks) <= 1 else "processes"
    if launcher == "inline":
        return inline(function, shared, tasks, tell)
    if launcher == "processes":
        return processes(function, shared, tasks, workers, tell)
    return cluster.outcomes(function, shared, tasks, workers, tell, gpu, again)
