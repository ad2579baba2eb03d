"""Takes head motion out: every frame of a face is carried onto one and the same aligned picture.

A landmark run says roughly where the face is; its points tremble by half a pixel, which would drown a
micro-expression. So between and during landmark runs the transform comes from the texture around the stable points
(eye corners, nose, temples), followed against one reference picture. Following a reference does not drift.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from realtime.face.geometry import ALIGNED, OUTER_EYES, STABLE_IDS, TEMPLATE, apply, apply_inverse, chain, robust_similarity
from realtime.face.light import EvenLight, evened

REFERENCE_SECONDS = 1.0  # a reference picture ages with the light; a fresh one is taken about this often
WORST_POINT = 0.05 * OUTER_EYES  # half of the points further off than this: the face is no longer followed
FOLLOW: dict[str, Any] = dict(winSize=(21, 21), maxLevel=2, criteria=(cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 20, 0.01))


CORNERS = np.array([(-1, -1), (ALIGNED, -1), (-1, ALIGNED), (ALIGNED, ALIGNED)], np.float32)


class Picture:
    """A frame's pixels, to be warped several times: with a fourth channel, OpenCV's warp takes a fifth of the time
    (and gives the same). The channel is added where a face lies, in memory that one frame after another uses.
    """

    def __init__(self):
        self._pixels = self._four = np.empty((0, 0, 3), np.uint8)
        self._ready = (0, 0, 0, 0)  # left, top, right, bottom of what has four channels by now

    def show(self, pixels: np.ndarray) -> Picture:
        """From now on it is this frame (H×W×3 uint8 BGR)."""
        self._pixels, self._ready = pixels, (0, 0, 0, 0)
        if self._four.shape[:2] != pixels.shape[:2]:
            self._four = np.empty((*pixels.shape[:2], 4), np.uint8)
        return self

    def warped(self, transform: np.ndarray) -> np.ndarray:
        """The aligned picture by the 2×3 `transform`: ALIGNED×ALIGNED×4 uint8, BGR and a channel of no meaning."""
        height, width = self._pixels.shape[:2]
        corners = apply_inverse(transform, CORNERS)
        low, high = corners.min(axis=0), corners.max(axis=0)
        left, top = (int(min(max(low[i], 0), size - 1)) for i, size in enumerate((width, height)))
        right, bottom = (int(min(max(high[i], 0), size - 1)) + 2 for i, size in enumerate((width, height)))
        done = self._ready
        if left < done[0] or top < done[1] or right > done[2] or bottom > done[3]:
            left, top, right, bottom = max(left - 16, 0), max(top - 16, 0), right + 16, bottom + 16  # for the next warp
            self._ready = (left, top, right, bottom)
            part = slice(top, bottom), slice(left, right)
            cv2.cvtColor(self._pixels[part], cv2.COLOR_BGR2BGRA, dst=self._four[part])
        return cv2.warpAffine(self._four, transform, (ALIGNED, ALIGNED), borderMode=cv2.BORDER_REPLICATE)


class Alignment:
    """Follows one face from an anchor on.

    `transform` (2×3) carries image pixels to aligned pixels. It starts from a landmark run; each `follow` refines it.
    """

    def __init__(self, picture: Picture, landmarks: np.ndarray, pts: float, light: EvenLight):
        self._light = light
        self.transform, _ = robust_similarity(landmarks[STABLE_IDS].astype(float), TEMPLATE.astype(float))
        self._points = apply(self.transform, landmarks[STABLE_IDS]).astype(np.float32)
        grey = cv2.cvtColor(picture.warped(self.transform), cv2.COLOR_BGRA2GRAY)
        self._reference = evened(grey, light(grey, pts))
        self._taken = pts

    def follow(self, picture: Picture, pts: float) -> np.ndarray | None:
        """The aligned picture (ALIGNED×ALIGNED×3 uint8 BGR) of this frame, or None where the face got away."""
        grey = cv2.cvtColor(picture.warped(self.transform), cv2.COLOR_BGRA2GRAY)
        swing = self._light(grey, pts)
        reference = evened(self._reference, self._light.back(self._reference))  # it may be older than the flicker is known
        moved, found, _ = cv2.calcOpticalFlowPyrLK(reference, evened(grey, swing), self._points, None, **FOLLOW)
        kept = found[:, 0] == 1
        if kept.sum() < len(TEMPLATE) // 2:
            return None
        back, distance = robust_similarity(moved[kept].astype(float), self._points[kept].astype(float))
        if np.median(distance) > WORST_POINT:
            return None
        self.transform = chain(back, self.transform)
        aligned = evened(picture.warped(self.transform), swing)
        if pts - self._taken > REFERENCE_SECONDS and distance.max() < 0.01 * OUTER_EYES:
            # taken only while nothing moves, or the expression of the moment would become the reference
            self._reference, self._taken = cv2.cvtColor(aligned, cv2.COLOR_BGRA2GRAY), pts
        return cv2.cvtColor(aligned, cv2.COLOR_BGRA2BGR)

    def error(self, landmarks: np.ndarray) -> float:
        """How far a landmark run (478×2 image pixels) says the alignment is off, in outer-eye distances."""
        where = apply(self.transform, landmarks[STABLE_IDS])
        return float(np.linalg.norm((where - self._points).mean(axis=0)) / OUTER_EYES)

    def in_image(self, points: np.ndarray) -> np.ndarray:
        """Aligned points (N×2 float32) carried back to image pixels."""
        return apply_inverse(self.transform, points)
