"""STSTNet: how it is trained, as numbers. It has no switches."""

from __future__ import annotations

from dataclasses import dataclass

from train.methods import NoSwitches, check

Model = NoSwitches


@dataclass
class Recipe:
    """`configs/fit/ststnet-full.yaml` holds the values and says what each means."""

    epochs: int
    batch: int
    lr: float
    decay: bool
    dropout: float
    mirror: bool

    def check(self) -> None:
        check(
            {
                "fit.epochs": self.epochs >= 1,
                "fit.batch": self.batch >= 2,
                "fit.lr": self.lr > 0,
                "fit.dropout": 0 <= self.dropout < 1,
            }
        )
