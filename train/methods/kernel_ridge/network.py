"""Kernel ridge regression on two views of one flow map: how the face moves, and how it is deformed.

A network of one hidden layer, one unit for each training face: how like it the face is (a Gaussian of their distance).
The layer above comes from one linear equation (`train.methods.kernel_ridge.training`), not from gradients. Random waves can stand
in for the faces, so that a file that is passed on holds nobody's movement.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from train.data.augment import mirror
from train.methods.kernel_ridge.settings import Model

# Added to a map's spread before it divides: a face that hardly moves keeps small numbers, and is not blown up to noise.
LEAST_MOVEMENT, LEAST_DEFORMATION = 0.05, 0.005
SHARPNESS = 3.0  # of the softmax over scores, which are 1 for the right class where the fit is perfect
NEVER = -1e4  # score of a class that was not seen


class KernelRidge(nn.Module):
    """full_face (B, 3, 28, 28) → probabilities (B, classes), averaged over the views and over the face and its mirror."""

    def __init__(self, model: Model, classes: int):
        super().__init__()
        self.standardise = model.standardise
        names = [name for name in VIEWS if getattr(model, name)]
        kind = Waves if model.waves else Machine
        self.machines = nn.ModuleDict({name: kind(classes) for name in names})

    def forward(self, full_face: Tensor) -> Tensor:
        sides = full_face, mirror(full_face)
        found = []
        for name, machine in self.machines.items():
            scores = [machine(self.features(name, side)) for side in sides]  # 2 × (B, classes)
            found.append((SHARPNESS * (scores[0] + scores[1]) / 2).softmax(1))
        return torch.stack(found).mean(0)

    def features(self, view: str, full_face: Tensor) -> Tensor:
        """(B, 3, 28, 28) → (B, D): one view, at half the resolution."""
        return F.avg_pool2d(VIEWS[view](full_face, self.standardise), 2).flatten(1)


class Machine(nn.Module):
    """x (B, D) → scores (B, classes): Σ over training faces s of weight_s · exp(−γ|x − s|²)."""

    def __init__(self, classes: int):
        super().__init__()
        self.centres, self.weights = _constant(torch.zeros(0, 0)), _constant(torch.zeros(0, classes))
        self.gamma, self.unseen = _constant(torch.zeros(())), _constant(torch.zeros(classes))

    def set(self, centres: Tensor, weights: Tensor, gamma: float, seen: Tensor) -> None:
        """centres (S, D), weights (S, classes), seen: (classes,) bool, which classes are among the training faces."""
        self.centres, self.weights = _constant(centres.float()), _constant(weights.float())
        self.gamma, self.unseen = _constant(torch.tensor(float(gamma))), _constant(torch.where(seen, 0.0, NEVER))

    def forward(self, x: Tensor) -> Tensor:
        return kernel(x, self.centres, self.gamma) @ self.weights + self.unseen

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *rest) -> None:
        _resize(self, ("centres", "weights"), state_dict, prefix)  # how many faces there were, only the file knows
        super()._load_from_state_dict(state_dict, prefix, *rest)


class Waves(nn.Module):
    """x (B, D) → scores (B, classes): as `Machine`, the Gaussian by random waves (Rahimi and Recht 2007)."""

    def __init__(self, classes: int):
        super().__init__()
        self.frequencies, self.weights = _constant(torch.zeros(0, 0)), _constant(torch.zeros(0, classes))
        self.unseen = _constant(torch.zeros(classes))

    def set(self, frequencies: Tensor, weights: Tensor, seen: Tensor) -> None:
        """frequencies (D, n/2), weights (n, classes), seen: see `Machine.set`."""
        self.frequencies, self.weights = _constant(frequencies.float()), _constant(weights.float())
        self.unseen = _constant(torch.where(seen, 0.0, NEVER))

    def forward(self, x: Tensor) -> Tensor:
        return waves(x, self.frequencies) @ self.weights + self.unseen

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *rest) -> None:
        _resize(self, ("frequencies", "weights"), state_dict, prefix)
        super()._load_from_state_dict(state_dict, prefix, *rest)


def waves(x: Tensor, frequencies: Tensor) -> Tensor:
    """x (B, D), frequencies (D, n/2) → (B, n), whose scalar products are nearly `kernel`."""
    turned = x @ frequencies
    return torch.cat([turned.cos(), turned.sin()], 1) / frequencies.shape[1] ** 0.5


def frequencies(inputs: int, count: int, gamma: float, random: torch.Generator) -> Tensor:
    """(inputs, count) float64: random frequencies of the Gaussian exp(−γd²), at right angles in blocks, which spreads them evenly.

    Yu et al. 2016, orthogonal random features.
    """

    def draw() -> Tensor:
        return torch.randn(inputs, inputs, generator=random, dtype=torch.float64)

    blocks = [torch.linalg.qr(draw())[0] * draw().norm(dim=0) for _ in range(-(-count // inputs))]
    return torch.cat(blocks, 1)[:, :count] * (2 * gamma) ** 0.5


def kernel(x: Tensor, centres: Tensor, gamma: Tensor | float) -> Tensor:
    """(B, D), (S, D) → (B, S): exp(−γ|x − s|²), how like each centre x is."""
    distance = x.square().sum(1, keepdim=True) + centres.square().sum(1) - 2 * x @ centres.T
    return torch.exp(-gamma * distance.clamp_min(0))


def movement(full_face: Tensor, standardise: bool) -> Tensor:
    """(B, 3, 28, 28): u, v and strain, each over its spread.

    The stretch to 0–255 follows the strongest pixel, which one blink decides; the spread is what the whole face does.
    """
    return full_face / (spread(full_face) + LEAST_MOVEMENT) if standardise else full_face


def deformation(full_face: Tensor, standardise: bool) -> Tensor:
    """(B, 4, 28, 28): u_x, u_y, v_x, v_y, each over its spread. A head that moves as a whole leaves none."""
    change = slopes(full_face[:, :2])
    return change / (spread(change) + LEAST_DEFORMATION) if standardise else change


def slopes(image: Tensor) -> Tensor:
    """(B, C, H, W) → (B, 2C, H, W): of each channel the derivative across, and down."""
    return torch.stack([_slope(image, 3), _slope(image, 2)], 2).flatten(1, 2)


def spread(image: Tensor) -> Tensor:
    """(B, C, 1, 1): standard deviation of each channel over its places."""
    return (image - image.mean((2, 3), keepdim=True)).square().mean((2, 3), keepdim=True).sqrt()


def _slope(image: Tensor, axis: int) -> Tensor:
    """The derivative along an axis: central differences, one-sided at both ends."""
    size = image.shape[axis]
    inner = (image.narrow(axis, 2, size - 2) - image.narrow(axis, 0, size - 2)) / 2
    first = image.narrow(axis, 1, 1) - image.narrow(axis, 0, 1)
    last = image.narrow(axis, size - 1, 1) - image.narrow(axis, size - 2, 1)
    return torch.cat([first, inner, last], axis)


def _resize(machine: nn.Module, names: tuple[str, ...], state_dict: dict, prefix: str) -> None:
    for name in names:
        if prefix + name in state_dict:
            setattr(machine, name, _constant(torch.zeros_like(state_dict[prefix + name])))


def _constant(value: Tensor) -> nn.Parameter:
    """A number that is counted among the network's parameters, and is never trained by gradients."""
    return nn.Parameter(value.contiguous(), requires_grad=False)


VIEWS = {"movement": movement, "deformation": deformation}
