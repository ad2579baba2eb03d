"""The people of a synthetic set: portraits in a folder, one person each, with their faces' landmarks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from realtime.errors import SourceError
from realtime.face.landmarks import make_landmarker

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp"}
SOURCE = (
    "The portraits are not part of the project: any folder of frontal colour pictures will do, one person each, such as the "
    "official portraits at github.com/voteview/member_photos, works of the U.S. government in the public domain"
)
SMALLEST = 60  # pixels between the outer eye corners and below: too coarse to move convincingly


@dataclass(frozen=True, eq=False)
class Person:
    """portrait: H×W×3 uint8 BGR. landmarks: 478×3 float32, pixels (z in the same scale, smaller = nearer)."""

    name: str
    portrait: np.ndarray
    landmarks: np.ndarray


def find_face(portrait: np.ndarray) -> np.ndarray | None:
    """The portrait's 478×3 landmarks in pixels, or None where no face is found."""
    landmarker = make_landmarker(most_faces=1)
    try:
        found = landmarker(portrait)
    finally:
        landmarker.close()
    return found[0] if len(found) else None


def portraits(folder: Path) -> list[Path]:
    """The folder's pictures by name. Raises SourceError where there are none."""
    if not folder.is_dir():
        raise SourceError(nowhere(folder))
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if not found:
        raise SourceError(f"no portraits in '{folder}': expected {', '.join(sorted(SUFFIXES))}. {SOURCE}")
    return found


def nowhere(folder: Path) -> str:
    """What to say where `folder` is none."""
    return f"no folder of portraits at {folder}: name one (mer-train: data.path=FOLDER; others: --portraits FOLDER). {SOURCE}"


def load(path: Path) -> tuple[Person | None, str]:
    """A person from a portrait, or None and why not."""
    portrait = cv2.imread(str(path))
    if portrait is None:
        return None, f"'{path.name}' cannot be read as a picture: skipped"
    landmarks = find_face(portrait)
    if landmarks is None:
        return None, f"no face found in '{path.name}': skipped"
    apart = float(np.linalg.norm(landmarks[263, :2] - landmarks[33, :2]))
    if apart < SMALLEST:
        return None, f"the face in '{path.name}' is too small ({apart:.0f} pixels between the eyes' corners): skipped"
    return Person(path.stem, portrait, landmarks), ""
