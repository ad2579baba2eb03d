"""What SA-AT looks at: the face at the apex, in colour (Sec. 3.3); or beside it the same face at the onset."""

from __future__ import annotations

import cv2
import numpy as np

from realtime.naming.inputs.face import as_batch, crop, crop_box
from realtime.records import Moments

SIZE = 256  # pixels a side (Sec. 3.3)


def from_moments(moments: Moments) -> dict[str, np.ndarray]:
    """{"apex", "onset"}, each (1, 3, 256, 256) float32, RGB, whole numbers in [0, 255].

    Both are cut by the onset's landmarks, so that what differs between them is movement and light, not the crop.

    Raises:
        ValueError: the landmarks bound no face.
    """
    box = crop_box(moments.points)
    return {"apex": _face(moments.apex, box), "onset": _face(moments.onset, box)}


def from_moments_apex(moments: Moments) -> dict[str, np.ndarray]:
    """{"apex": (1, 3, 256, 256) float32} as in `from_moments`: the paper's input."""
    return {"apex": _face(moments.apex, crop_box(moments.points))}


def _face(view: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    face = cv2.resize(crop(view, box), (SIZE, SIZE), interpolation=cv2.INTER_LINEAR)
    return as_batch(cv2.cvtColor(face, cv2.COLOR_BGR2RGB))
