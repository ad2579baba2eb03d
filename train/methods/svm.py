"""The support vector machine that stands beside the networks: what a classical method reaches on the same maps."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from train.data.samples import Samples
from train.recipes.plain import Model, Recipe
from train.watch import Watch


INPUTS = "dual_atme_map"
TITLE = "RBF support vector machine"
PREPARATION = "as Dual-ATME's full face, at half the resolution"


def fit(samples: Samples, model: Model, recipe: Recipe, seed: int, watch: Watch) -> nn.Module:
    """An RBF SVM fitted on the micro-expressions of `samples` with mirrored copies, nothing tuned."""
    from sklearn.svm import SVC

    samples = samples.only("micro")
    machine = SVC(kernel="rbf", class_weight="balanced", decision_function_shape="ovr")
    full = samples.inputs["full_face"]
    machine.fit(np.concatenate([features(full), features(mirror(full))]), np.tile(samples.label, 2))
    return Machine(machine).eval()


class Machine(nn.Module):
    """(full_face, puzzle) → softmax of the decision values, averaged over each sample and its mirror image."""

    def __init__(self, machine):
        super().__init__()
        self.machine = machine

    def forward(self, full_face: Tensor, puzzle: Tensor) -> Tensor:
        full = full_face.numpy()
        both = [self.machine.decision_function(features(x)) for x in (full, mirror(full))]
        return torch.from_numpy(np.mean(both, axis=0).astype(np.float32)).softmax(1)


def features(full_face: np.ndarray) -> np.ndarray:
    """N×3×28×28, smoothed already (`realtime.inputs.normalise`) → N×588: at half the resolution."""
    return np.stack([cv2.resize(x.transpose(1, 2, 0), (14, 14), interpolation=cv2.INTER_AREA).ravel() for x in full_face])


def mirror(full_face: np.ndarray) -> np.ndarray:
    """`train.augment.mirror` for arrays."""
    return full_face[..., ::-1] * np.array([-1, 1, 1], np.float32)[:, None, None]
