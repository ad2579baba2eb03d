"""SA-AT's training: style generators, a teacher on facial expressions, then the student on micro-expressions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from realtime.errors import UsageError
from train.compute import CPU, Compute
from train.data.augment import affine, mix
from train.data.samples import Samples
from train.methods.sa_at.network import SAAT, Front, ResNet, attention_transfer
from train.methods.sa_at.settings import Model, Recipe
from train.methods.sa_at.style_network import StyleAggregation
from train.methods.sa_at.style_training import ready_style
from train.methods.sa_at.teachers import teacher as untrained
from train.resume import NOWHERE, Keep, Stage
from train.watch import Watch

INPUTS = "sa_at"
TITLE = "SA-AT (Zhou, Mao, Xue 2019)"
PREPARATION = (
    "realtime.naming.inputs.sa_at: the apex (and the onset, with model.input=difference) cropped by the onset's landmarks, "
    "256x256 RGB in 0-255; reduction, style aggregation and difference are inside the graph"
)


def kind(model: Model) -> str:
    """The inputs that `model` looks at."""
    return "sa_at_apex" if model.input == "apex" else "sa_at"


def learns(model: Model) -> tuple[str, ...]:
    """The kinds of samples whose classes the answers are learnt from."""
    return ("micro",) if model.answer == "student" else ("macro", "image")


LAYERS = {"student, middle": ("student.groups.1", "face"), "student, last": ("student.groups.2", "face")}
ATTENTION: dict[str, tuple] = {}


NO_TEACHER = (
    "warning: no macro-expressions and no labelled faces: there is no teacher, the student learns without one. The paper's learns from "
    "16,478 faces of BU-3DFE (Table 1): data.pretrain=[prepared/images], of any such set"
)


def build(model: Model, classes: int) -> nn.Module:
    """What `fit` gives, untrained."""
    style = StyleAggregation(model.styles, model.style_width, model.style_blocks) if model.style else None
    front = Front(model.size, model.input == "difference", style)
    if model.answer == "teacher":
        return SAAT(front, untrained(model, front.channels, classes), mirror=True)
    return SAAT(front, ResNet(front.channels, classes, model.student_depth, model.width), mirror=True)


def fit(samples: Samples, model: Model, recipe: Recipe, seed: int, watch: Watch, compute: Compute = CPU, keep: Keep = NOWHERE) -> nn.Module:
    """The student behind its `Front`, in evaluation mode: its faces → probabilities.

    The teacher learns from what is "macro" or "image" in `samples`, the student from what is "micro". Without any of
    the former, or with model.transfer off or fit.beta 0, the student learns alone. With model.answer=teacher there is no student:
    the teacher learns from pictures as they are (Sec. 3.5) and answers for style-aggregated ones. The same seed, samples and machine
    give the same network.

    Raises:
        UsageError: the teacher is to answer and has nothing to learn from.
    """
    classes = len(samples.classes)
    style = ready_style(samples, model, recipe, seed, watch, compute, keep)
    front = Front(model.size, model.input == "difference", style).eval().to(compute.device)
    torch.manual_seed(seed)
    random = torch.Generator().manual_seed(seed)

    teacher = None
    alone = model.answer == "teacher"
    expressions = samples.for_pretraining()
    expressions = expressions[(expressions.kind != "micro") & (expressions.label >= 0)]
    if len(expressions) and (alone or model.transfer and recipe.beta):
        teacher = untrained(model, front.channels, classes, recipe.recompute)
        looking = Front(model.size, front.difference).to(compute.device) if alone else front
        answer = SAAT(front, teacher, recipe.mirror).train() if alone else None
        _learn(
            teacher,
            _seen(looking, expressions, compute),
            expressions,
            recipe,
            random,
            (recipe.teacher_epochs, recipe.teacher_batch, recipe.teacher_lr),
            _classify,
            partial(keep.stage, "teacher", recipe.teacher_epochs, watch, random, answer),
            compute,
        )
        if answer is not None:
            return _ready(answer)
        teacher.eval().requires_grad_(False)
    elif alone:
        raise UsageError("model.answer=teacher: no macro-expressions and no labelled faces to learn from, name them with data.pretrain=[DIR]")
    elif model.transfer and recipe.beta:
        watch.say(NO_TEACHER)

    micro = samples.only("micro")
    student = ResNet(front.channels, classes, model.student_depth, model.width, recipe.recompute)
    whole = SAAT(front, student, recipe.mirror).train()

    def distil(found: tuple[Tensor, list[Tensor]], target: Tensor, seen: Tensor) -> Tensor:
        """Eq. 4."""
        loss = _classify(found, target, seen)
        return loss if teacher is None else loss + recipe.beta * attention_transfer(found[1], teacher(seen)[1])

    _learn(
        student,
        _seen(front, micro, compute),
        micro,
        recipe,
        random,
        (recipe.epochs, recipe.batch, recipe.lr),
        distil,
        partial(keep.stage, "training", recipe.epochs, watch, random, whole),
        compute,
    )
    return _ready(whole)


def _ready(answer: SAAT) -> SAAT:
    answer.student.recompute = False
    return answer.eval().requires_grad_(False).to("cpu", memory_format=torch.contiguous_format)


def _classify(found: tuple[Tensor, list[Tensor]], target: Tensor, seen: Tensor) -> Tensor:
    """Eq. 3: softmax cross-entropy."""
    return F.cross_entropy(found[0], target)


def _seen(front: Front, samples: Samples, compute: Compute) -> Tensor:
    """N×channels×S×S float16 on the CPU: what the networks see, made once: the style generators cost more than the student."""
    made = torch.empty(len(samples), front.channels, front.size, front.size, dtype=torch.float16)
    with torch.no_grad():
        for start in range(0, len(samples), 16):
            rows = slice(start, start + 16)
            faces = (torch.from_numpy(faces[rows]).to(compute.device).float() for faces in samples.inputs.values())
            made[rows] = front(*faces).half().cpu()
    return made


def _learn(
    network: nn.Module,
    seen: Tensor,
    samples: Samples,
    recipe: Recipe,
    random: torch.Generator,
    schedule: tuple[int, int, float],
    loss_of: Callable,
    begin: Callable[..., Stage],
    compute: Compute,
) -> None:
    """Train `network` for (epochs, batch, lr). begin: `Keep.stage`, for the network's parts. `recipe.chunk` pictures pass at a time, their gradients are added up."""
    epochs, batch, lr = schedule
    held, label = compute.hold(seen), compute.hold(F.one_hot(torch.from_numpy(samples.label), len(samples.classes)).float())
    # how often each sample is drawn: its class's count to the power −balance
    weight = torch.from_numpy(np.bincount(samples.label)[samples.label] ** -float(recipe.balance))
    steps = -(-len(samples) // batch)
    network.to(compute.device, memory_format=torch.channels_last).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr, weight_decay=recipe.weight_decay)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=epochs * steps, pct_start=0.2) if recipe.decay else None
    stage = begin(network=network, optimizer=optimizer, rate=rate)

    def drawn() -> tuple[Tensor, ...]:
        return torch.multinomial(weight, len(samples), replacement=recipe.balance > 0, generator=random).tensor_split(steps)

    for _ in stage:
        for rows in stage.batches(drawn):
            optimizer.zero_grad(set_to_none=True)
            for part in rows.tensor_split(-(-len(rows) // recipe.chunk)):
                picture, target = _augmented(held[part].float(), label[part], recipe, random)
                with compute.autocast():
                    loss = loss_of(network(picture), target, picture) * (len(part) / len(rows))
                loss.backward()
                stage.add(len(part), loss=loss.item() * len(rows) / len(part))
            optimizer.step()
            if rate:
                rate.step()
    network.to(memory_format=torch.contiguous_format)


def _augmented(seen: Tensor, target: Tensor, recipe: Recipe, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Half mirrored, all moved a little, perhaps blended. Apex and difference move as one."""
    mirrored = torch.rand(len(seen), 1, 1, 1, generator=random) < 0.5
    seen = torch.where(mirrored.to(seen.device), seen.flip(-1), seen)
    if recipe.shift or recipe.scale or recipe.rotate:
        seen = affine(seen, recipe.shift * seen.shape[-1], recipe.scale, recipe.rotate, random)
    if recipe.mixup:
        seen, target = mix([seen, target], recipe.mixup, random)
    return seen.contiguous(memory_format=torch.channels_last), target
