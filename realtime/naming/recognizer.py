"""Keyframes → class and scores: the bridge between what was spotted and the network that names it."""

from __future__ import annotations

import numpy as np

from engines.batcher import Batcher
from engines.errors import EngineError, GpuLost
from engines.flow import Flow
from engines.zoo import known
from realtime.errors import ModelError
from realtime.face.geometry import to_68
from realtime.naming.inputs import INPUTS, PAST_APEX
from realtime.naming.inputs.on_gpu import ON_GPU
from realtime.networks import network
from realtime.records import UNSURE, Keyframes, Moments
from realtime.warm import views

PATIENCE = 5e-5  # seconds: of what takes milliseconds, to have streams that ask at the same moment in one batch


class Recognizer:
    """`recognizer(keyframes)` → (label, {class: probability}).

    The label is the likeliest class, or UNSURE where that is less likely than the manifest's "abstain_below", and for a
    macro-expression unless the manifest says "macro": true, that it was trained on such. Streams may share one: on a GPU their movements then share batches, from the pictures to the scores.

    Attributes:
        until_apex: the network looks at onset and apex alone.

    Raises:
        ModelError: the network cannot be had.
    """

    def __init__(self, model: str, engine: str = "auto", flow: Flow | None = None):
        """
        Args:
            model: a network of the zoo, or the path of an .onnx file with its manifest beside it.
            engine: "auto", "tensorrt", "onnx" or "cpu", see `engines.runtime.Network`.
            flow: what computes it; by default on a GPU if there is one, or for "cpu" on the CPU.
        """
        self._network = network(model, engine)
        kind = self._network.manifest.get("takes")
        if kind not in INPUTS:
            raise ModelError(f"the network {model} takes '{kind}': expected one of {', '.join(INPUTS)}")
        self.name = self._network.name
        self.classes = self._network.classes
        self.path = self._network.path
        self.architecture = self._network.manifest.get("architecture", self.name)
        if self._network.width != len(self.classes):
            raise ModelError(f"the network {model} gives {self._network.width} numbers for {len(self.classes)} classes: export it again")
        self._inputs = INPUTS[kind]
        self.until_apex = kind not in PAST_APEX
        self._flow = flow or Flow("cpu" if engine == "cpu" else "auto")
        self._flow.warm()
        self._on_gpu = ON_GPU.get(kind)
        self._gather = Batcher(self._many, patience=PATIENCE)
        self._names_macro = self._network.manifest.get("macro", False)
        self._abstain_below = float(self._network.manifest.get("calibration", {}).get("abstain_below", 0.0))
        if model not in known():
            self.warm()  # somebody's own file may take other inputs than are made here: better found out now than at the first event

    @property
    def engines(self) -> str:
        """What runs it, in words: "kernel_ridge on ONNX Runtime, CPU; flow on CPU"."""
        return f"{self.name} on {self._network.backend}; flow on {self._flow.words}"

    def __call__(self, keyframes: Keyframes, flow: Flow | None = None) -> tuple[str, dict[str, float]]:
        """
        Args:
            flow: the movement's, on the CPU, where somebody else looks at it, too; used unless it is computed on a GPU here.
        """
        try:
            scores = self._scores(moments_of(keyframes), flow or self._flow)
        except EngineError as error:
            raise ModelError(str(error)) from error
        if not np.isfinite(scores).all():
            raise ModelError(f"the network {self.name} answered with numbers that are not finite: train and export it again")
        by_class = {name: float(score) for name, score in zip(self.classes, scores, strict=True)}
        likeliest = max(by_class, key=by_class.get)
        known = by_class[likeliest] >= self._abstain_below and (keyframes.kind != "macro" or self._names_macro)
        return likeliest if known else UNSURE, by_class

    def warm(self) -> None:
        """Flow and network, used once before an event waits for them."""
        seen = views()
        self(Keyframes(seen[0], seen[1], seen[-1], 1.0, 1.0, between=tuple(seen)))

    def _scores(self, moments: Moments, flow: Flow) -> np.ndarray:
        if self._made_on_gpu:
            prepared = self._on_gpu.one(moments)
            try:
                return self._gather(prepared)
            except GpuLost as error:
                self._flow.leave(error)
        return self._network(self._inputs(moments, self._flow if self._flow.on_gpu else flow))

    @property
    def _made_on_gpu(self) -> bool:
        """Whether its inputs are made on the GPU and left there for the network."""
        return self._on_gpu is not None and self._flow.on_gpu and (self._on_gpu.flow or self._network.on_gpu)

    def _many(self, prepared: list) -> list[np.ndarray]:
        if not self._flow.on_gpu:  # lost by the batch before this one
            raise GpuLost("it is gone")
        return list(self._network.many(self._on_gpu.many(prepared)))


def moments_of(keyframes: Keyframes) -> Moments:
    """The pictures of a spotted movement, as training has them of a clip."""
    three = (keyframes.onset, keyframes.apex, keyframes.offset)
    between = tuple(view.pixels for view in keyframes.between or three)  # not stacked: few networks look at them
    onset, apex, offset = (view.pixels for view in three)
    return Moments(onset, apex, offset, to_68(keyframes.onset.landmarks), between)
