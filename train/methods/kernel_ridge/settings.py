"""Kernel ridge regression on movement and deformation: its switches, and its two numbers."""

from __future__ import annotations

from dataclasses import dataclass

from train.methods.checks import check


@dataclass
class Model:
    """movement, deformation: the two views, one may be switched off. standardise: each map over its own spread.

    waves: how many stand in for the kernel; 0 is the kernel itself, which keeps every training map inside the network.
    """

    name: str = "kernel_ridge"
    movement: bool = True
    deformation: bool = True
    standardise: bool = True
    waves: int = 4096

    def check(self) -> None:
        check(
            {
                "model.movement, model.deformation (one must be on)": self.movement or self.deformation,
                "model.waves (even, 0 or more)": self.waves >= 0 and self.waves % 2 == 0,
            }
        )


@dataclass
class Recipe:
    """ridge: what large weights cost. width: of the kernel's γ, as a share of 1 / (numbers in a view · their variance)."""

    ridge: float = 1.0
    width: float = 1.0

    def check(self) -> None:
        check({"fit.ridge": self.ridge > 0, "fit.width": self.width > 0})
