"""Where a network looked: Grad-CAM (Selvaraju et al. 2017), and the gates of its own attention.

`python -m train.explain.heat NETWORK < moments.npz > heat.npz` is for a program that has no PyTorch in itself. In: the fields of
`records.Moments` as arrays. Out: heat, H×W float32 in [0, 1] over the face crop, and its title.
"""

from __future__ import annotations

import io
import sys

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from engines.runtime import Network
from realtime.errors import ModelError
from realtime.naming.inputs import INPUTS
from realtime.networks import network
from realtime.records import Moments
from train.export.network import Calibrated
from train.methods import MODULES, method, settings_of
from train.settings import typed

CLOSE = 1e-3  # largest difference of a probability between a shipped network and itself in torch, on the event that is explained


def heat(name: str, moments: Moments) -> tuple[str, np.ndarray]:
    """(title, heat: H×W float32 in [0, 1]) of the class that the network finds likeliest.

    Raises:
        ModelError: none of its layers shows the face.
    """
    shipped = network(name, "cpu")
    inputs = INPUTS[shipped.manifest["takes"]](moments)
    made = torch_network(shipped, inputs)
    target = int(np.argmax(shipped(inputs)))
    within = "network." if "calibration" in shipped.manifest else ""
    for title, (layer, picture) in method(shipped.manifest["architecture"]).LAYERS.items():
        layer = place(layer, within)
        if picture == "face" and not layer.startswith("input:") and has(made, layer):
            return f"Grad-CAM: {title}", gradcam(made, inputs, layer, target)
    raise ModelError(f"no layer of {name} shows the face as it is")


def gradcam(network: nn.Module, inputs: dict[str, np.ndarray], layer: str, target: int) -> np.ndarray:
    """H×W float32 in [0, 1], at the resolution of `layer`'s output: how much each place speaks for class `target`.

    Where a network looks at several copies at once (mirrored, or moments), the first is shown.

    Args:
        network: inputs → probabilities, in evaluation mode.
        layer: the name of one of its modules, whose output is (B, C, H, W). "input:NAME" is an input itself, for networks
            without layers that have places: gradient times input, by its size.
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


def has(network, name: str) -> bool:
    """Whether it has that module: a part may have been switched off."""
    return name.startswith("input:") or name in dict(network.named_modules())


def torch_network(shipped: Network, inputs: dict[str, np.ndarray]) -> nn.Module:
    """Inputs (B, …) float32 → probabilities (B, classes), in evaluation mode: what `shipped` was exported from, as its manifest says how it is built.

    Its weights are in <name>.safetensors beside it, or, where the exporter left enough of them, in the file itself.

    Raises:
        ModelError: it is of a kind that cannot be built again, the weights are missing or do not fit, or the two do not say
            the same of `inputs`.
    """
    manifest, file = shipped.manifest, shipped.path.with_suffix(".safetensors")
    name = manifest.get("architecture")
    if "model" not in manifest or name not in MODULES or not hasattr(method(name), "build"):
        raise ModelError(f"'{shipped.name}' cannot be explained: it is no network that can be built again from its manifest")
    made = method(name).build(typed("model", settings_of(name).Model, manifest["model"]), len(shipped.classes))
    if hasattr(made, "mirror"):  # whether answers are averaged over the face and its mirror image is a matter of training
        made.mirror = manifest.get("training", {}).get("mirror", True)
    if "calibration" in manifest:
        made = Calibrated(made, manifest["calibration"]["temperature"])
    try:
        # what the exporter melted into its neighbours (batch norms) stays as built, which changes nothing
        made.load_state_dict(load_file(file), strict=True) if file.exists() else made.load_state_dict(_inside(shipped), strict=False)
    except (OSError, SafetensorError, RuntimeError) as error:
        what = str(error).splitlines()[0]
        raise ModelError(f"explaining needs the weights in {file} ({what}): export the network again with mer-train") from error
    made.eval()
    with torch.inference_mode():
        found = made(*map(torch.from_numpy, inputs.values())).numpy()[0]
    if (difference := float(np.abs(found - shipped(inputs)).max())) > CLOSE:
        beside = f"{file} does" if file.exists() else f"without {file.name} beside it, its weights do"
        raise ModelError(f"{shipped.path}: {beside} not give the network back (off by {difference:.1e}): export it again with mer-train")
    return made


def main() -> None:
    with np.load(io.BytesIO(sys.stdin.buffer.read()), allow_pickle=False) as given:
        moments = Moments(**{name: given[name] for name in given.files})
    title, found = heat(sys.argv[1], moments)
    file = io.BytesIO()
    np.savez(file, heat=found, title=np.array(title))
    sys.stdout.buffer.write(file.getvalue())


def _of_input(network: nn.Module, inputs: dict[str, np.ndarray], name: str, target: int) -> np.ndarray:
    given = {key: torch.from_numpy(array).requires_grad_(key == name) for key, array in inputs.items()}
    with torch.enable_grad():
        score = network(*given.values())[0, target].clamp_min(1e-12).log()
        gradient = torch.autograd.grad(score, given[name])[0]
    return _to_one((gradient * given[name])[0].sum(0).abs())


def _to_one(heat: Tensor) -> np.ndarray:
    heat = heat.detach().numpy()
    return (heat / max(float(heat.max()), 1e-12)).astype(np.float32)


def _inside(shipped: Network) -> dict[str, torch.Tensor]:
    """The weights in the ONNX file, less those that the exporter melted into others."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(shipped.path)).graph
    return {one.name: torch.from_numpy(np.array(numpy_helper.to_array(one))) for one in graph.initializer}


if __name__ == "__main__":
    main()
