"""Keyframes → class and scores: the bridge between what was spotted and the network that names it."""

from __future__ import annotations

import numpy as np

from engines import flow, notices
from engines.batcher import Batcher
from engines.errors import EngineError, GpuLost
from engines.runtime import known
from realtime.errors import ModelError
from realtime.geometry import to_68
from realtime.inputs import INPUTS
from realtime.inputs.on_gpu import ON_GPU
from realtime.networks import network
from realtime.records import UNSURE, Keyframes, Moments


class Recognizer:
    """`recognizer(keyframes)` → (label, {class: probability}). Raises ModelError where the network cannot be had.

    The label is the likeliest class, or UNSURE where that is less likely than the manifest's "abstain_below". Streams may
    share one: on a GPU their movements then share batches, from the pictures to the scores.
    """

    def __init__(self, model: str, engine: str = "auto"):
        """`model`: a network of the zoo, or the path of an .onnx file with its manifest beside it.

        engine: "auto", "tensorrt" or "onnx", see `engines.runtime.Network`; the last keeps the flow on the CPU, too.
        """
        self._network = network(model, engine)
        kind = self._network.manifest.get("takes")
        if kind not in INPUTS:
            raise ModelError(f"the network {model} takes '{kind}': expected one of {', '.join(INPUTS)}")
        self.name = self._network.name
        self.classes = self._network.classes
        if self._network.width != len(self.classes):
            raise ModelError(f"the network {model} gives {self._network.width} numbers for {len(self.classes)} classes: export it again")
        self._inputs = INPUTS[kind]
        self._flow = flow.use("cpu" if engine == "onnx" else "auto")
        self._on_gpu = ON_GPU.get(kind) if "CUDA" in self._flow else None
        self._gather = Batcher(self._many)
        self._abstain_below = float(self._network.manifest.get("calibration", {}).get("abstain_below", 0.0))
        if model not in known():
            self._try()

    @property
    def engines(self) -> str:
        """What runs it, in words: "kernel_ridge on ONNX Runtime, CPU; flow on TV-L1, CPU"."""
        return f"{self.name} on {self._network.backend}; flow on {self._flow}"

    def __call__(self, keyframes: Keyframes) -> tuple[str, dict[str, float]]:
        try:
            scores = self._scores(moments_of(keyframes))
        except EngineError as error:
            raise ModelError(str(error)) from error
        if not np.isfinite(scores).all():
            raise ModelError(f"the network {self.name} answered with numbers that are not finite: train and export it again")
        by_class = {name: float(score) for name, score in zip(self.classes, scores, strict=True)}
        likeliest = max(by_class, key=by_class.get)
        return likeliest if by_class[likeliest] >= self._abstain_below else UNSURE, by_class

    def _try(self) -> None:
        """Somebody's own file may take other inputs than are made here: better found out now than at the first event."""
        from realtime.warm import warm_naming

        warm_naming(self)

    def _scores(self, moments: Moments) -> np.ndarray:
        if self._on_gpu is not None:
            try:
                return self._gather(moments)
            except ValueError:
                pass  # some movement of the batch has no inputs: on its own, each finds out whether it is the one
            except GpuLost as error:
                if self._on_gpu is not None:
                    notices.say(f"{self.name}: {error}; its inputs are made on the CPU from now on")
                self._on_gpu = None
        return self._network(self._inputs(moments))

    def _many(self, several: list[Moments]) -> list[np.ndarray]:
        make = self._on_gpu
        if make is None:  # lost by the batch before this one
            raise GpuLost("it is gone")
        return list(self._network.many(make(several)))


def moments_of(keyframes: Keyframes) -> Moments:
    """The pictures of a spotted movement, as training has them of a clip."""
    three = (keyframes.onset, keyframes.apex, keyframes.offset)
    between = np.stack([view.pixels for view in keyframes.between or three])
    return Moments(*(view.pixels for view in three), to_68(keyframes.onset.landmarks), between)
