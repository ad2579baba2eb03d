"""The settings of `mer-train`, typed: the schema of `configs/train.yaml`, which explains them."""

from __future__ import annotations

from dataclasses import dataclass, field

from realtime.errors import UsageError
from train.recipe import Recipe


@dataclass
class ModelSettings:
    name: str = "dual_atme"


@dataclass
class DataSettings:
    name: str = "megc2019_flow"
    path: str = ""


@dataclass
class ProtocolSettings:
    name: str = "everyone"
    count: int = 5
    grouping: int = 0


@dataclass
class TrainSettings:
    model: ModelSettings = field(default_factory=ModelSettings)
    data: DataSettings = field(default_factory=DataSettings)
    protocol: ProtocolSettings = field(default_factory=ProtocolSettings)
    fit: Recipe = field(default_factory=Recipe)
    out: str | None = None
    seeds: list[int] = field(default_factory=lambda: [0, 1, 2])
    workers: int = 1
    accuracy: str | None = None

    def __post_init__(self):
        if self.out is None:
            self.out = f"runs/{self.model.name}-{self.data.name}-{self.protocol.name}"
        checks = {
            "fit.epochs": self.fit.epochs >= 1,
            "fit.batch": self.fit.batch >= 2,
            "fit.lr": self.fit.lr > 0,
            "fit.dropout": 0 <= self.fit.dropout < 1,
            "fit.mixup": self.fit.mixup >= 0,
            "protocol.count": self.protocol.count >= 2,
            "workers": self.workers >= 1,
            "seeds": len(self.seeds) >= 1,
        }
        wrong = [name for name, right in checks.items() if not right]
        if wrong:
            raise UsageError(f"{wrong[0]} is out of range: configs/train.yaml says what each setting means")
