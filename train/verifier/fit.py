"""Training the spotter's verifier on the series of synthetic people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from realtime.spotting.verify import AWAY, CLASSES, WINDOW, centred, mirrored
from train.compute import CPU, Compute
from train.verifier.collect import Recording
from train.verifier.network import VerifierNetwork

MICRO = CLASSES.index("micro")
POSITIVE = 0.25  # share of a batch that is micro-expressions; what that does to the probabilities is calibrated away
TIMES_WEIGHT = 4.0
LOUDNESS = 0.35  # standard deviation of the log of a factor on all displacements: people move more or less


@dataclass(frozen=True)
class Recipe:
    """steps of `batch` windows, `lr` at its height. width, dropout: the network's. tremble: most noise on every place, hundredths of
    the outer-eye distance; followed points have 0.03 of their own. more: share of each batch that comes from the second set."""

    steps: int = 8000
    batch: int = 256
    width: int = 96
    dropout: float = 0.2
    tremble: float = 0.04
    more: float = 0.0
    lr: float = 2e-3


class Windows:
    """Every moment of several recordings that has half a window before it: index i → (window, label, since)."""

    def __init__(self, recordings: list[Recording]):
        self._columns = np.concatenate([r.columns for r in recordings])
        starts = np.cumsum([0] + [len(r.t) for r in recordings[:-1]])
        self._begins = np.concatenate([r.begins + start for r, start in zip(recordings, starts, strict=True)])
        self.label = np.concatenate([r.label for r in recordings])
        self.since = np.concatenate([r.since for r in recordings]).astype(np.float32)
        ready = np.arange(len(self.label)) - self._begins >= WINDOW // 2
        self.all = np.flatnonzero(ready)
        self.micro = np.flatnonzero(ready & (self.label == MICRO))
        self.others = np.flatnonzero(ready & (self.label != MICRO) & (self.label >= 0))

    def take(self, index: np.ndarray) -> np.ndarray:
        """(len(index), CHANNELS, WINDOW) float32, as the live loop makes them."""
        back = np.arange(WINDOW - 1, -1, -1)
        rows = np.maximum(index[:, None] - back, self._begins[index][:, None])
        return centred(self._columns[rows].transpose(0, 2, 1))


def fit(
    recordings: list[Recording],
    recipe: Recipe = Recipe(),
    more: list[Recording] | None = None,
    start: VerifierNetwork | None = None,
    seed: int = 0,
    compute: Compute = CPU,
) -> VerifierNetwork:
    """A verifier trained on these recordings, in evaluation mode, on the CPU.

    more: the second set, which may hold no micro-expression. start: a trained network to go on with; it is changed.
    """
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    windows = Windows(recordings)
    network = (start or begun(windows, recipe, random)).to(compute.device)
    optimizer = torch.optim.AdamW(network.parameters(), recipe.lr, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.lr, recipe.steps)
    second = round(recipe.more * recipe.batch)
    parts = [(windows, recipe.batch - second), *([(Windows(more), second)] if second else [])]
    network.train()
    for _ in range(recipe.steps):
        drawn = [batch_of(part, many, random) for part, many in parts]
        window, label, true = (np.concatenate(arrays) for arrays in zip(*drawn, strict=True))
        arrays = augmented(window, random, recipe.tremble), label, true
        window, label, true = (torch.from_numpy(array).to(compute.device) for array in arrays)
        micro = label == MICRO
        with compute.autocast():
            logits, times = network(window)
            late = F.smooth_l1_loss(times, true, beta=0.02, reduction="none").mean(1)
            loss = F.cross_entropy(logits, label) + TIMES_WEIGHT * (late * micro).sum() / micro.sum().clamp_min(1)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
    return network.eval().cpu()


def begun(windows: Windows, recipe: Recipe, random: np.random.Generator) -> VerifierNetwork:
    """A new network, with the mean and the scale of what is no micro-expression."""
    network = VerifierNetwork(recipe.width, recipe.dropout)
    some = torch.from_numpy(windows.take(random.choice(windows.others, min(4000, len(windows.others)))))
    network.mean.copy_(some.mean((0, 2), keepdim=True))
    network.scale.copy_(some.std((0, 2), keepdim=True).clamp_min(0.05))
    return network


def batch_of(windows: Windows, many: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(windows, labels, seconds since onset, apex and offset), POSITIVE of them micro-expressions where there are any."""
    positives = round(POSITIVE * many) if len(windows.micro) else 0
    index = np.concatenate([random.choice(windows.micro, positives), random.choice(windows.others, many - positives)])
    return windows.take(index), windows.label[index], windows.since[index]


def augmented(window: np.ndarray, random: np.random.Generator, tremble: float) -> np.ndarray:
    """Half of the windows (B×CHANNELS×WINDOW float32) mirrored, each louder or softer, every place trembling."""
    flip = random.random(len(window)) < 0.5
    window[flip] = mirrored(window[flip])
    places = window[:, :40]
    louder = np.exp(LOUDNESS * random.standard_normal((len(window), 1, 1), np.float32))
    places *= louder
    window[:, AWAY] *= louder[:, 0]
    places += tremble * random.random((len(window), 1, 1), np.float32) * random.standard_normal(places.shape, np.float32)
    return window
