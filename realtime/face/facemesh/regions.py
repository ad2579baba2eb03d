"""A region of a picture that a network looks at: a turned rectangle, cut out as a square, and the way back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from engines.compiled import compiled

STEPS = 32  # of a pixel (2⁵), in OpenCV's fixed-point maps


@dataclass(frozen=True)
class Region:
    """middle: (x, y); size: (width, height); both in pixels of the picture. turn: radians, clockwise on the screen."""

    middle: tuple[float, float]
    size: tuple[float, float]
    turn: float = 0.0

    @classmethod
    def whole(cls, pixels: np.ndarray) -> Region:
        """All of an H×W×… picture in a square as wide as its longer side: nothing is stretched."""
        height, width = pixels.shape[:2]
        return cls((width / 2, height / 2), (max(width, height),) * 2)

    def cut(self, pixels: np.ndarray, side: int, border: int = cv2.BORDER_REPLICATE) -> np.ndarray:
        """What lies in the region as side×side×C uint8, bilinear, without smoothing: as MediaPipe does it, on whose cuts the
        networks were tried. border: OpenCV's, for what lies outside of the picture.

        The places are rounded to 1/32 pixel, and reckoned as OpenCV 4 did: the detector is so sensitive that the finer
        steps of OpenCV 5 move some faces' points by a hundredth of the distance between the eyes.
        """
        corners = cv2.boxPoints((self.middle, self.size, float(np.degrees(self.turn))))
        square = np.float32([(0, side), (0, 0), (side, 0), (side, side)])
        back = cv2.invert(cv2.getPerspectiveTransform(corners, square))[1]
        places, between = _map(back, side)
        return cv2.remap(pixels, places, between, cv2.INTER_LINEAR, borderMode=border)

    def out(self, points: np.ndarray) -> np.ndarray:
        """N×3 points in shares of the cut's side (x right, y down, z) → N×3 in pixels of the picture."""
        across, down = points[:, 0] - 0.5, points[:, 1] - 0.5
        cos, sin = np.cos(self.turn), np.sin(self.turn)
        (x, y), (width, height) = self.middle, self.size
        turned = (cos * across - sin * down) * width + x, (sin * across + cos * down) * height + y, points[:, 2] * width
        return np.stack(turned, axis=1).astype(np.float32)


@compiled
def _map(back: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Where each pixel of the cut comes from, for `cv2.remap`: side×side×2 int16 whole pixels, side×side uint16 what is between.

    back: 3×3 float64, from the cut to the picture.
    """
    places = np.empty((side, side, 2), np.int16)
    between = np.empty((side, side), np.uint16)
    for row in range(side):
        x0, y0, far0 = back[0, 1] * row + back[0, 2], back[1, 1] * row + back[1, 2], back[2, 1] * row + back[2, 2]
        for column in range(side):
            far = STEPS / (back[2, 0] * column + far0)
            x = np.int64(np.rint((back[0, 0] * column + x0) * far))
            y = np.int64(np.rint((back[1, 0] * column + y0) * far))
            places[row, column, 0], places[row, column, 1] = x >> 5, y >> 5
            between[row, column] = (y & 31) * STEPS + (x & 31)
    return places, between


def blob(cuts: Sequence[np.ndarray], low: float) -> np.ndarray:
    """N cuts, each side×side×3 uint8 BGR → N×3×side×side float32 RGB, 0…255 become low…1."""
    scale = np.float32((1.0 - low) / 255.0)
    values = np.empty((len(cuts), 3, *cuts[0].shape[:2]), np.float32)
    for cut, planes in zip(cuts, values, strict=True):
        for plane, colour in zip(planes[::-1], cv2.split(cut), strict=True):
            np.multiply(colour, scale, out=plane)
    if low:
        values += np.float32(low)
    return values
