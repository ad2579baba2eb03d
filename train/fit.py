"""Training: a fixed number of epochs on the samples that are given. Nobody looks at a held-out person."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from train.augment import affine, mirror, mix, puzzle, some_mirrored
from train.data.megc2019 import Samples
from train.losses import dissimilarity, focal
from train.models import BUILDERS
from train.recipe import Recipe


def fit(name: str, samples: Samples, recipe: Recipe, seed: int) -> nn.Module:
    """A network of `train.models.BUILDERS`, trained on all `samples`, in evaluation mode.

    The same seed, samples and machine give the same network.
    """
    torch.manual_seed(seed)
    random = torch.Generator().manual_seed(seed)
    full = torch.from_numpy(samples.full_face).contiguous(memory_format=torch.channels_last)
    target = nn.functional.one_hot(torch.from_numpy(samples.label), len(samples.classes)).float()
    weight = torch.from_numpy(_balance(samples.label, recipe.balance))

    network = BUILDERS[name](classes=len(samples.classes), dropout=recipe.dropout)
    network = network.to(memory_format=torch.channels_last)  # the pools are six times as fast this way on a CPU
    optimizer = torch.optim.AdamW(
        network.parameters(), recipe.lr, betas=(0.5, 0.999), weight_decay=recipe.weight_decay, fused=True
    )
    steps = -(-len(samples) // recipe.batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, recipe.epochs * steps)
    network.train()
    for _ in range(recipe.epochs):
        order = torch.multinomial(weight, len(samples), replacement=recipe.balance > 0, generator=random)
        for rows in order.tensor_split(steps):
            face, pieces, labels = _augmented(full[rows], target[rows], recipe, random)
            logits, v_e, v_p = network(face, pieces)
            loss = focal(logits, labels, recipe.gamma) + recipe.similarity * dissimilarity(v_e, v_p)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
    return network.eval()


def predict(network: nn.Module, samples: Samples) -> np.ndarray:
    """Probabilities, N×classes float32: the mean over each sample and its mirror image, as the exported file gives."""
    with torch.inference_mode():
        faces = torch.from_numpy(samples.full_face), torch.from_numpy(samples.puzzle)
        return MirrorAverage(network)(*faces).numpy()


class MirrorAverage(nn.Module):
    """What is exported: softmax of the network, averaged over the face and its mirror image. → (B, classes)."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, full_face: Tensor, puzzle: Tensor) -> Tensor:
        both = torch.cat([full_face, mirror(full_face)]), torch.cat([puzzle, mirror(puzzle)])
        logits = self.network(*both)[0]  # (2B, classes)
        straight, mirrored = logits.softmax(1).chunk(2)
        return (straight + mirrored) / 2


def _augmented(full: Tensor, target: Tensor, recipe: Recipe, random: torch.Generator) -> list[Tensor]:
    """[full face, puzzle, target] of a batch, changed as the recipe says; the puzzle is cut from the changed face."""
    full = some_mirrored(full, random)
    if recipe.shift or recipe.scale or recipe.rotate:
        full = affine(full, recipe.shift, recipe.scale, recipe.rotate, random)
    if recipe.mixup:
        full, target = mix([full, target], recipe.mixup, random)
    return [full, puzzle(full), target]


def _balance(label: np.ndarray, strength: float) -> np.ndarray:
    """How often each sample is drawn: its class's count to the power −strength (0: all alike, 1: classes alike)."""
    return (np.bincount(label)[label] ** -float(strength)).astype(np.float32)
