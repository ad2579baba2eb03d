"""Dual-ATME's inputs: the flow map of the full face and of its puzzle, brows above mouth (Sec. 3.2).

The way: crop (Sec. 3.2.1) → TV-L1 flow and optical strain (Sec. 3.2.3) → a 28×28 flow map, each channel stretched to
0–255 → centred and smoothed. The puzzle (Sec. 3.2.2) has two kinds: the paper's, whose flow is computed between puzzle
pictures that are cut by landmarks (`from_pictures`), and one cut from the full face's flow map, for networks trained on
flow maps that came without pictures (`from_moments`, `from_map`).
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from engines.flow import CPU, Flow
from realtime.naming.inputs.face import as_batch, crop, crop_box
from realtime.naming.inputs.flow_map import FACE, MAP, flow_map, normalise
from realtime.records import Moments

Box = tuple[int, int, int, int]

# The regions in flow-map pixels (top, bottom, left, right), where the puzzle is cut from the map: fixed in the crop's
# own geometry. Its top, sides and bottom are set by brows, cheeks and chin, which puts brows at rows 2–5, upper lids at
# row 5, the mouth at rows 16–22. They are mirror images of each other, so that the puzzle of a mirrored map is the
# mirrored puzzle.
LEFT_BROW = (0, 7, 2, 13)
RIGHT_BROW = (0, 7, 15, 26)
MOUTH = (14, 24, 4, 24)
PUZZLE = (LEFT_BROW, RIGHT_BROW, MOUTH)

# The regions by landmarks, where it is cut from pictures: (brow's top, upper lid, brow's left end, brow's right end).
BROWS = ((19, 37, 17, 21), (24, 44, 22, 26))
CHEEKS = ((1, 31, (40, 41), 48), (35, 15, (46, 47), 54))  # the same of a cheek: its left and right end, lower lid, mouth's corner

EYEBROWS_MOUTH, FULL_FACE = "eyebrows_mouth", "full_face"
REGIONS = (EYEBROWS_MOUTH, "eyebrows_nose", "cheeks_nose", "cheeks_mouth", FULL_FACE)  # what a puzzle is made of (Table 4)


def from_regions(which: str) -> Callable[..., dict[str, np.ndarray]]:
    """`from_pictures` with a puzzle of other regions, one of REGIONS."""

    def made(moments: Moments, tvl1: Flow = CPU) -> dict[str, np.ndarray]:
        return from_pictures(moments, tvl1, which)

    return made


def from_pictures(moments: Moments, tvl1: Flow = CPU, which: str = EYEBROWS_MOUTH) -> dict[str, np.ndarray]:
    """{"full_face", "puzzle"}, each (1, 3, 28, 28) float32; the puzzle's flow is that between two puzzle pictures.

    Both pictures are cut by the onset's landmarks, as the face is.

    Args:
        which: one of REGIONS; of FULL_FACE the "puzzle" is the full face once more.

    Raises:
        ValueError: landmarks of no upright face.
    """
    if which == FULL_FACE:
        full = from_moments(moments, tvl1)["full_face"]
        return {"full_face": full, "puzzle": full}
    boxes = regions(moments.points, which)
    onset, apex = (puzzle_picture(view, boxes) for view in (moments.onset, moments.apex))
    return {
        "full_face": from_moments(moments, tvl1)["full_face"],
        "puzzle": as_batch(normalise(flow_map(onset, apex, tvl1))),
    }


def from_moments(moments: Moments, tvl1: Flow = CPU) -> dict[str, np.ndarray]:
    """{"full_face", "puzzle"}, each (1, 3, 28, 28) float32, the puzzle cut from the full face's flow map, see `from_map`."""
    box = crop_box(moments.points)  # the paper, too, crops both frames by the onset's landmarks
    return from_map(flow_map(crop(moments.onset, box), crop(moments.apex, box), tvl1))


def from_map(flow: np.ndarray) -> dict[str, np.ndarray]:
    """A flow map (28×28×3 in [0, 255]) as Dual-ATME's inputs: {"full_face", "puzzle"}, each (1, 3, 28, 28) float32."""
    full = normalise(flow)
    return {name: as_batch(image) for name, image in (("full_face", full), ("puzzle", puzzle(full)))}


