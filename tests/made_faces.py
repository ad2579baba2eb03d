"""Tiny clips for the tests: one face whose mouth corners rise and fall, as pictures."""

from pathlib import Path

import cv2
import numpy as np
from places import ROOT

from train.data.annotations import Clip

FACE = cv2.resize(cv2.imread(str(ROOT / "realtime/assets/astronaut.jpg")), None, fx=0.75, fy=0.75)


def smile(strength: float, shift: float = 0.0, face: np.ndarray = FACE) -> np.ndarray:
    """The face with its mouth corners `strength` pixels up, and the head `shift` pixels to the right."""
    y, x = np.mgrid[: face.shape[0], : face.shape[1]].astype(np.float32)
    points = _landmarks(face)
    for corner in (61, 291):
        at = points[corner]
        y = y + strength * np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / 72)
    return cv2.remap(face, x - shift, y.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


_known: dict[bytes, np.ndarray] = {}


def _landmarks(face: np.ndarray) -> np.ndarray:
    from realtime.face.landmarks import make_landmarker

    if face.tobytes() not in _known:
        finder = make_landmarker(1)
        _known[face.tobytes()] = finder(face)[0][:, :2]
        finder.close()
    return _known[face.tobytes()]


def pictures(folder: Path, count: int = 8, **how) -> tuple[Path, ...]:
    """A movement of `count` pictures, at its height half-way."""
    folder.mkdir(parents=True)
    paths = tuple(folder / f"img{number}.png" for number in range(1, count + 1))
    for number, path in enumerate(paths):
        cv2.imwrite(str(path), smile(3 * np.sin(np.pi * number / (count - 1)), **how))
    return paths


def clip(paths: tuple[Path, ...], subject: str = "s1", kind: str = "micro", label: str = "happiness", **more) -> Clip:
    name = f"{subject}/{paths[0].parent.name}" if paths else f"{subject}/{more['times'][0]:g}"
    facts = {"apex": len(paths) // 2, "row": f"table.csv row {sum(map(ord, name))}"} | more
    return Clip("made", subject, name, kind, label, "12", paths, **facts)
