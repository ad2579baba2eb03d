"""Dual-ATME (Zhou et al., Entropy 2023): a branch for the full face and one for its puzzle, 4,833,193 parameters.

Shapes are those of a 28×28 input and a batch of B.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Inception(nn.Module):
    """Four parallel ways with 1×1, 3×3, 5×5 and pooled views of the input, concatenated (Sec. 3.3.1, Figure 4).

    Every convolution is followed by batch norm and ReLU. Both work channel by channel, so doing them once after the
    concatenation is the same as in each way, and half as slow on a CPU; the two 1×1 reductions share one call, too.
    """

    def __init__(self, inputs: int, width: int, reduced: int = 6):
        super().__init__()
        self.reduce = nn.Sequential(nn.Conv2d(inputs, 2 * reduced, 1), nn.BatchNorm2d(2 * reduced), nn.ReLU(inplace=True))
        self.one = nn.Conv2d(inputs, width, 1)
        self.three = nn.Conv2d(reduced, width, 3, padding=1)
        self.five = nn.Conv2d(reduced, width, 5, padding=2)
        self.pooled = nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), nn.Conv2d(inputs, width, 1))
        self.norm = nn.Sequential(nn.BatchNorm2d(4 * width), nn.ReLU(inplace=True))

    def forward(self, x: Tensor) -> Tensor:
        for_three, for_five = self.reduce(x).chunk(2, dim=1)  # (B, reduced, H, W) each
        ways = [self.one(x), self.three(for_three), self.five(for_five), self.pooled(x)]
        return self.norm(torch.cat(ways, dim=1))  # (B, 4·width, H, W)


class CBAM(nn.Module):
    """Automated attention region selection: channel attention, then spatial attention (Sec. 3.3.2, Figure 5)."""

    def __init__(self, channels: int, reduction: int = 16):
        super().__init__()
        hidden = channels // reduction
        self.mlp = nn.Sequential(nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels))
        self.spatial = nn.Conv2d(2, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → the same."""
        channel = torch.sigmoid(self.mlp(x.mean((2, 3))) + self.mlp(x.amax((2, 3))))  # (B, C)
        x = x * channel[:, :, None, None]
        pooled = torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], dim=1)  # (B, 2, H, W)
        return x * torch.sigmoid(self.spatial(pooled))


class DualATME(nn.Module):
    """full_face and puzzle, each (B, 3, 28, 28) float → (logits (B, classes), V_e, V_p), V being (B, 48, 7, 7).

    The ablations of Table 1: without `hars` there is no puzzle branch and V_p is None, without `aars` no full-face
    branch with its attention and V_e is None; the classifier reads what is left. `puzzle_attention`: the puzzle's branch has one, too.
    """

    def __init__(self, classes: int = 3, dropout: float = 0.5, hars: bool = True, aars: bool = True, puzzle_attention: bool = False):
        super().__init__()
        self.full_face = branch() if aars else None
        self.attention = CBAM(48) if aars else None  # on the full face only: the puzzle was already selected by hand
        self.puzzle = branch() if hars else None
        self.puzzle_attention = CBAM(48) if hars and puzzle_attention else None
        self.classifier = nn.Sequential(
            nn.Flatten(),  # (B, 4704), half of that with one branch
            nn.Linear((aars + hars) * 48 * 7 * 7, 1024),
            nn.BatchNorm1d(1024),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(1024, classes),
        )

    def forward(self, full_face: Tensor, puzzle: Tensor) -> tuple[Tensor, Tensor | None, Tensor | None]:
        v_e = self.attention(self.full_face(full_face)) if self.full_face else None  # (B, 48, 7, 7)
        v_p = self.puzzle(puzzle) if self.puzzle else None  # (B, 48, 7, 7)
        v_p = self.puzzle_attention(v_p) if self.puzzle_attention else v_p
        logits = self.classifier(torch.cat([v for v in (v_e, v_p) if v is not None], dim=1))  # (B, classes)
        return logits, v_e, v_p


def branch() -> nn.Sequential:
    """Bi-Inception: (B, 3, 28, 28) → (B, 24, 14, 14) → (B, 48, 7, 7)."""
    return nn.Sequential(Inception(3, 6), nn.MaxPool2d(2), Inception(24, 12), nn.MaxPool2d(2))


def focal(logits: Tensor, target: Tensor, gamma: float = 2.0, weight: Tensor | None = None, evened: bool = True) -> Tensor:
    """Focal loss (Lin et al. 2017), a scalar: cross-entropy, less for what is already classified well.

    Args:
        logits: (B, K).
        target: (B, K), rows that sum to 1 (mixed labels are allowed).
        weight: (K,), how much each class counts; None: all alike.
        evened: divided by what the batch weighs; otherwise, by the number of its samples.
    """
    log_p = F.log_softmax(logits, dim=1)
    counted = target if weight is None else target * weight
    return -(counted * (1 - log_p.exp()) ** gamma * log_p).sum() / (counted.sum() if evened else len(target))


def dissimilarity(v_e: Tensor, v_p: Tensor) -> Tensor:
    """L_con = 1 − cos(V_e, V_p), mean over the batch (Sec. 3.3.3). Both (B, C, H, W)."""
    return (1 - torch.cosine_similarity(v_e.flatten(1), v_p.flatten(1), dim=1)).mean()
