"""From two views of a face to what a network takes in. Training calls these very functions.

The way: crop (Dual-ATME Sec. 3.2.1) → TV-L1 flow and optical strain (Sec. 3.2.3) → a 28×28 flow map, each channel
stretched to 0–255 → centred and smoothed → full face and puzzle (Sec. 3.2.2).
"""

from __future__ import annotations

import cv2
import numpy as np

from engines.flow import tvl1

FACE = 128  # pixels a side at which the flow is computed
MAP = 28  # pixels a side of the flow map, and of each network input

# The puzzle's regions (top, bottom, left, right) in flow-map pixels. The training maps come without pictures, so the
# regions are fixed in the crop's own geometry: its top, sides and bottom are set by brows, cheeks and chin, which puts
# brows at rows 2–5, upper lids at row 5, the mouth at rows 16–22. They are mirror images of each other, so that the
# puzzle of a mirrored map is the mirrored puzzle.
LEFT_BROW = (0, 7, 2, 13)
RIGHT_BROW = (0, 7, 15, 26)
MOUTH = (14, 24, 4, 24)

# Sigma of the Gaussian, in flow-map pixels. What tells the classes apart is broad; finer detail is noise that is learnt.
SMOOTHING = 2.0


def dual_atme(onset: np.ndarray, apex: np.ndarray, points: np.ndarray) -> dict[str, np.ndarray]:
    """Inputs of Dual-ATME: {"full_face", "puzzle"}, each (1, 3, 28, 28) float32, see `from_map`.

    onset, apex: H×W×3 uint8 BGR, two views of one anchor. points: 68×2 float, the 68-point landmarks of the onset
    in the views' pixels (the paper, too, crops both frames by the onset's landmarks).
    """
    box = crop_box(points)
    return from_map(flow_map(crop(onset, box), crop(apex, box)))


def crop_box(points: np.ndarray) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) of the face in pixels, right and bottom exclusive; it may reach outside the picture.

    Dual-ATME Sec. 3.2.1: cheeks (points 1, 15) and chin (8) bound it; above, point 19 less d, the mean distance from
    brow to upper lid (Eq. 2). points: 68×2 float, numbered from 0. Raises ValueError where the box would be empty.
    """
    x, y = points[:, 0], points[:, 1]
    d = ((y[38] - y[20]) + (y[43] - y[23])) / 2
    left, top, right, bottom = (int(round(float(side))) for side in (x[1], y[19] - d, x[15], y[8]))
    if right - left < 2 or bottom - top < 2:
        raise ValueError(f"68 landmarks of an upright face, got ones that bound the box {(left, top, right, bottom)}")
    return left, top, right, bottom


def crop(pixels: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    """The box cut out of H×W×3 pixels. Where it reaches outside, the border is repeated: no movement, same geometry."""
    left, top, right, bottom = box
    rows = np.clip(np.arange(top, bottom), 0, pixels.shape[0] - 1)
    columns = np.clip(np.arange(left, right), 0, pixels.shape[1] - 1)
    return pixels[rows[:, None], columns]


def flow_map(onset_face: np.ndarray, apex_face: np.ndarray) -> np.ndarray:
    """28×28×3 float32 in [0, 255]: (u, v, optical strain) from onset to apex, each channel stretched over its range.

    The faces are H×W×3 uint8 BGR crops of one box. The stretch loses sign and size of the flow; a channel without any
    variation becomes 0. Sec. 3.2.3, strain as in STSTNet.
    """
    onset, apex = (
        cv2.resize(cv2.cvtColor(face, cv2.COLOR_BGR2GRAY), (FACE, FACE), interpolation=cv2.INTER_AREA)
        for face in (onset_face, apex_face)
    )
    flow = tvl1(onset, apex)  # 128×128×2
    field = np.dstack([flow, strain(flow)])
    small = cv2.resize(field, (MAP, MAP), interpolation=cv2.INTER_AREA)
    low, high = small.min((0, 1)), small.max((0, 1))
    return ((small - low) * (255 / np.maximum(high - low, 1e-6))).astype(np.float32)


def strain(flow: np.ndarray) -> np.ndarray:
    """H×W magnitude of the strain tensor ½(∇f + ∇fᵀ) of an H×W×2 flow: √(ε_xx² + ε_yy² + 2ε_xy²)."""
    u_y, u_x = np.gradient(flow[..., 0])
    v_y, v_x = np.gradient(flow[..., 1])
    return np.sqrt(u_x**2 + v_y**2 + 0.5 * (u_y + v_x) ** 2)


def from_map(flow: np.ndarray) -> dict[str, np.ndarray]:
    """A flow map (28×28×3 in [0, 255]) as Dual-ATME's inputs: {"full_face", "puzzle"}, each (1, 3, 28, 28) float32."""
    full = normalise(flow)
    return {name: as_batch(image) for name, image in (("full_face", full), ("puzzle", puzzle(full)))}


def normalise(flow: np.ndarray) -> np.ndarray:
    """28×28×3 in [0, 255] → 28×28×3 float32 in about [-2, 2]: smoothed, each channel less its median, over 128.

    The median is where the still part of the face lies after the stretch, so 0 again means "does not move", and
    mirroring is a flip with u negated.
    """
    smooth = cv2.GaussianBlur(np.asarray(flow, np.float32), (0, 0), SMOOTHING, borderType=cv2.BORDER_REPLICATE)
    return (smooth - np.median(smooth, axis=(0, 1))) / np.float32(128)


def puzzle(image: np.ndarray) -> np.ndarray:
    """28×28×3 → 28×28×3: both brows, 14×14 each, above the mouth, 14×28 (Sec. 3.2.2)."""
    half = MAP // 2
    left, right = (_region(image, box, half, half) for box in (LEFT_BROW, RIGHT_BROW))
    return np.vstack([np.hstack([left, right]), _region(image, MOUTH, MAP, half)])


def as_batch(image: np.ndarray) -> np.ndarray:
    """H×W×C → (1, C, H, W) float32, contiguous."""
    return np.ascontiguousarray(image.transpose(2, 0, 1)[None], np.float32)


def _region(image: np.ndarray, box: tuple[int, int, int, int], width: int, height: int) -> np.ndarray:
    top, bottom, left, right = box
    return cv2.resize(image[top:bottom, left:right], (width, height), interpolation=cv2.INTER_LINEAR)
