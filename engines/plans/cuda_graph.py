"""CUDA graphs through the driver itself, because pycuda has none: work recorded once, then replayed by one call."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import lru_cache

from engines.errors import GpuLost

THREAD_LOCAL = 1  # CU_STREAM_CAPTURE_MODE_THREAD_LOCAL: other threads may go on using the GPU meanwhile


class Graph:
    """What `record` puts on a stream, to be replayed there. The context must be current in the calling thread."""

    def __init__(self, record: Callable[[], None], stream: int, driver=None):
        """stream: its handle. Raises GpuLost where the work cannot be captured; the stream is as before then."""
        self._driver = driver or _library()
        self._executable = ctypes.c_void_p()
        graph = ctypes.c_void_p()
        self._call("cuStreamBeginCapture_v2", ctypes.c_void_p(stream), ctypes.c_int(THREAD_LOCAL))
        try:
            try:
                record()
            finally:  # a capture that is never ended would poison the stream
                ended = self._driver.cuStreamEndCapture(ctypes.c_void_p(stream), ctypes.byref(graph))
            if ended or not graph:
                raise GpuLost(f"the work could not be captured as a CUDA graph (CUDA error {ended})")
            flags = ctypes.c_ulonglong(0)
            self._call("cuGraphInstantiateWithFlags", ctypes.byref(self._executable), graph, flags)
        finally:
            if graph:
                self._driver.cuGraphDestroy(graph)

    def launch(self, stream: int) -> None:
        """Raises GpuLost."""
        self._call("cuGraphLaunch", self._executable, ctypes.c_void_p(stream))

    def close(self) -> None:
        if self._executable:
            self._driver.cuGraphExecDestroy(self._executable)
            self._executable = ctypes.c_void_p()

    def _call(self, name: str, *arguments) -> None:
        status = getattr(self._driver, name)(*arguments)
        if status:
            raise GpuLost(f"{name} failed (CUDA error {status})")


@lru_cache(maxsize=1)
def _library():
    """The driver's own library, which pycuda has loaded already. Raises GpuLost where it is not to be found."""
    for name in ("libcuda.so.1", "nvcuda.dll"):
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    raise GpuLost("the CUDA driver's library is not to be found")
