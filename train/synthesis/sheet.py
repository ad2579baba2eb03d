"""A contact sheet: what a clip holds, at one glance, and whether the warps hold together."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

TILE = 240  # pixels
WIDE = 6  # tiles in a row
AMPLIFIED = 6  # how much a difference to the neutral face is enlarged
MOST = 11  # expressions shown


def draw(renderer) -> np.ndarray:
    """The sheet of a `Renderer`'s clip as one picture (uint8 BGR).

    The neutral face; expressions at their apex over their difference to the same moment without them, amplified;
    then the first blink, burst of speech, and one moment of each other nuisance.
    """
    plan = renderer.plan
    first, clean = _tile(renderer, renderer.frame(0), "first frame"), _tile(renderer, renderer.clean(0.0), "no noise")
    columns = [np.vstack([first, clean])]
    macros = [event for event in plan.events if event.kind == "macro"][: MOST // 2]
    micros = [event for event in plan.events if event.kind == "micro"][: MOST - len(macros)]
    for event in micros + macros:
        apex = plan.at(event.apex)
        bare = replace(plan, events=()).at(event.apex)
        with_it, without = renderer.draw(apex), renderer.draw(bare)
        what, length = event.expression, 1000 * (event.offset - event.onset)
        change = np.clip(128 + AMPLIFIED * (with_it.astype(np.float32) - without), 0, 255).astype(np.uint8)
        title = f"{event.kind} {what.emotion} {what.text}"
        below = f"{what.intensity} {length:.0f} ms, x{AMPLIFIED}"
        columns.append(np.vstack([_tile(renderer, with_it, title), _tile(renderer, change, below)]))
    strips = _rows(columns)
    for kind, longest in (("blink", 0.4), ("speech", 0.6)):
        for what in [n for n in plan.nuisances if n.kind == kind][:1]:
            moments = np.linspace(what.start, min(what.end, what.start + longest), WIDE)
            strips.append(np.hstack([_at(renderer, t, f"{kind} {1000 * (t - what.start):.0f} ms") for t in moments]))
    others = [[n for n in plan.nuisances if n.kind == kind][:1] for kind in ("head", "gaze", "swallow", "exposure")]
    tiles = [_at(renderer, sum(n.intervals()[0]) / 2, n.kind) for found in others for n in found]
    return np.vstack(strips + (_rows(tiles) if tiles else []))


def _at(renderer, t: float, title: str) -> np.ndarray:
    return _tile(renderer, renderer.clean(float(t)), title)


def _rows(tiles: list[np.ndarray]) -> list[np.ndarray]:
    tiles = tiles + [np.zeros_like(tiles[0])] * (-len(tiles) % WIDE)
    return [np.hstack(tiles[i : i + WIDE]) for i in range(0, len(tiles), WIDE)]


def _tile(renderer, picture: np.ndarray, title: str) -> np.ndarray:
    """The face and a little around it, with a title."""
    centre = renderer.face.landmarks[:, :2].mean(axis=0)
    side = int(min(1.5 * renderer.face.width, *picture.shape[:2]))
    left, top = (int(np.clip(c - side / 2, 0, n - side)) for c, n in zip(centre, picture.shape[1::-1]))
    cut = picture[top : top + side, left : left + side]
    tile = cv2.resize(cut, (TILE, TILE), interpolation=cv2.INTER_AREA)
    for colour, width in (((0, 0, 0), 3), ((255, 255, 255), 1)):
        cv2.putText(tile, title, (4, TILE - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.36, colour, width, cv2.LINE_AA)
    return tile
