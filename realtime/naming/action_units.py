"""Which action units moved from onset to apex, as FACS writes them: an estimate, which no FACS coder has checked.

A small network looks at how far each point of the face's mesh moved. It was trained on synthetic people
(`train/action_units`), whose every movement is known.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engines.errors import EngineError
from engines.flow import CPU, Flow
from realtime.errors import ModelError
from realtime.naming.inputs import displacement
from realtime.networks import network
from realtime.records import Keyframes
from realtime.warm import views

ONE_SIDED = 0.5  # a side counts as still where its confidence is less than this share of what a unit needs


class UnitEstimator:
    """`estimate(keyframes)` → {"4": 0.91, "L12": 0.66}: units in FACS's order, and how sure of each.

    Raises:
        ModelError: the network cannot be had, or is none for this.
    """

    def __init__(self, name: str = "action_units"):
        self._network = network(name, "cpu")  # a tenth of a millisecond: a GPU would take longer to be asked
        manifest = self._network.manifest
        self._least = manifest.get("calibration", {}).get("tell_from", [])
        if manifest.get("takes") != "displacement" or not len(self._network.classes) == self._network.width == len(self._least):
            raise ModelError(f"{name} is no network for action units: leave action_units as it is, or set it to null")

    def __call__(self, keyframes: Keyframes, flow: Flow = CPU) -> dict[str, float]:
        (told,) = self.many(displacement.inputs(keyframes.onset, keyframes.apex, flow)["moved"])
        return told

    def many(self, moved: np.ndarray) -> list[dict[str, float]]:
        """The same of N movements: N×2×POINTS float32, see `displacement.inputs`."""
        try:
            several = self._network.many({"moved": moved})
        except EngineError as error:
            raise ModelError(str(error)) from error
        return [written(self._network.classes, sure, self._least) for sure in several]

    def warm(self) -> None:
        """Used once before an event waits for it."""
        CPU.warm()
        seen = views()
        self(Keyframes(seen[0], seen[1], seen[-1], 1.0, 1.0))


def written(names: Sequence[str], sure: np.ndarray, least: Sequence[float]) -> dict[str, float]:
    """Confidences of the sides of units → what FACS would write, in its order.

    Args:
        names: "R12" and "L12" for the person's own right and left, "17" for a unit that has no sides.
        sure: of each, in [0, 1].
        least: of each, from which confidence on it is told.
    """
    found: dict[int, dict[str, tuple[float, float]]] = {}
    for name, value, needed in zip(names, sure, least, strict=True):
        found.setdefault(int(name.lstrip("RL")), {})[name.rstrip("0123456789")] = float(value), float(needed)
    told = {}
    for unit, sides in sorted(found.items()):
        side, (value, needed) = max(sides.items(), key=lambda one: one[1])
        if value >= needed:
            still = [other for other, _ in sides.values() if other < ONE_SIDED * needed]
            told[f"{side if still else ''}{unit}"] = value
    return told
