"""What a plan is, and whether it fits here. Read before a single byte of the plan is handed to TensorRT."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

from engines.errors import EngineError
from engines.tensorrt.library import TITLES
from engines.tensorrt.precision import PRECISIONS

if TYPE_CHECKING:
    from engines.device import Device
    from engines.tensorrt.library import Library

PROFILES = (1, 8, 64)  # samples in a batch: least, usual, most
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
HASH = re.compile(r"[0-9a-f]{64}")
TARGET = re.compile(r"sm_[0-9]{2,3}")


class PlanRefused(EngineError):
    """A plan is absent or must not be used. Its text ends in the command that builds one that may."""


@dataclass(frozen=True)
class PlanManifest:
    """The facts of one plan.

    Attributes:
        network: its name.
        onnx_sha256: of the zoo's file it was made from.
        plan_sha256: of the plan.
        library: which TensorRT made it.
        version: which TensorRT made it.
        cuda: of the machine it was made on, "" where that had no GPU.
        driver: of the machine it was made on, "" where that had no GPU.
        gpu: of the machine it was made on, "" where that had no GPU.
        targets: "sm_89", …, the architectures it runs on.
        precision: one of PRECISIONS.
        kept_fp32: layers left out of it.
        profiles: smallest, usual and largest batch.
        tool_version: of mer-live.
        made: UTC, "2026-11-22T12:34:56Z".
    """

    network: str
    onnx_sha256: str
    plan_sha256: str
    library: str
    version: str
    cuda: str
    driver: str
    gpu: str
    targets: tuple[str, ...]
    precision: str
    profiles: tuple[int, int, int]
    kept_fp32: tuple[str, ...]
    tool_version: str
    made: str

    def __post_init__(self):
        """Raises ValueError, in a few words, where a field is of the wrong kind."""
        for name in ("targets", "profiles", "kept_fp32"):
            value = getattr(self, name)
            _must(isinstance(value, list | tuple), name, value)
            object.__setattr__(self, name, tuple(value))
        for name in (field.name for field in fields(self) if field.type == "str"):
            _must(isinstance(getattr(self, name), str), name, getattr(self, name))
        _must(NAME.fullmatch(self.network), "network", self.network)
        for name in ("onnx_sha256", "plan_sha256"):
            _must(HASH.fullmatch(getattr(self, name)), name, getattr(self, name))
        _must(self.library in TITLES, "library", self.library)
        _must(self.version, "version", self.version)
        _must(self.targets and all(_is(TARGET, target) for target in self.targets), "targets", self.targets)
        _must(self.precision in PRECISIONS, "precision", self.precision)
        ascending = len(self.profiles) == 3 and all(type(n) is int for n in self.profiles) and sorted(self.profiles)
        _must(ascending == list(self.profiles) and self.profiles[0] >= 1, "profiles", self.profiles)
        _must(all(isinstance(layer, str) for layer in self.kept_fp32), "kept_fp32", self.kept_fp32)

    @property
    def stem(self) -> str:
        """The name of its file, less the ending: one engine a network, precision, library and set of architectures."""
        return ".".join((self.network, self.precision, self.library, "-".join(self.targets)))

    @property
    def plan_file(self) -> str:
        """The name of the plan's file: a new plan never overwrites the one that the old manifest speaks of."""
        return f"{self.stem}.{self.plan_sha256[:16]}.plan"

    @property
    def command(self) -> str:
        """What to type to build it again, for the GPU at hand."""
        return build_command(self.network, self.precision)

    @property
    def command_elsewhere(self) -> str:
        """The same where there is no GPU: for those it was built for."""
        return build_command(self.network, self.precision, self.targets)

    def refusal(self, onnx_sha256: str | None, plan_sha256: str, device: Device | None, library: Library | None) -> str | None:
        """Why this plan must not be used here, in a few words; None where it may.

        Fatal are: another ONNX file, other bytes, another TensorRT (plans are good for the very version that made them), an
        architecture it was not made for, for TensorRT proper another model of GPU (it picks kernels by timing on one model;
        TensorRT for RTX compiles on the GPU itself), and a driver for an older major CUDA than the one it was made under.
        Another driver as such is not: NVIDIA keeps drivers compatible upwards and within a major version of CUDA. Nor is
        another version of mer-live: what it changes shows in the hashes.

        Args:
            onnx_sha256: of the network's file as it is now (None: there is no such network).
            plan_sha256: of the bytes that were read.
            device: of here, None where there is none.
            library: of here, None where there is none.
        """
        if onnx_sha256 is None:
            return f"there is no network '{self.network}'"
        if onnx_sha256 != self.onnx_sha256:
            return "the network's ONNX file has changed since it was built"
        if plan_sha256 != self.plan_sha256:
            hashes = f"SHA-256 {plan_sha256[:12]}…, expected {self.plan_sha256[:12]}…"
            return f"its file is not the one that was built ({hashes})"
        if library is None:
            return f"built by {TITLES[self.library]} {self.version}, which is not installed here"
        if (library.name, library.version) != (self.library, self.version):
            return f"built by {TITLES[self.library]} {self.version}, here is {library.title}"
        if device is None:
            return "there is no GPU here"
        if device.compute not in self.targets:
            return f"built for {', '.join(self.targets)}, this GPU ({device.name}) is {device.compute}"
        if self.library == "tensorrt" and self.gpu != device.name:
            return f"built on {self.gpu or 'no GPU'}, this GPU is {device.name}"
        if _major(device.cuda) < _major(self.cuda):
            return f"built under CUDA {self.cuda}, the driver here goes up to CUDA {device.cuda}"
        return None

    def as_json(self) -> str:
        """The manifest's file."""
        return json.dumps(asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes, stem: str) -> PlanManifest:
        """The manifest in a file called `stem`.json.

        Raises:
            ValueError: it is not sound.
        """
        try:
            plain = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValueError("it is not JSON") from error
        if not isinstance(plain, dict):
            raise ValueError("it is no table of fields")
        names = {field.name for field in fields(cls)}
        if missing := sorted(names - plain.keys()):
            raise ValueError(f"it lacks {', '.join(missing)}")
        if strange := sorted(plain.keys() - names):
            raise ValueError(f"it has fields that no manifest has: {', '.join(strange)[:100]}")
        manifest = cls(**plain)
        if manifest.stem != stem:
            raise ValueError(f"it speaks of {manifest.stem}")
        return manifest


def build_command(network: str, precision: str | None = None, targets: tuple[str, ...] = ()) -> str:
    """What to type to build an engine: "mer-engine build dual_atme --precision fp16"."""
    words = ["mer-engine build", network]
    words += ["--precision", precision] if precision not in (None, "fp32") else []
    words += ["--for", ",".join(targets)] if targets else []
    return " ".join(words)


def _must(fits, name: str, value) -> None:
    if not fits:
        raise ValueError(f"its {name} is {str(value)[:60]!r}")


def _is(pattern: re.Pattern, value) -> bool:
    return isinstance(value, str) and bool(pattern.fullmatch(value))


def _major(version: str) -> int:
    return int(found.group()) if (found := re.match(r"[0-9]{1,6}", version)) else 0
