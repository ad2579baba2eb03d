"""Ten training steps of a method at its paper's sizes, on random samples: a child of `mer-bench gpu`.

python -P -m train.bench.gpu.training METHOD [fp32|bf16]
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.optim.optimizer import register_optimizer_step_post_hook

from realtime.cli.terminal import percentiles
from realtime.errors import MerError
from train.compute import Compute, compute
from train.data.samples import Samples
from train.methods import method
from train.methods.moext.magnification import Magnifier
from train.settings import chosen
from train.watch import Watch

STEPS = 10
CLASSES = ("negative", "positive", "surprise")
# so many samples, and what of the full recipe is another (Dual-ATME's is then the paper's): one batch an epoch, as many epochs as steps
SIZES: dict[str, tuple[int, dict[str, Any]]] = {
    "skd_tstsan": (16, {"pretrain_iterations": 0, "iterations": STEPS}),
    "moext": (20, {"pretrain_epochs": STEPS, "epochs": STEPS, "copies": 1, "recompute": False}),
    "dual_atme": (128, {"epochs": STEPS, "batch": 128, "mixup": 0.0, "shift": 0.0, "scale": 0.0, "rotate": 0.0, "balance": 0.0}),
    "sa_at": (64, {"teacher_epochs": STEPS, "epochs": 3, "style_iterations": STEPS, "chunk": 64, "recompute": False}),
    "ststnet": (256, {"epochs": STEPS}),
    "kernel_ridge": (512, {}),
}
SHAPES: dict[str, dict[str, tuple[tuple[int, ...], type]]] = {
    "skd_tstsan": {"stack": ((38, 48, 48), np.float32)},
    "moext": {"onset": ((3, 224, 224), np.uint8), "apex": ((3, 224, 224), np.uint8)},
    "dual_atme": {"full_face": ((3, 28, 28), np.float32), "puzzle": ((3, 28, 28), np.float32)},
    "sa_at": {"apex": ((3, 256, 256), np.uint8), "onset": ((3, 256, 256), np.uint8)},
    "ststnet": {"full_face": ((3, 28, 28), np.float32)},
    "kernel_ridge": {"full_face": ((3, 28, 28), np.float32)},
}


class Steps(Watch):
    """When each step of each stage ended: {stage: [seconds]}."""

    def __init__(self):
        self.ends: dict[str, list[float]] = {}
        self._stage = ""

    def begin(self, stage: str, epochs: int) -> None:
        self._stage = stage
        self.ends[stage] = []

    def note(self, *_) -> None:
        """Told by torch after every optimiser's step."""
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        if self._stage in self.ends:
            self.ends[self._stage].append(time.perf_counter())


def measure(name: str, where: Compute, count: int | None = None, **changed: Any) -> Steps:
    """Train it on `count` random samples.

    Args:
        changed: what of the recipe is other than in SIZES.
    """
    size, recipe = SIZES[name]
    settings, watch = chosen(f"model={name}"), Steps()
    recipe, model = replace(settings.fit, **(recipe | changed)), settings.model
    hook = register_optimizer_step_post_hook(watch.note)
    try:
        with tempfile.TemporaryDirectory() as folder:
            if hasattr(model, "magnet"):  # the time does not depend on what the weights are
                model.magnet = str(Path(folder) / "magnet.pth")
                torch.save(Magnifier(3).state_dict(), model.magnet)
            method(name).fit(made(name, count or size), model, recipe, 0, watch, where)
    finally:
        hook.remove()
    return watch


def made(name: str, count: int) -> Samples:
    """Random inputs of a method, three classes; for SA-AT as many faces again, for its teacher."""
    random = np.random.default_rng(0)
    kind = np.array(["micro"] * count + ["macro"] * (count if name == "sa_at" else 0))
    inputs = {
        key: random.integers(0, 256, (len(kind), *shape), dtype) if dtype is np.uint8 else random.random((len(kind), *shape), dtype)
        for key, (shape, dtype) in SHAPES[name].items()
    }
    person = np.array([f"made/{row % 8}" for row in range(len(kind))])
    return Samples(inputs, np.arange(len(kind)) % len(CLASSES), person, np.full(len(kind), "made"), kind, person, CLASSES)


def main(name: str, precision: str = "fp32") -> None:
    """Print the median of each stage's steps, and the most memory that was used."""
    where, begun = compute("auto", precision), time.perf_counter()
    torch.set_num_threads((os.cpu_count() or 1) if where.on_gpu else 1)
    steps = measure(name, where)
    taken = time.perf_counter() - begun
    for stage, ends in steps.ends.items():
        if len(ends) > 2:
            (half,) = percentiles(list(1000 * np.diff(ends)[1:]), 50)
            print(f"{stage}: {half:.1f} ms a step, median of {len(ends) - 2}")
    print(f"all in all {taken:.1f} s on {where.device.type}, {precision}, torch {torch.__version__}")
    if where.on_gpu:
        print(f"most memory: {torch.cuda.max_memory_allocated() / 2**30:.1f} GiB")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except MerError as error:
        sys.exit(str(error))
