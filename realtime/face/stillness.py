"""Whether a face looks as it did when its points were last found: then they need not be sought anew.

A landmark run costs as much as all else that is done for three frames. Held against each other are aligned pictures, from
which the head's motion is taken out, so that what is left is what a lid, a brow or a mouth does, a hand before the face, or
a head that turns away. In their cells a camera's noise averages out; a lid that falls changes some by ten levels and more.
"""

from __future__ import annotations

import cv2
import numpy as np

from realtime.face.geometry import ALIGNED

CELL = 16  # aligned pixels: a seventh of the way between the outer eye corners
INNER = slice(1, -1)  # of the cells: around the face's rim the background shows
SAME = 2.5  # grey levels by which a cell of a face at rest may differ


class Stillness:
    """`found(picture)` for an aligned picture in which the points were found; then `off(picture)`, how far a later one is from it."""

    def __init__(self):
        self._then: np.ndarray | None = None

    def found(self, picture: np.ndarray) -> None:
        """
        Args:
            picture: ALIGNED×ALIGNED×3 uint8 BGR.
        """
        self._then = _cells(picture)

    def off(self, picture: np.ndarray) -> float:
        """Grey levels by which the cell differs that differs most; infinite where nothing was found before.

        Args:
            picture: ALIGNED×ALIGNED×3 uint8 BGR.
        """
        return np.inf if self._then is None else float(np.abs(_cells(picture) - self._then).max())


def _cells(picture: np.ndarray) -> np.ndarray:
    """Mean brightness of each inner cell, float32."""
    grey = cv2.resize(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), (ALIGNED // 4,) * 2, interpolation=cv2.INTER_AREA)
    side = ALIGNED // CELL
    return cv2.resize(grey.astype(np.float32), (side, side), interpolation=cv2.INTER_AREA)[INNER, INNER]
