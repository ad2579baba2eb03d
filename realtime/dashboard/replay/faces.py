"""Where the face was in each frame of a recording, kept small: an hour has 100,000 of them."""

from __future__ import annotations

from array import array

import numpy as np

BLOCK = 600  # frames that the page is given at once
NUMBERS = 2 * (2 + 3 * 4)  # of a frame: two corners of the box, four of each of the three regions

Box = tuple[float, float, float, float]


class Faces:
    """One `add` a frame, 60 bytes.

    A frame's row of NUMBERS: the box (left, top, right, bottom), then the corners (x, y) of the regions, as shares of the
    picture's width and height; NaN where there is no face. In float16 a share is true to a quarter of a pixel of the copy.
    """

    def __init__(self, width: int, height: int):
        """width, height: pixels of the frames that will come."""
        self._sides = np.array((width, height), np.float32)
        self._blocks: list[np.ndarray] = []
        self._ids = array("i")
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, face: dict | None) -> None:
        """face: "id", "box" and "regions" in pixels, as `live.figures.face_of` gives them; None without a face."""
        if self._count % BLOCK == 0:
            self._blocks.append(np.full((BLOCK, NUMBERS), np.nan, np.float16))
        if face is not None:
            points = [np.reshape(face["box"], (2, 2)), *face["regions"]]
            shares = (np.concatenate(points) / self._sides).ravel()
            self._blocks[-1][self._count % BLOCK, : len(shares)] = shares
        self._ids.append(-1 if face is None else face["id"])
        self._count += 1

    def who(self, number: int) -> int | None:
        """Which face that is, as in `Event.face`; None without one."""
        return None if self._ids[number] < 0 else self._ids[number]

    def box(self, number: int) -> Box | None:
        """The box of a frame, as shares of the picture; None without a face."""
        row = self._blocks[number // BLOCK][number % BLOCK, :4].astype(float)
        return None if np.isnan(row[0]) else tuple(row.tolist())

    def block(self, number: int) -> bytes:
        """Frames number·BLOCK and on, to the last or the BLOCKth: N×NUMBERS little-endian float32. Raises IndexError."""
        if not 0 <= number < len(self._blocks):
            raise IndexError(f"block {number} of {len(self._blocks)}")
        rows = self._blocks[number][: self._count - number * BLOCK]
        return rows.astype("<f4").tobytes()
