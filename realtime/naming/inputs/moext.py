"""What MoExt takes in: the onset and the apex as colour pictures of the face, 224×224 (Sec. 4.1.2). No flow."""

from __future__ import annotations

import cv2
import numpy as np

from realtime.naming.inputs.face import as_batch, crop
from realtime.records import Moments

SIZE = 224  # pixels a side of both pictures (Sec. 4.1.2); a smaller network averages them down itself

# The paper crops by dlib's points 8, 9, 25, 40 and 43, numbered from 1: chin, a brow, both inner eye corners. It does
# not say how; here they bound a square. Numbered from 0:
CHIN = (7, 8)
BROW = 24
INNER_EYES = (39, 42)
ROOM_ABOVE = 0.5  # of the distance from brow to eyes, kept above the brow so that it can rise


def inputs(moments: Moments) -> dict[str, np.ndarray]:
    """{"onset", "apex"}, each (1, 3, 224, 224) float32, RGB, whole numbers in [0, 255] (the network scales them).

    Both are cut by the onset's landmarks, so that what differs between them has moved.

    Raises:
        ValueError: landmarks of no upright face.
    """
    box = crop_box(moments.points)
    return {name: as_batch(picture(view, box)) for name, view in (("onset", moments.onset), ("apex", moments.apex))}


def crop_box(points: np.ndarray) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) of the square face in pixels, right and bottom exclusive; it may reach outside.

    From a little above the brow to the chin, centred between the inner eye corners.

    Args:
        points: 68×2 float.

    Raises:
        ValueError: the box would be empty.
    """
    middle, eyes = points[list(INNER_EYES)].mean(axis=0)
    brow, chin = points[BROW, 1], points[list(CHIN), 1].max()
    top = brow - ROOM_ABOVE * (eyes - brow)
    side = int(round(float(chin - top)))
    if side < 2 or eyes < brow:
        what = f"brow at {brow:.0f}, eyes at {eyes:.0f}, chin at {chin:.0f}"
        raise ValueError(f"68 landmarks of an upright face, got {what} (pixels from the top)")
    left, top = int(round(float(middle) - side / 2)), int(round(float(top)))
    return left, top, left + side, top + side


def picture(view: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    """The box of a view (H×W×3 uint8 BGR) as SIZE×SIZE×3 uint8 RGB."""
    face = cv2.resize(crop(view, box), (SIZE, SIZE), interpolation=cv2.INTER_LINEAR)
    return cv2.cvtColor(face, cv2.COLOR_BGR2RGB)
