"""SKD-TSTSAN's training (Sec. 3.4, 4.2): on macro-, then on micro-expressions, a fixed number of steps each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from realtime.errors import UsageError
from train.compute import CPU, Compute
from train.data.samples import Samples
from train.methods.dual_atme.network import focal
from train.methods.skd_tstsan.network import SKDTSTSAN, Deployed
from train.methods.skd_tstsan.settings import Model, Recipe
from train.resume import NOWHERE, Keep
from train.watch import Watch

INPUTS = "skd_tstsan"
TITLE = "SKD-TSTSAN (Zhu et al. 2024)"
PREPARATION = (
    "realtime.naming.inputs.skd_tstsan: 128-pixel grey face; whole faces and 4x4 blocks of apex and onset and TV-L1 flow "
    "onset-apex, apex-offset, each 48x48; faces and flow components stretched to 0-1"
)


def kind(model: Model) -> str:
    """The key of `realtime.naming.inputs.INPUTS` that goes with the number of flow fields."""
    return INPUTS if model.fields == 2 else f"{INPUTS}_{model.fields}"


LAYERS = {
    "whole face": ("network.streams.S.blocks.2.2", "face"),  # the fourth convolutional layer, as in the paper's Figure 7
    "blocks": ("network.streams.L.blocks.1.0", "face"),
    "flow": ("network.streams.T.blocks.1.5", "face"),
}
ATTENTION = {"ECA": ("network.streams.L.blocks.2.7", ("channels",))}


PAPER = "The paper starts from CK+'s macro-expressions (Sec. 4.2): data.pretrain=[prepared/ckplus]"


def build(model: Model, classes: int) -> nn.Module:
    """What `fit` gives, untrained."""
    made = Deployed(_empty(model, classes))
    return made if model.auxiliary else made.without_auxiliaries()


def fit(samples: Samples, model: Model, recipe: Recipe, seed: int, watch: Watch, compute: Compute = CPU, keep: Keep = NOWHERE) -> nn.Module:
    """The network, without its auxiliary classifiers unless model.auxiliary keeps them, in evaluation mode: stack → probabilities.

    The same seed, samples and machine give the same network.

    Raises:
        UsageError: magnet.pth is missing or not that, or the samples have another number of flow fields than the model.
    """
    channels = samples.inputs["stack"].shape[1]
    if channels != 34 + 2 * model.fields:
        raise UsageError(
            f"samples with {channels} channels for model.fields={model.fields}, expected {34 + 2 * model.fields}: prepare the inputs '{kind(model)}'"
        )
    torch.manual_seed(seed)
    random = torch.Generator().manual_seed(seed)
    before = _before(samples)
    deployed = Deployed(_network(model, len(before.classes)))
    deployed.to(compute.device, memory_format=torch.channels_last)  # a fifth faster on a CPU
    if recipe.pretrain_iterations and len(before) < recipe.batch:
        watch.say(f"warning: {len(before)} macro-expressions: pre-training is left out. {PAPER}")
    elif recipe.pretrain_iterations:
        _train(deployed, before, recipe, "pre-training", recipe.pretrain_iterations, random, watch, compute, keep)
    if before.classes != samples.classes:  # other emotions than are to be told apart: classifiers of their own
        deployed.network.classify_anew(len(samples.classes))
    _train(deployed, samples.only("micro"), recipe, "training", recipe.iterations, random, watch, compute, keep)
    answering = deployed if model.auxiliary else deployed.without_auxiliaries()
    return answering.eval().to("cpu", memory_format=torch.contiguous_format)


def _before(samples: Samples) -> Samples:
    """What the network is pre-trained on: the sets of data.pretrain by their own emotions (CK+'s seven), else the macro-expressions."""
    if not samples.pretraining.any():
        return samples.only("macro")
    before = samples[samples.pretraining & (samples.kind != "image")]
    emotions, label = np.unique(before.emotion, return_inverse=True)
    return replace(before, label=label.astype(np.int64), classes=tuple(emotions.tolist()))


def _empty(model: Model, classes: int) -> SKDTSTSAN:
    switches = (model.magnify, model.eca, model.shift, model.distil)
    return SKDTSTSAN(classes, model.fields, *switches, model.amplification, model.dropout)


def _network(model: Model, classes: int) -> SKDTSTSAN:
    network = _empty(model, classes)
    for magnifier in network.magnifiers.values():
        magnifier.load_published(Path(model.magnet))
    return network


def _train(
    deployed: Deployed,
    samples: Samples,
    recipe: Recipe,
    stage: str,
    iterations: int,
    random: torch.Generator,
    watch: Watch,
    compute: Compute,
    keep: Keep,
) -> None:
    network, classes = deployed.network, len(samples.classes)
    target = compute.hold(F.one_hot(torch.from_numpy(samples.label), classes).float())
    weight = torch.from_numpy(class_weights(samples.label, classes)).to(compute.device)
    network.magnifiers.requires_grad_(not recipe.frozen)
    pictures = _magnified_before(network, samples, recipe, compute) if recipe.frozen else _magnified_now(network, samples, compute)
    learnt = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(learnt, recipe.lr, betas=(0.9, 0.99), weight_decay=recipe.weight_decay, fused=True)
    rate = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, iterations) if recipe.decay else None
    steps = -(-len(samples) // recipe.batch)
    epochs = -(-iterations // steps)
    deployed.train()
    shown = deployed if stage == "training" else None
    going = keep.stage(stage, epochs, watch, random, shown, network=network, optimizer=optimizer, rate=rate)
    for _ in going:
        for rows in going.batches(lambda: torch.randperm(len(samples), generator=random).tensor_split(steps)[: iterations - going.epoch * steps]):
            flipped = torch.rand(len(rows), generator=random) < (0.5 if recipe.mirror else 0.0)
            with compute.autocast():
                logits, features = network.classify(pictures(rows, flipped))
                loss = joint_loss(logits, features, target[rows], weight, recipe)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            if rate:
                rate.step()
            going.add(len(rows), loss=loss)


def joint_loss(logits: list[Tensor], features: list[Tensor], target: Tensor, weight: Tensor, recipe: Recipe) -> Tensor:
    """Eq. 10, a scalar, of (B, classes) logits, (B, 128) features and (B,) labels. The deepest classifier is first and learns from the labels alone; the others from it too."""
    share, t = recipe.distil_share, recipe.temperature
    loss = focal(logits[0], target, recipe.gamma, weight, recipe.evened)
    teacher, taught = (logits[0].detach() / t).softmax(1), features[0].detach()
    for student, feature in zip(logits[1:], features[1:]):
        from_labels = focal(student, target, recipe.gamma, weight, recipe.evened)  # Eq. 7
        from_teacher = t**2 * F.kl_div((student / t).log_softmax(1), teacher, reduction="batchmean")  # Eq. 8
        from_features = (feature - taught).square().sum()  # Eq. 9
        loss = loss + (1 - share) * from_labels + share * from_teacher + recipe.distil_features * from_features
    return loss


def class_weights(label: np.ndarray, classes: int) -> np.ndarray:
    """α of Eq. 7, (classes,) float32 of N labels: the inverse of each class's count, summing to 1. A class that is absent gets 0."""
    count = np.bincount(label, minlength=classes)
    inverse = np.where(count > 0, 1 / np.maximum(count, 1), 0)
    return (inverse / inverse.sum()).astype(np.float32)


def mirrored(stack: Tensor) -> Tensor:
    """(B, 34 + 2·fields, H, W) as `realtime.naming.inputs.skd_tstsan` would make it of the mirrored face."""
    blocks = torch.arange(16).view(4, 4).flip(1).flatten()
    order = torch.cat([torch.arange(2), 2 + blocks, 18 + blocks, torch.arange(34, stack.shape[1])])
    stack = stack[:, order.to(stack.device)].flip(-1)
    stack[:, 34::2] = 1 - stack[:, 34::2]  # u changes its sign: in a stretched field, its side of the middle
    return stack


Pictures = Callable[[Tensor, Tensor], dict[str, Tensor]]  # (rows, which of them mirrored) → the streams' inputs


def _magnified_now(network: SKDTSTSAN, samples: Samples, compute: Compute) -> Pictures:
    stack = compute.hold(samples.inputs["stack"])

    def pictures(rows: Tensor, flipped: Tensor) -> dict[str, Tensor]:
        batch = stack[rows].float()
        if flipped.any():
            batch = torch.where(flipped.to(batch.device)[:, None, None, None], mirrored(batch), batch)
        return network.magnified(batch.contiguous(memory_format=torch.channels_last))

    return pictures


def _magnified_before(network: SKDTSTSAN, samples: Samples, recipe: Recipe, compute: Compute) -> Pictures:
    """Frozen magnifiers say the same every time: asked once. Kept in half precision, 0.15 MB a sample and side."""
    now, everyone = _magnified_now(network, samples, compute), torch.arange(len(samples))
    parts: dict[str, list[Tensor]] = {}
    with torch.no_grad():
        for side in (False, True) if recipe.mirror else (False,):
            for rows in everyone.split(recipe.batch):
                for name, shape in now(rows, torch.full((len(rows),), side)).items():
                    parts.setdefault(name, []).append(shape.unflatten(0, (len(rows), -1)).half().cpu())
    kept = {name: compute.hold(torch.cat(shapes)) for name, shapes in parts.items()}  # (N or 2N, 1 or T, 32, 24, 24)

    def pictures(rows: Tensor, flipped: Tensor) -> dict[str, Tensor]:
        rows = rows + len(samples) * flipped
        batch = {name: shapes[rows].flatten(0, 1).float() for name, shapes in kept.items()}
        return {name: shapes.contiguous(memory_format=torch.channels_last) for name, shapes in batch.items()}

    return pictures
