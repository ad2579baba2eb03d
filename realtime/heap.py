"""What a program that runs for days gives back to the system.

Pictures come and go in many threads, and glibc would keep what they took: an arena for each thread, up to eight a core, each as
full as its fullest moment. And what refers to itself waits for Python's collector, which looks rarely where a million objects lie still.
"""

from __future__ import annotations

import ctypes
import gc
import threading
from contextlib import suppress

ARENAS = 2  # that all threads share: Python lets one of them run at a time, and those of the networks take little
M_ARENA_MAX, M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -8, -1, -3  # malloc.h
KEPT = 32 * 2**20  # bytes, the most that glibc takes: a decoder's picture of nearly any size
EVERY_S = 30.0  # between two `give_back`: each takes some milliseconds


def bound() -> None:
    """To be called before threads are started."""
    _tell(M_ARENA_MAX, ARENAS)


def keep_a_picture() -> None:
    """For a decoder, which takes the memory of a picture for each and gives it back: given back to the system, each would come anew
    page by page, which costs a fifth of decoding it."""
    _tell(M_MMAP_THRESHOLD, KEPT)
    _tell(M_TRIM_THRESHOLD, 2 * KEPT)


def _tell(what: int, value: int) -> None:
    with suppress(AttributeError, OSError):  # another C library, which has its own ways
        ctypes.CDLL(None).mallopt(what, value)


def settle() -> None:
    """To be called once, when all is loaded: what is there now stays, and the collector need not look at it ever again, which
    would hold up all threads for a tenth of a second."""
    gc.collect()
    gc.freeze()


def give_back() -> None:
    """What is no longer used."""
    gc.collect()
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


def keep_small(ended: threading.Event) -> None:
    """Gives back now and then until `ended`, in a thread of its own."""

    def run() -> None:
        while not ended.wait(EVERY_S):
            give_back()

    threading.Thread(target=run, name="heap", daemon=True).start()
