"""A prepared set at one glance: onset | apex | what changed between them, amplified, of each clip."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from train.data import cache as store

TILE = 112  # pixels
BAND = 16  # pixels below, for a title
WIDE = 5  # clips in a row
MOST = 200  # clips shown; of more, every n-th
AMPLIFIED = 6  # how much a difference is enlarged


def write(cache: Path, rows: list[store.Row]) -> None:
    """Write `cache`/sheet.png. Raises OutputError."""
    store.write(cache / "sheet.png", cv2.imencode(".png", draw(cache, rows))[1].tobytes())


def draw(cache: Path, rows: list[store.Row]) -> np.ndarray:
    """The sheet as one picture (uint8 BGR). A grey difference is none; a bright one is brighter at the apex."""
    chosen = [rows[i] for i in np.unique(np.linspace(0, len(rows) - 1, min(len(rows), MOST)).astype(int))]
    strips = [_strip(cache / "clips" / row.file, row) for row in chosen]
    strips += [np.zeros_like(strips[0])] * (-len(strips) % WIDE)
    return np.vstack([np.hstack(strips[i : i + WIDE]) for i in range(0, len(strips), WIDE)])


def _strip(file: Path, row: store.Row) -> np.ndarray:
    with np.load(file) as views:
        onset, apex = views["onset"], views["apex"]
    change = np.clip(128 + AMPLIFIED * (apex.astype(np.float32) - onset), 0, 255).astype(np.uint8)
    strip = np.hstack([cv2.resize(tile, (TILE, TILE), interpolation=cv2.INTER_AREA) for tile in (onset, apex, change)])
    strip = cv2.copyMakeBorder(strip, 0, BAND, 0, 6, cv2.BORDER_CONSTANT)
    what = f"{row.kind} {row.label}  {row.name if row.name.startswith(row.subject) else f'{row.subject} {row.name}'}"
    text = what.encode("ascii", "replace").decode()[:60]  # OpenCV draws no other letters
    cv2.putText(strip, text, (3, TILE + BAND - 5), cv2.FONT_HERSHEY_SIMPLEX, 0.33, (230, 230, 230), 1, cv2.LINE_AA)
    return strip
