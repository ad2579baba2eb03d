"""Dual-ATME: its switches, and how it is trained, as numbers."""

from __future__ import annotations

from dataclasses import dataclass

from train.methods.checks import check


@dataclass
class Model:
    """hars: the puzzle's branch, aars: the full face's with its attention (Sec. 3.2.2, 3.3.2). One may be switched off.

    puzzle: what it is cut from: "picture", as in the paper, or "map", the full face's flow map. None: `train.settings`
    takes pictures where the data has them.
    """

    name: str = "dual_atme"
    hars: bool = True
    aars: bool = True
    puzzle: str | None = None

    def check(self) -> None:
        check(
            {
                "model.hars, model.aars (one must be on)": self.hars or self.aars,
                "model.puzzle (picture or map)": self.puzzle in (None, "picture", "map"),
            }
        )


@dataclass
class Recipe:
    """`configs/fit/dual_atme-full.yaml` says what each value means; the defaults here are the paper's (Sec. 4.2)."""

    epochs: int = 60
    batch: int = 128
    lr: float = 1e-3
    weight_decay: float = 0.0
    similarity: float = 0.01
    gamma: float = 2.0
    dropout: float = 0.5
    mixup: float = 0.0
    shift: float = 0.0
    scale: float = 0.0
    rotate: float = 0.0
    balance: float = 0.0

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
