"""SA-AT's style aggregation: a CycleGAN for each style, trained on the people that are given (`stage=style`).

No label is read, but a held-out person's pictures must still stay away. So a file of weights names its people, and is
refused where one of them is not trained on; of a folder with a file for each fold, that one is taken whose people all are.
Without either each fold trains its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from realtime.errors import UsageError
from train.compute import CPU, Compute, Held
from train.data.samples import Samples
from train.methods.sa_at.network import reduced
from train.methods.sa_at.settings import Model, Recipe
from train.methods.sa_at.style_network import STYLES, Discriminator, Generator, StyleAggregation
from train.resume import NOWHERE, Keep, Stage
from train.watch import Watch

SUFFIX = ".safetensors"
TOLD = 20  # how often a style's training reports its losses


def fit_style(samples: Samples, model: Model, recipe: Recipe, seed: int, watch: Watch, compute: Compute = CPU, keep: Keep = NOWHERE) -> nn.Module:
    """The style-aggregating network, (B, 3, S, S) → (B, 3, S, S) in about [-1, 1], trained on all `samples`.

    In evaluation mode, on the CPU. The same seed, samples and machine give the same network.
    """
    torch.manual_seed(seed)
    random = torch.Generator().manual_seed(seed)
    made = StyleAggregation(model.styles, model.style_width, model.style_blocks)
    faces = compute.hold(samples.inputs["apex"])  # N×3×256×256
    for style, generator in made.generators.items():
        stage = partial(keep.stage, f"style {style}", min(TOLD, recipe.style_iterations), watch, random)
        _cycle_gan(generator.to(compute.device), STYLES[style], faces, model, recipe, random, stage, compute)
    return made.eval().requires_grad_(False).cpu()


def ready_style(
    samples: Samples, model: Model, recipe: Recipe, seed: int, watch: Watch, compute: Compute = CPU, keep: Keep = NOWHERE
) -> nn.Module | None:
    """The network that `model` asks for: None without style, from its file or folder, or trained now.

    Raises:
        UsageError: there is no such file or folder; or the file holds another network's weights, is of other people or cannot be read.
    """
    if not model.style:
        return None
    if model.style_file is None:
        watch.say("no model.style_file: the style generators are trained first, on these people")
        return fit_style(samples, model, recipe, seed, watch, compute, keep)
    model.check_files()
    file = Path(model.style_file)
    return load_style(_of_these(file, samples) if file.is_dir() else file, model, samples)


def save_style(style: nn.Module, samples: Samples, file: Path) -> None:
    """Write what `fit_style` made from `samples` as a safetensors file, the people's names beside the weights: all or nothing."""
    from safetensors.torch import save_file

    weights = {key: value.contiguous() for key, value in style.state_dict().items()}
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    save_file(weights, part, {"people": json.dumps(sorted(set(samples.person.tolist())))})
    part.replace(file)


def _of_these(folder: Path, samples: Samples) -> Path:
    """The file in `folder` that was made from the most people, all of them among those of `samples`."""
    from safetensors import SafetensorError, safe_open

    trained, found = {*samples.person.tolist()}, []
    files = sorted(folder.glob(f"*{SUFFIX}"))
    for file in files:
        try:
            with safe_open(file, "pt") as kept:
                people = {*json.loads((kept.metadata() or {}).get("people", "[]"))}
        except (OSError, SafetensorError) as error:
            raise UsageError(f"{file} is damaged ({str(error).splitlines()[0]}): delete it, and run stage=style again") from error
        if people and people <= trained:
            found.append((len(people), file))
    if not found:
        raise UsageError(
            f"none of the {len(files)} files in model.style_file={folder} was made from people who are all trained on here: "
            "make them by stage=style with the same data and protocol"
        )
    return max(found)[1]


def load_style(file: Path, model: Model, samples: Samples) -> nn.Module:
    """The network from `save_style`'s file, for training on `samples`.

    Raises:
        UsageError: as `ready_style`.
    """
    from safetensors import SafetensorError, safe_open

    made = StyleAggregation(model.styles, model.style_width, model.style_blocks)
    try:
        with safe_open(file, "pt") as kept:
            people = json.loads((kept.metadata() or {}).get("people", "[]"))
            made.load_state_dict({key: kept.get_tensor(key) for key in kept.keys()})
    except (OSError, SafetensorError, RuntimeError) as error:
        raise UsageError(
            f"model.style_file={file} does not hold generators for {', '.join(model.styles)} of width "
            f"{model.style_width} with {model.style_blocks} blocks ({str(error).splitlines()[0]}): "
            "make it again with stage=style, or leave it null"
        ) from error
    if others := sorted({*people} - {*samples.person.tolist()}):
        raise UsageError(
            f"model.style_file={file} was made from {len(others)} people who are not trained on ({others[0]}): "
            "a held-out person may be among them; leave it null, or make a file for each fold by stage=style with this protocol"
        )
    return made.eval().requires_grad_(False)


def _cycle_gan(
    generator: Generator, style, faces: Held, model: Model, recipe: Recipe, random: torch.Generator, begin: Callable[..., Stage], compute: Compute
) -> None:
    """Train one style's generator, beside the one that leads back and the two discriminators (CycleGAN Eq. 1–3)."""
    back = Generator(model.style_width, model.style_blocks).to(compute.device)
    sees_style, sees_face = (Discriminator(model.style_width).to(compute.device) for _ in range(2))
    makers = [*generator.parameters(), *back.parameters()]
    judges = [*sees_style.parameters(), *sees_face.parameters()]
    make, judge = (torch.optim.Adam(group, recipe.style_lr, betas=(0.5, 0.999)) for group in (makers, judges))
    stage = begin(generator=generator, back=back, sees_style=sees_style, sees_face=sees_face, make=make, judge=judge)
    parts = np.array_split(np.arange(recipe.style_iterations), min(TOLD, recipe.style_iterations))

    def drawn() -> Tensor:
        """Two draws of their own for each iteration: a face is never shown beside its own styled picture."""
        return torch.randint(len(faces), (len(parts[stage.epoch]), 2, recipe.style_batch), generator=random)

    for rows in chain.from_iterable(stage.batches(drawn) for _ in stage):
        face, other = (reduced(faces[row].float(), model.size) for row in rows)
        styled = style(other)

        with compute.autocast():
            made, unmade = generator(face), back(styled)
            cycled = F.l1_loss(back(made), face) + F.l1_loss(generator(unmade), styled)
        for p in judges:
            p.requires_grad_(False)
        with compute.autocast():
            fooled = _least_squares(sees_style(made), 1) + _least_squares(sees_face(unmade), 1)
        make.zero_grad(set_to_none=True)
        (fooled + recipe.cycle * cycled).backward()
        make.step()

        for p in judges:
            p.requires_grad_(True)
        with compute.autocast():
            found = _judged(sees_style, styled, made) + _judged(sees_face, face, unmade)
        judge.zero_grad(set_to_none=True)
        found.backward()
        judge.step()
        stage.add(recipe.style_batch, cycle=cycled, fooled=fooled)


def _judged(judge: Discriminator, real: Tensor, made: Tensor) -> Tensor:
    return (_least_squares(judge(real), 1) + _least_squares(judge(made.detach()), 0)) / 2


def _least_squares(found: Tensor, wanted: float) -> Tensor:
    """CycleGAN Sec. 4: the least-squares form of the adversarial loss."""
    return (found - wanted).square().mean()
