"""Loops over pixels and points, compiled by numba on their first call; kept on disk, so that only the first start compiles."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from numba import njit


def compiled(function: Callable, **options) -> Callable:
    """Decorator; the options are numba's. Indices are not checked inside: what is compiled must know its bounds."""
    try:
        made = njit(cache=True, **options)(function)
    except RuntimeError:  # neither the code's folder nor the user's cache can be written
        return njit(**options)(function)
    save = made._cache.save_overload  # numba lets a full disk end the program

    def save_where_possible(*what):
        with suppress(OSError):  # compiled again at the next start
            save(*what)

    made._cache.save_overload = save_where_possible
    return made
