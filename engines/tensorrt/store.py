"""The engines of this user: a private folder of plans, each with its manifest.

A plan is written first, under a name with its own hash in it, then the manifest that speaks of it: whatever happens in
between, the old pair is whole until the new one is.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engines.errors import EngineError
from engines.tensorrt.manifest import PlanManifest, PlanRefused, build_command

if TYPE_CHECKING:
    from engines.device import Device
    from engines.tensorrt.library import Library

LARGEST = 2 << 30  # bytes: no engine of ours comes near
LOCK = ".lock"
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Folder:
    """Every call opens the folder, checks it, and then works inside what it opened: nobody can swap it in between."""

    def __init__(self, path: Path):
        self.path = path

    @contextmanager
    def opened(self, make: bool = False) -> Iterator[int | None]:
        """Its file descriptor, None where it does not exist.

        Args:
            make: create it (0700).

        Raises:
            EngineError: it is a link, not a folder, another user's, or writable for others.
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
        """A whole file.

        Raises:
            FileNotFoundError: it is not there.
            ValueError: it is not a file of ours; says why in a few words.
        """
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
        """All or nothing, and on the disk when this returns.

        Raises:
            OSError: it cannot be written; what was there is then still there.
        """
        with self.opened(make=True) as folder:
            assert folder is not None  # it was made
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
        """Held by one process at a time; the system lets it go when that dies.

        Args:
            waiting: told, once, if it must wait.
        """
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


OURS = re.compile(
    r"([A-Za-z0-9_-]+\.\w+\.\w+\.[\w-]+(\.[0-9a-f]{16}\.plan|\.json)|timing\..*\.cache)"
    r"(\.\d+\.tmp)?"  # what a crash leaves
)


@dataclass(frozen=True)
class Entry:
    """One engine in the store.

    Attributes:
        manifest: none where it is damaged.
        path: of the plan, or of the damaged manifest.
        current: it may be used here and now.
        reason: why not, with the command that mends it.
    """

    manifest: PlanManifest | None
    path: Path
    current: bool
    reason: str


def default_folder() -> Path:
    """MER_ENGINES, or `engines` in the user's data folder."""
    if given := os.environ.get("MER_ENGINES"):
        return Path(given)
    import platformdirs

    return Path(platformdirs.user_data_dir("mer-live")) / "engines"


