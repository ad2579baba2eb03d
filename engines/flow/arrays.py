"""Results that stay in the GPU's memory."""

from __future__ import annotations

import threading
from collections import deque

import numpy as np

from engines import device

_lock = threading.Lock()
_spare: dict[int, deque] = {}  # memory that no array holds any more, by its bytes


class DeviceArray:
    """float32 numbers in the GPU's memory, C order, complete when handed out.

    The memory is used again once nobody holds this object: hold it until what reads it there is done.
    pointer: their address there. Other GPU libraries read it through `__cuda_array_interface__`.
    """

    def __init__(self, shape: tuple[int, ...]):
        self.shape = shape
        size = 4 * max(int(np.prod(shape)), 1)
        with _lock:
            if not _spare:
                device.on_close(_free)
            self._home = _spare.setdefault(size, deque())
        try:
            self.owner = self._home.pop()
        except IndexError:
            with device.active():
                import pycuda.driver as cuda

                self.owner = cuda.mem_alloc(size)

    @property
    def pointer(self) -> int:
        return int(self.owner)

    @property
    def __cuda_array_interface__(self) -> dict:
        return {"shape": self.shape, "typestr": "<f4", "data": (self.pointer, False), "version": 3}

    def numpy(self) -> np.ndarray:
        """A copy on this side. Raises GpuLost."""
        out = np.empty(self.shape, np.float32)
        if out.size:
            with device.active():
                import pycuda.driver as cuda

                cuda.memcpy_dtoh(out, self.pointer)
        return out

    def __del__(self):
        # called at any time, in any thread: hands the memory over without asking the driver for anything
        owner = getattr(self, "owner", None)
        if owner is not None:
            self._home.append(owner)


def make_room() -> None:
    """Give back the memory that no array holds. The GPU must be active."""
    for spare in list(_spare.values()):
        spare.clear()


def _free() -> None:
    make_room()
    _spare.clear()
