"""Style aggregation (SA-AT Sec. 2.2, after Dong et al., "Style aggregated network for facial landmark detection").

For each style a CycleGAN (Zhu et al., ICCV 2017) learns to carry a face's picture into that style, from pictures that
are not paired. The style-aggregated picture is the mean over the styles. Dong et al. had their styles made with a photo
editor; here they are computed from the training pictures themselves. Pictures are RGB in [-1, 1], (B, 3, S, S).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Generator(nn.Module):
    """CycleGAN's generator (its Sec. 7.2: c7s1-w, d2w, d4w, residual blocks, u2w, uw, c7s1-3), with a way past it.

    It adds to the picture what the style changes. The original draws the whole picture anew through a quarter of the
    resolution, and what a micro-expression moves (a pixel or less) would be gone.
    """

    def __init__(self, width: int, blocks: int):
        super().__init__()
        self.change = nn.Sequential(
            *_convolution(3, width, 7),  # (B, w, S, S)
            *_convolution(width, 2 * width, 3, stride=2),
            *_convolution(2 * width, 4 * width, 3, stride=2),  # (B, 4w, S/4, S/4)
            *(Residual(4 * width) for _ in range(blocks)),
            nn.Upsample(scale_factor=2),
            *_convolution(4 * width, 2 * width, 3),
            nn.Upsample(scale_factor=2),
            *_convolution(2 * width, width, 3),
            nn.Conv2d(width, 3, 7, padding=3, padding_mode="reflect"),
        )
        self.apply(_initial)

    def forward(self, picture: Tensor) -> Tensor:
        return picture + self.change(picture)


class Residual(nn.Module):
    """Two 3×3 convolutions and the identity."""

    def __init__(self, width: int):
        super().__init__()
        self.change = nn.Sequential(*_convolution(width, width, 3), *_convolution(width, width, 3)[:-1])

    def forward(self, x: Tensor) -> Tensor:
        return x + self.change(x)


class Discriminator(nn.Module):
    """PatchGAN (CycleGAN Sec. 7.2): (B, 3, S, S) → (B, 1, about S/8, S/8), high where a patch looks real."""

    def __init__(self, width: int):
        super().__init__()
        layers = [nn.Conv2d(3, width, 4, 2, padding=1), nn.LeakyReLU(0.2)]
        for inputs, stride in ((width, 2), (2 * width, 2), (4 * width, 1)):
            layer = nn.Conv2d(inputs, 2 * inputs, 4, stride, padding=1)
            layers += [layer, nn.InstanceNorm2d(2 * inputs), nn.LeakyReLU(0.2)]
        self.patches = nn.Sequential(*layers, nn.Conv2d(8 * width, 1, 4, 1, padding=1))
        self.apply(_initial)

    def forward(self, picture: Tensor) -> Tensor:
        return self.patches(picture)


class StyleAggregation(nn.Module):
    """(B, 3, S, S) → (B, 3, S, S): the mean of the picture in each of the styles. Keys of its weights: `<style>.…`."""

    def __init__(self, styles: list[str], width: int, blocks: int):
        super().__init__()
        self.generators = nn.ModuleDict({style: Generator(width, blocks) for style in styles})

    def forward(self, picture: Tensor) -> Tensor:
        return torch.stack([generator(picture) for generator in self.generators.values()]).mean(0)


def grey(picture: Tensor) -> Tensor:
    """Without colour (ITU-R BT.601): (B, 3, H, W) in [-1, 1] → the same."""
    weights = picture.new_tensor([0.299, 0.587, 0.114])[:, None, None]
    return (picture * weights).sum(1, keepdim=True).expand(-1, 3, -1, -1)


def light(picture: Tensor) -> Tensor:
    """High-key: dark parts lifted, half of the colour left; (B, 3, H, W) in [-1, 1] → the same."""
    share = (((picture + grey(picture)) / 2 + 1) / 2).clamp(0, 1)
    return 1 - 2 * (1 - share) ** 2


def sketch(picture: Tensor) -> Tensor:
    """A pencil drawing: grey over its own blur, so that only lines remain on white ("colour dodge").

    (B, 3, H, W) in [-1, 1] → the same.
    """
    share = (grey(picture)[:, :1] + 1) / 2
    reach = max(picture.shape[-1] // 16, 1)
    padded = F.pad(share, (reach,) * 4, mode="replicate")
    blurred = F.avg_pool2d(padded, 2 * reach + 1, stride=1)
    return ((share + 0.02) / (blurred + 0.02)).clamp(0, 1).expand(-1, 3, -1, -1) * 2 - 1


STYLES = {"grey": grey, "light": light, "sketch": sketch}


def _convolution(inputs: int, outputs: int, kernel: int, stride: int = 1) -> list[nn.Module]:
    """Convolution, instance norm, ReLU."""
    layer = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, padding_mode="reflect")
    return [layer, nn.InstanceNorm2d(outputs), nn.ReLU()]


def _initial(part: nn.Module) -> None:
    """CycleGAN Sec. 7.1: a normal distribution with standard deviation 0.02."""
    if isinstance(part, nn.Conv2d):
        nn.init.normal_(part.weight, 0.0, 0.02)
        nn.init.zeros_(part.bias)
