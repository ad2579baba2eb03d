"""MoExt's pre-training: the apex is rebuilt from motion and the onset's texture (Sec. 3.1, 3.3), and two losses keep
shape and texture, onset and apex apart (Sec. 3.5). Shapes as in `train.methods.moext.network`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from train.methods.moext.network import ConvBlock, MoExt, Vector, convolution, vector_length
from train.methods.moext.settings import GRID, Model

UPWARDS = (512, 256, 128, 64)  # Table 2, from 7×7 up to 112×112


class PreTraining(nn.Module):
    """A MoExt network with what it has in pre-training only: the texture branch, f of Eq. 6–8, the reconstruction."""

    def __init__(self, network: MoExt, model: Model):
        super().__init__()
        self.network = network
        channels, vector = network.channels, vector_length(model)
        # each branch (Sec. 3.2.1): a Conv block gives a map, which the motion extractor takes, and a fully connected
        # layer its vector, which the losses and the reconstruction take
        self.shape_vector = Vector(channels, vector)
        self.texture = nn.Sequential(ConvBlock(channels, channels), Vector(channels, vector))
        self.f = nn.Linear(vector, vector)  # "maps all features into the high-dimensional space": one for S and T
        self.reconstruction = reconstruction(model)

    def forward(self, onset: list[Tensor], apex: list[Tensor], recompute: bool = False) -> tuple[Tensor, ...]:
        """Expansion sets of m views each (pictures (B, 3, 224, 224) in [0, 1], the first unchanged).

        Args:
            recompute: views are gone through once more in the backward pass, and not all remembered at once.

        Returns:
            what Eq. 5–8 need: the apex as rebuilt (B, 3, 224, 224), then the vectors of shape and of texture, each (2m, B, 512),
            onsets first.
        """
        maps, shapes, textures = [], [], []
        for view in onset + apex:
            # each view for itself: batch norm then sees pictures of one kind
            made = checkpoint(self.separate, view, use_reentrant=False) if recompute else self.separate(view)
            for kept, part in zip((maps, shapes, textures), made):
                kept.append(part)
        motion = self.network.features(maps[0], maps[len(onset)])
        apex_again = self.reconstruction(torch.cat([motion, textures[0]], dim=1)[:, :, None, None])  # Eq. 4
        return apex_again, torch.stack(shapes), torch.stack(textures)

    def separate(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The feature separator (Figure 4) of (B, 3, 224, 224) in [0, 1]: S as a map and as a vector (B, D), T as a vector (B, D)."""
        generic = self.network.generic(pictures)
        shape = self.network.shape(generic)
        return shape, self.shape_vector(shape), self.texture(generic)

    def embed(self, vectors: Tensor) -> Tensor:
        """f, on the unit sphere, (…, D) → (…, D): a margin ε of 0.2 to 0.5 means little in a space without scale."""
        return F.normalize(self.f(vectors), dim=-1)


def reconstruction(model: Model) -> nn.Sequential:
    """Table 2: M ⊕ T_o (B, 1024, 1, 1) → (B, 3, 224, 224). For smaller pictures the last doublings are left out."""

    def doubled(inputs: int, out: int) -> list[nn.Module]:
        return [nn.Upsample(scale_factor=2), *convolution(inputs, out)]

    vector, last = vector_length(model), round(model.width * 32)
    layers = [*doubled(2 * vector, vector), *doubled(vector, vector), *doubled(vector, vector)]  # (B, 512, 8, 8)
    layers.append(nn.AvgPool2d(2, 1))  # (B, 512, 7, 7)
    inputs = vector
    for out in UPWARDS[: (model.size // GRID).bit_length() - 2]:
        layers += doubled(inputs, out := round(model.width * out))
        inputs = out
    for _ in range(5):
        layers.append(ConvBlock(inputs, last))  # (B, 32, 112, 112)
        inputs = last
    layers.append(nn.Upsample(scale_factor=2))  # (B, 32, 224, 224)
    # the table prints 512 outputs in the last row, and a size of 3×224×224
    return nn.Sequential(*layers, nn.Conv2d(last, 3, 3, padding=1), nn.ReLU())


def shape_texture_loss(shape: Tensor, texture: Tensor, anchor: Tensor, margin: float) -> Tensor:
    """L_st, Eq. 6: shape nearer to the mean shape than to its own texture, by the margin ε.

    Args:
        shape, texture: (2m, B, D), anchor: (D,), all mapped by f; the anchor is f of Eq. 7's mean.
    """
    return F.relu(distance(anchor, shape) - distance(shape, texture) + margin).mean()


def onset_apex_loss(shape: Tensor, margin: float) -> Tensor:
    """L_ss, Eq. 8 (L_oa in Table 7): views of one frame together, onset and apex of one clip apart by the margin ε.

    Args:
        shape: (2m, B, D) mapped by f, the m views of the onset first.
    """
    apart = distance(shape[:, None], shape[None])  # (2m, 2m, B)
    apex = torch.arange(len(shape), device=shape.device) >= len(shape) // 2
    same = (apex[:, None] == apex[None])[..., None]
    return torch.where(same, apart, F.relu(margin - apart)).mean()


def distance(one: Tensor, other: Tensor) -> Tensor:
    """Euclidean, (…, D) twice → (…); its gradient is finite where both are equal."""
    return ((one - other).square().sum(-1) + 1e-8).sqrt()
