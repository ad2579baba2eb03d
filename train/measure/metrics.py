"""How recognition is measured. All folds' predictions are pooled first; nothing is averaged over people."""

from __future__ import annotations

import numpy as np

METRICS = ("uf1", "uar", "accuracy")
DRAWS = 2000  # of people, for the interval


def confusion(truth: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """classes×classes counts, rows = truth, columns = prediction. Both inputs: N integer labels."""
    return np.bincount(np.asarray(truth) * classes + predicted, minlength=classes**2).reshape(classes, classes)


def uf1(matrix: np.ndarray) -> np.ndarray:
    """Unweighted F1, SKD-TSTSAN Eq. 11: mean over classes of 2·TP / (2·TP + FP + FN), of …×K×K confusion matrices.

    A class that is neither true nor predicted anywhere counts 0.
    """
    hits = np.diagonal(matrix, axis1=-2, axis2=-1)
    return np.mean(2 * hits / np.maximum(matrix.sum(-2) + matrix.sum(-1), 1), axis=-1)


def uar(matrix: np.ndarray) -> np.ndarray:
    """Unweighted average recall, SKD-TSTSAN Eq. 12: mean over classes of TP / N, of …×K×K confusion matrices."""
    return np.mean(np.diagonal(matrix, axis1=-2, axis2=-1) / np.maximum(matrix.sum(-1), 1), axis=-1)


def accuracy(matrix: np.ndarray) -> np.ndarray:
    """Share that is right, of …×K×K confusion matrices."""
    return np.trace(matrix, axis1=-2, axis2=-1) / np.maximum(matrix.sum((-2, -1)), 1)


def measured(matrix: np.ndarray) -> dict[str, float]:
    """{"uf1", "uar", "accuracy"} of one confusion matrix."""
    return {"uf1": float(uf1(matrix)), "uar": float(uar(matrix)), "accuracy": float(accuracy(matrix))}


def groups(group: np.ndarray) -> dict[str, np.ndarray]:
    """{"all" and each value of `group`: mask}."""
    each = {str(name): group == name for name in np.unique(group)}
    return {"all": np.full(len(group), True), **each}


def scores(truth: np.ndarray, predicted: np.ndarray, group: np.ndarray, classes: int) -> dict[str, dict]:
    """{"all" and each value of `group`: {"uf1", "uar", "accuracy", "confusion"}}; `group`: N strings, the data sets."""
    result = {}
    for name, rows in groups(group).items():
        matrix = confusion(truth[rows], predicted[rows], classes)
        result[name] = {**measured(matrix), "confusion": matrix.tolist()}
    return result


def interval(truth: np.ndarray, predicted: list[np.ndarray], person: np.ndarray, classes: int, seed: int = 0) -> dict:
    """{metric: [low, high]}: 95% bootstrap interval over people of the mean over seeds.

    Whole people are drawn with replacement, as many as there are, DRAWS times; clips of one person are not independent.
    predicted: one array of N labels for each training seed. A class that a draw misses altogether counts 0.
    """
    people = np.unique(person)
    own = np.array([[confusion(truth[person == one], p[person == one], classes) for one in people] for p in predicted])  # (seeds, people, K, K)
    random = np.random.default_rng(seed)
    times = random.multinomial(len(people), np.full(len(people), 1 / len(people)), DRAWS)  # how often each was drawn
    drawn = np.einsum("dp,spij->sdij", times, own)  # (seeds, draws, K, K)
    found = {}
    for name, metric in (("uf1", uf1), ("uar", uar), ("accuracy", accuracy)):
        found[name] = [float(x) for x in np.quantile(metric(drawn).mean(0), (0.025, 0.975))]
    return found
