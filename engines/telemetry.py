"""Nothing leaves this machine: what the libraries would tell their makers is switched off.

`engines/__init__.py` imports this module first, and the other packages import `engines` first, so that it comes before
every library, in children and workers too. Each of them reads its variable once, when it is loaded. What was seen of
each without it (strace, name look-ups in a plain run):

    ONNX Runtime 1.32   mobile.events.data.microsoft.com, and files in the user's cache (`forget`)
    Ray 2.60            the usage report; its dashboard asks for the cloud's metadata (realtime/parallel/cluster.py leaves it out)
    Gradio 6.31         analytics and a look for newer versions
    Hugging Face Hub    comes with Gradio
    MediaPipe 1.2.3     play.googleapis.com; it has no switch (realtime/face/facemesh/with_mediapipe.py keeps it from sockets)

Matplotlib, Plotly, Hydra, numba, torch, scikit-learn, OpenCV and PyAV look nothing up.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

SWITCHES = {
    "ORT_DISABLE_TELEMETRY": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "DO_NOT_TRACK": "1",
}
LEFT = ("deviceid", "deviceid.lock", *(f"onnxruntime.db{end}" for end in ("", "-wal", "-shm", "-journal")))


def switch_off() -> None:
    """Set what each library reads; a library that was loaded before and can be told is told."""
    os.environ.update(SWITCHES)
    loaded = sys.modules.get("onnxruntime")
    if loaded is not None:
        loaded.disable_telemetry_events()


def forget() -> None:
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
