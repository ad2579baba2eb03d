"""The engines of this user: a private folder of plans, each with its manifest.

A plan is written first, under a name with its own hash in it, then the manifest that speaks of it: whatever happens in
between, the old pair is whole until the new one is.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engines.errors import EngineError
from engines.tensorrt.manifest import PlanManifest, PlanRefused, build_command
from engines.tensorrt.private_folder import FULL, Folder

if TYPE_CHECKING:
    from engines.device import Device
    from engines.tensorrt.library import Library

OURS = re.compile(
    r"([A-Za-z0-9_-]+\.\w+\.\w+\.[\w-]+(\.[0-9a-f]{16}\.plan|\.json)|timing\..*\.cache)"
    r"(\.\d+\.tmp)?"  # what a crash leaves
)


@dataclass(frozen=True)
class Entry:
    """One engine in the store. manifest: None where it is damaged. path: of the plan, or of the damaged manifest.

    current: it may be used here and now. reason: why not, with the command that mends it.
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

        Where several fit (fp32, fp16, …), the one built last. Raises PlanRefused where there is none.
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

        Raises EngineError where `plan` is not what the manifest says, or it cannot be written (a full disk): the engine
        that was there is then still there.
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
        """`with store.lock(print):` only one process builds at a time; waiting: gets one line if another is at it."""
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
