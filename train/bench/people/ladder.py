"""The ladder: six recipes, frozen on 27 November 2026 before any of them but the first was tried on a real person.

Chosen by reasoning and on rendered people alone (`train.bench.people.rendered`: 50 portraits, seven maps each, groups of ten, mean
UF1 of four draws, spread 0.01). There the flow's true sign and scale are known, and they were worth nothing to this recipe
(0.854 from the flow before the stretch at 28×28, 0.857 at 56×56, 0.874 from the stretched map); what costs is that
heads, lids and noise lie over the expression (its own flow, alone: 0.979). Each rung averages the answers of its views:

    shipped      movement, deformation: what the zoo has, with the kernel itself                       rendered 0.874
    proportion   u and v in the proportion at which the strain of the flow is the map's third channel            0.867
    regions      movement and deformation, each place half over its surroundings' spread                         0.877
    linear       shipped, and both views taken by ridge regression to the expression's own flow                  0.902
    decoded      shipped, and the expression's own flow by a small network                                       0.910
    decoded alone                                                                                                0.926

Predicted for leave one person out of 53, UF1: shipped 0.80, proportion 0.79, regions 0.80, linear 0.80, decoded 0.81, decoded alone
0.75 (real faces are not rendered ones), the nested choice 0.80, no rung better than the first by more than chance.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from train.bench.people.decoder import SIDES, Decoder, wanted
from train.data.augment import mirror
from train.methods.kernel_ridge.network import LEAST_DEFORMATION, LEAST_MOVEMENT, deformation, movement, slopes, spread

RUNGS = {
    "shipped": ("movement", "deformation"),
    "proportion": ("movement in proportion", "deformation in proportion"),
    "regions": ("movement by region", "deformation by region"),
    "linear": ("movement", "deformation", "linear movement", "linear deformation"),
    "decoded": ("movement", "deformation", "decoded"),
    "decoded alone": ("decoded",),
}
RATIOS = torch.logspace(-1, 1.585, 21, 2.0)  # of v to u, 0.5 to 3
SHARP = 60.0  # of the softmax over how alike the strains are
NEAR = 4.0  # sigma of what counts as a place's surroundings, cells
REACH = 10

View = Callable[[Tensor], Tensor]


def learnt(full_face: Tensor, expression: Tensor, decoder: Decoder) -> dict[str, View]:
    """Those that have seen rendered maps (N, 3, 28, 28) with their truth (N, 2, 28, 28)."""
    found: dict[str, View] = {"decoded": decoder}
    both = torch.cat([expression, expression.flip(-1) * SIDES])
    for name in ("movement", "deformation"):
        matrix = _linear(torch.cat(list(sides(VIEWS[name], full_face))), both)
        found[f"linear {name}"] = _through(VIEWS[name], matrix)
    return found


def _through(view: View, matrix: Tensor) -> View:
    return lambda full_face: view(full_face).flatten(1).double() @ matrix


@torch.no_grad()
def sides(view: View, full_face: Tensor) -> Tensor:
    """(2, N, D) float64: a view of the faces (N, 3, 28, 28) and of their mirror images."""
    return torch.stack([view(side).flatten(1).double() for side in (full_face, mirror(full_face))])


def _linear(x: Tensor, expression: Tensor, ridge: float = 0.1) -> Tensor:
    """(D, 392) float64: the linear map from a view x (N, D) to `wanted`, by ridge regression."""
    x, truth = x.double(), wanted(expression).flatten(1).double()
    penalty = ridge * len(x) * x.var() * torch.eye(x.shape[1], dtype=torch.float64)
    return torch.linalg.solve(x.T @ x + penalty, x.T @ truth)


def in_proportion(full_face: Tensor) -> Tensor:
    """(B, 2, 28, 28): u, and v in proportion to it."""
    u, v, strain = full_face.split(1, 1)
    (u_x, u_y), (v_x, v_y) = (slopes(one).split(1, 1) for one in (u, v))
    ratio = RATIOS[None, :, None, None]
    made = (u_x**2 + (ratio * v_y) ** 2 + 0.5 * (u_y + ratio * v_x) ** 2).sqrt()
    alike = (_standard(made) * _standard(strain)).mean((2, 3))
    found = ((SHARP * alike).softmax(1) * RATIOS.log()).sum(1).exp()
    return torch.cat([u, v * found[:, None, None, None]], 1)


def _movement_in_proportion(full_face: Tensor) -> Tensor:
    strain = full_face[:, 2:]
    return torch.cat([over_all(in_proportion(full_face), LEAST_MOVEMENT), strain / (spread(strain) + LEAST_MOVEMENT)], 1)


def _by_region(image: Tensor, least: float) -> Tensor:
    """Over the geometric mean of the spread of all and the mean size nearby."""
    near = blurred(image.square(), NEAR).clamp_min(0).sqrt()
    return image / ((near + least) * (spread(image) + least)).sqrt()


def over_all(image: Tensor, least: float) -> Tensor:
    """(B, C, H, W), all channels over one spread: their proportion stays."""
    centred = image - image.mean((2, 3), keepdim=True)
    return image / (centred.square().mean((1, 2, 3), keepdim=True).sqrt() + least)


def _standard(image: Tensor) -> Tensor:
    return (image - image.mean((2, 3), keepdim=True)) / (spread(image) + 1e-6)


def blurred(image: Tensor, sigma: float) -> Tensor:
    """(B, C, H, W), Gaussian; sigma in cells, REACH / 2 at most."""
    channels, steps = image.shape[1], torch.arange(-REACH, REACH + 1.0)
    weights = (-0.5 * (steps / sigma) ** 2).exp()
    weights = (weights / weights.sum()).expand(channels, 1, 1, -1)
    across = F.conv2d(F.pad(image, (REACH, REACH, 0, 0), mode="reflect"), weights, groups=channels)
    return F.conv2d(F.pad(across, (0, 0, REACH, REACH), mode="reflect"), weights.mT, groups=channels)


def _half(view: View) -> View:
    return lambda full_face: F.avg_pool2d(view(full_face), 2)


VIEWS: dict[str, View] = {
    "movement": _half(lambda x: movement(x, True)),
    "deformation": _half(lambda x: deformation(x, True)),
    "movement in proportion": _half(_movement_in_proportion),
    "deformation in proportion": _half(lambda x: over_all(slopes(in_proportion(x)), LEAST_DEFORMATION)),
    "movement by region": _half(lambda x: _by_region(x, LEAST_MOVEMENT)),
    "deformation by region": _half(lambda x: _by_region(slopes(x[:, :2]), LEAST_DEFORMATION)),
}
