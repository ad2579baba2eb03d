"""STSTNet's training: cross-entropy for a fixed number of epochs. Nobody looks at a held-out person."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from train.compute import CPU, Compute
from train.data.augment import some_mirrored
from train.data.samples import Samples
from train.methods.ststnet.network import STSTNet
from train.methods.ststnet.settings import Model, Recipe
from train.resume import NOWHERE, Keep
from train.watch import Watch

INPUTS = "flow_map"
TITLE = "STSTNet (Liong et al., FG 2019)"
PREPARATION = (
    "realtime.naming.inputs.flow_map: 28x28 flow map (u, v, optical strain; each channel stretched to 0-255), Gaussian blur, "
    "minus the channel's median, over 128"
)


LAYERS = {"flow map": ("input:full_face", "face")}  # no layer of it has places that a person could read
ATTENTION: dict[str, tuple] = {}


def build(model: Model, classes: int) -> nn.Module:
    """What `fit` gives, untrained."""
    return Named(STSTNet(classes))


def fit(samples: Samples, model: Model, recipe: Recipe, seed: int, watch: Watch, compute: Compute = CPU, keep: Keep = NOWHERE) -> nn.Module:
    """The network, trained on all micro-expressions of `samples`, in evaluation mode: full_face → probabilities.

    The same seed, samples and machine give the same network.
    """
    samples = samples.only("micro")
    torch.manual_seed(seed)
    random = torch.Generator().manual_seed(seed)
    full, label = compute.hold(samples.inputs["full_face"]), compute.hold(samples.label)
    named = Named(STSTNet(len(samples.classes), recipe.dropout)).to(compute.device)
    optimizer = torch.optim.Adam(named.parameters(), recipe.lr, fused=True)
    steps = -(-len(samples) // recipe.batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, recipe.epochs * steps) if recipe.decay else None
    named.train()
    stage = keep.stage("training", recipe.epochs, watch, random, named, network=named, optimizer=optimizer, schedule=schedule)
    for _ in stage:
        for rows in stage.batches(lambda: torch.randperm(len(samples), generator=random).tensor_split(steps)):
            image = full[rows]
            if recipe.mirror:
                [image] = some_mirrored([image], random)
            with compute.autocast():
                loss = F.cross_entropy(named.network(image), label[rows])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            if schedule:
                schedule.step()
            stage.add(len(rows), loss=loss)
    return named.eval().cpu()


class Named(nn.Module):
    """What is exported: full_face → softmax of the network, (B, classes)."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, full_face: Tensor) -> Tensor:
        return self.network(full_face).softmax(1)
