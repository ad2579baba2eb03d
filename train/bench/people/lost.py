"""What the real maps do not have, and what it would be worth: measured on rendered people, whose movements are known.

The shipped recipe, in groups of people that nothing has learnt from, with the flow before it was stretched (its sign, its zero and
how large v is beside u), finer, without all that is no expression, and with its answers averaged over other onsets and apexes.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from train.bench.people import ladder
from train.bench.people.decoder import SIDES
from train.bench.people.nested import answers, grouped
from train.bench.people.rendered import Maps
from train.measure.metrics import confusion, uf1
from train.methods.kernel_ridge.network import slopes
from train.methods.kernel_ridge.settings import Recipe

SHIPPED = {"shipped": ladder.RUNGS["shipped"]}
LEAST = 1e-3  # pixels of a 128-pixel face


def lost(maps: Maps, full_face: Tensor, looks: list[Tensor], recipe: Recipe, seed: int) -> dict[str, float]:
    """{what it is given: UF1} of the shipped recipe; full_face (N, 3, 28, 28) of `maps`, looks: the same of their other looks."""
    fine, truth = (torch.from_numpy(np.ascontiguousarray(flow)).permute(0, 3, 1, 2).float() for flow in (maps.measured, maps.expression))
    given = {
        "the stretched map": _views(full_face),
        "the flow before the stretch, 28×28": _of_flow(ladder.blurred(F.avg_pool2d(fine, 2), 2.0)),
        "the flow before the stretch, 56×56": _of_flow(ladder.blurred(fine, 2.0)),
        "the expression's own flow": _of_flow(truth),
    }
    found = {name: _uf1(_predicted([views], maps, recipe, seed), maps.label) for name, views in given.items()}
    found["the stretched map and two others from beside its onset to beside its apex"] = _uf1(
        _predicted([_views(one) for one in (full_face, *looks)], maps, recipe, seed), maps.label
    )
    return found


def _predicted(several: list[dict[str, Tensor]], maps: Maps, recipe: Recipe, seed: int) -> np.ndarray:
    """N×K: learnt from the first, asked about all and averaged."""
    found = np.zeros((len(maps.label), int(maps.label.max()) + 1))
    for training, tested in grouped(maps.person, np.full(len(found), True), np.random.default_rng(seed)):
        for views in several:
            found[tested] += answers(several[0], SHIPPED, maps.label, training, tested, recipe, views)["shipped"] / len(several)
    return found


def _views(full_face: Tensor) -> dict[str, Tensor]:
    return {name: ladder.sides(ladder.VIEWS[name], full_face) for name in SHIPPED["shipped"]}


def _of_flow(flow: Tensor) -> dict[str, Tensor]:
    """The same two views of a flow (N, 2, H, W) that has its sign and its scale."""
    both = flow, flow.flip(-1) * SIDES
    moved, deformed = ([F.avg_pool2d(ladder.over_all(view, LEAST), 2).flatten(1).double() for view in views] for views in (both, map(slopes, both)))
    return {"movement": torch.stack(moved), "deformation": torch.stack(deformed)}


def _uf1(probabilities: np.ndarray, label: np.ndarray) -> float:
    return float(uf1(confusion(label, probabilities.argmax(1), probabilities.shape[1])))
