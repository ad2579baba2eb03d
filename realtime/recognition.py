"""Keyframes → class and scores: the bridge between what was spotted and the network that names it."""

from __future__ import annotations

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
        onset, apex = keyframes.onset, keyframes.apex
        moments = Moments(onset.pixels, apex.pixels, keyframes.offset.pixels, to_68(onset.landmarks))
        scores = self._network(self._inputs(moments))
        by_class = {name: float(score) for name, score in zip(self.classes, scores, strict=True)}
        likeliest = max(by_class, key=by_class.get)
        return likeliest if by_class[likeliest] >= self._abstain_below else UNSURE, by_class
