"""The support vector machines, on the flow map and on LBP-TOP: what there is to choose."""

from __future__ import annotations

from dataclasses import dataclass

from train.methods.checks import check


@dataclass
class Model:
    name: str = ""

    def check(self) -> None:
        pass


@dataclass
class Recipe:
    """cost: C, of a sample on the wrong side of the margin; classes count alike (class_weight="balanced")."""

    cost: float = 1.0

    def check(self) -> None:
        check({"fit.cost": self.cost > 0})
