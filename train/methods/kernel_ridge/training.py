"""Kernel ridge regression's training: one linear equation for each view, nothing is iterated."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from realtime.errors import UsageError
from train.compute import CPU, Compute
from train.data.augment import mirror
from train.data.samples import Samples
from train.methods.kernel_ridge.network import KernelRidge, frequencies, kernel, waves
from train.methods.kernel_ridge.settings import Model, Recipe
from train.resume import NOWHERE, Keep
from train.watch import Watch

INPUTS = "flow_map"
TITLE = "Kernel ridge regression on movement and deformation"
PREPARATION = (
    "realtime.naming.inputs.flow_map: 28x28 flow map (u, v, optical strain; each channel stretched to 0-255), Gaussian blur, "
    "minus the channel's median, over 128; inside the network each channel, and each derivative of the flow, over its "
    "standard deviation, at half the resolution"
)

LAYERS = {"flow map": ("input:full_face", "face")}  # no layer of it has places that a person could read
ATTENTION: dict[str, tuple] = {}


def build(model: Model, classes: int) -> nn.Module:
    """What `fit` gives, untrained."""
    return KernelRidge(model, classes)


def fit(samples: Samples, model: Model, recipe: Recipe, seed: int, watch: Watch, compute: Compute = CPU, keep: Keep = NOWHERE) -> nn.Module:
    """Fitted on the micro-expressions of `samples` and their mirror images: full_face → probabilities.

    The seed draws the waves; without them (model.waves=0) all seeds give the same.

    Raises:
        UsageError: there is one class only.
    """
    samples = samples.only("micro")
    full, label = torch.from_numpy(samples.inputs["full_face"]).to(compute.device).float(), torch.from_numpy(samples.label)
    count = torch.bincount(label, minlength=len(samples.classes))
    if (count > 0).sum() < 2:
        what = ", ".join(name for name, some in zip(samples.classes, count.tolist(), strict=True) if some) or "none"
        raise UsageError(f"kernel ridge regression takes at least two classes, got {what}: take more data")
    network, random = KernelRidge(model, len(samples.classes)), torch.Generator().manual_seed(seed)
    watch.begin("training", len(network.machines))
    with torch.no_grad():
        for name, machine in network.machines.items():
            x = torch.cat([network.features(name, side) for side in (full, mirror(full))])
            found = solved(x, label.repeat(2).to(x.device), count.to(x.device), recipe, model.waves, random)
            machine.set(*(part.cpu() if isinstance(part, Tensor) else part for part in found))
            watch.epoch()
    return network.eval()


def solved(x: Tensor, label: Tensor, count: Tensor, recipe: Recipe, number: int = 0, random: torch.Generator | None = None) -> tuple:
    """What `Machine.set` takes, (centres S×D, weights S×classes, gamma, seen); with `number` waves, what `Waves.set` does.

    The weights A minimise Σ_s c_s |k_s A − t_s|² + ridge · tr(AᵀKA), that is (K + ridge · C⁻¹) A = T; c makes the
    classes count alike (mean 1), and t is 1 for the right class, −1 / (classes − 1) for the others. With waves φ the
    kernel is K = φφᵀ, and φᵀA are the weights of the waves.
    """
    seen = count > 0
    x, classes = x.double(), seen.sum().item()
    gamma = recipe.width / (x.shape[1] * x.var(correction=0).item() + 1e-12)  # scikit-learn's "scale", times `width`
    balance = count.sum().double() / (classes * count[label])
    target = F.one_hot(label, len(count)).double()
    target = (target * classes - 1) / (classes - 1)
    penalty = torch.diag(recipe.ridge / balance)
    if not number:
        return x, torch.linalg.solve(kernel(x, x, gamma) + penalty, target), gamma, seen
    drawn = frequencies(x.shape[1], number // 2, gamma, random).to(x.device)
    phi = waves(x, drawn)
    return drawn, phi.T @ torch.linalg.solve(phi @ phi.T + penalty, target), seen
