"""Who may reach the page, what it takes, and where its files lie meanwhile."""

from __future__ import annotations

import ipaddress
import os
import re
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from realtime.dashboard.shared import Limits
from realtime.errors import MerError, SourceError, UsageError
from realtime.sources import VIDEO_ENDINGS, SourceInfo, open_source

PASSWORD = "MER_DEMO_PASSWORD"
SHORTEST = 8  # characters of a password
PREFIX = "mer-demo-"


def is_local(host: str) -> bool:
    """Whether only programs of this machine can reach `host`."""
    if host == "localhost":
        return True
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False


def read_password(file: Path | None) -> str | None:
    """The password from `file` or else from MER_DEMO_PASSWORD, which is taken out of the environment, so that no child process sees it.
    None where there is neither.

    Raises:
        UsageError: where the file cannot be read, or the password is too short.
    """
    given = os.environ.pop(PASSWORD, None)
    if file is not None:
        try:
            given = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is no text"
            raise UsageError(f"cannot read the password file '{file}': {reason}") from error
    if given is not None and len(given) < SHORTEST:
        raise UsageError(f"the password has {len(given)} characters: expected {SHORTEST} or more")
    return given


def check_host(host: str, password: str | None) -> None:
    """Nobody else may reach a page without a password.

    Raises:
        UsageError: where others could.
    """
    if password is None and not is_local(host):
        raise UsageError(
            f"--host {host} lets other machines reach the page, and it shows faces: that needs a password too, in the "
            f"variable {PASSWORD} or with --password-file FILE"
        )


class PrivateFolder:
    """A folder that only this user may enter, emptied at the end; what a crash leaves is removed at the next start.

    `path` is held by a lock on a file in it for as long as the program lives, however it ends.
    """

    def __init__(self):
        import fcntl  # not on Windows, as below

        _remove_left_behind(Path(tempfile.gettempdir()))
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX)).resolve()  # mode 0700
        self._lock = open(self.path / "lock", "w")  # closed in `close`
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def close(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()


def _remove_left_behind(parent: Path) -> None:
    import fcntl

    for folder in parent.glob(f"{PREFIX}*"):
        with suppress(OSError):
            found = folder.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
                continue  # a link, or somebody else's
            with open(folder / "lock") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # raises BlockingIOError while its program lives
                shutil.rmtree(folder, ignore_errors=True)


def safe_name(name: str) -> str:
    """A file name from a browser as a plain name: no folders, no control characters, at most 120 characters.

    It may still hold < and &: a page must escape it (`html.escape`).
    """
    plain = re.sub(r"[\x00-\x1f\x7f]", "", name.replace("\\", "/").rsplit("/", 1)[-1]).strip(". ")
    stem, dot, ending = plain.rpartition(".")
    return f"{(stem or ending)[: 120 - len(ending) - 1]}{dot}{ending}" if stem else plain[:120] or "recording"


def check_upload(path: Path, limits: Limits) -> SourceInfo:
    """Look at an uploaded recording before it is queued: its ending and size, and its video in a child process.

    Raises:
        SourceError: one line with the file's plain name and no folder of this machine.
    """
    name = safe_name(path.name)
    try:
        size = path.stat().st_size
        if path.suffix.lower() not in VIDEO_ENDINGS:
            kinds = ", ".join(VIDEO_ENDINGS[:6])
            raise SourceError(f"{name} is not of a kind that can be read: expected a video file ({kinds}, …)")
        if size > limits.upload_gb * 1e9:
            most = f"at most {limits.upload_gb:g} GB are taken (limits.upload_gb)"
            raise SourceError(f"{name} has {size / 1e9:.1f} GB: {most}")
        with open_source(path) as source:
            info = source.info
    except OSError as error:
        raise SourceError(f"{name} cannot be read: {error.strerror}") from error
    except MerError as error:
        raise SourceError(str(error).replace(str(path), name)) from error
    if info.duration and info.duration > limits.hours * 3600:
        raise SourceError(
            f"{name} is {info.duration / 3600:.1f} hours long: at most {limits.hours:g} are taken (limits.hours); cut it, or use mer-replay"
        )
    return info
