"""One function over many tasks, in this process or in several."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import connection, parent_process

from realtime.errors import MerError
from realtime.origin import spawning

_stop = None  # in a worker: set when the parent wants to end


class Stopped(Exception):
    """The parent ends; what this worker has under way is given up."""


def check_stop() -> None:
    """Called between two steps of a task. Raises Stopped."""
    if _stop is not None and _stop.is_set():
        raise Stopped


def each(function: Callable, tasks: Iterable, workers: int) -> Iterator:
    """`function(task)` for every task, in the order in which they end. One worker is this very process.

    Whatever ends the caller's loop (Ctrl-C, an error) also ends the workers, within one step of their tasks; where the
    caller is killed outright they end by themselves. Raises MerError where a worker was killed.
    """
    tasks = list(tasks)
    if workers <= 1 or len(tasks) <= 1:
        yield from map(function, tasks)
        return
    context = spawning()  # a forked MediaPipe or OpenCV may hang
    stop = context.Event()
    with ProcessPoolExecutor(min(workers, len(tasks)), context, _begin, (stop,)) as pool:
        try:
            with no_interrupt():
                futures = [pool.submit(function, task) for task in tasks]
            for future in as_completed(futures):
                yield future.result()
        except BrokenProcessPool as error:
            raise MerError("a worker was killed (out of memory?): what is done stays; give the same command again, with fewer workers") from error
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)


@contextmanager
def no_interrupt():
    """Children that start meanwhile ignore Ctrl-C from their first moment on: the parent ends them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _begin(stop) -> None:
    global _stop
    _stop = stop
    import cv2

    cv2.setNumThreads(1)
    cv2.utils.logging.setLogLevel(0)  # a corrupt picture is reported as a clip left out; its log lines would tear the progress bar
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    connection.wait([parent_process().sentinel])
    os._exit(1)
