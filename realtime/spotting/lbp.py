"""What a region of a face looks like, as histograms: local binary patterns, and the distance between two of them."""

from __future__ import annotations

import cv2
import numpy as np

from engines.compiled import compiled
from realtime.face.geometry import to_68

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


@compiled
def _code(grey: np.ndarray, codes: np.ndarray, y: int, x: int) -> int:
    """The bin of the pixel at (y, x), which must not lie on the rim."""
    centre = grey[y, x]
    pattern = (
        (grey[y - 1, x - 1] >= centre)
        | (grey[y - 1, x] >= centre) << 1
        | (grey[y - 1, x + 1] >= centre) << 2
        | (grey[y, x + 1] >= centre) << 3
        | (grey[y + 1, x + 1] >= centre) << 4
        | (grey[y + 1, x] >= centre) << 5
        | (grey[y + 1, x - 1] >= centre) << 6
        | (grey[y, x - 1] >= centre) << 7
    )
    return codes[pattern]


@compiled
def _patterns(grey: np.ndarray, codes: np.ndarray) -> np.ndarray:
    height, width = grey.shape
    out = np.empty((height - 2, width - 2), np.uint8)
    for y in range(height - 2):
        for x in range(width - 2):
            out[y, x] = _code(grey, codes, y + 1, x + 1)
    return out


@compiled
def _count(grey: np.ndarray, codes: np.ndarray, boxes: np.ndarray, rows: int, columns: int, bins: int) -> np.ndarray:
    counts = np.zeros((len(boxes), rows * columns * bins), np.float32)
    for region in range(len(boxes)):
        left, top, width, height = boxes[region]
        for y in range(height):
            row = y * rows // height * columns
            for x in range(width):
                cell = row + x * columns // width
                counts[region, cell * bins + _code(grey, codes, top + y, left + x)] += 1
    return counts


def local_binary_patterns(grey: np.ndarray) -> np.ndarray:
    """Uniform LBP codes of radius 1.

    Args:
        grey: H×W uint8.

    Returns:
        (H−2)×(W−2) uint8 in [0, BINS).
    """
    return _patterns(np.ascontiguousarray(grey), _CODES)


def regions(landmarks: np.ndarray) -> list[tuple[int, int, int, int]]:
    """The three regions of SA-AT Algorithm 1 as (left, top, right, bottom), from 478×2 landmarks.

    Each eye region spans the brow and the eye, the mouth region the lips and the skin around their corners.
    """
    points = to_68(landmarks)
    boxes: list[tuple[int, int, int, int]] = []
    for group, grow_x, grow_up, grow_down in (
        (np.r_[17:22, 36:42], 0.10, 0.35, 0.10),
        (np.r_[22:27, 42:48], 0.10, 0.35, 0.10),
        (np.r_[48:60], 0.25, 0.35, 0.35),
    ):
        (left, top), (right, bottom) = points[group].min(axis=0), points[group].max(axis=0)
        width, height = right - left, bottom - top
        sides = left - grow_x * width, top - grow_up * height, right + grow_x * width, bottom + grow_down * height
        left, top, right, bottom = (int(round(side)) for side in sides)
        boxes.append((left, top, right, bottom))
    return boxes


class RegionHistograms:
    """Counts LBP codes in the cells of the three regions of one anchored face."""

    def __init__(self, boxes: list[tuple[int, int, int, int]], shape: tuple[int, int]):
        """`boxes` in pixels of the grey picture of `shape` (height, width) that will be given."""
        kept = []
        for left, top, right, bottom in boxes:  # a rim of one pixel stays free: its pixels have no eight neighbours
            left, top = (min(max(side, 1), size - 2) for side, size in ((left, shape[1]), (top, shape[0])))
            right, bottom = min(right, shape[1] - 1), min(bottom, shape[0] - 1)
            kept.append((left, top, max(right - left, 1), max(bottom - top, 1)))
        self._boxes = np.array(kept)  # (left, top, width, height)

    def __call__(self, grey: np.ndarray) -> np.ndarray:
        """
        Args:
            grey: H×W uint8.

        Returns:
            regions × (cells·BINS) float32, each cell's counts.
        """
        return _count(grey, _CODES, self._boxes, *CELLS, BINS)


def distance(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """SA-AT Eq. 1 for each region: one minus the cosine of the two histograms.

    Both …×bins, non-negative → … in [0, 1]; 0 where they have the same shape.
    """
    product = (first * second).sum(axis=-1)
    norm = np.sqrt((first**2).sum(axis=-1) * (second**2).sum(axis=-1))
    return np.clip(1.0 - product / np.maximum(norm, 1e-12), 0.0, 1.0)
