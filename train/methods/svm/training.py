"""The support vector machine that stands beside the networks: what a classical method reaches on the same flow maps."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from realtime.errors import UsageError
from train.compute import CPU, Compute
from train.data.augment import mirror
from train.data.samples import Samples
from train.methods.svm.network import TEMPERATURE, SupportVectors
from train.methods.svm.settings import Model, Recipe
from train.resume import NOWHERE, Keep
from train.watch import Watch

INPUTS = "flow_map"
TITLE = "RBF support vector machine on the flow map"
PREPARATION = (
    "realtime.naming.inputs.flow_map: 28x28 flow map (u, v, optical strain; each channel stretched to 0-255), Gaussian blur, "
    "minus the channel's median, over 128; halved to 14x14 inside the network"
)


def fit(samples: Samples, model: Model, recipe: Recipe, seed: int, watch: Watch, compute: Compute = CPU, keep: Keep = NOWHERE) -> nn.Module:
    """An RBF SVM fitted on the micro-expressions of `samples` with mirrored copies: full_face → probabilities.

    Nothing in it is random: all seeds give the same; scikit-learn fits it, always on the CPU.

    Raises:
        UsageError: there is one class only.
    """
    samples = samples.only("micro")
    full = torch.from_numpy(samples.inputs["full_face"])
    x = torch.cat([features(full), features(mirror(full))]).numpy()
    return Machine(machine(x, np.tile(samples.label, 2), samples.classes, "rbf", recipe.cost)).eval()


def machine(x: np.ndarray, label: np.ndarray, classes: tuple[str, ...], kernel: str, cost: float) -> SupportVectors:
    """scikit-learn's SVC, fitted on x (N×D) and label (N, indices into `classes`), classes counting alike."""
    from sklearn.svm import SVC

    present = np.unique(label)
    if len(present) < 2:
        what = ", ".join(classes[index] for index in present) or "none"
        raise UsageError(f"a support vector machine takes at least two classes, got {what}: take more data")
    found = SVC(C=cost, kernel=kernel, class_weight="balanced", decision_function_shape="ovr").fit(x, label)
    return SupportVectors(found, len(classes))


class Machine(nn.Module):
    """What is exported: full_face → softmax of the decision values, averaged over the face and its mirror image."""

    def __init__(self, vectors: SupportVectors):
        super().__init__()
        self.vectors = vectors

    def forward(self, full_face: Tensor) -> Tensor:
        """(B, 3, 28, 28) → probabilities (B, classes)."""
        decision = self.vectors(features(full_face)) + self.vectors(features(mirror(full_face)))
        return (decision / (2 * TEMPERATURE)).softmax(1)


def features(full_face: Tensor) -> Tensor:
    """(B, 3, 28, 28), smoothed already (`realtime.naming.inputs.flow_map.normalise`) → (B, 588): at half the resolution."""
    return F.avg_pool2d(full_face, 2).flatten(1)
