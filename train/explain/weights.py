"""A shipped network as a torch module again: its manifest says how it is built, the file beside it holds the weights."""

from __future__ import annotations

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from engines.runtime import Network
from realtime.errors import ModelError
from train.export.network import Calibrated
from train.methods import METHODS
from train.methods.recipes import RECIPES
from train.settings import typed

CLOSE = 1e-3  # largest difference of a probability between the two on the event that is explained


def torch_network(network: Network, inputs: dict[str, np.ndarray]) -> nn.Module:
    """Inputs → probabilities, in evaluation mode: what `network` was exported from.

    Its weights are in <name>.safetensors beside it, or, where the exporter left enough of them, in the file itself.
    Raises ModelError where it is of a kind that cannot be built again, where the weights are missing or do not fit, and
    where the two do not say the same of `inputs`.
    """
    manifest, file = network.manifest, network.path.with_suffix(".safetensors")
    name = manifest.get("architecture")
    if not hasattr(METHODS.get(name), "build") or "model" not in manifest:
        raise ModelError(f"'{network.name}' cannot be explained: it is no network that can be built again from its manifest")
    made = METHODS[name].build(typed("model", RECIPES[name].Model, manifest["model"]), len(network.classes))
    if "calibration" in manifest:
        made = Calibrated(made, manifest["calibration"]["temperature"])
    try:
        # what the exporter melted into its neighbours (batch norms) stays as built, which changes nothing
        made.load_state_dict(load_file(file), strict=True) if file.exists() else made.load_state_dict(_inside(network), strict=False)
    except (OSError, SafetensorError, RuntimeError) as error:
        what = str(error).splitlines()[0]
        raise ModelError(f"explaining needs the weights in {file} ({what}): export the network again with mer-train") from error
    made.eval()
    with torch.inference_mode():
        found = made(*map(torch.from_numpy, inputs.values())).numpy()[0]
    if (difference := float(np.abs(found - network(inputs)).max())) > CLOSE:
        beside = f"{file} does" if file.exists() else f"without {file.name} beside it, its weights do"
        raise ModelError(f"{network.path}: {beside} not give the network back (off by {difference:.1e}): export it again with mer-train")
    return made


def _inside(network: Network) -> dict[str, torch.Tensor]:
    """The weights in the ONNX file, less those that the exporter melted into others."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(network.path)).graph
    return {one.name: torch.from_numpy(np.array(numpy_helper.to_array(one))) for one in graph.initializer}
