"""Changes to a batch that leave its meaning alone, on normalised maps: (B, 3, 28, 28) float, 0 is "does not move"."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from realtime.naming.inputs import dual_atme
from realtime.naming.inputs.flow_map import MAP


def mirror(image: Tensor) -> Tensor:
    """The same movement in a mirrored face, (B, 3, 28, 28): left and right swapped, and u with them. Right for the puzzle too."""
    return image.flip(-1) * image.new_tensor([-1.0, 1.0, 1.0])[:, None, None]


def halves(doubled: Tensor) -> tuple[Tensor, Tensor]:
    """(2B, …) → the first and the last B of a batch that was doubled. `chunk(2)` would fix B for good in an exported file."""
    first, last = doubled.unflatten(0, (2, -1))
    return first, last


def some_mirrored(images: list[Tensor], random: torch.Generator) -> list[Tensor]:
    """Half of the batch mirrored; all views of a sample (each (B, 3, 28, 28)) alike."""
    chosen = (torch.rand(len(images[0]), 1, 1, 1, generator=random) < 0.5).to(images[0].device)
    return [torch.where(chosen, mirror(image), image) for image in images]


def affine(image: Tensor, shift: float, scale: float, rotate: float, random: torch.Generator) -> Tensor:
    """Each map of (B, 3, 28, 28) shifted (± pixels), scaled (± share) and rotated (± radians) a little: crops are never alike."""
    size = len(image)
    draw = torch.rand(5, size, generator=random).to(image.device) * 2 - 1
    angle, wide, high = draw[0] * rotate, 1 + draw[1] * scale, 1 + draw[2] * scale
    step = 2 * shift / image.shape[-1]  # affine_grid counts the picture as [-1, 1]
    cos, sin = angle.cos(), angle.sin()
    turn = torch.stack([wide * cos, -high * sin, draw[3] * step, wide * sin, high * cos, draw[4] * step])
    grid = F.affine_grid(turn.T.reshape(size, 2, 3), list(image.shape), align_corners=False)
    return F.grid_sample(image, grid, padding_mode="border", align_corners=False)


def affine_pieces(image: Tensor, shift: float, scale: float, rotate: float, random: torch.Generator) -> Tensor:
    """`affine` for puzzles cut from pictures, (B, 3, 28, 28): each piece moves inside its own frame, as landmarks err singly."""
    half = MAP // 2
    pieces = image[..., :half, :half], image[..., :half, half:], image[..., half:, :]
    left, right, mouth = (affine(piece, shift, scale, rotate, random) for piece in pieces)
    return torch.cat([torch.cat([left, right], dim=-1), mouth], dim=-2)


def puzzle(image: Tensor) -> Tensor:
    """`realtime.naming.inputs.dual_atme.puzzle` for a batch, (B, 3, 28, 28): cut again after the full face was moved."""
    flat = image.reshape(-1, MAP**2).T  # (784, 3B)
    return (_puzzle_matrix(image.device) @ flat).T.reshape(image.shape)


@cache
def _puzzle_matrix(device: torch.device) -> Tensor:
    """784×784 sparse: cutting and resizing is linear, so its matrix is what it does to each single pixel."""
    size = MAP
    pixels = np.eye(size * size, dtype=np.float32).reshape(-1, size, size, 1)
    columns = [dual_atme.puzzle(np.repeat(pixel, 3, axis=2))[..., 0].ravel() for pixel in pixels]
    return torch.from_numpy(np.stack(columns, axis=1)).to_sparse().to(device)


def mix(tensors: list[Tensor], strength: float, random: torch.Generator) -> list[Tensor]:
    """Mixup (Zhang et al. 2018): each sample blended with another; the share is Beta(strength, strength).

    tensors: (B, …) each, the labels (B, K) among them, all blended alike.
    """
    size = len(tensors[0])
    # a Beta draw as two Gamma draws, because torch's own Beta takes no generator
    shares = torch._standard_gamma(torch.full((2, size), strength), generator=random)
    share = (shares[0] / shares.sum(0)).to(tensors[0].device)
    other = torch.randperm(size, generator=random).to(tensors[0].device)
    return [t * (s := share.view(-1, *[1] * (t.ndim - 1))) + t[other] * (1 - s) for t in tensors]
