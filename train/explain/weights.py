"""A shipped network as a torch module again: its manifest says how it is built, its ONNX file holds the weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn

from engines.runtime import Network
from realtime.errors import ModelError
from train.export import Calibrated
from train.methods import METHODS
from train.recipes import RECIPES
from train.settings import typed


def torch_network(network: Network) -> nn.Module:
    """Inputs → probabilities, in evaluation mode, with the weights of `network`'s own file.

    Raises ModelError where it is of a kind that `train.methods` does not build, or where a weight is not in the file.
    """
    manifest = network.manifest
    name = manifest.get("architecture")
    if name not in METHODS or "model" not in manifest:
        raise ModelError(f"'{network.name}' cannot be explained: its manifest does not say how it was built; export it again")
    model = typed("model", RECIPES[name].Model, manifest["model"])
    made = METHODS[name].build(model, len(network.classes))
    if "calibration" in manifest:
        made = Calibrated(made, manifest["calibration"]["temperature"])
    weights = _initializers(network.path)
    wanted = {key for key in made.state_dict() if not key.endswith("num_batches_tracked")}
    if missing := sorted(wanted - weights.keys()):
        raise ModelError(f"{network.path} lacks the weights {', '.join(missing[:3])} (of {len(missing)}): export it again")
    made.load_state_dict({key: weights[key] for key in wanted}, strict=False)
    return made.eval()


def _initializers(path: Path) -> dict[str, torch.Tensor]:
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(path)).graph
    return {one.name: torch.from_numpy(np.array(numpy_helper.to_array(one))) for one in graph.initializer}
