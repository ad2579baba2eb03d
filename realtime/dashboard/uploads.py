"""Files that a browser has uploaded. A page says by path which one it means, so that path may say anything."""

from __future__ import annotations

import os
import stat
import threading
from contextlib import suppress
from pathlib import Path

from realtime.errors import UsageError

NOT_UPLOADED = "that is not a file that was uploaded just now: drop the recording on the page again"


class Uploads:
    """Gradio's folder of uploads: FOLDER/hash of the content/name. Nothing outside of it is ever read, moved or removed.

    Methods may be called from any thread and raise UsageError for whatever lies elsewhere, whether it is there or not.
    """

    def __init__(self, folder: Path):
        self.folder = folder.resolve()
        self._taking = threading.Lock()

    def find(self, path: str) -> Path:
        """The upload at `path`: a regular file of our own, and no link on the way to it. It is not opened."""
        try:
            found = Path(path)
            about = found.lstat()
            sound = found.is_absolute() and found.resolve(strict=True) == found
        except (OSError, ValueError, RuntimeError, TypeError):
            raise UsageError(NOT_UPLOADED) from None
        ours = stat.S_ISREG(about.st_mode) and about.st_uid == os.getuid()
        if not (sound and ours and found.is_relative_to(self.folder)):
            raise UsageError(NOT_UPLOADED)
        return found

    def take(self, path: str, target: Path) -> None:
        """Moves an upload to `target`, on the same disk. From then on it is there for no other page."""
        with self._taking:
            try:
                os.rename(self.find(path), target)
            except FileNotFoundError:
                raise UsageError(NOT_UPLOADED) from None

    def drop(self, path: str) -> None:
        """Removes an upload that is not wanted, if it is one."""
        with self._taking, suppress(UsageError, OSError):
            self.find(path).unlink()
