"""The support vector machines, on the flow map and on LBP-TOP: what there is to choose."""

from __future__ import annotations

from dataclasses import dataclass

from train.methods import NoSwitches, check

Model = NoSwitches


@dataclass
class Recipe:
    """`configs/fit/svm-full.yaml` and `lbptop-full.yaml` hold the values. Classes count alike (class_weight="balanced")."""

    cost: float

    def check(self) -> None:
        check({"fit.cost": self.cost > 0})
