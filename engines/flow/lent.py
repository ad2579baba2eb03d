"""Results on this side, handed out in the very memory that the GPU copied them into.

New memory would cost a page fault for every 4 KiB, and a copy: for 64 flows as long again as half of their kernel.
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

MOST = 256 << 20  # bytes; what is asked for beyond it is new each time

_lock = threading.Lock()
_spare: dict[int, deque] = {}  # memory that no array holds any more, by its bytes
_known: list[np.ndarray] = []  # all of it


class _Lent:
    """What the arrays in a piece of memory stand on: goes with the last of them, and gives the memory back."""

    def __init__(self, home: deque, memory: np.ndarray, shape: tuple[int, ...]):
        self._home, self._memory = home, memory
        self.__array_interface__ = {"shape": shape, "typestr": "<f4", "data": (memory.ctypes.data, False), "version": 3}

    def __del__(self):
        # called at any time, in any thread
        self._home.append(self._memory)


def array(shape: tuple[int, ...]) -> np.ndarray:
    """Float32 numbers, not yet set, in memory that the GPU, which is active, fills by itself.

    The memory is used again once no array holds any part of it. It is this process's own: arrays outlive the GPU.
    """
    size = 1 << max(4 * int(np.prod(shape)) - 1, mmap.PAGESIZE - 1).bit_length()
    with _lock:
        if not _spare:
            device.on_close(_unlock)
        home = _spare.setdefault(size, deque())
        try:
            memory = home.pop()
        except IndexError:
            if sum(known.size for known in _known) + size > MOST:
                return np.empty(shape, np.float32)
            memory = np.frombuffer(mmap.mmap(-1, size), np.uint8)  # whole pages, nobody else's
            _driver("cuMemHostRegister_v2", memory, ctypes.c_size_t(size), 0)
            _known.append(memory)
    return np.asarray(_Lent(home, memory, shape))


def _unlock() -> None:
    with _lock:
        for memory in _known:
            _driver("cuMemHostUnregister", memory)
        _known.clear()
        _spare.clear()


def _driver(call: str, memory: np.ndarray, *more) -> None:
    """Have CUDA's driver know that the memory stays where it is, or forget it; pycuda 2026.1's own call ends in an error.

    Where that fails, copies are right as well, but slower.
    """
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL("nvcuda.dll" if os.name == "nt" else "libcuda.so.1")
        getattr(library, call)(ctypes.c_void_p(memory.ctypes.data), *more)
