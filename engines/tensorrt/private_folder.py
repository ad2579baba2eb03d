"""A folder that only its owner can write, and files in it that are whole or not there."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from engines.errors import EngineError

LARGEST = 2 << 30  # bytes: no engine of ours comes near
LOCK = ".lock"
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Folder:
    """Every call opens the folder, checks it, and then works inside what it opened: nobody can swap it in between."""

    def __init__(self, path: Path):
        self.path = path

    @contextmanager
    def opened(self, make: bool = False) -> Iterator[int | None]:
        """Its file descriptor, None where it does not exist. make: create it (0700).

        Raises EngineError where it is a link, not a folder, another user's, or writable for others.
        """
        try:
            if make:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                with suppress(FileExistsError):
                    os.mkdir(self.path, 0o700)
            found = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            if isinstance(error, FileNotFoundError) and not make:
                yield None
                return
            if error.errno in (errno.ELOOP, errno.ENOTDIR):
                what = "is a link or no folder: engines are kept in a real one; remove it"
            else:
                what = f"cannot be used for engines ({error.strerror}): set MER_ENGINES to another folder"
            raise EngineError(f"{self.path} {what}") from error
        try:
            about = os.fstat(found)
            if about.st_uid != os.geteuid():
                raise EngineError(f"{self.path} belongs to another user: set MER_ENGINES to a folder of yours")
            if about.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                raise EngineError(f"others can write into {self.path}, where engines lie: chmod 700 {self.path}")
            yield found
        finally:
            os.close(found)

    def names(self) -> list[str]:
        """Of what lies in it, sorted."""
        with self.opened() as folder:
            return sorted(os.listdir(folder)) if folder is not None else []

    def read(self, name: str) -> bytes:
        """A whole file. Raises FileNotFoundError, or ValueError in a few words where it is not a file of ours."""
        with self.opened() as folder:
            if folder is None:
                raise FileNotFoundError(name)
            try:
                found = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
            except FileNotFoundError:
                raise
            except OSError as error:
                raise ValueError(f"{name} cannot be read ({error.strerror})") from error
            with os.fdopen(found, "rb") as file:
                about = os.fstat(file.fileno())
                if not stat.S_ISREG(about.st_mode) or about.st_uid != os.geteuid() or about.st_nlink != 1:
                    raise ValueError(f"{name} is not a plain file of yours")
                if about.st_mode & (stat.S_IWGRP | stat.S_IWOTH) or about.st_size > LARGEST:
                    raise ValueError(f"{name} can be written by others, or is far too large")
                return file.read()

    def write(self, name: str, content: bytes) -> None:
        """All or nothing, and on the disk when this returns. Raises OSError; what was there is then still there."""
        with self.opened(make=True) as folder:
            temporary = f"{name}.{os.getpid()}.tmp"
            try:
                flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
                found = os.open(temporary, flags, 0o600, dir_fd=folder)
                with os.fdopen(found, "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
                os.fsync(folder)
            except BaseException:
                with suppress(OSError):
                    os.unlink(temporary, dir_fd=folder)
                raise

    def remove(self, name: str) -> int:
        """Bytes freed; 0 where it was not there."""
        with self.opened() as folder:
            if folder is None:
                return 0
            try:
                size = os.stat(name, dir_fd=folder, follow_symlinks=False).st_size
                os.unlink(name, dir_fd=folder)
            except FileNotFoundError:
                return 0
            except OSError as error:
                why = error.strerror
                raise EngineError(f"{self.path / name} cannot be removed ({why}): remove it yourself") from error
        return size

    @contextmanager
    def lock(self, waiting: Callable[[str], None]) -> Iterator[None]:
        """Held by one process at a time; the system lets it go when that dies. waiting: told, once, if it must wait."""
        import fcntl

        with self.opened(make=True) as folder:
            try:
                found = os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=folder)
            except OSError as error:
                raise EngineError(f"{self.path} cannot be written ({error.strerror}): set MER_ENGINES") from error
        try:
            try:
                fcntl.flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = os.pread(found, 20, 0).decode("ascii", "replace").strip()
                who = f" (process {holder})" if holder.isdigit() else ""
                waiting(f"another mer-engine is at work{who}: waiting for it")
                fcntl.flock(found, fcntl.LOCK_EX)
            with suppress(OSError):  # only for the words above
                os.ftruncate(found, 0)
                os.pwrite(found, str(os.getpid()).encode(), 0)
            yield
        finally:
            os.close(found)
