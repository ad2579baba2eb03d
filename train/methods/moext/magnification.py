"""Learning-based motion magnification (Oh et al., ECCV 2018): the shape encoder and the manipulator, without texture
and decoder (SKD-TSTSAN Sec. 3.1), and how its published weights are fitted to other pictures than RGB.

Shapes are those of 48×48 pictures and a batch of B.
"""

from __future__ import annotations

import pickle
from pathlib import Path

import torch
from torch import Tensor, nn

from realtime.errors import UsageError
from train.data.augment import halves
from train.methods.skd_tstsan.settings import need_magnet

UNUSED = ("encoder.texture_", "decoder.")  # parts of the published network that no stream has
NOT_PUBLISHED = "encoder.motion_cba.conv2d.weight"  # the one layer that the file lacks, see Encoder


class Convolution(nn.Module):
    """Reflection padding, a convolution without bias, ReLU where asked for."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, relu: bool = True):
        super().__init__()
        self.conv2d = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, padding_mode="reflect", bias=False)
        self.relu = relu

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) → (B, outputs, H / stride, W / stride)."""
        x = self.conv2d(x)
        return x.relu() if self.relu else x


class Residual(nn.Module):
    def __init__(self, width: int = 32):
        super().__init__()
        self.cba_1 = Convolution(width, width, 3)
        self.cba_2 = Convolution(width, width, 3, relu=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, H, W) → the same."""
        return x + self.cba_2(self.cba_1(x))


class Encoder(nn.Module):
    """A picture (B, channels, 48, 48) in [−1, 1] → its shape representation (B, 32, 24, 24).

    `motion_cba` is in SKD-TSTSAN's network (its 2,946,214 parameters count it) but not in the published weights, whose
    network has none. It starts as the identity and has no ReLU, so that the encoder starts as the published one.
    No layer has a bias: a picture of zeros is encoded as zeros.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.cba_1 = Convolution(channels, 16, 7)  # (B, 16, 48, 48)
        self.cba_2 = Convolution(16, 32, 3, stride=2)  # (B, 32, 24, 24)
        self.resblks = nn.Sequential(*[Residual() for _ in range(3)])
        self.motion_cba = Convolution(32, 32, 3, relu=False)
        self.motion_resblks = nn.Sequential(*[Residual() for _ in range(2)])
        nn.init.dirac_(self.motion_cba.conv2d.weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.motion_resblks(self.motion_cba(self.resblks(self.cba_2(self.cba_1(x)))))


class Manipulator(nn.Module):
    """Eq. 1: G_m(M_a, M_b, α) = M_a + h(α · g(M_b − M_a)). g: convolution, ReLU; h: convolution, residual block.

    g is 7×7 in the published weights, where the paper's text has 3×3.
    """

    def __init__(self):
        super().__init__()
        self.g = Convolution(32, 32, 7)
        self.h_conv = Convolution(32, 32, 3, relu=False)
        self.h_resblk = Residual()

    def forward(self, before: Tensor | None, after: Tensor, amplification: float) -> Tensor:
        """`before` may be None: the representation of no movement, which is zero."""
        difference = after if before is None else after - before
        magnified = self.h_resblk(self.h_conv(amplification * self.g(difference)))
        return magnified if before is None else before + magnified


class Magnifier(nn.Module):
    """Two pictures (B, channels, 48, 48) in [−1, 1], before and after → the magnified shape (B, 32, 24, 24)."""

    def __init__(self, channels: int, amplification: float = 2.0):
        super().__init__()
        self.encoder = Encoder(channels)
        self.manipulator = Manipulator()
        self.amplification = amplification

    def forward(self, before: Tensor | None, after: Tensor) -> Tensor:
        """One picture, with what came before it.

        Args:
            before: None for a flow field, whose before is no movement, zero.
        """
        if before is None:
            return self.manipulator(None, self.encoder(after), self.amplification)
        shapes = self.encoder(torch.cat([before, after]))  # one pass for both
        return self.manipulator(*halves(shapes), self.amplification)

    def load_published(self, file: Path) -> None:
        """Start from the published weights. Every parameter of this network takes its own from the file, but one.

        Raises:
            UsageError: a key, which is named, is missing, has another shape, or belongs to nothing known.
        """
        published = read(file)
        own = self.state_dict()
        for key, weight in own.items():
            if key == NOT_PUBLISHED and key not in published:
                continue
            if key not in published:
                raise UsageError(f"{file} has no '{key}': expected the weights of Oh et al.'s magnification network")
            found = published.pop(key)
            if key == "encoder.cba_1.conv2d.weight":
                found = adapt(found, weight.shape[1])
            if found.shape != weight.shape:
                raise UsageError(f"{file}: '{key}' is {tuple(found.shape)}, expected {tuple(weight.shape)}")
            weight.copy_(found)
        stray = [key for key in published if not key.startswith(UNUSED)]
        if stray:
            raise UsageError(f"{file}: '{stray[0]}' has no place in the magnification network: is it of another?")


def adapt(rgb: Tensor, channels: int) -> Tensor:
    """The first convolution (16, 3, 7, 7) for `channels` instead of RGB: (16, channels, 7, 7).

    A grey picture is an RGB one with three equal channels, so one channel takes the sum over RGB and the network gives
    exactly what it gives for the grey picture. Several channels share that sum: each gets it over √channels, which
    keeps the spread of what comes out, and signs of its own in the 16 filters (columns of a Hadamard matrix, so no two
    channels have the same): were all alike, the filters would see nothing but the mean of all face blocks.
    """
    grey = rgb.sum(1, keepdim=True)
    if channels == 1:
        return grey
    signs = hadamard(16, grey)[:, torch.arange(channels) % 16]  # (16, channels)
    return grey * (signs / channels**0.5)[:, :, None, None]


def hadamard(size: int, like: Tensor) -> Tensor:
    """Sylvester's matrix of ±1 with orthogonal columns, size×size; `size` is a power of two."""
    matrix = like.new_ones(1, 1)
    while len(matrix) < size:
        matrix = torch.cat([torch.cat([matrix, matrix], 1), torch.cat([matrix, -matrix], 1)])
    return matrix


def read(file: Path) -> dict[str, Tensor]:
    """The published weights, float32 by name.

    Raises:
        UsageError: the file is missing, or holds no weights.
    """
    file = Path(file)
    need_magnet(file)
    try:
        found = torch.load(file, map_location="cpu", weights_only=True)
        return {key.removeprefix("module."): weight.float() for key, weight in found.items()}
    except (OSError, RuntimeError, EOFError, AttributeError, pickle.UnpicklingError) as error:
        why = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UsageError(f"{file} is no file of weights ({why}): get magnet.pth again") from error
