"""LBP-TOP (Zhao and Pietikäinen 2007): local binary patterns in space and in time, as the papers' baseline has them.

The settings are those of SA-AT Sec. 3.3: the sequence interpolated to ten frames, four neighbours at radius 1 in x and
y and 4 in time, a grid of 5×5 blocks without overlap.
"""

from __future__ import annotations

import numpy as np

from realtime.naming.inputs.face import crop, crop_box, grey
from realtime.naming.inputs.tim import interpolate
from realtime.records import Moments

LENGTH = 10  # frames after interpolation (TIM)
RADIUS = 1  # pixels, in x and y
REACH = 4  # frames, in time
GRID = 5  # blocks a side
FACE = 5 * 25 + 2 * RADIUS  # pixels a side of the face: blocks of 25×25, and a rim for the neighbours
BINS = 2**4  # patterns of four neighbours


def inputs(moments: Moments) -> dict[str, np.ndarray]:
    """{"histograms": (1, 1200) float32}, see `lbp_top`.

    Raises:
        ValueError: only onset, apex and offset are at hand.
    """
    if moments.between is None:
        raise ValueError("LBP-TOP reads the frames between onset and offset, which are not at hand here: use another network")
    box = crop_box(moments.points)  # of the onset: the face must not move with its own crop
    frames = interpolate(np.stack([grey(crop(view, box), FACE) for view in moments.between]), LENGTH)
    volume = np.clip(np.rint(frames), 0, 255).astype(np.uint8)  # whole grey levels again: equal neighbours stay equal
    return {"histograms": lbp_top(volume)[None]}


def lbp_top(volume: np.ndarray) -> np.ndarray:
    """LENGTH×FACE×FACE uint8 → (5·5·3·16,) float32: block by block, the histograms of the planes XY, XT and YT.

    Each histogram sums to 1. Centres are the pixels that have all their neighbours.
    """
    inner, middle = slice(RADIUS, -RADIUS), slice(REACH, -REACH)
    centre = volume[middle, inner, inner]

    def neighbour(axis: int, step: int) -> np.ndarray:
        place = [middle, inner, inner]
        reach = REACH if axis == 0 else RADIUS
        place[axis] = slice(reach + step, volume.shape[axis] - reach + step)
        return volume[tuple(place)] >= centre

    t, y, x = ((neighbour(axis, -reach), neighbour(axis, reach)) for axis, reach in enumerate((REACH, RADIUS, RADIUS)))
    row = np.arange(centre.shape[1]) * GRID // centre.shape[1]
    block = row[:, None] * GRID + row
    planes = []
    for first, second in ((x, y), (x, t), (y, t)):
        code = sum(bit.astype(np.int64) << place for place, bit in enumerate((*first, *second)))
        count = np.bincount((block * BINS + code).ravel(), minlength=GRID**2 * BINS).reshape(GRID**2, BINS)
        planes.append(count / count.sum(axis=1, keepdims=True))
    return np.stack(planes, axis=1).ravel().astype(np.float32)
