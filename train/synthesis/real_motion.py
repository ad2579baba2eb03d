"""Real micro-expressions as movements for synthetic faces: the onset→apex flow maps of MEGC2019.

A map's channels were stretched to 0…255 each by itself. The still part of a face lies at the median, so that is zero
again; u and v keep their directions; how large v is beside u is fitted: at the right ratio, the strain of the field is
the map's third channel. The size is lost and is drawn anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from train import places
from train.data.loaders import megc2019

RATIOS = np.geomspace(0.5, 3.0, 21)  # of v to u
LIKE = 0.6  # a map whose strain is nowhere this well correlated with its third channel is left out
HELD_OUT = (1, 3)  # of every five people, these are for the portraits that no network is trained on
HELD_OUT_FROM = 110  # by place in the folder of portraits: those to train on come before
HANDS = 20
RING = 5  # cells at a map's edge, where the head's own movement is looked for
PAD, FADE = 4, 2.0  # cells added around a map, and over how many on each side of its edge it fades
SOFT = 0.7  # sigma of the blur, cells


@dataclass(frozen=True, eq=False)
class Movement:
    """One person's movement from onset to apex; at strength 1 its largest displacement is one outer-eye distance.

    person: "dataset/subject". label: one of `megc2019.CLASSES`. field: (28 + 2·PAD)²×2 float32, (x, y) in cells of the face crop
    (`realtime.naming.inputs.face.crop_box` cut into 28×28), fading to nothing beyond the crop's edge. stronger: the half of
    the face that moves more, the person's own.
    """

    number: int
    person: str
    label: str
    field: np.ndarray
    stronger: str

    extent = 1.0
    lids = (0.0, 0.0)


def movements(training: bool) -> tuple[Movement, ...]:
    """Those of the people to train on, or of the held-out ones: no person is in both. Empty where the maps are absent.

    Raises UsageError where the file is something else.
    """
    return tuple(m for m, trained in _all(maps_file()) if trained == training)


def maps_file() -> Path:
    return places.data() / "megc2019" / "flow_28x28.npz"


def deck(place: int, seed: int) -> list[Movement]:
    """What the portrait at `place` in its folder may move like, in order; each `seed` and place begins with another.

    The portraits to train on have all movements to train on. Of the others, HANDS in a row share out the held-out
    movements, so that a set of so many shows each at one face only.
    """
    training = place < HELD_OUT_FROM
    shared = movements(training)
    order = np.random.default_rng(0).permutation(len(shared))
    if training:
        order = np.roll(order, -(7 * place + 2 * seed))
    else:
        order = np.roll(order[(place - HELD_OUT_FROM) % HANDS :: HANDS], -seed)
    return [shared[i] for i in order]


@cache
def _all(path: Path) -> tuple[tuple[Movement, bool], ...]:
    """(movement, whether it is one to train on), in the file's order."""
    if not path.exists():
        return ()
    maps, label, people, _ = megc2019.read(path)
    held_out = {person for place, person in enumerate(sorted(set(people))) if place % 5 in HELD_OUT}
    fields, likeness = in_proportion(maps)
    found = []
    for i in np.flatnonzero(likeness >= LIKE):
        field = without_head(fields[i]) if i % 4 else fields[i]  # a quarter keeps the head's share
        stronger = "right" if np.abs(field[:, :14]).sum() > np.abs(field[:, 14:]).sum() else "left"
        made = Movement(int(i), str(people[i]), megc2019.CLASSES[label[i]], faded(field), stronger)
        found.append((made, people[i] not in held_out))
    return tuple(found)


def in_proportion(maps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """N×28×28×3 uint8 (u, v, strain) → (N×28×28×2 fields with v in proportion to u, the strains' correlation, N)."""
    maps = maps.astype(np.float32)
    field = maps[..., :2] - np.median(maps[..., :2], axis=(1, 2), keepdims=True)
    (u_y, u_x), (v_y, v_x) = (np.gradient(field[..., i], axis=(1, 2)) for i in (0, 1))
    given = _standardised(maps[..., 2])
    likeness = np.array([(_standardised(np.sqrt(u_x**2 + (r * v_y) ** 2 + 0.5 * (u_y + r * v_x) ** 2)) * given).mean(axis=(1, 2)) for r in RATIOS])
    field[..., 1] *= RATIOS[likeness.argmax(axis=0)][:, None, None]
    return field, likeness.max(axis=0)


def without_head(field: np.ndarray) -> np.ndarray:
    """28×28×2 less the affine movement of its outer ring: what the face did on a head that moved."""
    y, x = np.mgrid[-1:1:28j, -1:1:28j]
    ring = np.ones((28, 28), bool)
    ring[RING:-RING, RING:-RING] = False
    terms = np.stack([np.ones_like(x), x, y], axis=-1)
    fitted = np.linalg.lstsq(terms[ring], field[ring], rcond=None)[0]
    return (field - terms @ fitted).astype(np.float32)


def faded(field: np.ndarray) -> np.ndarray:
    """28×28×2 → padded by PAD cells, smooth, zero from FADE cells beyond the edge on."""
    padded = cv2.copyMakeBorder(field, PAD, PAD, PAD, PAD, cv2.BORDER_REPLICATE)
    cells = np.arange(28 + 2 * PAD)
    within = np.minimum(cells, cells[::-1]) - PAD + 0.5  # from the edge inwards
    ramp = np.clip((within + FADE) / (2 * FADE), 0, 1)
    ramp = ramp * ramp * (3 - 2 * ramp)
    padded *= (ramp[:, None] * ramp[None])[..., None].astype(np.float32)
    return cv2.GaussianBlur(padded, (0, 0), SOFT)


def _standardised(x: np.ndarray) -> np.ndarray:
    centred = x - x.mean(axis=(1, 2), keepdims=True)
    return centred / np.maximum(centred.std(axis=(1, 2), keepdims=True), 1e-6)
