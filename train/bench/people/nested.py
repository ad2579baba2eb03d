"""Leave one person out, with the choice among recipes and the calibration made without that person.

For each person the others are split into FOLDS groups; each rung predicts each group from the other groups, and the one with the best
pooled UF1 + UAR there answers for the person. The temperature is fitted on those same inner predictions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from train.measure.metrics import confusion, temperature, tempered, uar, uf1
from train.methods.kernel_ridge.network import SHARPNESS, kernel
from train.methods.kernel_ridge.settings import Recipe
from train.methods.kernel_ridge.training import solved

FOLDS = 10
Rungs = dict[str, tuple[str, ...]]  # from a rung to the views that it averages


@dataclass(frozen=True, eq=False)
class Predicted:
    """Of N samples, each predicted without its person or its group.

    Attributes:
        rungs: {rung: N×K probabilities}.
        chosen: N strings, the rung that the others chose.
        nested: N×K, what that rung says.
        calibrated: N×K, the same under the others' temperature.
    """

    rungs: dict[str, np.ndarray]
    chosen: np.ndarray
    nested: np.ndarray
    calibrated: np.ndarray


def nested(
    views: dict[str, Tensor],
    rungs: Rungs,
    label: np.ndarray,
    person: np.ndarray,
    held_out: np.ndarray,
    recipe: Recipe,
    seed: int,
    done: Callable[[], None] = lambda: None,
) -> Predicted:
    """Each value of `held_out` (N strings: the people, or the data sets) is predicted by all others.

    Args:
        views: {name: (2, N, D)}, the faces and their mirror images.
        rungs: from a rung to the views whose answers it averages.
        label: N int64.
        person: N strings.
        seed: draws the inner groups of people.
        done: called after each value.
    """
    found = {rung: np.zeros((len(label), int(label.max()) + 1)) for rung in rungs}
    chosen, said = np.full(len(label), "", object), np.zeros_like(found[next(iter(rungs))])
    calibrated = np.zeros_like(said)
    for number, group in enumerate(np.unique(held_out)):
        tested = held_out == group
        guessed = inner(views, rungs, label, person, ~tested, recipe, np.random.default_rng([seed, number]))
        best = max(rungs, key=lambda rung: _good(guessed[rung], label[~tested]))  # the first of equals: the simpler one
        for rung, scores in answers(views, rungs, label, ~tested, tested, recipe).items():
            found[rung][tested] = scores
        chosen[tested], said[tested] = best, found[best][tested]
        calibrated[tested] = tempered(said[tested], temperature(guessed[best], label[~tested]))
        done()
    return Predicted(found, chosen.astype(str), said, calibrated)


def inner(views: dict[str, Tensor], rungs: Rungs, label, person, rows, recipe: Recipe, random: np.random.Generator) -> dict[str, np.ndarray]:
    """{rung: predictions of `rows`}, each by the people of the other groups among them."""
    found = {rung: np.zeros((len(label), int(label.max()) + 1)) for rung in rungs}
    for training, tested in grouped(person, rows, random):
        for rung, scores in answers(views, rungs, label, training, tested, recipe).items():
            found[rung][tested] = scores
    return {rung: scores[rows] for rung, scores in found.items()}


def grouped(person: np.ndarray, rows: np.ndarray, random: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(training, tested), N bool each: the people among `rows` in FOLDS groups, each tested once."""
    people = random.permutation(np.unique(person[rows]))
    for place in range(min(FOLDS, len(people))):
        tested = rows & np.isin(person, people[place::FOLDS])
        yield rows & ~tested, tested


def answers(
    views: dict[str, Tensor], rungs: Rungs, label, training, tested, recipe: Recipe, asked: dict[str, Tensor] | None = None
) -> dict[str, np.ndarray]:
    """{rung: probabilities (M, K) of the rows `tested`}, fitted on the rows `training`. asked: other views of what is tested."""
    own = torch.from_numpy(label[training])
    count = torch.bincount(own, minlength=int(label.max()) + 1)
    of_view = {}
    for name in {view for names in rungs.values() for view in names}:
        x = views[name]
        centres, weights, gamma, _ = solved(x[:, training].flatten(0, 1), own.repeat(2), count, recipe)
        sides = [kernel(side.double(), centres, gamma) @ weights for side in (asked or views)[name][:, tested]]
        of_view[name] = (SHARPNESS * (sides[0] + sides[1]) / 2).softmax(1).numpy()
    return {rung: np.mean([of_view[name] for name in names], axis=0) for rung, names in rungs.items()}


def _good(probabilities: np.ndarray, label: np.ndarray) -> float:
    matrix = confusion(label, probabilities.argmax(1), probabilities.shape[1])
    return round(float(uf1(matrix) + uar(matrix)), 6)
