"""STSTNet (Liong et al., FG 2019): a shallow network of three streams over the flow map, 1,683 parameters."""

from __future__ import annotations

import torch
from torch import Tensor, nn

FILTERS = (3, 5, 8)  # one stream each


class STSTNet(nn.Module):
    """full_face (B, 3, 28, 28) float → logits (B, classes)."""

    def __init__(self, classes: int = 3, dropout: float = 0.5):
        super().__init__()
        self.streams = nn.ModuleList(stream(filters, dropout) for filters in FILTERS)
        self.pool = nn.AvgPool2d(2)
        self.classifier = nn.Linear(sum(FILTERS) * 5 * 5, classes)

    def forward(self, full_face: Tensor) -> Tensor:
        x = torch.cat([one(full_face) for one in self.streams], dim=1)  # (B, 16, 10, 10)
        return self.classifier(self.pool(x).flatten(1))  # (B, 16, 5, 5) → (B, classes)


def stream(filters: int, dropout: float) -> nn.Sequential:
    """(B, 3, 28, 28) → (B, filters, 10, 10): all three flow channels at once, hence the paper's "three-dimensional"."""
    return nn.Sequential(
        nn.Conv2d(3, filters, 3, padding=2),  # 30×30
        nn.ReLU(),
        nn.BatchNorm2d(filters),
        nn.MaxPool2d(3, stride=3, padding=1),  # 10×10
        nn.Dropout(dropout),
    )
