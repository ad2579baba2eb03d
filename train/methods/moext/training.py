"""MoExt's training: pre-training on micro- and macro-expressions, then objective learning on the micro-expressions."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from train.compute import CPU, Compute
from train.data.augment import affine
from train.data.samples import Samples
from train.methods.moext.network import Answer, MoExt, PreTraining, onset_apex_loss, shape_texture_loss
from train.methods.moext.settings import Model, Recipe
from train.resume import NOWHERE, Keep, Stage
from train.watch import Watch

INPUTS = "moext"
TITLE = "MoExt (Li et al. 2024, arXiv 2407.07345)"
PREPARATION = (
    "realtime.naming.inputs.moext: onset and apex cut to the square from brow to chin by the onset's landmarks, resized to "
    "224x224 (bilinear), RGB, whole numbers in [0, 255]; the network scales them itself"
)


LAYERS = {"shape features": ("network.shape", "face"), "motion": ("network.motion", "face")}
ATTENTION: dict[str, tuple] = {}


NO_MACRO = (
    "warning: no macro-expressions: pre-training has the micro-expressions alone. The paper's has CASME II and CAS(ME)³ part A with "
    "their macro-expressions (Sec. 4.1.2): data.pretrain=[prepared/casme2,prepared/casme3]"
)


def build(model: Model, classes: int) -> nn.Module:
    """What `fit` gives, untrained."""
    return Answer(MoExt(model, classes), mirror=True)


def fit(samples: Samples, model: Model, recipe: Recipe, seed: int, watch: Watch, compute: Compute = CPU, keep: Keep = NOWHERE) -> nn.Module:
    """The network, trained, in evaluation mode: (onset, apex) → probabilities.

    Inputs may be uint8. Macro-expressions serve in pre-training only. The same seed, samples and machine give the same
    network.
    """
    torch.manual_seed(seed)
    random = torch.Generator().manual_seed(seed)
    network = MoExt(model, len(samples.classes), recipe.dropout)
    network = network.to(compute.device, memory_format=torch.channels_last)
    if model.pretrain:
        pretrain(network, samples, model, recipe, random, watch, compute, keep)
    learn(network, samples.only("micro"), recipe, random, watch, compute, keep)
    return Answer(network, recipe.mirror).eval().to("cpu", memory_format=torch.contiguous_format)


def pretrain(
    network: MoExt,
    samples: Samples,
    model: Model,
    recipe: Recipe,
    random: torch.Generator,
    watch: Watch,
    compute: Compute = CPU,
    keep: Keep = NOWHERE,
) -> None:
    """Sec. 3.1: without any label, L = L_re + α1·L_st + α2·L_ss (Eq. 9)."""
    wanted = ("micro", "macro") if model.macro else ("micro",)
    samples = samples.for_pretraining()
    samples = samples[[kind in wanted for kind in samples.kind]]
    if model.macro and not (samples.kind == "macro").any():
        watch.say(NO_MACRO)
    whole = PreTraining(network, model).to(compute.device, memory_format=torch.channels_last).train()
    large = compute.large(random)
    step, parts = optimiser(whole, recipe.pretrain_lr, recipe.pretrain_epochs, len(samples), recipe)
    stage = keep.stage("pre-training", recipe.pretrain_epochs, watch, random, network=whole, **parts)
    for _ in stage:
        for onset, apex, _ in batches(stage, network, samples, recipe, random, compute):
            changes = views(recipe.views if model.contrastive else 1, random, large)
            expanded = [[change(frame) for change in changes] for frame in (onset, apex)]
            with compute.autocast():
                again, shape, texture = whole(*expanded, recompute=recipe.recompute)
                losses = {"reconstruction": F.l1_loss(again, apex)}  # Eq. 5
                if model.contrastive:
                    anchor = whole.embed(shape.mean((0, 1)))  # Eq. 7
                    shape, texture = whole.embed(shape), whole.embed(texture)
                    losses["shape_texture"] = recipe.shape_texture * shape_texture_loss(shape, texture, anchor, recipe.margin)
                    losses["onset_apex"] = recipe.onset_apex * onset_apex_loss(shape, recipe.margin)
            step(sum(losses.values()))
            stage.add(len(onset), **losses)


def learn(
    network: MoExt,
    samples: Samples,
    recipe: Recipe,
    random: torch.Generator,
    watch: Watch,
    compute: Compute = CPU,
    keep: Keep = NOWHERE,
) -> None:
    """Objective learning (Sec. 3.4) with cross-entropy (Sec. 3.5)."""
    answer = Answer(network, recipe.mirror).train()
    step, parts = optimiser(network, recipe.lr, recipe.epochs, len(samples), recipe)
    stage = keep.stage("training", recipe.epochs, watch, random, answer, network=network, **parts)
    for _ in stage:
        for onset, apex, label in batches(stage, network, samples, recipe, random, compute):
            with compute.autocast():
                loss = F.cross_entropy(network.logits(onset, apex), label)
            step(loss)
            stage.add(len(onset), loss=loss)


def optimiser(network: nn.Module, lr: float, epochs: int, count: int, recipe: Recipe):
    """(a function that takes one step down a loss, what remembers its course). Adam, Sec. 4.1.2."""
    adam = torch.optim.Adam(network.parameters(), lr, betas=(0.9, 0.999), weight_decay=recipe.weight_decay)
    schedule = None
    if recipe.decay:
        total = epochs * steps(count, recipe)
        schedule = torch.optim.lr_scheduler.OneCycleLR(adam, lr, total, pct_start=0.2, cycle_momentum=False)

    def step(loss: Tensor) -> None:
        adam.zero_grad(set_to_none=True)
        loss.backward()
        adam.step()
        if schedule is not None:
            schedule.step()

    return step, {"optimizer": adam, "schedule": schedule}


def steps(count: int, recipe: Recipe) -> int:
    return recipe.copies * -(-count // recipe.batch)


def batches(stage: Stage, network: MoExt, samples: Samples, recipe: Recipe, random: torch.Generator, compute: Compute = CPU):
    """What is left of an epoch: (onset, apex, label) of every sample `copies` times, each time mirrored and rotated anew (Sec. 4.1.2).

    Pictures are (B, 3, size, size) in [0, 1]; both frames of a sample are changed alike.
    """
    onsets, apexes, labels = map(compute.hold, (samples.inputs["onset"], samples.inputs["apex"], samples.label))

    def drawn() -> list[Tensor]:
        orders = (torch.randperm(len(samples), generator=random) for _ in range(recipe.copies))
        return [rows for order in orders for rows in order.tensor_split(steps(len(samples), recipe) // recipe.copies)]

    for rows in stage.batches(drawn):
        pair = torch.cat([network.picture(frames[rows].float()) for frames in (onsets, apexes)], dim=1)
        mirrored = torch.rand(len(rows), 1, 1, 1, generator=random) < 0.5
        pair = torch.where(mirrored.to(pair.device), pair.flip(-1), pair)
        shift, rotate = recipe.shift * pair.shape[-1], math.radians(recipe.rotate)
        pair = affine(pair, shift, recipe.scale, rotate, random)
        if recipe.light:
            pair = pair * (1 + recipe.light * (2 * torch.rand(len(rows), 1, 1, 1, generator=random) - 1)).to(pair.device)
        onset, apex = (frame.contiguous(memory_format=torch.channels_last) for frame in pair.chunk(2, dim=1))
        yield onset, apex, labels[rows]


def views(count: int, random: torch.Generator, large: torch.Generator | None = None) -> list:
    """The m changes that make an expansion set (Sec. 3.5): none, then m−1 drawn from noise, contrast, black and white.

    Args:
        large: what draws the noise (`Compute.large`), `random` itself where it is None.
    """
    large = large or random

    def noise(frame: Tensor) -> Tensor:
        return frame + 0.02 * torch.randn(frame.shape, generator=large, device=large.device).to(frame.device)

    def contrast(frame: Tensor) -> Tensor:
        mean = frame.mean((1, 2, 3), keepdim=True)
        return (mean + 1.5 * (frame - mean)).clamp(0, 1)

    def grey(frame: Tensor) -> Tensor:
        weights = frame.new_tensor([0.299, 0.587, 0.114])[:, None, None]
        return (frame * weights).sum(1, keepdim=True).expand(-1, 3, -1, -1)

    drawn = torch.randperm(3, generator=random)[: count - 1].tolist()
    return [lambda frame: frame, *((noise, contrast, grey)[k] for k in drawn)]
