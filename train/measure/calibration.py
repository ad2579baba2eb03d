"""How sure a network may say that it is: temperature scaling, and the confidence below which it abstains.

Everything is learnt from out-of-fold predictions: of people that the network which predicted them has never seen.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar

BINS = 10
KEPT_RIGHT = 0.85  # of the predictions that are not withheld, so many shall be right,
MOST_WITHHELD = 0.5  # as long as no more than so many are withheld


def calibration(probabilities: np.ndarray, label: np.ndarray, person: np.ndarray) -> dict:
    """What `Calibrated` and the live loop need, and how good it is. probabilities: N×K, label: N int, person: N strings.

    {"temperature", "abstain_below", "withheld", "ece_before", "ece_after", "samples"}. The temperature is fitted on all;
    ece_after and withheld are those of each half of the people under what the other half taught.
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
    """softmax(log p / t): above 1 less sure, below 1 surer; the order of the classes stays (Guo et al. 2017)."""
    log = np.log(np.maximum(probabilities, 1e-12)) / t
    raised = np.exp(log - log.max(1, keepdims=True))
    return raised / raised.sum(1, keepdims=True)


def temperature(probabilities: np.ndarray, label: np.ndarray) -> float:
    """The one that makes the true labels likeliest, in [0.05, 20]."""

    def unlikely(log_t: float) -> float:
        p = tempered(probabilities, np.exp(log_t))
        return -float(np.log(np.maximum(p[np.arange(len(label)), label], 1e-12)).mean())

    return float(np.exp(minimize_scalar(unlikely, bounds=np.log([0.05, 20]), method="bounded").x))


def ece(probabilities: np.ndarray, label: np.ndarray) -> float:
    """Expected calibration error: |confidence − accuracy|, mean over BINS equal ranges of confidence by their share."""
    confidence, right = probabilities.max(1), probabilities.argmax(1) == label
    which = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [abs(confidence[which == b].sum() - right[which == b].sum()) for b in range(BINS)]
    return float(sum(gaps) / max(len(label), 1))


def abstain_below(probabilities: np.ndarray, label: np.ndarray) -> float:
    """The least confidence above which KEPT_RIGHT of the predictions are right; 0 where all together are that good.

    Where no threshold reaches it, the one that withholds MOST_WITHHELD of them.
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
