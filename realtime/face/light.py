"""Lamps that flicker: a face's pictures are evened out, since what compares pictures takes brightness for movement.

Cheap LED lamps and mains light swing by a few per cent, many times a second; a camera that reads its rows one after
another shows that as bands. The aligned face is cut into cells, whose brightness is held against its own slow mean. Where
most rows of cells swing to and fro, each picture is brought back to that mean. Where they do not, pictures stay as they
are, to the bit: a light that is switched on, a smile or a speaking mouth is no flicker.
"""

from __future__ import annotations

import math
from collections import deque

import cv2
import numpy as np

ROWS, COLUMNS = 8, 7  # cells
SLOW = 1.0  # seconds over which the usual brightness forgets
SWING = 1.5  # grey levels off the usual, on both sides in turn, that count as a swing
SWINGS = 3  # within WITHIN seconds: the light flickers
WITHIN = 1.0
CALM = 2.0  # seconds without a swing: it does no more


class EvenLight:
    """`light(grey, pts)` for each aligned picture of one face, in order: what brings it back to the usual light.

    Attributes:
        hertz: how often the light swung to and fro in a second when it last flickered; None where it never has.
    """

    def __init__(self):
        self.hertz: float | None = None
        self._usual: np.ndarray | None = None  # ROWS×COLUMNS, grey levels
        self._seen = 0
        self._last = -math.inf
        self._side = np.zeros(ROWS)  # of the usual brightness: -1 darker, 1 brighter
        self._swings: deque[tuple[float, np.ndarray]] = deque()  # (pts, which rows swung)
        self._flickers = False

    def __call__(self, grey: np.ndarray, pts: float) -> np.ndarray | None:
        """
        Args:
            grey: H×W uint8.
            pts: seconds; the same moment twice counts once.

        Returns:
            H×2 float32, gain and offset of each row (see `evened`), or None where nothing needs to be done.
        """
        cells = _cells(grey)
        if self._usual is None:
            self._usual = cells
        if pts > self._last:
            self._seen += 1
            share = max(1 - math.exp(-(pts - self._last) / SLOW), 1 / self._seen)
            self._usual = self._usual + np.float32(share) * (cells - self._usual)
            # the median over a row: a mouth or an eye is in the middle, the lamp shines on all of it
            self._watch(np.median(cells - self._usual, axis=1), pts)
            self._last = pts
        return self._rows(cells, len(grey)) if self._flickers else None

    def back(self, grey: np.ndarray) -> np.ndarray | None:
        """The same for a picture of any moment (H×W uint8), which is not counted: H×2 float32 or None."""
        return self._rows(_cells(grey), len(grey)) if self._flickers else None

    def _rows(self, cells: np.ndarray, height: int) -> np.ndarray:
        """Gain and offset of each of `height` rows that bring these cells back: height×2 float32."""
        # contrast within rows: bands have none there
        gain = float(self._usual.std(axis=1).mean()) / max(float(cells.std(axis=1).mean()), 1.0)
        offset = float(self._usual.mean() - gain * cells.mean())
        left = np.median(self._usual / np.maximum(gain * cells + offset, 1.0), axis=1)  # of the bands
        rows = cv2.resize(left[:, None], (1, height), interpolation=cv2.INTER_LINEAR)
        return (rows * (gain, offset)).astype(np.float32)

    def _watch(self, off: np.ndarray, pts: float) -> None:
        """off: ROWS, grey levels from the usual brightness."""
        swung = (np.abs(off) > SWING) & (np.sign(off) != self._side)
        if swung.any():
            self._side = np.where(swung, np.sign(off), self._side)
            self._swings.append((pts, swung))
        while self._swings and pts - self._swings[0][0] > CALM:
            self._swings.popleft()
        if not self._swings:  # as nearly always: this is done for every frame
            self._flickers = False
            return
        lately = sum((rows for t, rows in self._swings if pts - t <= WITHIN), np.zeros(ROWS))
        if np.median(lately) >= SWINGS:
            self._flickers = True
            self.hertz = float(np.median(lately)) / (2 * WITHIN)


def _cells(grey: np.ndarray) -> np.ndarray:
    """Mean brightness of each cell: ROWS×COLUMNS float32."""
    return cv2.resize(grey, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA).astype(np.float32)


def evened(picture: np.ndarray, back: np.ndarray | None) -> np.ndarray:
    """The picture (H×W or H×W×C, uint8) in the usual light.

    Args:
        back: see `EvenLight`.
    """
    if back is None:
        return picture
    gain, offset = (back[:, i].reshape(-1, *[1] * (picture.ndim - 1)) for i in range(2))
    return np.clip(np.round(picture * gain + offset), 0, 255).astype(np.uint8)
