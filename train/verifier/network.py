"""The spotter's verifier: the last second and a half of a face's movement → what has just ended, and when it began."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from realtime.spotting.verify import CHANNELS, CLASSES, TIMES, WINDOW


class VerifierNetwork(nn.Module):
    """window (B, CHANNELS, WINDOW), as `realtime.spotting.verify` makes it → (B, 6 logits + 3 times).

    Times are seconds since the onset, the apex and the offset of a micro-expression, in this order and so ordered.
    """

    def __init__(self, width: int = 96, dropout: float = 0.2):
        super().__init__()
        # fixed from the training people, so that the exported file takes raw inputs
        self.register_buffer("mean", torch.zeros(1, CHANNELS, 1))
        self.register_buffer("scale", torch.ones(1, CHANNELS, 1))

        def block(into: int, out: int) -> list[nn.Module]:
            return [nn.Conv1d(into, out, 5, stride=2, padding=2), nn.BatchNorm1d(out), nn.ReLU(), nn.Dropout(dropout)]

        self.time = nn.Sequential(*block(CHANNELS, width), *block(width, width), *block(width, width))
        self.head = nn.Sequential(nn.Linear(width * WINDOW // 8, 64), nn.ReLU(), nn.Dropout(dropout))
        self.classes = nn.Linear(64, len(CLASSES))
        self.times = nn.Linear(64, len(TIMES))

    def forward(self, window: Tensor) -> tuple[Tensor, Tensor]:
        # a lost point may fly off: beyond eight deviations it says no more than that
        x = ((window - self.mean) / self.scale).clamp(-8, 8)  # (B, CHANNELS, WINDOW)
        x = self.head(self.time(x).flatten(1))  # (B, 64)
        since_offset, fall, rise = (0.2 * F.softplus(self.times(x))).unbind(1)
        times = torch.stack([since_offset + fall + rise, since_offset + fall, since_offset], 1)
        return self.classes(x), times


class Exported(nn.Module):
    """What is exported: probabilities and times in one row, (B, 6 + 3). `shift` moves the logit of "micro"."""

    def __init__(self, network: VerifierNetwork, slope: float, shift: float):
        super().__init__()
        self.network, self.slope, self.shift = network, slope, shift

    def forward(self, window: Tensor) -> Tensor:
        logits, times = self.network(window)
        scores = logits.softmax(1)
        micro = scores[:, :1].clamp(1e-6, 1 - 1e-6)
        calibrated = torch.sigmoid(self.slope * torch.log(micro / (1 - micro)) + self.shift)
        others = scores[:, 1:] / (1 - micro) * (1 - calibrated)
        return torch.cat([calibrated, others, times], 1)
