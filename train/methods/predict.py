"""What a trained network says of samples."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from train import compute
from train.data.samples import Samples


def predict(network: nn.Module, samples: Samples, batch: int = 32) -> np.ndarray:
    """Probabilities, N×classes float32, of a network as `train.methods` make them."""
    training, device = network.training, compute.of(network)
    network.eval()
    found = [np.zeros((0, len(samples.classes)), np.float32)]
    with torch.inference_mode():
        for start in range(0, len(samples), batch):
            rows = (torch.from_numpy(array[start : start + batch]).to(device).float() for array in samples.inputs.values())
            found.append(network(*rows).cpu().numpy())
    network.train(training)
    return np.concatenate(found)