class Store:
    """All methods raise EngineError, one line, where the folder is not one that only this user can write."""

    def __init__(self, folder: str | Path | None = None):
        self.path = Path(folder) if folder is not None else default_folder()
        self._folder = Folder(self.path)

    def entries(self, onnx: Callable[[str], str | None] | None = None) -> list[Entry]:
        """All engines, by name, each checked against this machine (GPU, TensorRT) and its own bytes.

        Args:
            onnx: network name → SHA-256 of its ONNX file; default: the zoo's.
        """
        from engines import device
        from engines.tensorrt import library

        here, gpu, found = onnx or _zoo_hash, device.find(), []
        for stem, manifest in self._manifests(gpu):
            if isinstance(manifest, str):
                found.append(Entry(None, self.path / f"{stem}.json", False, manifest))
                continue
            try:
                self._read(manifest, here(manifest.network), gpu, library.find())
                reason = ""
            except PlanRefused as error:
                reason = str(error)
            found.append(Entry(manifest, self.path / manifest.plan_file, not reason, reason))
        return found

    def load(
        self, name: str, onnx_sha256: str, device: Device | None, library: Library | None, precision: str | None = None
    ) -> tuple[bytes, PlanManifest]:
        """The plan of a network for this GPU and TensorRT: bytes that were read once and are what the manifest says.

        Where several fit (fp32, fp16, …), the one built last.

        Raises:
            PlanRefused: there is none.
        """
        reasons, sound = [], []
        for stem, manifest in self._manifests(device):
            if stem.split(".")[0] != name or precision not in (None, *stem.split(".")[1:2]):
                continue
            if isinstance(manifest, str):
                reasons.append(manifest)
            else:
                sound.append(manifest)
        refused = []
        for manifest in sorted(sound, key=lambda each: each.made, reverse=True):
            try:
                return self._read(manifest, onnx_sha256, device, library)
            except PlanRefused as error:
                refused.append(str(error))
        reasons = refused + reasons
        if not reasons:
            raise PlanRefused(f"no engine of {name} has been built: {build_command(name, precision)}")
        raise PlanRefused(reasons[0])

    def save(self, manifest: PlanManifest, plan: bytes) -> None:
        """Put an engine in the place of the one of the same network, precision, library and architectures.

        Raises:
            EngineError: `plan` is not what the manifest says, or it cannot be written (a full disk): the engine that was
                there is then still there.
        """
        if hashlib.sha256(plan).hexdigest() != manifest.plan_sha256:
            raise EngineError(f"the manifest of {manifest.stem} speaks of another plan: build it again")
        mine = [name for name in self._folder.names() if name.startswith(f"{manifest.stem}.")]
        old = {name for name in mine if name.endswith(".plan")}
        try:
            self._folder.write(manifest.plan_file, plan)
            self._folder.write(f"{manifest.stem}.json", manifest.as_json().encode())
        except OSError as error:
            if manifest.plan_file not in old:
                self._folder.remove(manifest.plan_file)
            full = "the disk is full" if error.errno in FULL else error.strerror
            command = manifest.command if manifest.gpu else manifest.command_elsewhere
            raise EngineError(
                f"the engine of {manifest.network} was not saved ({full}; any older one stays): make room for "
                f"{len(plan) / 1e6:.1f} MB in {self.path}, then {command}"
            ) from error
        for name in old - {manifest.plan_file}:
            self._folder.remove(name)

    def lock(self, waiting: Callable[[str], None] = lambda line: None) -> AbstractContextManager[None]:
        """`with store.lock(print):` only one process builds at a time.

        Args:
            waiting: gets one line if another is at it.
        """
        return self._folder.lock(waiting)

    def clean(self) -> int:
        """Remove engines, timing caches and what a crash left behind; files that are not ours stay. Bytes freed."""
        return sum(self._folder.remove(name) for name in self._folder.names() if OURS.fullmatch(name))

    def timings(self, library: Library, compute: str) -> bytes:
        """What earlier builds measured on this GPU, for TensorRT's timing cache; empty where there is nothing sound."""
        try:
            content = self._folder.read(_timings_file(library, compute))
        except (FileNotFoundError, ValueError):
            return b""
        digest, rest = content[:32], content[32:]
        return rest if hashlib.sha256(rest).digest() == digest else b""

    def keep_timings(self, library: Library, compute: str, timings: bytes) -> None:
        """Keep them for the next build. They only save time: a full disk is no error."""
        try:
            self._folder.write(_timings_file(library, compute), hashlib.sha256(timings).digest() + timings)
        except OSError:
            self._folder.remove(_timings_file(library, compute))

    def _manifests(self, device) -> Iterator[tuple[str, PlanManifest | str]]:
        """(file name less its ending, manifest or the line that says what is wrong with it)."""
        for name in self._folder.names():
            if not name.endswith(".json") or not OURS.fullmatch(name):
                continue
            stem = name.removesuffix(".json")
            try:
                yield stem, PlanManifest.from_json(self._folder.read(name), stem)
            except FileNotFoundError:
                continue  # removed just now
            except ValueError as error:
                network, precision, _, targets = stem.split(".")
                command = build_command(network, precision, tuple(targets.split("-")) if device is None else ())
                yield stem, f"the manifest {self.path / name} is not sound ({error}): {command}"

    def _read(self, manifest: PlanManifest, onnx_sha256: str | None, device, library) -> tuple[bytes, PlanManifest]:
        plan = b""
        try:
            plan = self._folder.read(manifest.plan_file)
            reason = manifest.refusal(onnx_sha256, hashlib.sha256(plan).hexdigest(), device, library)
        except FileNotFoundError:
            for stem, newer in self._manifests(device):  # a build may just have put another pair in its place
                if stem == manifest.stem and isinstance(newer, PlanManifest) and newer != manifest:
                    return self._read(newer, onnx_sha256, device, library)
            reason = "its plan file is gone"
        except ValueError as error:
            reason = str(error)
        if reason is not None:
            what = f"the {manifest.precision} engine of {manifest.network} is not used"
            raise PlanRefused(f"{what}, {reason}: {manifest.command if device else manifest.command_elsewhere}")
        return plan, manifest


def _zoo_hash(network: str) -> str | None:
    from engines.zoo import ZOO

    file = ZOO / f"{network}.onnx"
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else None


def _timings_file(library: Library, compute: str) -> str:
    return f"timing.{library.name}-{library.version}.{compute}.cache"
