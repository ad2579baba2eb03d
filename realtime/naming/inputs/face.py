"""The face in an aligned view: which part of it the papers look at."""

from __future__ import annotations

import cv2
import numpy as np


def crop_box(points: np.ndarray) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) of the face in pixels, right and bottom exclusive; it may reach outside the picture.

    Dual-ATME Sec. 3.2.1: cheeks (points 1, 15) and chin (8) bound it; above, point 19 less d, the mean distance from brow to
    upper lid (Eq. 2).

    Args:
        points: 68×2 float, numbered from 0.

    Raises:
        ValueError: the box would be empty.
    """
    x, y = points[:, 0], points[:, 1]
    d = ((y[38] - y[20]) + (y[43] - y[23])) / 2
    left, top, right, bottom = (int(round(float(side))) for side in (x[1], y[19] - d, x[15], y[8]))
    if right - left < 2 or bottom - top < 2:
        raise ValueError(f"68 landmarks of an upright face, got ones that bound the box {(left, top, right, bottom)}")
    return left, top, right, bottom


def crop(pixels: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    """The box cut out of H×W×3 pixels, to be read: a part of them where it lies within. Where it reaches outside, the border is
    repeated: no movement, same geometry."""
    left, top, right, bottom = box
    if 0 <= top < bottom <= pixels.shape[0] and 0 <= left < right <= pixels.shape[1]:
        return pixels[top:bottom, left:right]
    rows = np.clip(np.arange(top, bottom), 0, pixels.shape[0] - 1)
    columns = np.clip(np.arange(left, right), 0, pixels.shape[1] - 1)
    return pixels[rows[:, None], columns]


def grey(face: np.ndarray, size: int) -> np.ndarray:
    """H×W×3 uint8 BGR → size×size uint8 grey."""
    return cv2.resize(cv2.cvtColor(face, cv2.COLOR_BGR2GRAY), (size, size), interpolation=cv2.INTER_AREA)


def as_batch(image: np.ndarray) -> np.ndarray:
    """H×W×C uint8 or float32 → (1, C, H, W) float32, contiguous."""
    return np.stack(cv2.split(image), dtype=np.float32, casting="safe")[None]
