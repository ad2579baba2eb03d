"""For what has nothing to choose: the spotter's verifier."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Model:
    name: str = ""

    def check(self) -> None:
        pass


@dataclass
class Recipe:
    def check(self) -> None:
        pass
