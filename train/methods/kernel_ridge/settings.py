"""Kernel ridge regression on movement and deformation: its switches, and its two numbers."""

from __future__ import annotations

from dataclasses import dataclass

from train.methods import check


@dataclass
class Model:
    """`configs/model/kernel_ridge.yaml` holds the values and says what each means."""

    name: str
    movement: bool
    deformation: bool
    standardise: bool
    waves: int

    def check(self) -> None:
        check(
            {
                "model.movement, model.deformation (one must be on)": self.movement or self.deformation,
                "model.waves (even, 0 or more)": self.waves >= 0 and self.waves % 2 == 0,
            }
        )


@dataclass
class Recipe:
    """`configs/fit/kernel_ridge-full.yaml` holds the values and says what each means."""

    ridge: float
    width: float

    def check(self) -> None:
        check({"fit.ridge": self.ridge > 0, "fit.width": self.width > 0})
