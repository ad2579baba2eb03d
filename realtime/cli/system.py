"""Checks that the system libraries which the OpenCV and MediaPipe wheels need are there, before they fail at import.

python -m realtime.cli.system        # nothing where all is well; else one line and exit code 7
"""

from __future__ import annotations

import ctypes
import sys

from realtime.errors import MissingPartError

# library → the Debian package that holds it; the wheels bring everything else
NEEDED = {
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libGLESv2.so.2": "libgles2",
    "libgthread-2.0.so.0": "libglib2.0-0",
}


def missing() -> list[str]:
    """Debian packages whose library cannot be loaded; always empty where the libraries come another way (macOS, Windows)."""
    if not sys.platform.startswith("linux"):
        return []
    absent = []
    for library, package in NEEDED.items():
        try:
            ctypes.CDLL(library)
        except OSError:
            absent.append(package)
    return absent


def main() -> int:
    absent = missing()
    if absent:
        print(f"missing system libraries; on Debian or Ubuntu: apt install {' '.join(absent)}", file=sys.stderr)
        return MissingPartError.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
