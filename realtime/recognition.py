"""Keyframes → class and scores: the bridge between what was spotted and the network that names it."""

from __future__ import annotations

import numpy as np

from realtime.errors import ModelError
from realtime.geometry import to_68
from realtime.inputs import INPUTS
from realtime.networks import network
from realtime.records import UNSURE, Keyframes, Moments


class Recognizer:
    """`recognizer(keyframes)` → (label, {class: probability}). Raises ModelError where the network cannot be had.

    The label is the likeliest class, or UNSURE where that is less likely than the manifest's "abstain_below".
    """

    def __init__(self, model: str):
        """`model`: a network of the zoo, or the path of an .onnx file with its manifest beside it."""
        self._network = network(model)
        kind = self._network.manifest.get("takes")
        if kind not in INPUTS:
            raise ModelError(f"the network {model} takes '{kind}': expected one of {', '.join(INPUTS)}")
        self.name = self._network.name
        self.classes = self._network.classes
        self._inputs = INPUTS[kind]
        self._abstain_below = float(self._network.manifest.get("calibration", {}).get("abstain_below", 0.0))

    def __call__(self, keyframes: Keyframes) -> tuple[str, dict[str, float]]:
        scores = self._network(self._inputs(moments_of(keyframes)))
        by_class = {name: float(score) for name, score in zip(self.classes, scores, strict=True)}
        likeliest = max(by_class, key=by_class.get)
        return likeliest if by_class[likeliest] >= self._abstain_below else UNSURE, by_class


def moments_of(keyframes: Keyframes) -> Moments:
    """The pictures of a spotted movement, as training has them of a clip."""
    three = (keyframes.onset, keyframes.apex, keyframes.offset)
    between = np.stack([view.pixels for view in keyframes.between or three])
    return Moments(*(view.pixels for view in three), to_68(keyframes.onset.landmarks), between)
