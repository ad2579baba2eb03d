"""Files that a browser has uploaded. A page says by path which one it means, so that path may say anything."""

from __future__ import annotations

import os
import shutil
import stat
import threading
import time
from contextlib import suppress
from pathlib import Path

from realtime.errors import OutputError, UsageError

STALE_SECONDS = 3600.0  # an upload that no page has taken by then is not wanted
SPARE = 10**9  # bytes of the disk that stay free
NOT_UPLOADED = "that is not a file that was uploaded just now: drop the recording on the page again"


class Uploads:
    """Gradio's folder of uploads: FOLDER/hash of the content/name. Nothing outside of it is ever read, moved or removed.

    An upload is there for the browsers that sent it (their names: `requests.BROWSER`), and for no other that knows its path. Methods may be
    called from any thread and raise UsageError for whatever lies elsewhere, whether it is there or not.
    """

    def __init__(self, folder: Path):
        self.folder = folder.resolve()
        self._taking = threading.Lock()
        self._browsers: dict[str, set[str]] = {}  # path → who sent it: the same content under the same name is one file

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

    def came(self, paths: list[str], browser: str) -> None:
        """A browser has sent these."""
        with self._taking:
            self._browsers = {path: browsers for path, browsers in self._browsers.items() if os.path.lexists(path)}
            for path in paths:
                self._browsers.setdefault(path, set()).add(browser)

    def own(self, path: str, browser: str) -> Path:
        """`find`, where that browser has sent it."""
        found = self.find(path)
        if browser not in self._browsers.get(str(found), ()):
            raise UsageError(NOT_UPLOADED)
        return found

    def take(self, path: str, browser: str, target: Path) -> None:
        """Moves an upload to `target`, on the same disk; once. It stays for another that sent the same."""
        with self._taking:
            try:
                found = self.own(path, browser)
                (os.link if self._leave(found, browser) else os.rename)(found, target)
            except FileNotFoundError:
                raise UsageError(NOT_UPLOADED) from None

    def _leave(self, path: Path, browser: str) -> bool:
        """Whether others have sent it, too."""
        browsers = self._browsers.pop(str(path)) - {browser}
        if browsers:
            self._browsers[str(path)] = browsers
        return bool(browsers)

    def make_room(self, size: int) -> None:
        """For `size` bytes that are about to come: removes what was left lying.

        Raises:
            OutputError: where the disk is too full.
        """
        oldest = time.time() - STALE_SECONDS
        for path in list(self.folder.rglob("*")):
            with suppress(OSError):
                about = path.lstat()
                if stat.S_ISREG(about.st_mode) and about.st_mtime < oldest:
                    path.unlink()
                elif stat.S_ISDIR(about.st_mode) and about.st_mtime < oldest:
                    path.rmdir()  # where it is empty
        free = shutil.disk_usage(self.folder).free
        if free - size < SPARE:
            raise OutputError(f"the disk is too full for this upload: {free / 1e9:.1f} GB are free, {SPARE / 1e9:g} must stay so")

    def drop(self, path: str, browser: str) -> None:
        """Removes an upload that is not wanted, if it is one of that browser's."""
        with self._taking, suppress(UsageError, OSError):
            found = self.own(path, browser)
            if not self._leave(found, browser):
                found.unlink()
