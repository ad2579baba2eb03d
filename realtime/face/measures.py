"""What can be read off a face's points besides where they are: how the head is turned, where the eyes look, 52 movements.

Only where it is asked for (`faces.measures`), for it costs; at the pace of the landmark runs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from realtime.face.geometry import eye_opening
from realtime.face.head_pose import head_pose

# of each eye: the corner at the picture's left, the one at its right (the face being upright), the middle of the iris
EYES = (33, 133, 468), (362, 263, 473)
EYEBALL = 0.42  # its radius, in widths of the eye (12 mm of 28)


@dataclass(frozen=True, eq=False)
class Measured:
    """One face in one picture.

    Attributes:
        pts: of the picture, seconds in the source's own clock.
        confidence: that it is a face, 0…1, by the landmark network; NaN where the runner does not say.
        pose: (3,) radians, see `head_pose`.
        gaze: (2,) radians, how far the eyes are turned in the head: to the picture's right, down; the mean of both.
        eye_opening: as in `FaceView`, which may be that of an earlier picture of a face at rest.
        blendshapes: (52,) float32 in 0…1, in the order of `facemesh.blendshapes.NAMES`.
    """

    pts: float
    confidence: float
    pose: np.ndarray
    gaze: np.ndarray
    eye_opening: float
    blendshapes: np.ndarray


class Measurer:
    """`measure(points, …)` → `Measured`."""

    def __init__(self):
        """
        Raises:
            MissingPartError: the network's file is damaged or missing.
        """
        from realtime.face.facemesh import blendshapes

        self._blendshapes = blendshapes()

    def __call__(self, points: np.ndarray, size: tuple[int, int], pts: float, confidence: float) -> Measured:
        """
        Args:
            points: 478×3 float32, pixels of a picture.
            size: its width and height.
        """
        return Measured(pts, confidence, head_pose(points, *size), gaze(points), eye_opening(points[:, :2]), self._blendshapes(points))


def gaze(points: np.ndarray) -> np.ndarray:
    """(2,) radians, see `Measured`: of a ball behind each eye that carries the iris, seen straight on.

    Args:
        points: 478×2 or 478×3, pixels.
    """
    turned = []
    for left, right, iris in EYES:
        along = (points[right] - points[left]).astype(np.float64)
        width = np.linalg.norm(along)
        right_of = along[:2] / max(np.linalg.norm(along[:2]), 1e-6)
        off = (points[iris, :2] - (points[left, :2] + points[right, :2]) / 2) / max(EYEBALL * width, 1e-6)
        turned.append([off @ right_of, off @ (-right_of[1], right_of[0])])
    return np.arcsin(np.clip(np.mean(turned, axis=0), -1, 1))
