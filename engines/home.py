"""Somewhere for caches, engines and logs where the user has no home: a container's `--user 12345`, a service, `env -i`.

Many libraries look for a home at import and fail, or make a folder named "~" wherever they are.
"""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress

missing = ""  # where things are kept instead, once `make_do` has found that there is no home


def make_do() -> None:
    """HOME, where there is none; a place for caches, where it cannot be written. To be called before any library is loaded."""
    global missing
    home = os.path.expanduser("~")
    if os.path.isabs(home) and os.access(home, os.W_OK | os.X_OK):
        return
    place = _own_folder()
    if not os.path.isabs(home):
        os.environ["HOME"] = missing = place
    else:  # what lies there can still be read
        os.environ.setdefault("NUMBA_CACHE_DIR", os.path.join(place, "numba"))
        os.environ.setdefault("MPLCONFIGDIR", os.path.join(place, "matplotlib"))


def _own_folder() -> str:
    """The same one each time, unless somebody else has made it: numba's caches are code."""
    user = os.getuid() if hasattr(os, "getuid") else 0
    place = os.path.join(tempfile.gettempdir(), f"mer-live-{user}")
    with suppress(OSError):
        with suppress(FileExistsError):
            os.mkdir(place, 0o700)
        found = os.lstat(place)
        if stat.S_ISDIR(found.st_mode) and found.st_uid == user and not found.st_mode & 0o077:
            return place
    return tempfile.mkdtemp(prefix="mer-live-")
