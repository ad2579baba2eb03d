"""Dual-ATME's training: a fixed number of epochs on the samples that are given. Nobody looks at a held-out person."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from realtime.errors import UsageError
from realtime.naming.inputs.dual_atme import EYEBROWS_MOUTH, FULL_FACE
from train.compute import CPU, Compute
from train.data.augment import affine, affine_pieces, halves, mirror, mix, puzzle, some_mirrored
from train.data.samples import Samples
from train.methods.dual_atme.network import DualATME, dissimilarity, focal
from train.methods.dual_atme.settings import Model, Recipe
from train.resume import NOWHERE, Keep
from train.watch import Watch

INPUTS = "dual_atme"
TITLE = "Dual-ATME (Zhou et al., Entropy 2023, 25(3), 460)"
PREPARATION = (
    "realtime.naming.inputs.dual_atme: 28x28 flow map (u, v, optical strain; each channel stretched to 0-255), "
    "Gaussian blur, minus the channel's median, over 128; the puzzle has a flow map of its own, between pictures of "
    "brows and mouth (takes dual_atme), or is cut from the full face's map (takes dual_atme_map)"
)


def kind(model: Model) -> str:
    """The key of `realtime.naming.inputs.INPUTS` that goes with what the puzzle is cut from."""
    if model.puzzle != "picture":
        return f"{INPUTS}_map"
    return INPUTS if model.regions == EYEBROWS_MOUTH else f"{INPUTS}_{model.regions}"


LAYERS = {"full face": ("network.full_face.2", "face"), "puzzle": ("network.puzzle.2", "puzzle")}
ATTENTION = {"CBAM": ("network.attention", ("places", "channels"))}


def build(model: Model, classes: int) -> nn.Module:
    """What `fit` gives, untrained."""
    return Answer(_network(model, classes, 0.0), mirror=True)


def fit(samples: Samples, model: Model, recipe: Recipe, seed: int, watch: Watch, compute: Compute = CPU, keep: Keep = NOWHERE) -> nn.Module:
    """The network, trained on all micro-expressions of `samples`, in evaluation mode.

    It takes (full_face, puzzle) and gives probabilities. The same seed, samples and machine give the same network.
    """
    samples = samples.only("micro")
    torch.manual_seed(seed)
    random = torch.Generator().manual_seed(seed)
    images = [torch.from_numpy(samples.inputs[name]) for name in ("full_face", "puzzle")]
    images = [compute.hold(image.contiguous(memory_format=torch.channels_last)) for image in images]
    target = compute.hold(nn.functional.one_hot(torch.from_numpy(samples.label), len(samples.classes)).float())
    weight = torch.from_numpy(_balance(samples.label, recipe.balance))
    counts = _counts(recipe, samples.classes, compute)

    network = _network(model, len(samples.classes), recipe.dropout)
    network = network.to(compute.device, memory_format=torch.channels_last)  # the pools are six times as fast this way on a CPU
    optimizer = _optimizer(network, recipe)
    steps = -(-len(samples) // recipe.batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, recipe.epochs * steps)
    answer = Answer(network, recipe.mirror).train()
    stage = keep.stage("training", recipe.epochs, watch, random, answer, network=network, optimizer=optimizer, schedule=schedule)

    def drawn() -> tuple[Tensor, ...]:
        return torch.multinomial(weight, len(samples), replacement=recipe.balance > 0, generator=random).tensor_split(steps)

    for _ in stage:
        for rows in stage.batches(drawn):
            batch = [image[rows] for image in images]
            full, pieces, labels = _augmented(batch, target[rows], recipe, model, random)
            with compute.autocast():
                logits, v_e, v_p = network(full, pieces)
                loss = focal(logits, labels, recipe.gamma, counts)
                if model.hars and model.aars:
                    loss = loss + recipe.similarity * dissimilarity(v_e, v_p)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            stage.add(len(rows), loss=loss)
    return answer.eval().to("cpu", memory_format=torch.contiguous_format)


def _network(model: Model, classes: int, dropout: float) -> DualATME:
    return DualATME(classes, dropout, model.hars, model.aars, model.puzzle_attention)


def _optimizer(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    if recipe.optimizer == "sgd":  # the paper does not say which momentum
        return torch.optim.SGD(network.parameters(), recipe.lr, momentum=0.9, weight_decay=recipe.weight_decay)
    return torch.optim.AdamW(network.parameters(), recipe.lr, betas=(0.5, 0.999), weight_decay=recipe.weight_decay, fused=True)


def _counts(recipe: Recipe, classes: tuple[str, ...], compute: Compute) -> Tensor | None:
    """How much each class counts in the loss, (K,); None: all alike. Raises UsageError where they are not as many as the classes."""
    if not recipe.weights:
        return None
    if len(recipe.weights) != len(classes):
        raise UsageError(f"fit.weights has {len(recipe.weights)} numbers, expected one for each of {', '.join(classes)}")
    return torch.tensor(recipe.weights, device=compute.device)


class Answer(nn.Module):
    """What is exported: probabilities (B, classes); with `mirror`, averaged over the face and its mirror image."""

    def __init__(self, network: nn.Module, mirror: bool):
        super().__init__()
        self.network, self.mirror = network, mirror

    def forward(self, full_face: Tensor, puzzle: Tensor) -> Tensor:
        if not self.mirror:
            return self.network(full_face, puzzle)[0].softmax(1)
        both = torch.cat([full_face, mirror(full_face)]), torch.cat([puzzle, mirror(puzzle)])
        logits = self.network(*both)[0]  # (2B, classes)
        straight, mirrored = halves(logits.softmax(1))
        return (straight + mirrored) / 2


def _augmented(images: list[Tensor], target: Tensor, recipe: Recipe, model: Model, random: torch.Generator) -> list[Tensor]:
    """[full face, puzzle, target] of a batch, changed as the recipe says.

    A puzzle of the map is cut again from the changed face. One that was cut from pictures cannot be: it is mirrored and
    mixed as the face is, and its pieces are moved each by itself.
    """
    cut_again = model.puzzle != "picture"
    if cut_again:
        images = images[:1]
    images = some_mirrored(images, random)
    if recipe.shift or recipe.scale or recipe.rotate:
        jitter = recipe.shift, recipe.scale, recipe.rotate, random
        moves = affine, affine if model.regions == FULL_FACE else affine_pieces
        images = [move(image, *jitter) for move, image in zip(moves, images)]
    if recipe.mixup:
        *images, target = mix([*images, target], recipe.mixup, random)
    if cut_again:
        images = [*images, puzzle(images[0])]
    return [*images, target]


def _balance(label: np.ndarray, strength: float) -> np.ndarray:
    """How often each sample is drawn: its class's count to the power −strength (0: all alike, 1: classes alike)."""
    return (np.bincount(label)[label] ** -float(strength)).astype(np.float32)
