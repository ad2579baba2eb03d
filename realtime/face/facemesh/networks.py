"""The two networks that find a face and its points, and the turned squares of a picture that they look at.

BlazeFace, short range, says where faces are (Bazarevsky et al. 2019, "BlazeFace: Sub-millisecond Neural Face Detection");
Attention Mesh in its second version, with the irises, says where their 478 points are (Grishchenko et al. 2020).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from engines.compiled import compiled

STEPS = 32  # of a pixel (2⁵), in OpenCV's fixed-point maps


@dataclass(frozen=True)
class Region:
    """A turned square or rectangle of a picture.

    Attributes:
        middle: (x, y), pixels of the picture.
        size: (width, height), pixels of the picture.
        turn: radians, clockwise on the screen.
    """

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
        networks were tried.

        The places are rounded to 1/32 pixel, and reckoned as OpenCV 4 did: the detector is so sensitive that the finer
        steps of OpenCV 5 move some faces' points by a hundredth of the distance between the eyes.

        Args:
            border: OpenCV's, for what lies outside of the picture.
        """
        corners = cv2.boxPoints((self.middle, self.size, float(np.degrees(self.turn))))
        square = np.array([(0, side), (0, 0), (side, 0), (side, side)], np.float32)
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


DETECTOR_SIDE = 128  # pixels of the picture that the network sees
LEAST_SCORE = 0.5
SAME_FACE = 0.3  # boxes that overlap by more of their union are one face
WIDER = 1.5  # the box goes from brows to chin; the mesh wants all of the face


def _anchors() -> np.ndarray:
    """896×2, (x, y) in shares of the side: two at each cell of a 16×16 grid, six at each of an 8×8."""
    grids = []
    for cells, each in ((16, 2), (8, 6)):
        middles = (np.arange(cells) + 0.5) / cells
        y, x = np.meshgrid(middles, middles, indexing="ij")
        grids.append(np.stack([x, y], axis=-1).reshape(-1, 2).repeat(each, axis=0))
    return np.concatenate(grids).astype(np.float32)


ANCHORS = _anchors()


class Detector:
    """`detector(pictures, most)` → for each picture up to `most` regions, the surest face first."""

    def __init__(self, run: Callable[[np.ndarray], np.ndarray]):
        """
        Args:
            run: N×3×128×128 float32 RGB in −1…1 → N×896×17, for each anchor the box (middle and size), six points (the right
                eye's, the left eye's, …), all of them in pixels from the anchor, and the score before its sigmoid.
        """
        self._run = run

    def __call__(self, pictures: Sequence[np.ndarray], most: int) -> list[list[Region]]:
        """
        Args:
            pictures: each H×W×3 uint8 BGR.
        """
        wholes = [Region.whole(picture) for picture in pictures]
        cuts = [whole.cut(picture, DETECTOR_SIDE, cv2.BORDER_CONSTANT) for whole, picture in zip(wholes, pictures, strict=True)]
        found = self._run(blob(cuts, low=-1.0))
        return [[_region(face, whole) for face in _faces(one)[:most]] for one, whole in zip(found, wholes, strict=True)]


def _faces(found: np.ndarray) -> list[np.ndarray]:
    """896×17 → one (8, 2) for each face, the surest first: corners of its box, then the six points; shares of the side."""
    scores = 1.0 / (1.0 + np.exp(-np.clip(found[:, 16], -80.0, 80.0)))
    sure = np.flatnonzero(scores >= LEAST_SCORE)
    sure = sure[np.argsort(-scores[sure], kind="stable")]
    scores, anchors = scores[sure], ANCHORS[sure, None]
    values = found[sure, :16].reshape(-1, 8, 2) / DETECTOR_SIDE
    middle, half = values[:, :1] + anchors, values[:, 1:2] / 2
    return _merged(np.concatenate([middle - half, middle + half, values[:, 2:] + anchors], axis=1), scores)


def _merged(faces: np.ndarray, scores: np.ndarray) -> list[np.ndarray]:
    """The faces (N×8×2, the surest first) with those that overlap it put together, weighted by their scores."""
    merged = []
    while len(faces):
        same = _overlap(faces, faces[0]) > SAME_FACE
        same[0] = True  # a box without an area overlaps nothing
        merged.append((faces[same] * scores[same, None, None]).sum(axis=0) / scores[same].sum())
        faces, scores = faces[~same], scores[~same]
    return merged


def _overlap(faces: np.ndarray, face: np.ndarray) -> np.ndarray:
    """Intersection over union of each box with one."""
    inner = np.clip(np.minimum(faces[:, 1], face[1]) - np.maximum(faces[:, 0], face[0]), 0, None).prod(axis=1)
    areas = np.clip(faces[:, 1] - faces[:, 0], 0, None).prod(axis=1)
    return inner / np.maximum(areas + np.clip(face[1] - face[0], 0, None).prod() - inner, 1e-9)


def _region(face: np.ndarray, whole: Region) -> Region:
    """The box made wider, turned so that the eyes lie level."""
    (left, top), (right, bottom), eye, other = (face[:4] - 0.5) * whole.size + whole.middle
    turn = np.arctan2(other[1] - eye[1], other[0] - eye[0])
    return Region(((left + right) / 2, (top + bottom) / 2), (WIDER * (right - left), WIDER * (bottom - top)), float(turn))


MESH_SIDE = 256  # pixels of the cut that the network sees
POINTS = 478
LEAST_PRESENCE = 0.5


class Mesh:
    """`mesh(cuts)` → the points in each cut, and how surely there is a face. Many cuts are one run of the network."""

    def __init__(self, run: Callable[[np.ndarray], np.ndarray]):
        """
        Args:
            run: N×3×256×256 float32 RGB in 0…1 → N×1×1435, 478 times (x, y, z) in pixels of the cut, and how surely it is a
                face, before its sigmoid.
        """
        self._run = run

    def __call__(self, pictures: Sequence[np.ndarray], regions: Sequence[Region]) -> list[tuple[np.ndarray | None, float]]:
        """
        Args:
            pictures: for each region its picture, H×W×3 uint8 BGR.

        Returns:
            478×3 float32 each, pixels of the picture, z in the scale of x and smaller where it is nearer, or None where no face
            is; and how surely there is one, 0…1.
        """
        if not regions:
            return []
        cuts = [region.cut(picture, MESH_SIDE) for picture, region in zip(pictures, regions, strict=True)]
        rows = self._run(blob(cuts, low=0.0))[:, 0]
        presence = 1.0 / (1.0 + np.exp(-np.clip(rows[:, -1], -80.0, 80.0)))
        points = rows[:, :-1].reshape(-1, POINTS, 3) / MESH_SIDE
        return [
            (region.out(one) if there > LEAST_PRESENCE else None, float(there)) for one, region, there in zip(points, regions, presence, strict=True)
        ]
