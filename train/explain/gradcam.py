"""Where a network looked: Grad-CAM (Selvaraju et al. 2017), and the gates of its own attention."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn


def gradcam(network: nn.Module, inputs: dict[str, np.ndarray], layer: str, target: int) -> np.ndarray:
    """H×W float32 in [0, 1], at the resolution of `layer`'s output: how much each place speaks for class `target`.

    network: inputs → probabilities, in evaluation mode. layer: the name of one of its modules, whose output is
    (B, C, H, W). Where a network looks at several copies at once (mirrored, or moments), the first is shown.
    "input:NAME" is an input itself, for networks without layers that have places: gradient times input, by its size.
    """
    if layer.startswith("input:"):
        return _of_input(network, inputs, layer.removeprefix("input:"), target)
    kept: list[Tensor] = []
    module = network.get_submodule(layer)
    module = module[-1] if isinstance(module, nn.Sequential) else module  # which its owner may walk through by itself
    hook = module.register_forward_hook(lambda _module, _given, out: kept.append(out))
    try:
        with torch.enable_grad():
            given = [torch.from_numpy(array).requires_grad_() for array in inputs.values()]
            score = network(*given)[0, target].clamp_min(1e-12).log()
            gradient = torch.autograd.grad(score, kept[0])[0][0]  # (C, H, W)
    finally:
        hook.remove()
    weights = gradient.mean((1, 2), keepdim=True)
    return _to_one((weights * kept[0][0]).sum(0).clamp_min(0))


def _of_input(network: nn.Module, inputs: dict[str, np.ndarray], name: str, target: int) -> np.ndarray:
    given = {key: torch.from_numpy(array).requires_grad_(key == name) for key, array in inputs.items()}
    with torch.enable_grad():
        score = network(*given.values())[0, target].clamp_min(1e-12).log()
        gradient = torch.autograd.grad(score, given[name])[0]
    return _to_one((gradient * given[name])[0].sum(0).abs())


def _to_one(heat: Tensor) -> np.ndarray:
    heat = heat.detach().numpy()
    return (heat / max(float(heat.max()), 1e-12)).astype(np.float32)


def gates(network: nn.Module, inputs: dict[str, np.ndarray], module: str) -> dict[str, np.ndarray]:
    """What an attention module lets through: {"channels": C} and {"places": H×W} where it has such, all in [0, 1].

    The module's output over its input, averaged over the other axes: the gate, whatever its insides are.
    """
    kept: list[tuple[Tensor, Tensor]] = []
    hook = network.get_submodule(module).register_forward_hook(lambda _m, given, out: kept.append((given[0], out)))
    try:
        with torch.inference_mode():
            network(*(torch.from_numpy(array) for array in inputs.values()))
    finally:
        hook.remove()
    before, after = (t[0].abs() for t in kept[0])  # (C, H, W)
    gate = (after.sum((1, 2)) / before.sum((1, 2)).clamp_min(1e-9)).clamp(0, 1)
    places = (after.sum(0) / before.sum(0).clamp_min(1e-9)).clamp(0, 1)
    return {"channels": gate.numpy(), "places": places.numpy()}


def place(layer: str, within: str) -> str:
    """The name of a layer in a network that lies within another."""
    return layer if layer.startswith("input:") else within + layer