def puzzle(image: np.ndarray) -> np.ndarray:
    """28×28×3 → 28×28×3: both brows, 14×14 each, above the mouth, 14×28 (Sec. 3.2.2)."""
    half = MAP // 2
    left, right = (_region(image, box, half, half) for box in (LEFT_BROW, RIGHT_BROW))
    return np.vstack([np.hstack([left, right]), _region(image, MOUTH, MAP, half)])


def _region(image: np.ndarray, box: tuple[int, int, int, int], width: int, height: int) -> np.ndarray:
    top, bottom, left, right = box
    return cv2.resize(image[top:bottom, left:right], (width, height), interpolation=cv2.INTER_LINEAR)


def regions(points: np.ndarray, which: str = EYEBROWS_MOUTH) -> tuple[Box, Box, Box]:
    """Left and right brow (or cheek) and mouth (or nose), each (left, top, right, bottom) in pixels, right and bottom exclusive.

    A brow's box is its length wider by a quarter at each end, and stands from a quarter of the distance brow–lid above the
    brow to a quarter above the lid (the paper's 27 for the left lid is a slip for 37, which its text and the right side
    have). The mouth's is wider by a quarter at each end, and higher by half the distance nose–lip (Sec. 3.2.2). Of cheeks and
    nose the paper gives no borders: ours are the face's side and the nostril, lower lid and mouth's corner; the nostrils, wider by
    a quarter, from the nose's root to where the mouth's box begins.

    Args:
        points: 68×2 float, pixels, numbered from 0.
        which: one of REGIONS but FULL_FACE.

    Raises:
        ValueError: a box would be empty.
    """
    above, below = which.split("_")
    sides = [*(_brows(points) if above == "eyebrows" else _cheeks(points)), _mouth(points) if below == "mouth" else _nose(points)]
    left, right, lower = (_whole(*box) for box in sides)
    boxes = left, right, lower
    if any(right - left < 2 or bottom - top < 2 for left, top, right, bottom in boxes):
        raise ValueError(f"68 landmarks of an upright face, got ones whose {above} and {below} are bound by {boxes}")
    return boxes


def _brows(points: np.ndarray) -> list[tuple[float, ...]]:
    sides: list[tuple[float, ...]] = []
    for brow, lid, first, last in BROWS:
        height, length = _distance(points, brow, lid) / 4, _distance(points, first, last) / 4
        top, bottom = points[brow, 1] - height, points[lid, 1] - height
        sides.append((points[first, 0] - length, top, points[last, 0] + length, bottom))
    return sides


def _cheeks(points: np.ndarray) -> list[tuple[float, ...]]:
    return [(points[left, 0], points[list(lids), 1].max(), points[right, 0], points[corner, 1]) for left, right, lids, corner in CHEEKS]


def _mouth(points: np.ndarray) -> tuple[float, ...]:
    height, length = _distance(points, 33, 51) / 2, _distance(points, 48, 54) / 4
    return points[48, 0] - length, points[51, 1] - height, points[54, 0] + length, points[57, 1] + height


def _nose(points: np.ndarray) -> tuple[float, ...]:
    height, length = _distance(points, 33, 51) / 2, _distance(points, 31, 35) / 4
    return points[31, 0] - length, points[27, 1], points[35, 0] + length, points[33, 1] + height


def _whole(left: float, top: float, right: float, bottom: float) -> Box:
    return round(float(left)), round(float(top)), round(float(right)), round(float(bottom))


def puzzle_picture(view: np.ndarray, boxes: tuple[Box, Box, Box]) -> np.ndarray:
    """The three boxes of a view (H×W×3 uint8), put together as a 128×128×3 picture: brows 64×64, mouth 64×128."""
    half = FACE // 2
    sizes = ((half, half), (half, half), (FACE, half))
    left, right, mouth = (cv2.resize(crop(view, box), size) for box, size in zip(boxes, sizes, strict=True))
    return np.vstack([np.hstack([left, right]), mouth])


def _distance(points: np.ndarray, first: int, second: int) -> float:
    return float(np.hypot(*(points[first] - points[second])))
