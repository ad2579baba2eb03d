"""The estimator of action units: how it is trained, as numbers. It has no switches."""

from __future__ import annotations

from dataclasses import dataclass

from train.methods import NoSwitches, check

Model = NoSwitches


@dataclass
class Recipe:
    """`configs/fit/action_units-full.yaml` holds the values and says what each means."""

    films: int
    pairs: int
    epochs: int
    batch: int
    lr: float
    decay: float
    width: int
    dropout: float
    louder: float
    tremble: float

    def check(self) -> None:
        check(
            {
                "fit.films": self.films >= 1,
                "fit.pairs": self.pairs >= 1,
                "fit.epochs": self.epochs >= 1,
                "fit.batch": self.batch >= 2,
                "fit.lr": self.lr > 0,
                "fit.width": self.width >= 2,
                "fit.dropout": 0 <= self.dropout < 1,
            }
        )
