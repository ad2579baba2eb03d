"""What is settled before any library is loaded: nothing leaves this machine, and caches have a place.

`engines/__init__.py` imports this module first, and the other packages import `engines` first, so that it comes before
every library, in children and workers too. Each of them reads its variable once, when it is loaded. What was seen of
each without it (strace, name look-ups in a plain run):

    ONNX Runtime 1.32   mobile.events.data.microsoft.com, and files in the user's cache (`forget_telemetry`)
    Ray 2.60            the usage report; its dashboard asks for the cloud's metadata (realtime/parallel/cluster.py leaves it out)
    Gradio 6.31         analytics and a look for newer versions
    Hugging Face Hub    comes with Gradio
    MediaPipe 1.2.3     play.googleapis.com; it has no switch (realtime/face/facemesh/with_mediapipe.py keeps it from sockets)

Matplotlib, Plotly, Hydra, numba, torch, scikit-learn, OpenCV and PyAV look nothing up. Many of them look for a home folder at
import and fail, or make a folder named "~" wherever they are, where the user has none: a container's `--user 12345`, a service, `env -i`.
"""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

home_instead = ""  # where things are kept instead, once `find_home` has found that there is no home


def find_home() -> None:
    """HOME, where there is none; a place for caches, where it cannot be written. To be called before any library is loaded."""
    global home_instead
    home = os.path.expanduser("~")
    if os.path.isabs(home) and os.access(home, os.W_OK | os.X_OK):
        return
    place = _own_folder()
    if not os.path.isabs(home):
        os.environ["HOME"] = home_instead = place
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


SWITCHES = {
    "ORT_DISABLE_TELEMETRY": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "DO_NOT_TRACK": "1",
}
LEFT = ("deviceid", "deviceid.lock", *(f"onnxruntime.db{end}" for end in ("", "-wal", "-shm", "-journal")))


def switch_telemetry_off() -> None:
    """Set what each library reads; a library that was loaded before and can be told is told."""
    os.environ.update(SWITCHES)
    loaded = sys.modules.get("onnxruntime")
    if loaded is not None:
        loaded.disable_telemetry_events()


def forget_telemetry() -> None:
    """Remove what ONNX Runtime left in the user's cache when nobody had switched it off: an id of the device and a queue
    of events. Files of other names, and folders that hold some, stay.
    """
    with suppress(OSError, RuntimeError):  # a user without a home has no such folder
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = cache / "Microsoft/DeveloperTools/.onnxruntime"
        for name in LEFT:
            (folder / name).unlink(missing_ok=True)
        for empty in (folder, folder.parent, folder.parent.parent):
            empty.rmdir()
