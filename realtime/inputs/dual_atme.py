"""Dual-ATME's inputs: the flow map of the full face and of its puzzle, brows above mouth (Sec. 3.2).

The way: crop (Sec. 3.2.1) → TV-L1 flow and optical strain (Sec. 3.2.3) → a 28×28 flow map, each channel stretched to
0–255 → centred and smoothed → full face and puzzle (Sec. 3.2.2).
"""

from __future__ import annotations

import cv2
import numpy as np

from realtime.inputs.face import as_batch, crop, crop_box
from realtime.inputs.flow_map import MAP, flow_map, normalise
from realtime.records import Moments

# The puzzle's regions (top, bottom, left, right) in flow-map pixels. The training maps come without pictures, so the
# regions are fixed in the crop's own geometry: its top, sides and bottom are set by brows, cheeks and chin, which puts
# brows at rows 2–5, upper lids at row 5, the mouth at rows 16–22. They are mirror images of each other, so that the
# puzzle of a mirrored map is the mirrored puzzle.
LEFT_BROW = (0, 7, 2, 13)
RIGHT_BROW = (0, 7, 15, 26)
MOUTH = (14, 24, 4, 24)


def from_moments(moments: Moments) -> dict[str, np.ndarray]:
    """{"full_face", "puzzle"}, each (1, 3, 28, 28) float32, the puzzle cut from the full face's flow map, see `from_map`."""
    box = crop_box(moments.points)  # the paper, too, crops both frames by the onset's landmarks
    return from_map(flow_map(crop(moments.onset, box), crop(moments.apex, box)))


def from_map(flow: np.ndarray) -> dict[str, np.ndarray]:
    """A flow map (28×28×3 in [0, 255]) as Dual-ATME's inputs: {"full_face", "puzzle"}, each (1, 3, 28, 28) float32."""
    full = normalise(flow)
    return {name: as_batch(image) for name, image in (("full_face", full), ("puzzle", puzzle(full)))}


def puzzle(image: np.ndarray) -> np.ndarray:
    """28×28×3 → 28×28×3: both brows, 14×14 each, above the mouth, 14×28 (Sec. 3.2.2)."""
    half = MAP // 2
    left, right = (_region(image, box, half, half) for box in (LEFT_BROW, RIGHT_BROW))
    return np.vstack([np.hstack([left, right]), _region(image, MOUTH, MAP, half)])


def _region(image: np.ndarray, box: tuple[int, int, int, int], width: int, height: int) -> np.ndarray:
    top, bottom, left, right = box
    return cv2.resize(image[top:bottom, left:right], (width, height), interpolation=cv2.INTER_LINEAR)
