"""Takes head motion out: every frame of a face is carried onto one and the same aligned picture.

A landmark run says roughly where the face is; its points tremble by half a pixel, which would drown a
micro-expression. So between and during landmark runs the transform comes from the texture around the stable points
(eye corners, nose, temples), followed against one reference picture. Following a reference does not drift.
"""

from __future__ import annotations

import cv2
import numpy as np

from realtime.geometry import ALIGNED, OUTER_EYES, STABLE_IDS, TEMPLATE, apply, chain, inverse, robust_similarity

REFERENCE_SECONDS = 1.0  # a reference picture ages with the light; a fresh one is taken about this often
WORST_POINT = 0.05 * OUTER_EYES  # half of the points further off than this: the face is no longer followed
FOLLOW = dict(winSize=(21, 21), maxLevel=2, criteria=(cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 20, 0.01))


class Alignment:
    """Follows one face from an anchor on.

    `transform` (2×3) carries image pixels to aligned pixels. It starts from a landmark run; each `follow` refines it.
    """

    def __init__(self, pixels: np.ndarray, landmarks: np.ndarray, pts: float):
        self.transform, _ = robust_similarity(landmarks[STABLE_IDS].astype(float), TEMPLATE.astype(float))
        self._points = apply(self.transform, landmarks[STABLE_IDS]).astype(np.float32)
        self._reference = cv2.cvtColor(self._warp(pixels), cv2.COLOR_BGR2GRAY)
        self._taken = pts

    def follow(self, pixels: np.ndarray, pts: float) -> np.ndarray | None:
        """The aligned picture (ALIGNED×ALIGNED×3 uint8 BGR) of this frame, or None where the face got away."""
        grey = cv2.cvtColor(self._warp(pixels), cv2.COLOR_BGR2GRAY)
        moved, found, _ = cv2.calcOpticalFlowPyrLK(self._reference, grey, self._points, None, **FOLLOW)
        if found.sum() < len(TEMPLATE) // 2:
            return None
        kept = found[:, 0] == 1
        back, distance = robust_similarity(moved[kept].astype(float), self._points[kept].astype(float))
        if np.median(distance) > WORST_POINT:
            return None
        self.transform = chain(back, self.transform)
        aligned = self._warp(pixels)
        if pts - self._taken > REFERENCE_SECONDS and distance.max() < 0.01 * OUTER_EYES:
            # taken only while nothing moves, or the expression of the moment would become the reference
            self._reference, self._taken = cv2.cvtColor(aligned, cv2.COLOR_BGR2GRAY), pts
        return aligned

    def error(self, landmarks: np.ndarray) -> float:
        """How far a landmark run (478×2 image pixels) says the alignment is off, in outer-eye distances."""
        where = apply(self.transform, landmarks[STABLE_IDS])
        return float(np.linalg.norm((where - self._points).mean(axis=0)) / OUTER_EYES)

    def in_image(self, points: np.ndarray) -> np.ndarray:
        """Aligned points (N×2) carried back to image pixels."""
        return apply(inverse(self.transform), points)

    def _warp(self, pixels: np.ndarray) -> np.ndarray:
        return cv2.warpAffine(pixels, self.transform, (ALIGNED, ALIGNED), borderMode=cv2.BORDER_REPLICATE)
