"""Who is held out. Every protocol splits by person: a face seen in training is never tested."""

from __future__ import annotations

import numpy as np


def loso(person: np.ndarray, count: int = 0, grouping: int = 0) -> dict[str, np.ndarray]:
    """Leave one subject out: {person: rows held out}, in sorted order. The last two arguments are not used."""
    return {str(name): np.flatnonzero(person == name) for name in np.unique(person)}


def folds(person: np.ndarray, count: int = 5, grouping: int = 0) -> dict[str, np.ndarray]:
    """`count` groups of whole people, drawn by the random number `grouping`: {"1" … : rows held out}.

    For choosing a recipe without looking at the leave-one-subject-out table.
    """
    people = np.random.default_rng(grouping).permutation(np.unique(person))
    return {str(k + 1): np.flatnonzero(np.isin(person, people[k::count])) for k in range(count)}


PROTOCOLS = {"loso": loso, "folds": folds}
