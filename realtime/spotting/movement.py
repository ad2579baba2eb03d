"""What moves in a face: its parts followed from picture to picture, the samples that are kept, and a movement made of them.

A histogram says that something changed; a displacement says what moved where, to a few hundredths of a pixel, and
back again. It is what tells a raised brow from a blink. A movement begins when parts of the face begin to move and
ends when they come to rest: where they were, or anywhere else. Lengths are outer-eye distances.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from realtime.face.geometry import OUTER_EYES

# Parts of the face and the mesh points that stand for each (left and right of the picture). A part's displacement is
# the mean over its points.
PARTS: dict[str, tuple[int, ...]] = {
    "left inner brow": (107, 55),
    "left middle brow": (105, 66),
    "left outer brow": (70, 63),
    "right inner brow": (336, 285),
    "right middle brow": (334, 296),
    "right outer brow": (300, 293),
    "glabella": (9,),
    "left upper lid": (159,),
    "right upper lid": (386,),
    "left lower lid": (145,),
    "right lower lid": (374,),
    "left nose wing": (129,),
    "right nose wing": (358,),
    "left cheek": (50, 205),
    "right cheek": (280, 425),
    "left mouth corner": (61, 206),
    "right mouth corner": (291, 426),
    "upper lip": (0, 37, 267),
    "lower lip": (17, 84, 314),
    "chin": (199, 208, 428),
}
NO_LIDS = [i for i, name in enumerate(PARTS) if "lid" not in name]
MIRRORED = [  # the part that each part becomes in a mirror
    list(PARTS).index(name.replace("left", "?").replace("right", "left").replace("?", "right")) for name in PARTS
]
IDS = np.array([point for points in PARTS.values() for point in points])
POOL = np.zeros((len(PARTS), len(IDS)), np.float32)
for _row, _points in enumerate(PARTS.values()):
    POOL[_row, np.isin(IDS, _points)] = 1 / len(_points)
FOLLOW: dict[str, Any] = dict(winSize=(21, 21), maxLevel=2, criteria=(cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 12, 0.03))
REFRESH_SECONDS = 1.0  # a reference picture ages with the light


class PointFollower:
    """Follows the parts of one anchored face from a first view on."""

    def __init__(self, grey: np.ndarray, landmarks: np.ndarray, pts: float):
        """
        Args:
            grey: ALIGNED×ALIGNED uint8.
            landmarks: 478×2 in its pixels.
        """
        self._reference, self._taken = grey, pts
        self._start = landmarks[IDS].astype(np.float32)
        self._moved = np.zeros_like(self._start)  # of the reference, since the first view

    def __call__(self, grey: np.ndarray, pts: float, at_rest: bool) -> np.ndarray:
        """Displacement of each part since the first view: PARTS×2 float32 (x right, y down), outer-eye distances."""
        points = self._start + self._moved
        now, _, _ = cv2.calcOpticalFlowPyrLK(self._reference, grey, points, None, **FOLLOW)
        moved = now - self._start
        if at_rest and pts - self._taken > REFRESH_SECONDS:
            self._reference, self._taken, self._moved = grey, pts, moved
        return POOL @ moved / OUTER_EYES


BEFORE = 0.15  # seconds before the onset that show the face at rest
LEAST = 0.004  # outer-eye distances: what moved less than this is placed by its histograms


@dataclass(frozen=True, eq=False)
class Sample:
    """One moment, small enough to keep for seconds.

    Attributes:
        moved: PARTS×2, outer-eye distances since the anchor.
    """

    pts: float
    difference: float
    by_region: np.ndarray
    moved: np.ndarray
    eye_opening: float
    motion: float


@dataclass(frozen=True, eq=False)
class Movement:
    """From a little before the onset to now.

    Attributes:
        t: n, seconds.
        moved: n×PARTS×2, outer-eye distances since the onset.
    """

    t: np.ndarray
    moved: np.ndarray
    onset: float
    apex: float
    offset: float

    @property
    def duration(self) -> float:
        return self.offset - self.onset


def movement(samples: list[Sample], onset: float, apex: float, offset: float) -> Movement:
    """The movement that is believed to lie at (onset, apex, offset), out of the samples of the last seconds."""
    window = [s for s in samples if s.pts >= onset - BEFORE - 1e-6]
    t = np.array([s.pts for s in window])
    moved = np.array([s.moved for s in window])
    still = t <= max(onset - BEFORE / 3, t[0])
    return Movement(t, moved - moved[still].mean(axis=0), onset, apex, offset)
