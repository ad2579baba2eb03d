"""LBP-TOP with a linear support vector machine: the baseline that the papers compare themselves with."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from realtime.naming.inputs.lbptop import BINS
from train.compute import CPU, Compute
from train.data.samples import Samples
from train.methods.svm.network import TEMPERATURE, SupportVectors
from train.methods.svm.settings import Model, Recipe
from train.methods.svm.training import machine
from train.resume import NOWHERE, Keep
from train.watch import Watch

INPUTS = "lbptop"
TITLE = "LBP-TOP (Zhao and Pietikainen 2007) with a linear support vector machine"
PREPARATION = (
    "realtime.naming.inputs.lbptop: ten frames by temporal interpolation, 5x5 blocks, 4 neighbours at radius 1, 1 and 4; each histogram sums to 1"
)


def fit(samples: Samples, model: Model, recipe: Recipe, seed: int, watch: Watch, compute: Compute = CPU, keep: Keep = NOWHERE) -> nn.Module:
    """A linear SVM fitted on the micro-expressions of `samples`: histograms → probabilities.

    Nothing in it is random: all seeds give the same; scikit-learn fits it, always on the CPU.

    Raises:
        UsageError: there is one class only.
    """
    samples = samples.only("micro")
    x = scaled(torch.from_numpy(samples.inputs["histograms"])).numpy()
    return Machine(machine(x, samples.label, samples.classes, "linear", recipe.cost)).eval()


class Machine(nn.Module):
    """What is exported: histograms (B, 1200) → softmax of the decision values, (B, classes)."""

    def __init__(self, vectors: SupportVectors):
        super().__init__()
        self.vectors = vectors

    def forward(self, histograms: Tensor) -> Tensor:
        return (self.vectors(scaled(histograms)) / TEMPERATURE).softmax(1)


def scaled(histograms: Tensor) -> Tensor:
    """(B, 1200) → the same, so that an even histogram is all ones: the cost means the same whatever the number of patterns."""
    return histograms * BINS
