"""Where networks are trained: the one place that turns the settings `device` and `precision` into torch's own.

Random numbers are drawn on the CPU whatever the device, so that a seed draws the same batches and changes everywhere;
only noise as large as the pictures is drawn where they lie.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from engines.device import switched_off
from realtime.errors import MerError, MissingPartError

if TYPE_CHECKING:
    from train.data.samples import Samples
    from train.settings import TrainSettings

SHARE = 0.25  # of the GPU's free memory that one array of samples may take


@dataclass(frozen=True)
class Compute:
    """Where, and in what numbers, networks are trained.

    Attributes:
        device: where networks and batches lie.
        precision: "fp32", or "bf16": layers that bear it compute in bfloat16.
    """

    device: torch.device = torch.device("cpu")
    precision: str = "fp32"

    @property
    def on_gpu(self) -> bool:
        return self.device.type == "cuda"

    def hold(self, array: np.ndarray | Tensor) -> Held:
        """N×…: its rows, to be had on the device."""
        return Held(torch.from_numpy(array) if isinstance(array, np.ndarray) else array, self)

    def autocast(self) -> AbstractContextManager:
        """For the forward pass and the loss. Weights and what the optimiser keeps stay fp32."""
        return torch.autocast(self.device.type, torch.bfloat16) if self.precision == "bf16" else nullcontext()

    @contextmanager
    def spoken_for(self) -> Iterator[None]:
        """What the GPU refuses in the block comes out as MerError, in one line: too little memory, or a fault of the driver."""
        try:
            yield
        except (torch.OutOfMemoryError, torch.AcceleratorError) as error:
            if isinstance(error, torch.OutOfMemoryError):
                what = "has too little memory for this: take fewer workers, a smaller fit.batch, precision=bf16 or device=cpu"
            else:
                what = f"failed ({str(error).strip().splitlines()[0]}): run again, or take device=cpu"
            raise MerError(f"the GPU {what}. Finished folds are kept") from error

    def large(self, random: torch.Generator) -> torch.Generator:
        """What draws noise as large as the pictures: `random` itself on the CPU, one of the GPU's own beside it there."""
        return torch.Generator(self.device).manual_seed(random.initial_seed()) if self.on_gpu else random


class Held:
    """Rows of an array, on the device: as a whole where it fits, else sent batch by batch while the GPU computes."""

    def __init__(self, array: Tensor, compute: Compute):
        self._device, self._stays = compute.device, compute.on_gpu and not _fits(array, compute.device)
        self._array = array if self._stays else array.to(compute.device)

    def __getitem__(self, rows: Tensor) -> Tensor:
        """rows: indices, on the CPU."""
        if self._stays:
            return self._array[rows].pin_memory().to(self._device, non_blocking=True)
        return self._array[rows.to(self._device)]

    def __len__(self) -> int:
        return len(self._array)


CPU = Compute()


def compute(device: str, precision: str) -> Compute:
    """What the settings `device` and `precision` come to here.

    Args:
        device: "auto" is the GPU where torch finds one and MER_NO_GPU is not set.

    Raises:
        MissingPartError: "cuda" is asked for and torch finds none.
    """
    found = torch.cuda.is_available()
    if device == "cuda" and not found:
        why = "is built for the CPU alone" if torch.version.cuda is None else "finds no NVIDIA GPU or driver"
        raise MissingPartError(f"device=cuda: torch {torch.__version__} {why}; take device=cpu, or auto")
    wanted = device == "cuda" or device == "auto" and found and not switched_off()
    return Compute(torch.device("cuda" if wanted else "cpu"), precision)


def threads(settings: TrainSettings, alone: bool = False) -> int:
    """How many of torch's threads a network gets.

    One where it computes on the CPU (folds run side by side, and a seed always gives the same weights), its share of the cores where
    they only feed a GPU.

    Args:
        alone: there are no other folds.
    """
    if not compute(settings.device, settings.precision).on_gpu:
        return 1
    cores = os.cpu_count() or 1
    others = {"inline": 1, "processes": settings.workers, "ray": cores}[settings.launcher]
    return cores if alone else max(1, cores // others)


def of(network: torch.nn.Module) -> torch.device:
    """Where a network lies."""
    return next((part.device for group in (network.parameters(), network.buffers()) for part in group), CPU.device)


def predict(network: torch.nn.Module, samples: Samples, batch: int = 32) -> np.ndarray:
    """Probabilities, N×classes float32, of a network as `train.methods` make them."""
    return answers(network, samples, batch)[""]


def answers(network: torch.nn.Module, samples: Samples, batch: int = 32) -> dict[str, np.ndarray]:
    """Those of the classifier that answers under "", and of each other that the network has (its method `answers`) under its name."""
    training, device = network.training, of(network)
    network.eval()
    ask = getattr(network, "answers", lambda *rows: {"": network(*rows)})
    found: dict[str, list[np.ndarray]] = {}
    with torch.inference_mode():
        for start in range(0, len(samples), batch):
            rows = (torch.from_numpy(array[start : start + batch]).to(device).float() for array in samples.inputs.values())
            for name, probabilities in ask(*rows).items():
                found.setdefault(name, []).append(probabilities.cpu().numpy())
    network.train(training)
    return {name: np.concatenate(parts) for name, parts in found.items()} or {"": np.zeros((0, len(samples.classes)), np.float32)}


def _fits(array: Tensor, device: torch.device) -> bool:
    return array.numel() * array.element_size() <= SHARE * torch.cuda.mem_get_info(device)[0]
