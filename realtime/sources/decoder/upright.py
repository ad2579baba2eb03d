"""Pictures as a player shows them: square pixels, upright, not mirrored. Runs in the child process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from av.sidedata.sidedata import Type
from av.video.reformatter import VideoReformatter

from realtime.sources.base import MOST_PIXELS

MOST_STRETCHED = 10  # a pixel that is said to be longer than that is a fault of the header


@dataclass(frozen=True)
class Turn:
    """One of the eight ways to lay a picture: rows and columns exchanged, then mirrored from left to right, or upside down."""

    exchanged: bool = False
    mirrored: bool = False
    upside_down: bool = False

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """H×W×3 → a view of the same pixels."""
        pixels = pixels.swapaxes(0, 1) if self.exchanged else pixels
        return pixels[:: -1 if self.upside_down else 1, :: -1 if self.mirrored else 1]

    def size(self, width: int, height: int) -> tuple[int, int]:
        return (height, width) if self.exchanged else (width, height)


def turn_of(frame: av.VideoFrame) -> Turn:
    """What the display matrix says: phones film sideways, selfie cameras and screen recorders mirror."""
    try:
        matrix = frame.side_data.get(Type.DISPLAYMATRIX)
    except ValueError:  # beside it lies something that PyAV does not know yet; the angle alone can still be had
        quarter = round(frame.rotation / 90) % 4  # counterclockwise
        return Turn(quarter % 2 == 1, quarter in (2, 3), quarter in (1, 2))
    if matrix is None:
        return Turn()
    a, b, _, c, d = np.frombuffer(bytes(matrix), np.int32)[:5].tolist()  # (x, y) is shown at (a·x + c·y, b·x + d·y)
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Turn(False, a < 0, d < 0)
    return Turn(True, c < 0, b < 0)


class Upright:
    """Decoded frame → H×W×3 uint8 BGR, always of `size` (width, height), or of the first one's.

    aspect: width of a pixel over its height; the shorter side is stretched, so that a face has its own proportions.
    """

    def __init__(self, aspect: Fraction | None, size: list[int] | None, warn: Callable[[str], None]):
        self._aspect = float(aspect or 1)
        if not 1 / MOST_STRETCHED <= self._aspect <= MOST_STRETCHED:
            self._aspect = 1.0
        self._reformat = VideoReformatter().reformat  # one for all: a new one per frame costs 20 %
        self._turn: Turn | None = None
        self._size: tuple[int, int] | None = tuple(size) if size else None
        self._stored: set[tuple[int, int]] = set()  # sizes seen
        self._warn = warn

    def __call__(self, frame: av.VideoFrame) -> np.ndarray:
        if self._turn is None or frame.key_frame:
            self._turn = turn_of(frame)
        stored = (frame.width, frame.height)
        shown = self._turn.size(*self._square(*stored))
        self._size = self._size or shown
        if stored not in self._stored:
            self._stored.add(stored)
            if shown != self._size:
                now, first = (f"{w}×{h}" for w, h in (shown, self._size))
                self._warn(f"the frame size changed to {now}; scaled to {first}")
        width, height = self._turn.size(*self._size)
        plane = self._reformat(frame, width=width, height=height, format="bgr24", threads=1).planes[0]
        rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[:height, : 3 * width]
        return self._turn(rows.reshape(height, width, 3))

    def _square(self, width: int, height: int) -> tuple[int, int]:
        """The size with square pixels."""
        if self._aspect == 1.0:
            return width, height
        square = (round(width * self._aspect), height) if self._aspect > 1 else (width, round(height / self._aspect))
        return square if square[0] * square[1] <= MOST_PIXELS else (width, height)
