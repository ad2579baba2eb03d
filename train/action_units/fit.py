"""Training the estimator of action units, what its confidence is worth, and from which confidence on a unit is told."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional as F

from train.action_units.collect import Pairs
from train.action_units.network import UnitsNetwork
from train.action_units.settings import Recipe
from train.compute import CPU, Compute
from train.measure.metrics import f1_of

LEAST, MOST = 0.3, 0.8  # a threshold lies between these: F1 alone would have units of the lids told that are mostly blinks


def fit(pairs: Pairs, mirror: np.ndarray, sided: int, recipe: Recipe, seed: int = 0, compute: Compute = CPU) -> UnitsNetwork:
    """A network trained on these pairs, in evaluation mode, on the CPU."""
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    network = UnitsNetwork(mirror, sided, pairs.shown.shape[1] - 2 * sided, recipe.width, recipe.dropout).to(compute.device)
    moved, shown = torch.from_numpy(pairs.moved), torch.from_numpy(pairs.shown.astype(np.float32))
    optimizer = torch.optim.AdamW(network.parameters(), recipe.lr, weight_decay=recipe.decay)
    steps = recipe.epochs * (len(pairs) // recipe.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.lr, steps)
    network.train()
    for _ in range(recipe.epochs):
        order = torch.from_numpy(random.permutation(len(pairs)))
        for rows in order.split(recipe.batch)[: len(pairs) // recipe.batch]:
            some = moved[rows] * torch.exp(recipe.louder * torch.randn(len(rows), 1, 1))
            some = (some + recipe.tremble * torch.randn_like(some)).to(compute.device)
            with compute.autocast():
                loss = F.binary_cross_entropy_with_logits(network(some), shown[rows].to(compute.device))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
    return network.eval().cpu()


def logits(network: UnitsNetwork, pairs: Pairs) -> np.ndarray:
    """N×OUTPUTS float32."""
    with torch.inference_mode():
        return network(torch.from_numpy(pairs.moved)).numpy()


def calibrated(said: np.ndarray, shown: np.ndarray, sided: int) -> tuple[np.ndarray, np.ndarray]:
    """(slope, shift) of each output, OUTPUTS float32 each: Platt's sigmoid, one for both sides of a unit.

    Args:
        said: N×OUTPUTS logits for people that the network was not trained on.
        shown: N×OUTPUTS bool.
    """
    from sklearn.linear_model import LogisticRegression

    slope, shift = np.ones(said.shape[1], np.float32), np.zeros(said.shape[1], np.float32)
    for columns in groups(sided, said.shape[1]):
        line = LogisticRegression(C=100.0).fit(said[:, columns].reshape(-1, 1), shown[:, columns].reshape(-1))
        slope[columns], shift[columns] = line.coef_[0, 0], line.intercept_[0]
    return slope, shift


def thresholds(probability: np.ndarray, shown: np.ndarray, sided: int) -> np.ndarray:
    """OUTPUTS float32: for each unit the confidence that gives the best F1 on these, one for both sides."""
    chosen = np.zeros(shown.shape[1], np.float32)
    for columns in groups(sided, shown.shape[1]):
        tried = np.round(np.arange(LEAST, MOST + 0.01, 0.02), 2)
        f1 = [f1_of(np.any(probability[:, columns] >= least, 1), np.any(shown[:, columns], 1)) for least in tried]
        chosen[columns] = tried[int(np.argmax(np.convolve(np.pad(f1, 2, mode="edge"), np.ones(5) / 5, "valid")))]
    return chosen


def groups(sided: int, width: int) -> list[list[int]]:
    """The outputs of each unit."""
    return [[2 * unit, 2 * unit + 1] for unit in range(sided)] + [[column] for column in range(2 * sided, width)]
