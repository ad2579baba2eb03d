"""Files and streams that grow by whole lines, the one line for a path that cannot be written, and the room that a disk keeps."""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
from contextlib import suppress
from pathlib import Path

from engines.errors import notices
from realtime.errors import OutputError

LEAST_FREE = 500 * 2**20  # bytes of a disk that pictures leave free
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # until somebody makes some
_OPEN = re.compile(r"-|/dev/(stdin|stdout|stderr)|(?:/dev|/proc/self)/fd/(\d+)")
_NUMBERS = {"stdin": 0, "stdout": 1, "stderr": 2, None: 1}


class LineFile:
    """UTF-8, a file or a stream: each line is handed to the system at once, so a crash keeps all so far.

    Args:
        kept: a file with something in it is refused, and each line is on the disk before `write` returns; else an older file
            is replaced.

    Attributes:
        path: also what takes lines but is no file: a FIFO, a device, "-" or /dev/stdout (standard output), /dev/fd/N.
            Nothing of it is truncated or replaced.
        lasting: it is a file that is kept.

    Raises:
        OutputError: it cannot be written.
    """

    def __init__(self, path: str | Path, kept: bool = False):
        self.path = Path(path)
        try:
            self.file = open(self._opened(path, kept), "wb", buffering=0)
            self._regular = stat.S_ISREG(os.fstat(self.file.fileno()).st_mode) and open_number(path) is None
        except OSError as error:
            raise cannot_write(path, error) from error
        self.lasting = kept and self._regular

    def write(self, line: str) -> None:
        # undecodable bytes of a file name become \udcXX, which JSON reads back
        data = line.encode("utf-8", "backslashreplace")
        try:
            before = self.file.tell() if self._regular else 0
            try:
                while data:
                    data = data[self.file.write(data) :]
                if self.lasting:
                    os.fsync(self.file.fileno())
            except OSError:
                if self._regular:
                    with suppress(OSError):  # a full disk takes half a line: the file must stay readable
                        self.file.truncate(before)
                raise
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def close(self) -> None:
        try:
            self.file.close()
        except OSError as error:  # a network disk may refuse only now
            raise cannot_write(self.path, error) from error

    @staticmethod
    def _opened(path: str | Path, kept: bool) -> int:
        if (number := open_number(path)) is not None:
            return os.dup(number)  # opened by its name, a file behind it would be truncated
        make_folder_of(path)
        if kept and os.path.isfile(path) and os.path.getsize(path):
            raise OutputError(f"'{path}' holds earlier events: name another file, or add to it with --events - >> {path}")
        flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | (os.O_TRUNC if not is_stream(path) else 0)
        try:
            made = os.open(path, flags | os.O_NONBLOCK, 0o666)
        except OSError as error:
            if error.errno != errno.ENXIO or not is_stream(path):
                raise
            notices.warning(f"waiting until somebody reads '{path}'")
            return os.open(path, flags)
        os.set_blocking(made, True)
        return made


def open_number(path: str | Path) -> int | None:
    """The number of the open file that a path names: "-" and /dev/stdout → 1, /dev/fd/3 → 3; None for any other."""
    named = _OPEN.fullmatch(str(path))
    return None if named is None else int(named[2]) if named[2] else _NUMBERS[named[1]]


def is_stream(path: str | Path) -> bool:
    """Whether lines written there go by: an open file's number, or a FIFO, a device, a socket."""
    if open_number(path) is not None:
        return True
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)


def make_folder_of(path: str | Path) -> None:
    """Make the folders that `path` needs.

    Raises:
        OutputError: it cannot be written.
    """
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from error


def disk_is_full(path: str | Path) -> bool:
    """Whether less than LEAST_FREE is free where `path` lies or will lie."""
    there = next((folder for folder in (Path(path), *Path(path).absolute().parents) if folder.is_dir()), Path("/"))
    return shutil.disk_usage(there).free < LEAST_FREE


def cannot_write(path: str | Path, error: Exception) -> OutputError:
    """The one line for a path that cannot be written, whatever library noticed."""
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    if isinstance(error, (FileExistsError, NotADirectoryError)):
        reason = "a file stands where its folder should be"
    return OutputError(f"cannot write '{path}': {reason[0].lower()}{reason[1:]}; choose another place or make room")
