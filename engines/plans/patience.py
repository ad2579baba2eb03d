"""A build that takes its time, in a thread of its own: the caller's stays free to report, and to give up."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from types import ModuleType
from typing import TypeVar

LOOK = 0.2  # seconds between two looks at what the build is doing

T = TypeVar("T")


@functools.cache
def _monitor_class(module: ModuleType):
    class Monitor(module.IProgressMonitor):
        """TensorRT calls it from its own threads: it only notes the phase, and says whether to go on."""

        def __init__(self):
            module.IProgressMonitor.__init__(self)
            self.phase, self.stop = "starting", False

        def phase_start(self, phase_name, parent_phase, num_steps):
            self.phase = phase_name

        def step_complete(self, phase_name, step):
            return not self.stop

        def phase_finish(self, phase_name):
            pass

    return Monitor


def progress_monitor(module: ModuleType):
    """What TensorRT reports to. phase: in its own words; stop: set it, and the build ends at its next step."""
    return _monitor_class(module)()


def patiently(work: Callable[[], T], monitor, progress: Callable[[str], None]) -> T:
    """work(), in another thread; progress gets each new phase in this one.

    Whatever ends the wait early (KeyboardInterrupt, an error of `progress`) stops the build, and only goes on from here
    when that has ended: nothing is left running.
    """
    result: list[T] = []
    errors: list[BaseException] = []
    done = threading.Event()  # not Thread.join: in Python 3.11 an interrupted join takes the thread for finished

    def run() -> None:
        try:
            result.append(work())
        except BaseException as error:
            errors.append(error)
        finally:
            done.set()

    threading.Thread(target=run, name="engine build", daemon=True).start()
    told = None
    try:
        while not done.wait(LOOK):
            if monitor.phase != told:
                told = monitor.phase
                progress(told)
    except BaseException:
        monitor.stop = True
        done.wait()
        raise
    if errors:
        raise errors[0]
    return result[0]
