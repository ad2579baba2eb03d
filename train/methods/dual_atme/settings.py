"""Dual-ATME: its switches, and how it is trained, as numbers."""

from __future__ import annotations

from dataclasses import dataclass

from train.methods import check


@dataclass
class Model:
    """`configs/model/dual_atme.yaml` holds the values and says what each means. hars or aars may be switched off, not both."""

    name: str
    hars: bool
    aars: bool
    puzzle: str | None

    def check(self) -> None:
        check(
            {
                "model.hars, model.aars (one must be on)": self.hars or self.aars,
                "model.puzzle (picture or map)": self.puzzle in (None, "picture", "map"),
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
            }
        )
