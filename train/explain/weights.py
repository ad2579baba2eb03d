"""A shipped network as a torch module again: its manifest says how it is built, the file beside it holds the weights."""

from __future__ import annotations

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from engines.runtime import Network
from realtime.errors import ModelError
from train.export import Calibrated
from train.methods import METHODS
from train.recipes import RECIPES
from train.settings import typed

CLOSE = 1e-3  # largest difference of a probability between the two, on the event that is explained


def torch_network(network: Network, inputs: dict[str, np.ndarray]) -> nn.Module:
    """Inputs → probabilities, in evaluation mode: what `network` was exported from, with <name>.safetensors beside it.

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
        made.load_state_dict({key: value.float() for key, value in load_file(file).items()})
    except (OSError, SafetensorError, RuntimeError) as error:
        what = str(error).splitlines()[0]
        raise ModelError(f"explaining needs the weights in {file} ({what}): export the network again with mer-train") from error
    made.eval()
    with torch.inference_mode():
        found = made(*map(torch.from_numpy, inputs.values())).numpy()[0]
    if (difference := float(np.abs(found - network(inputs)).max())) > CLOSE:
        raise ModelError(f"{file} and {network.path.name} differ by {difference:.1e}: export the network again with mer-train")
    return made
