"""Dual-ATME: its switches, and how it is trained, as numbers."""

from __future__ import annotations

from dataclasses import dataclass

from train.methods import check

# tests hold these against realtime.naming.inputs.dual_atme, which is not loaded this early
REGIONS = ("eyebrows_mouth", "eyebrows_nose", "cheeks_nose", "cheeks_mouth", "full_face")


@dataclass
class Model:
    """`configs/model/dual_atme.yaml` holds the values and says what each means. hars or aars may be switched off, not both."""

    name: str
    hars: bool
    aars: bool
    puzzle: str | None
    puzzle_attention: bool = False
    regions: str = ""  # of a network that is older than the setting

    def __post_init__(self):
        self.regions = self.regions or REGIONS[0]

    def check(self) -> None:
        check(
            {
                "model.hars, model.aars (one must be on)": self.hars or self.aars,
                "model.puzzle (picture or map)": self.puzzle in (None, "picture", "map"),
                f"model.regions (one of {', '.join(REGIONS)})": self.regions in REGIONS,
                "model.regions (a puzzle cut from the map knows eyebrows_mouth alone)": self.puzzle != "map" or self.regions == REGIONS[0],
            }
        )


@dataclass
class Recipe:
    """`configs/fit/dual_atme-full.yaml` holds the values and says what each means."""

    epochs: int
    batch: int
    lr: float
    weight_decay: float
    similarity: float
    gamma: float
    dropout: float
    mixup: float
    shift: float
    scale: float
    rotate: float
    balance: float
    mirror: bool
    optimizer: str
    weights: list[float]

    def check(self) -> None:
        check(
            {
                "fit.epochs": self.epochs >= 1,
                "fit.batch": self.batch >= 2,
                "fit.lr": self.lr > 0,
                "fit.dropout": 0 <= self.dropout < 1,
                "fit.weight_decay": self.weight_decay >= 0,
                "fit.similarity": self.similarity >= 0,
                "fit.gamma": self.gamma >= 0,
                "fit.mixup": self.mixup >= 0,
                "fit.shift": self.shift >= 0,
                "fit.scale": 0 <= self.scale < 1,
                "fit.rotate": self.rotate >= 0,
                "fit.balance": 0 <= self.balance <= 1,
                "fit.optimizer (adam or sgd)": self.optimizer in ("adam", "sgd"),
                "fit.weights (above 0)": all(weight > 0 for weight in self.weights),
            }
        )
