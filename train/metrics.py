"""How recognition is measured. All folds' predictions are pooled first; nothing is averaged over people."""

from __future__ import annotations

import numpy as np


def confusion(truth: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """classes×classes counts, rows = truth, columns = prediction. Both inputs: N integer labels."""
    return np.bincount(np.asarray(truth) * classes + predicted, minlength=classes**2).reshape(classes, classes)


def uf1(matrix: np.ndarray) -> float:
    """Unweighted F1, SKD-TSTSAN Eq. 11: mean over classes of 2·TP / (2·TP + FP + FN), from a confusion matrix.

    A class that is neither true nor predicted anywhere counts 0.
    """
    hits = np.diag(matrix)
    return float(np.mean(2 * hits / np.maximum(matrix.sum(0) + matrix.sum(1), 1)))


def uar(matrix: np.ndarray) -> float:
    """Unweighted average recall, SKD-TSTSAN Eq. 12: mean over classes of TP / N, from a confusion matrix."""
    return float(np.mean(np.diag(matrix) / np.maximum(matrix.sum(1), 1)))


def scores(truth: np.ndarray, predicted: np.ndarray, group: np.ndarray, classes: int) -> dict[str, dict]:
    """{"all" and each value of `group`: {"uf1", "uar", "confusion"}}; `group`: N strings, each sample's data set."""
    result = {}
    for name in ["all", *np.unique(group)]:
        rows = np.full(len(group), True) if name == "all" else group == name
        matrix = confusion(truth[rows], predicted[rows], classes)
        result[str(name)] = {"uf1": uf1(matrix), "uar": uar(matrix), "confusion": matrix.tolist()}
    return result
