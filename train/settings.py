"""The settings of `mer-train` and `mer-bench`, typed: the schemas of `configs/train.yaml` and `bench.yaml`, which explain them.

What a method has of its own, `model` and `fit`, is typed by its module in `train.methods.recipes`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from realtime.errors import UsageError
from realtime.parallel import LAUNCHERS
from realtime.settings import literal
from realtime.watch import LiveSettings
from train.methods.checks import check
from train.methods.recipes import RECIPES


@dataclass
class DataSettings:
    """cache, more, test: folders, lists of str; one may be given as it is."""

    name: str = "megc2019_flow"
    path: str = ""
    root: str = ""
    cache: Any = field(default_factory=list)
    more: Any = field(default_factory=list)
    grouping: str = "three"
    apex: str = "annotated"
    test: Any = field(default_factory=list)

    def __post_init__(self):
        for name in ("cache", "more", "test"):  # one folder needs no brackets
            value = getattr(self, name)
            setattr(self, name, [str(one) for one in (value if isinstance(value, list) else [value])])


@dataclass
class ProtocolSettings:
    name: str = "everyone"
    count: int = 5
    grouping: int = 0
    inner: float = 0.0
    leak: bool = False
    export: bool = False


@dataclass
class TrainSettings:
    """model, fit: after loading, the `Model` and `Recipe` of the method's module in `train.methods.recipes`."""

    model: Any = field(default_factory=lambda: {"name": "dual_atme"})
    data: DataSettings = field(default_factory=DataSettings)
    protocol: ProtocolSettings = field(default_factory=ProtocolSettings)
    fit: Any = field(default_factory=dict)
    schedule: str = "full"
    stage: str | None = None
    out: str | None = None
    seeds: list[int] = field(default_factory=lambda: [0, 1, 2])
    launcher: str = "processes"
    workers: int = 1
    device: str = "auto"
    precision: str = "fp32"
    accuracy: str | None = None

    def __post_init__(self):
        own = RECIPES[self.model["name"]]
        self.model, self.fit = typed("model", own.Model, self.model), typed("fit", own.Recipe, self.fit)
        if self.out is None:
            parts = (self.model.name, self.stage, self.data.name, self.protocol.name)
            self.out = f"runs/{'-'.join(part for part in parts if part)}"
        if getattr(self.model, "puzzle", "") is None:  # Dual-ATME's puzzle is cut from pictures where there are any
            self.model.puzzle = "map" if self.data.name == "megc2019_flow" else "picture"
        self.model.check()
        self.fit.check()
        check(
            {
                "protocol.count": self.protocol.count >= 2,
                "protocol.inner": 0 <= self.protocol.inner < 1,
                "launcher (inline, processes or ray)": self.launcher in LAUNCHERS,
                "stage (style, with model=sa_at protocol=everyone)": self.stage is None
                or (self.stage, self.model.name, self.protocol.name) == ("style", "sa_at", "everyone"),
                "data.apex (annotated or extracted)": self.data.apex in ("annotated", "extracted"),
                "workers": self.workers >= 1,
                "device (auto, cpu or cuda)": self.device in ("auto", "cpu", "cuda"),
                "precision (fp32 or bf16)": self.precision in ("fp32", "bf16"),
                "seeds": len(self.seeds) >= 1 and len(set(self.seeds)) == len(self.seeds),
            }
        )

    def as_dict(self) -> dict:
        """Plain values, as they are written beside a result."""
        return OmegaConf.to_container(OmegaConf.create({key: _plain(value) for key, value in vars(self).items()}))


@dataclass
class BenchSettings(LiveSettings):
    """`mer-bench`'s: those of the stream, and which recordings it is measured on (None: those of its own)."""

    data: DataSettings | None = None


def typed(where: str, schema: type, values: dict) -> Any:
    """`values` as the dataclass `schema`. Raises UsageError where a value has the wrong type."""
    try:
        return OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(schema), literal(values)))
    except OmegaConfBaseException as error:
        raise UsageError(f"cannot use {where}.{getattr(error, 'full_key', '')}: {str(error).splitlines()[0]}") from error


def _plain(value: Any) -> Any:
    return OmegaConf.to_container(OmegaConf.structured(value)) if hasattr(value, "__dataclass_fields__") else value
