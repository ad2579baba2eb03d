"""STSTNet: how it is trained, as numbers. It has no switches."""

from __future__ import annotations

from dataclasses import dataclass

from train.methods.checks import check


@dataclass
class Model:
    name: str = "ststnet"

    def check(self) -> None:
        pass


@dataclass
class Recipe:
    """`configs/fit/ststnet-full.yaml` says what each value means; the defaults here are the paper's (Sec. III)."""

    epochs: int = 500
    batch: int = 256
    lr: float = 5e-5
    decay: bool = False
    dropout: float = 0.5
    mirror: bool = False

    def check(self) -> None:
        check(
            {
                "fit.epochs": self.epochs >= 1,
                "fit.batch": self.batch >= 2,
                "fit.lr": self.lr > 0,
                "fit.dropout": 0 <= self.dropout < 1,
            }
        )
