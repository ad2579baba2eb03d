"""MoExt (Li et al., arXiv 2407.07345): shape features of onset and apex → motion features → class (Sec. 3.2, 3.4).

Shapes are those of 224×224 pictures and full width, for a batch of B. `width` multiplies every number of channels,
`size` and `stages` change the maps. What the paper's text leaves open is said where it is decided.

In pre-training the apex is rebuilt from motion and the onset's texture (Sec. 3.1, 3.3), and two losses keep shape and texture, onset
and apex apart (Sec. 3.5).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from realtime.naming.inputs.moext import SIZE
from train.data.augment import halves
from train.methods.moext.settings import GRID, Model

BACKBONE = (64, 128, 256, 512)  # channels of its Conv blocks, as in the authors' code
UPWARDS = (512, 256, 128, 64)  # Table 2, of the reconstruction, from 7×7 up to 112×112
VECTOR = 512  # length of M, S and T where they are vectors (Table 2)


class ConvBlock(nn.Sequential):
    """Table 1: twice Conv(out, 3, 1), batch norm, ReLU."""

    def __init__(self, inputs: int, out: int):
        super().__init__(*convolution(inputs, out), *convolution(out, out))


def convolution(inputs: int, out: int) -> list[nn.Module]:
    return [nn.Conv2d(inputs, out, 3, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU(inplace=True)]


class Vector(nn.Module):
    """A map (B, C, h, w) → one vector (B, 512), through a fully connected layer.

    Averaged to 7×7 cells first, not to one: where a face moves tells as much as how.
    """

    def __init__(self, channels: int, out: int):
        super().__init__()
        self.linear = nn.Linear(channels * GRID * GRID, out)

    def forward(self, features: Tensor) -> Tensor:
        return self.linear(F.avg_pool2d(features, features.shape[-1] // GRID).flatten(1))


class MotionExtractor(nn.Module):
    """Eq. 2–3: ΔS = |S_a − S_o|, M = C2(C1(ΔS) ⊕ S_a). All maps (B, 512, 14, 14)."""

    def __init__(self, channels: int):
        super().__init__()
        self.c1 = ConvBlock(channels, channels)
        self.c2 = ConvBlock(2 * channels, channels)

    def forward(self, shape_o: Tensor, shape_a: Tensor) -> Tensor:
        difference = (shape_a - shape_o).abs()
        return self.c2(torch.cat([self.c1(difference), shape_a], dim=1))


class Difference(nn.Module):
    """What stands in where the motion extractor is left out (Sec. 4.3): ΔS alone."""

    def forward(self, shape_o: Tensor, shape_a: Tensor) -> Tensor:
        """(B, C, H, W) twice → the same."""
        return (shape_a - shape_o).abs()


class MoExt(nn.Module):
    """onset, apex: (B, 3, 224, 224) RGB in [0, 255] → logits (B, classes). Sec. 3.4: there is no texture branch."""

    def __init__(self, model: Model, classes: int, dropout: float = 0.0):
        super().__init__()
        self.size, self.fold = model.size, model.fold
        widths = [round(model.width * out) for out in BACKBONE[: model.stages]]
        self.channels = channels = widths[-1]
        vector = vector_length(model)
        inputs = [3 * model.fold**2, *widths]
        pool = {"max": nn.MaxPool2d, "mean": nn.AvgPool2d}[model.pool]
        layers: list[tuple[nn.Module, ...]] = [(ConvBlock(*pair), pool(2)) for pair in zip(inputs, widths)]
        if model.fold == 2:  # the folded picture is already half the size: the first pool is not needed
            layers[0] = layers[0][:1]
        self.backbone = nn.Sequential(*(layer for stage in layers for layer in stage))
        self.shape = ConvBlock(channels, channels)  # the shape branch, (B, 512, 14, 14)
        self.motion = MotionExtractor(channels) if model.motion_extractor else Difference()
        self.vector = Vector(channels, vector)
        # the text does not say what classifies M
        self.classifier = nn.Sequential(nn.ReLU(), nn.Dropout(dropout), nn.Linear(vector, classes))

    def forward(self, onset: Tensor, apex: Tensor) -> Tensor:
        return self.logits(self.picture(onset), self.picture(apex))

    def picture(self, frame: Tensor) -> Tensor:
        """(B, 3, 224, 224) in [0, 255] → (B, 3, size, size) in [0, 1]."""
        return F.avg_pool2d(frame, SIZE // self.size) / 255

    def logits(self, onset: Tensor, apex: Tensor) -> Tensor:
        """Pictures (B, 3, size, size) in [0, 1] → (B, classes)."""
        generic = self.generic(torch.cat([onset, apex]))  # both frames in one go
        shape_o, shape_a = halves(self.shape(generic))
        return self.classifier(self.features(shape_o, shape_a))

    def generic(self, pictures: Tensor) -> Tensor:
        """Pictures → the backbone's generic features, which both branches start from: (B, 512, 14, 14)."""
        return self.backbone(F.pixel_unshuffle(pictures, self.fold))

    def features(self, shape_o: Tensor, shape_a: Tensor) -> Tensor:
        """Maps of shape features → the motion features M, (B, 512)."""
        return self.vector(self.motion(shape_o, shape_a))


def vector_length(model: Model) -> int:
    return round(model.width * VECTOR)


class Answer(nn.Module):
    """What is exported: probabilities (B, classes); with `mirror`, averaged over the face and its mirror image."""

    def __init__(self, network: MoExt, mirror: bool):
        super().__init__()
        self.network, self.mirror = network, mirror

    def forward(self, onset: Tensor, apex: Tensor) -> Tensor:
        """(B, 3, 224, 224) in [0, 255] twice → probabilities (B, classes)."""
        if not self.mirror:
            return self.network(onset, apex).softmax(1)
        both = torch.cat([onset, onset.flip(-1)]), torch.cat([apex, apex.flip(-1)])
        straight, mirrored = halves(self.network(*both).softmax(1))
        return (straight + mirrored) / 2


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
        maps: list[Tensor] = []
        shapes: list[Tensor] = []
        textures: list[Tensor] = []
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
        shape: (2m, B, D), mapped by f.
        texture: (2m, B, D), mapped by f.
        anchor: (D,), f of Eq. 7's mean.
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
