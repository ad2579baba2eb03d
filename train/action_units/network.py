"""The estimator of action units: how the points of a face moved from onset to apex → the probability of each unit, right and left apart."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from realtime.naming.inputs.displacement import POINTS

FLOOR = 0.25  # hundredths of the outer-eye distance: movements far below this are noise, far above it differ by their direction
KNEE = 0.3


class UnitsNetwork(nn.Module):
    """moved (B, 2, POINTS), as `realtime.naming.inputs.displacement` makes it → (B, 2·sided + whole) logits.

    First right and left of each unit that FACS scores apart, in turn, then the others. One function looks at the face and at
    its mirror image: what it says of a face's right half it says of the left one's mirror image.
    """

    def __init__(self, mirror: np.ndarray, sided: int, whole: int, width: int = 192, dropout: float = 0.3):
        """
        Args:
            mirror: POINTS int, the point that each becomes in a mirror.
        """
        super().__init__()
        self.sided = sided
        self.register_buffer("mirror", torch.from_numpy(np.asarray(mirror, np.int64)))
        self.register_buffer("flip", torch.tensor([-1.0, 1.0])[:, None])
        self.look = nn.Sequential(
            nn.Linear(4 * POINTS + 1, width),
            nn.BatchNorm1d(width),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(width, width // 2),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(width // 2, sided + whole),
        )

    def forward(self, moved: Tensor) -> Tensor:
        moved = moved - moved.mean(2, keepdim=True)  # the head's own way
        one, other = self.half(moved), self.half(moved[:, :, self.mirror] * self.flip)  # (B, sided + whole)
        sides = torch.stack([one[:, : self.sided], other[:, : self.sided]], 2).flatten(1)  # R, L, R, L, …
        return torch.cat([sides, (one[:, self.sided :] + other[:, self.sided :]) / 2], 1)

    def half(self, moved: Tensor) -> Tensor:
        size = moved.square().mean((1, 2), keepdim=True).sqrt()  # (B, 1, 1)
        shape = moved / (size + FLOOR)
        amount = torch.asinh(moved / KNEE)
        return self.look(torch.cat([shape.flatten(1), amount.flatten(1), torch.log(size + 0.05).flatten(1)], 1))


class Exported(nn.Module):
    """What is exported: calibrated probabilities. slope, shift: Platt's sigmoid of each output."""

    def __init__(self, network: UnitsNetwork, slope: np.ndarray, shift: np.ndarray):
        super().__init__()
        self.network = network
        self.register_buffer("slope", torch.from_numpy(np.asarray(slope, np.float32)))
        self.register_buffer("shift", torch.from_numpy(np.asarray(shift, np.float32)))

    def forward(self, moved: Tensor) -> Tensor:
        return torch.sigmoid(self.slope * self.network(moved) + self.shift)
