"""On this machine: one task after another in this very process, or several side by side, in processes."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import connection, parent_process

from realtime.errors import MerError
from realtime.origin import spawning

_function = _shared = _told = None  # in a worker: what all tasks share, and the way back for messages


@dataclass(frozen=True)
class Failed:
    """What a task came to instead of a result. killed: its worker died, as often as it was tried."""

    error: Exception
    killed: bool = False


def inline(function: Callable, shared: object, tasks: Iterable, tell: Callable | None = None) -> Generator[tuple, None, None]:
    """(task, result or Failed), in order. See `realtime.parallel`."""
    for task in tasks:
        try:
            result = function(shared, task, *([partial(tell, task)] if tell else []))
        except Exception as error:
            result = Failed(error)
        yield task, result


def processes(
    function: Callable, shared: object, tasks: list, workers: int | None = None, tell: Callable | None = None
) -> Generator[tuple, None, None]:
    """(task, result or Failed), as they end. All share this machine's GPU. See `realtime.parallel`."""
    if not tasks:
        return
    context = spawning()  # a forked child would inherit the threads of torch, OpenCV and MediaPipe in whatever state they are
    told, (stop, stopper) = context.SimpleQueue(), context.Pipe(duplex=False)
    faults: list[Exception] = []
    reader = threading.Thread(target=_read, args=(told, tasks, tell, faults), daemon=True)
    reader.start()
    ended = False
    workers = min(workers or os.cpu_count() or 1, len(tasks))
    with ProcessPoolExecutor(workers, context, _begin, (function, shared, told if tell else None, stop)) as pool:
        try:
            with ignored(signal.SIGINT):
                jobs = {pool.submit(_call, number, task): task for number, task in enumerate(tasks)}
            for job in as_completed(jobs):
                yield jobs[job], _result(job)
                if faults:
                    raise faults[0]
            ended = True
        finally:
            if not ended:
                stopper.close()
                pool.shutdown(cancel_futures=True)
    told.put(None)
    reader.join(10)


def _result(job) -> object:
    try:
        return job.result()
    except BrokenProcessPool:
        return Failed(MerError("a worker was killed (out of memory?)"), killed=True)
    except Exception as error:
        return Failed(error)


def _read(told, tasks: list, tell: Callable, faults: list) -> None:
    """In a thread. It reads on after a fault (a full disk): a queue that nobody reads holds up the workers."""
    for number, message in iter(told.get, None):
        try:
            tell(tasks[number], message)
        except Exception as error:
            faults.append(error)


@contextmanager
def ignored(*signals: int):
    """Children that start meanwhile ignore them from their first moment on, such as Ctrl-C: the parent ends them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _begin(function, shared, told, stop) -> None:
    """In a worker. It ends at once when the parent says so, and when the parent is no more."""
    global _function, _shared, _told
    import cv2

    _function, _shared, _told = function, shared, told
    cv2.setNumThreads(1)
    cv2.utils.logging.setLogLevel(0)  # a corrupt picture is reported as a clip left out; its log lines would tear the progress bar
    threading.Thread(target=_end, args=([stop, parent_process().sentinel],), daemon=True).start()


def _end(signs: list) -> None:
    connection.wait(signs)
    os._exit(1)


def _call(number: int, task: object) -> object:
    return _function(_shared, task, *([partial(_tell, number)] if _told else []))


def _tell(number: int, message: object) -> None:
    _told.put((number, message))
