"""Where faces are: BlazeFace, short range (Bazarevsky et al. 2019, "BlazeFace: Sub-millisecond Neural Face Detection")."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from realtime.face.facemesh.regions import Region, blob

SIDE = 128  # pixels of the picture that the network sees
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
        """run: N×3×128×128 float32 RGB in −1…1 → N×896×17, for each anchor the box (middle and size), six points (the right
        eye's, the left eye's, …), all of them in pixels from the anchor, and the score before its sigmoid."""
        self._run = run

    def __call__(self, pictures: Sequence[np.ndarray], most: int) -> list[list[Region]]:
        """pictures: each H×W×3 uint8 BGR."""
        wholes = [Region.whole(picture) for picture in pictures]
        cuts = [whole.cut(picture, SIDE, cv2.BORDER_CONSTANT) for whole, picture in zip(wholes, pictures, strict=True)]
        found = self._run(blob(cuts, low=-1.0))
        return [[_region(face, whole) for face in _faces(one)[:most]] for one, whole in zip(found, wholes, strict=True)]


def _faces(found: np.ndarray) -> list[np.ndarray]:
    """896×17 → one (8, 2) for each face, the surest first: corners of its box, then the six points; shares of the side."""
    scores = 1.0 / (1.0 + np.exp(-np.clip(found[:, 16], -80.0, 80.0)))
    sure = np.flatnonzero(scores >= LEAST_SCORE)
    sure = sure[np.argsort(-scores[sure], kind="stable")]
    scores, anchors = scores[sure], ANCHORS[sure, None]
    values = found[sure, :16].reshape(-1, 8, 2) / SIDE
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
