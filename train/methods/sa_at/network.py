"""SA-AT (Zhou, Mao, Xue, "Cross-database micro-expression recognition: a style aggregated and attention transfer
approach", ICME 2019 workshops).

A ResNet teacher learns facial expressions (Eq. 3); a shallower ResNet student learns micro-expressions while its
attention maps are drawn to the teacher's (Eq. 4). Both look through the same `Front`. S is its working size.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from train.data.augment import halves


class Block(nn.Module):
    """Two 3×3 convolutions and the identity (He et al. 2016, Sec. 4.2: shortcuts without parameters, option A)."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.stride, self.more = stride, outputs - inputs
        self.first = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.first_norm = nn.BatchNorm2d(outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.second_norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        straight = x
        if self.more:
            straight = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.more))
        x = torch.relu(self.first_norm(self.first(x)))
        return torch.relu(straight + self.second_norm(self.second(x)))


class ResNet(nn.Module):
    """The CIFAR type of depth 6n + 2: (B, channels, S, S) → (logits (B, classes), attention maps of its three groups).

    The groups give (B, w, S, S), (B, 2w, S/2, S/2), (B, 4w, S/4, S/4): at any depth the maps have the same sizes.

    Args:
        recompute: blocks are computed again in the backward pass instead of kept, a fraction of the memory.
    """

    def __init__(self, channels: int, classes: int, depth: int = 110, width: int = 16, recompute: bool = False):
        super().__init__()
        self.recompute = recompute
        first = nn.Conv2d(channels, width, 3, padding=1, bias=False)
        self.stem = nn.Sequential(first, nn.BatchNorm2d(width), nn.ReLU())
        groups, inputs, more = [], width, (depth - 2) // 6 - 1
        for outputs, stride in ((width, 1), (2 * width, 2), (4 * width, 2)):
            blocks = [Block(inputs, outputs, stride)] + [Block(outputs, outputs, 1) for _ in range(more)]
            groups.append(nn.Sequential(*blocks))
            inputs = outputs
        self.groups = nn.ModuleList(groups)
        self.classifier = nn.Linear(inputs, classes)
        self.apply(initial)

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        x = self.stem(x)
        maps = []
        for group in self.groups:
            for block in group:
                again = self.recompute and self.training and torch.is_grad_enabled()
                x = checkpoint(block, x, use_reentrant=False) if again else block(x)
            maps.append(attention(x))
        return self.classifier(x.mean((2, 3))), maps


def attention(features: Tensor) -> Tensor:
    """Eq. 2, F(A) = Σ_j |A^j|, in vectorized form over its norm, as Eq. 4 compares it: (B, J, H, W) → (B, H·W)."""
    return F.normalize(features.abs().sum(1).flatten(1), dim=1)


def attention_transfer(student: list[Tensor], teacher: list[Tensor]) -> Tensor:
    """Eq. 4's second term without β: ½ Σ_j ‖Q_S/‖Q_S‖ − Q_T/‖Q_T‖‖₂, mean over the batch: a scalar.

    Both are what `attention` gives of each group, (B, H·W).
    """
    # the root has no slope at 0, where the two agree
    apart = [((s - t).square().sum(1) + 1e-12).sqrt().mean() for s, t in zip(student, teacher, strict=True)]
    return torch.stack(apart).sum() / 2


class Front(nn.Module):
    """What teacher and student see: faces, (B, 3, 256, 256) RGB in [0, 255] → (B, channels, S, S).

    Args:
        size: S, by averaging.
        style: a network (B, 3, S, S) in [-1, 1] → the style-aggregated picture (Sec. 2.2), or None.
        difference: False takes and gives the apex alone, as the paper (3 channels). True takes the onset, too, and adds what has
            changed since (6 channels): apex − onset after the aggregation, less its mean over the picture (a change of light is
            no movement), over its own deviation. This departs from the paper: an unknown face's apex alone does not say what has
            moved.
    """

    def __init__(self, size: int, difference: bool, style: nn.Module | None = None):
        super().__init__()
        self.size, self.difference, self.style = size, difference, style
        self.channels = 6 if difference else 3

    def forward(self, apex: Tensor, onset: Tensor | None = None) -> Tensor:
        apex = self._picture(apex)
        if not self.difference:
            return apex
        changed = apex - self._picture(onset)
        changed = changed - changed.mean((2, 3), keepdim=True)
        deviation = changed.square().mean((1, 2, 3), keepdim=True).sqrt()
        return torch.cat([apex, (changed / (deviation + LEAST)).clamp(-8, 8)], dim=1)

    def _picture(self, face: Tensor) -> Tensor:
        small = reduced(face, self.size)
        return small if self.style is None else self.style(small)


# deviation of the difference, pictures being in [-1, 1]: what is stiller is not blown up to a movement
LEAST = 0.002


def reduced(face: Tensor, size: int) -> Tensor:
    """(B, 3, n·size, n·size) in [0, 255] → (B, 3, size, size) in [-1, 1]."""
    factor = face.shape[-1] // size
    return (F.avg_pool2d(face, factor) if factor > 1 else face) / 127.5 - 1


class SAAT(nn.Module):
    """What is exported: the faces that its `Front` takes → probabilities (B, classes); with `mirror`, averaged over the face
    and its mirror image."""

    def __init__(self, front: Front, student: ResNet, mirror: bool):
        super().__init__()
        self.front, self.student, self.mirror = front, student, mirror

    def forward(self, apex: Tensor, onset: Tensor | None = None) -> Tensor:
        seen = self.front(apex, onset)
        if not self.mirror:
            return self.student(seen)[0].softmax(1)
        straight, mirrored = halves(self.student(torch.cat([seen, seen.flip(-1)]))[0].softmax(1))
        return (straight + mirrored) / 2


def initial(part: nn.Module) -> None:
    """Sec. 3.2: a normal distribution with standard deviation 0.02."""
    if isinstance(part, nn.Conv2d | nn.Linear):
        nn.init.normal_(part.weight, 0.0, 0.02)
        if part.bias is not None:
            nn.init.zeros_(part.bias)
