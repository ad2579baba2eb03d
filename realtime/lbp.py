"""What a region of a face looks like, as histograms: local binary patterns, and the distance between two of them."""

from __future__ import annotations

import cv2
import numpy as np

from realtime.geometry import to_68

BINS = 59  # 58 uniform patterns of 8 neighbours, and one bin for all others (Ojala et al. 2002)
REGIONS = ("left eye", "right eye", "mouth")  # left and right of the picture
BLUR = 2.0  # aligned pixels: LBP compares neighbours, so sensor noise must go before it
CELLS = (2, 3)  # rows, columns that a region is cut into, so that motion inside it changes a histogram


def smooth_grey(pixels: np.ndarray) -> np.ndarray:
    """A view's pixels (H×W×3 uint8 BGR) as histograms take them: H×W uint8 grey, blurred."""
    return cv2.GaussianBlur(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), (0, 0), BLUR)


def _uniform_codes() -> np.ndarray:
    """256 → bin number: patterns with at most two changes around the circle have their own bin."""
    bits = (np.arange(256)[:, None] >> np.arange(8)) & 1
    uniform = (bits != np.roll(bits, 1, axis=1)).sum(axis=1) <= 2
    codes = np.full(256, BINS - 1, np.uint8)
    codes[uniform] = np.arange(uniform.sum())
    return codes


_CODES = _uniform_codes()
_AROUND = [(-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1)]


def local_binary_patterns(grey: np.ndarray) -> np.ndarray:
    """Uniform LBP codes of radius 1. `grey`: H×W uint8 → (H−2)×(W−2) uint8 in [0, BINS)."""
    height, width = grey.shape
    centre = grey[1:-1, 1:-1]
    pattern = np.zeros(centre.shape, np.uint8)
    for bit, (dy, dx) in enumerate(_AROUND):
        neighbour = grey[1 + dy : height - 1 + dy, 1 + dx : width - 1 + dx]
        pattern |= (neighbour >= centre).view(np.uint8) << bit
    return _CODES[pattern]


def regions(landmarks: np.ndarray) -> list[tuple[int, int, int, int]]:
    """The three regions of SA-AT Algorithm 1 as (left, top, right, bottom), from 478×2 landmarks.

    Each eye region spans the brow and the eye, the mouth region the lips and the skin around their corners.
    """
    points = to_68(landmarks)
    boxes = []
    for group, grow_x, grow_up, grow_down in (
        (np.r_[17:22, 36:42], 0.10, 0.35, 0.10),
        (np.r_[22:27, 42:48], 0.10, 0.35, 0.10),
        (np.r_[48:60], 0.25, 0.35, 0.35),
    ):
        (left, top), (right, bottom) = points[group].min(axis=0), points[group].max(axis=0)
        width, height = right - left, bottom - top
        box = left - grow_x * width, top - grow_up * height, right + grow_x * width, bottom + grow_down * height
        boxes.append(tuple(int(round(side)) for side in box))
    return boxes


class RegionHistograms:
    """Counts LBP codes in the cells of the three regions of one anchored face."""

    def __init__(self, boxes: list[tuple[int, int, int, int]], shape: tuple[int, int]):
        """`boxes` in pixels of the grey picture of `shape` (height, width) that will be given."""
        rows, columns = CELLS
        self._bins = rows * columns * BINS
        self._regions: list[tuple[tuple[slice, slice], np.ndarray]] = []  # (pixels with a rim of 1, first bin of each)
        for left, top, right, bottom in boxes:
            top, bottom = max(top, 1), min(bottom, shape[0] - 1)
            left, right = max(left, 1), min(right, shape[1] - 1)
            row = np.arange(max(bottom - top, 1)) * rows // max(bottom - top, 1)
            column = np.arange(max(right - left, 1)) * columns // max(right - left, 1)
            first = (row[:, None] * columns + column) * BINS
            place = slice(top - 1, top + len(row) + 1), slice(left - 1, left + len(column) + 1)
            self._regions.append((place, first.astype(np.int32)))

    def __call__(self, grey: np.ndarray) -> np.ndarray:
        """`grey`: H×W uint8 → regions × (cells·BINS) float32, each cell's counts."""
        counts = [
            np.bincount((first + local_binary_patterns(grey[place])).ravel(), minlength=self._bins)
            for place, first in self._regions
        ]
        return np.array(counts, np.float32)


def distance(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """SA-AT Eq. 1 for each region: one minus the cosine of the two histograms.

    Both …×bins, non-negative → … in [0, 1]; 0 where they have the same shape.
    """
    product = (first * second).sum(axis=-1)
    norm = np.sqrt((first**2).sum(axis=-1) * (second**2).sum(axis=-1))
    return np.clip(1.0 - product / np.maximum(norm, 1e-12), 0.0, 1.0)
