"""Memory that is used again and again: of results that stay on the GPU, and of those that it copied to this side.

Each piece is lent out with an array, and comes back when the last that holds any part of it goes.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import threading
from collections import deque
from contextlib import suppress

import numpy as np

from engines import device

MOST = 256 << 20  # bytes on this side; what is asked for beyond it is new each time

_lock = threading.Lock()
_on_gpu: dict[int, deque] = {}  # memory that no array holds any more, by its bytes
_here: dict[int, deque] = {}  # the same on this side
_known: list[np.ndarray] = []  # all of this side


class DeviceArray:
    """float32 numbers in the GPU's memory, C order, complete when handed out.

    The memory is used again once nobody holds this object: hold it until what reads it there is done.

    Attributes:
        pointer: their address there. Other GPU libraries read it through `__cuda_array_interface__`.
    """

    def __init__(self, shape: tuple[int, ...]):
        self.shape = shape
        size = 4 * max(int(np.prod(shape)), 1)
        with _lock:
            if not _on_gpu:
                device.on_close(_free)
            self._home = _on_gpu.setdefault(size, deque())
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
        """A copy on this side, float32 of the same shape.

        Raises:
            GpuLost: the GPU failed, or is gone.
        """
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
    """Give back the memory of the GPU that no array holds. The GPU must be active."""
    for spare in list(_on_gpu.values()):
        spare.clear()


def lent(shape: tuple[int, ...]) -> np.ndarray:
    """Float32 numbers of that shape, not yet set, in memory on this side that the GPU, which is active, fills by itself.

    New memory would cost a page fault for every 4 KiB, and a copy: for 64 flows as long again as half of their kernel.
    It is this process's own: arrays outlive the GPU.
    """
    size = 1 << max(4 * int(np.prod(shape)) - 1, mmap.PAGESIZE - 1).bit_length()
    with _lock:
        if not _here:
            device.on_close(_unlock)
        home = _here.setdefault(size, deque())
        try:
            memory = home.pop()
        except IndexError:
            if sum(known.size for known in _known) + size > MOST:
                return np.empty(shape, np.float32)
            memory = np.frombuffer(mmap.mmap(-1, size), np.uint8)  # whole pages, nobody else's
            _driver("cuMemHostRegister_v2", memory, ctypes.c_size_t(size), 0)
            _known.append(memory)
    return np.asarray(_Lent(home, memory, shape))


class _Lent:
    """What the arrays in a piece of memory stand on: goes with the last of them, and gives the memory back."""

    def __init__(self, home: deque, memory: np.ndarray, shape: tuple[int, ...]):
        self._home, self._memory = home, memory
        self.__array_interface__ = {"shape": shape, "typestr": "<f4", "data": (memory.ctypes.data, False), "version": 3}

    def __del__(self):
        # called at any time, in any thread
        self._home.append(self._memory)


def _free() -> None:
    make_room()
    _on_gpu.clear()


def _unlock() -> None:
    with _lock:
        for memory in _known:
            _driver("cuMemHostUnregister", memory)
        _known.clear()
        _here.clear()


def _driver(call: str, memory: np.ndarray, *more) -> None:
    """Have CUDA's driver know that the memory stays where it is, or forget it; pycuda 2026.1's own call ends in an error.

    Where that fails, copies are right as well, but slower.
    """
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL("nvcuda.dll" if os.name == "nt" else "libcuda.so.1")
        getattr(library, call)(ctypes.c_void_p(memory.ctypes.data), *more)
