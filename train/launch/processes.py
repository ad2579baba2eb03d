"""Side by side, in processes on this machine."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import connection, parent_process

from realtime.errors import MerError
from realtime.origin import spawning
from train.data.parallel import no_interrupt

_shared = _told = None  # in a worker: what all tasks share, and the way back for messages


def each(function: Callable, shared: object, tasks: Iterable, workers: int, tell: Callable, gpu: bool = False) -> Iterator[tuple]:
    """See `train.launch`. All share this machine's GPU. Raises MerError where a worker was killed."""
    tasks = list(tasks)
    if not tasks:
        return
    context = spawning()  # a forked child would inherit torch's threads in whatever state they are
    told, (stop, stopper), faults = context.SimpleQueue(), context.Pipe(duplex=False), []
    reader = threading.Thread(target=_read, args=(told, tasks, tell, faults), daemon=True)
    reader.start()
    ended = False
    with ProcessPoolExecutor(min(workers, len(tasks)), context, _begin, (shared, told, stop)) as pool:
        try:
            with no_interrupt():
                jobs = {pool.submit(_call, function, number, task): task for number, task in enumerate(tasks)}
            for job in as_completed(jobs):
                yield jobs[job], job.result()
                if faults:
                    raise faults[0]
            ended = True
        except BrokenProcessPool as error:
            what = "a training process was killed, out of memory?"
            raise MerError(f"{what} Finished folds are kept: run again") from error
        finally:
            if not ended:
                stopper.close()
                pool.shutdown(cancel_futures=True)
    told.put(None)
    reader.join(10)


def _call(function: Callable, number: int, task: object) -> object:
    return function(_shared, task, partial(_tell, number))


def _tell(number: int, message: object) -> None:
    _told.put((number, message))


def _read(told, tasks: list, tell: Callable, faults: list) -> None:
    """In a thread. It reads on after a fault (a full disk): a queue that nobody reads holds up the workers."""
    for number, message in iter(told.get, None):
        try:
            tell(tasks[number], message)
        except Exception as error:
            faults.append(error)


def _begin(shared, told, stop) -> None:
    """In a worker. It ends at once when the parent says so, and when the parent is no more."""
    global _shared, _told
    _shared, _told = shared, told
    threading.Thread(target=_end, args=([stop, parent_process().sentinel],), daemon=True).start()


def _end(signs: list) -> None:
    connection.wait(signs)
    os._exit(1)
