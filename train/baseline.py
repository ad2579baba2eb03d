"""The support vector machine that stands beside the networks: what a classical method reaches on the same maps."""

from __future__ import annotations

import cv2
import numpy as np

from train.data.megc2019 import Samples


def predict(training: Samples, held_out: Samples) -> np.ndarray:
    """An RBF SVM fitted on `training` with mirrored copies, nothing tuned: scores of `held_out`, N×classes float32.

    The scores are one-vs-rest decision values, averaged over each sample and its mirror image; they do not sum to 1.
    """
    from sklearn.svm import SVC

    machine = SVC(kernel="rbf", class_weight="balanced", decision_function_shape="ovr")
    machine.fit(
        np.concatenate([features(training.full_face), features(mirror(training.full_face))]), np.tile(training.label, 2)
    )
    both = [machine.decision_function(features(x)) for x in (held_out.full_face, mirror(held_out.full_face))]
    return np.mean(both, axis=0).astype(np.float32)


def features(full_face: np.ndarray) -> np.ndarray:
    """N×3×28×28, smoothed already (`realtime.inputs.normalise`) → N×588: at half the resolution."""
    return np.stack([cv2.resize(x.transpose(1, 2, 0), (14, 14), interpolation=cv2.INTER_AREA).ravel() for x in full_face])


def mirror(full_face: np.ndarray) -> np.ndarray:
    """`train.augment.mirror` for arrays."""
    return full_face[..., ::-1] * np.array([-1, 1, 1], np.float32)[:, None, None]
