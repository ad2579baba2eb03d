"""One face in a picture, measured for warping: its axes, its rim, its openings (eyes and mouth)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

# fmt: off - a table, a number a line would hide it
OVAL = [
    10,
    338,
    297,
    332,
    284,
    251,
    389,
    356,
    454,
    323,
    361,
    288,
    397,
    365,
    379,
    378,
    400,
    377,
    152,
    148,
    176,
    149,
    150,
    136,
    172,
    58,
    132,
    93,
    234,
    127,
    162,
    21,
    54,
    103,
    67,
    109,
]
# each opening: its upper and its lower edge from one corner to the other
OPENINGS = {
    "mouth": ([78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308], [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308]),
    "right": ([33, 246, 161, 160, 159, 158, 157, 173, 133], [33, 7, 163, 144, 145, 153, 154, 155, 133]),
    "left": ([362, 398, 384, 385, 386, 387, 388, 466, 263], [362, 382, 381, 380, 374, 373, 390, 249, 263]),
}
BROWS = {"right": [46, 53, 52, 65, 55], "left": [285, 295, 282, 283, 276]}  # their lower edges
# fmt: on
EYES = ("right", "left")


@dataclass(frozen=True, eq=False)
class Face:
    """landmarks: 478×3, x and y in pixels of the picture, z in the same scale (smaller = nearer).
    shape: (height, width) of the picture.

    Face axes: `u` along the eyes to the picture's right, `v` towards the chin, both in outer-eye distances from the
    point midway between the outer eye corners.
    """

    landmarks: np.ndarray
    shape: tuple[int, int]

    @cached_property
    def scale(self) -> float:
        """The outer-eye distance, pixels."""
        return float(np.linalg.norm(self.landmarks[263, :2] - self.landmarks[33, :2]))

    @cached_property
    def axes(self) -> np.ndarray:
        """2×2: the unit vectors of u and v in the picture, as rows."""
        along = (self.landmarks[263, :2] - self.landmarks[33, :2]) / self.scale
        return np.array([along, [-along[1], along[0]]])

    def to_face(self, points: np.ndarray) -> np.ndarray:
        """Pixels (…×2) → (u, v)."""
        middle = (self.landmarks[263, :2] + self.landmarks[33, :2]) / 2
        return (points - middle) @ self.axes.T / self.scale

    @cached_property
    def mesh(self) -> np.ndarray:
        """The landmarks as (u, v): 478×2."""
        return self.to_face(self.landmarks[:, :2])

    @cached_property
    def width(self) -> float:
        """From cheek to cheek at the ears, pixels."""
        return float(np.linalg.norm(self.landmarks[454, :2] - self.landmarks[234, :2]))

    @cached_property
    def inside(self) -> np.ndarray:
        """Distance from the rim, positive inside the face oval, outer-eye distances: height×width float32."""
        mask = np.zeros(self.shape, np.uint8)
        cv2.fillPoly(mask, [np.round(self.landmarks[OVAL, :2] * 16).astype(np.int32)], 1, shift=4)
        within, without = (cv2.distanceTransform(m, cv2.DIST_L2, 5) for m in (mask, 1 - mask))
        return ((within - without) / self.scale).astype(np.float32)

    def inside_at(self, points: np.ndarray) -> np.ndarray:
        """`inside` at any pixel positions (…×2), those beyond the picture taking its nearest edge."""
        at = points.astype(np.float32).reshape(1, -1, 2) if points.ndim < 3 else points.astype(np.float32)
        found = cv2.remap(self.inside, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return found.reshape(points.shape[:-1])

    def opening(self, name: str, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where the edges of an opening lie: v of the upper and the lower edge at each `u`.

        Beyond the corners both follow the corner's height, so that above and below stay defined there.
        """
        upper, lower = (self.mesh[ids] for ids in OPENINGS[name])
        top = np.interp(u, upper[:, 0], upper[:, 1])
        bottom = np.interp(u, lower[:, 0], lower[:, 1])
        top, bottom = np.minimum(top, bottom), np.maximum(top, bottom)
        if name in EYES:
            # the mesh's lids lie a little inside the eye: without this, slices of iris would ride on them
            wide = np.minimum((bottom - top) / 0.05, 1)
            top, bottom = top - 0.006 * wide, bottom + 0.005 * wide
        return top, bottom

    def corners(self, name: str) -> tuple[float, float]:
        """u of an opening's two corners."""
        ids = OPENINGS[name][0]
        return float(self.mesh[ids[0], 0]), float(self.mesh[ids[-1], 0])

    def brow(self, name: str, u: np.ndarray) -> np.ndarray:
        """v of a brow's lower edge at each `u`."""
        points = self.mesh[BROWS[name]]
        return np.interp(u, points[:, 0], points[:, 1])


def smoothstep(x: np.ndarray) -> np.ndarray:
    """0 below 0, 1 above 1, a smooth cubic between."""
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)
