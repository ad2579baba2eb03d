"""The figures of recognition. All folds' predictions are pooled first; nothing is averaged over people.

How sure a network may say that it is (temperature scaling, and the confidence below which it abstains) is learnt from the same
out-of-fold predictions: of people that the network which predicted them has never seen.
"""

from __future__ import annotations

import numpy as np

METRICS = ("uf1", "uar", "accuracy")
DRAWS = 2000  # of people, for the interval
BINS = 10  # of confidence
KEPT_RIGHT = 0.85  # of the predictions that are not withheld, so many shall be right,
MOST_WITHHELD = 0.5  # as long as no more than so many are withheld


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


def f1_of(said: np.ndarray, true: np.ndarray) -> float:
    """Of N bool; NaN where there are none on either side."""
    both = 2 * np.count_nonzero(said & true)
    return both / (np.count_nonzero(said) + np.count_nonzero(true)) if said.any() or true.any() else float("nan")


def measured(matrix: np.ndarray) -> dict[str, float]:
    """{"uf1", "uar", "accuracy"} of one K×K confusion matrix."""
    return {"uf1": float(uf1(matrix)), "uar": float(uar(matrix)), "accuracy": float(accuracy(matrix))}


def groups(group: np.ndarray) -> dict[str, np.ndarray]:
    """{"all" and each value of `group`, N strings: mask, N bool}."""
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

    Whole people are drawn with replacement, as many as there are, DRAWS times; clips of one person are not independent. A class
    that a draw misses altogether counts 0.

    Args:
        predicted: one array of N labels for each training seed.
    """
    matrices = drawn(truth, predicted, person, classes, seed)
    found = {}
    for name, metric in (("uf1", uf1), ("uar", uar), ("accuracy", accuracy)):
        found[name] = [float(x) for x in np.quantile(metric(matrices).mean(0), (0.025, 0.975))]
    return found


def drawn(truth: np.ndarray, predicted: list[np.ndarray], person: np.ndarray, classes: int, seed: int = 0) -> np.ndarray:
    """Confusion matrices (seeds, DRAWS, K, K) of people drawn with replacement, see `interval`; one seed draws the same people."""
    people = np.unique(person)
    own = np.array([[confusion(truth[person == one], p[person == one], classes) for one in people] for p in predicted])  # (seeds, people, K, K)
    random = np.random.default_rng(seed)
    times = random.multinomial(len(people), np.full(len(people), 1 / len(people)), DRAWS)  # how often each was drawn
    return np.einsum("dp,spij->sdij", times, own)


def calibration(probabilities: np.ndarray, label: np.ndarray, person: np.ndarray) -> dict:
    """What `Calibrated` and the live loop need, and how good it is.

    {"temperature", "abstain_below", "withheld", "ece_before", "ece_after", "samples"}. The temperature is fitted on all;
    ece_after and withheld are those of each half of the people under what the other half taught.

    Args:
        probabilities: N×K.
        label: N int.
        person: N strings.
    """
    halves = _halves(person)
    after = np.zeros_like(probabilities)
    kept = np.ones(len(label), bool)
    for rows in halves:
        after[rows] = tempered(probabilities[rows], temperature(probabilities[~rows], label[~rows]))
        other = tempered(probabilities[~rows], temperature(probabilities[~rows], label[~rows]))
        kept[rows] = after[rows].max(1) >= abstain_below(other, label[~rows])
    t = temperature(probabilities, label)
    right = after.argmax(1) == label
    return {
        "temperature": round(t, 4),
        "abstain_below": round(abstain_below(tempered(probabilities, t), label), 4),
        "withheld": round(float(1 - kept.mean()), 4),
        "right_of_kept": round(float(right[kept].mean()), 4) if kept.any() else 0.0,
        "right_of_all": round(float(right.mean()), 4),
        "ece_before": round(ece(probabilities, label), 4),
        "ece_after": round(ece(after, label), 4),
        "samples": len(label),
    }


def tempered(probabilities: np.ndarray, t: float) -> np.ndarray:
    """softmax(log p / t): above 1 less sure, below 1 surer; the order of the classes stays (Guo et al. 2017). N×K → N×K."""
    log = np.log(np.maximum(probabilities, 1e-12)) / t
    raised = np.exp(log - log.max(1, keepdims=True))
    return raised / raised.sum(1, keepdims=True)


def temperature(probabilities: np.ndarray, label: np.ndarray) -> float:
    """The one that makes the true labels likeliest, in [0.05, 20]; 1 where there are none. probabilities: N×K, label: N int."""
    from scipy.optimize import minimize_scalar

    if not len(label):  # of a half of the people, where there is but one
        return 1.0

    def unlikely(log_t: float) -> float:
        p = tempered(probabilities, np.exp(log_t))
        return -float(np.log(np.maximum(p[np.arange(len(label)), label], 1e-12)).mean())

    return float(np.exp(minimize_scalar(unlikely, bounds=np.log([0.05, 20]), method="bounded").x))


def ece(probabilities: np.ndarray, label: np.ndarray) -> float:
    """Expected calibration error: |confidence − accuracy|, mean over BINS equal ranges of confidence by their share.

    probabilities: N×K, label: N int.
    """
    confidence, right = probabilities.max(1), probabilities.argmax(1) == label
    which = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [abs(confidence[which == b].sum() - right[which == b].sum()) for b in range(BINS)]
    return float(sum(gaps) / max(len(label), 1))


def abstain_below(probabilities: np.ndarray, label: np.ndarray) -> float:
    """The least confidence above which KEPT_RIGHT of the predictions are right; 0 where all together are that good.

    Where no threshold reaches it, the one that withholds MOST_WITHHELD of them. probabilities: N×K, label: N int.
    """
    confidence, right = probabilities.max(1), probabilities.argmax(1) == label
    order = np.argsort(confidence)
    kept_right = np.cumsum(right[order][::-1])[::-1] / np.arange(len(label), 0, -1)  # if the first i are withheld
    most = int(len(label) * MOST_WITHHELD)
    good = np.flatnonzero(kept_right[: most + 1] >= KEPT_RIGHT)
    first = int(good[0]) if len(good) else most
    return float(confidence[order][first]) if first else 0.0


def _halves(person: np.ndarray) -> list[np.ndarray]:
    people = np.random.default_rng(0).permutation(np.unique(person))
    first = np.isin(person, people[::2])
    return [first, ~first]
