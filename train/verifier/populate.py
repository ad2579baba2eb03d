"""More micro-expressions for the verifier to learn from: laid over recorded series of faces, as their parts would have moved.

Rendering a clip and following the face through it takes minutes; what its parts do during an expression is known without.
A recorded series keeps what only a camera shows: noise, sway, blinks, speech, a face that is lost for a moment.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from realtime.spotting.movement import IDS, NO_LIDS, PARTS, POOL
from realtime.spotting.verify import AWAY, HOME_LOOKS
from train.synthesis import drawn_events
from train.synthesis.action_units import ACTION_UNITS, SIDES
from train.synthesis.face import Face
from train.synthesis.fields import LOWER_LID, Fields
from train.synthesis.motions import Happening
from train.synthesis.people import Person
from train.synthesis.real_motion import Movement
from train.verifier.collect import Recording

PLACES = 2 * len(PARTS)
REGIONS = slice(PLACES, PLACES + 3)
EYES = PLACES + 3
APART = 0.35  # seconds between two micro-expressions, at least
# a region's histograms differ by so many multiples of rest for each hundredth that one of its parts moves: 5th and 95th percentile
HEARD = (0.8, 3.8)
# what the followed points show of a movement, as measured on rendered clips: median 0.6, quartiles 0.4 and 0.7
SHOWN = (0.6, 0.35)  # median, and deviation of the logarithm
UNEVEN = 0.3  # the same deviation from part to part
SHARED = 0.1  # of the largest displacement: what the alignment lets every part move along, at most about


class Parts:
    """How the parts of one person's face move with each basis at strength 1: {basis: PARTS×2}, outer-eye distances."""

    def __init__(self, person: Person, movements: list[Movement]):
        face = Face(person.landmarks, person.portrait.shape[:2])
        fields = Fields(face, movements)
        at = fields(person.landmarks[IDS, :2].astype(np.float32)) @ face.axes.T / face.scale  # bases×IDS×2
        self._moved = dict(zip(fields.bases, np.einsum("pi,bic->bpc", POOL, at), strict=True))
        self.movements = movements

    def __call__(self, event: Happening, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(places len(t)×PLACES in hundredths of the outer-eye distance, closing of the eyes len(t), 1 = shut) at `t`."""
        places, closing = np.zeros((len(t), len(PARTS), 2)), np.zeros(len(t))
        parts = event.parts or ((0.0, 0.0),) * len(event.expression.units)
        for (unit, side, amount), (lag, more) in zip(event.expression.units, parts, strict=True):
            share = amount * np.array([event.course.share(x - event.onset, lag, more) for x in t])
            if (unit, side) in self._moved:
                places += share[:, None, None] * self._moved[unit, side]
            upper, lower = unit.lids if isinstance(unit, Movement) else ACTION_UNITS[unit].lids
            for half in SIDES if side == "both" else (side,):
                places += (share * upper)[:, None, None] * self._moved["upper lid", half]
                places += (share * lower)[:, None, None] * self._moved["lower lid", half]
                closing += share * (upper + LOWER_LID * lower) / 2
        return 100 * places.transpose(0, 2, 1).reshape(len(t), PLACES), closing


def populated(recording: Recording, truths: np.ndarray, parts: Parts, random: np.random.Generator) -> tuple[np.ndarray, Recording]:
    """(those and the new ones, the recording with more micro-expressions in it). truths: those that it has, N×3 seconds (onset, apex, offset).

    What each moment is called stays as it was: `collect.widened` says it of all of them.
    """
    columns = recording.columns.copy()
    taken, rows = [(row[0], row[2]) for row in truths], [np.reshape(truths, (-1, 3))]
    at = float(recording.t[0]) + random.uniform(0.8, 1.6)
    while at < recording.t[-1]:
        event = drawn_events.micro(random, at, 100.0)
        if parts.movements and random.random() < 0.5:
            event = drawn_events.real(random, event, parts.movements[random.integers(len(parts.movements))], False)
        at = event.offset + APART + random.exponential(0.9)
        if any(event.onset < end + APART and begin - APART < event.offset for begin, end in taken):
            continue
        taken.append((event.onset, event.offset))
        begins = recording.begins[np.searchsorted(recording.t, event.onset).clip(max=len(recording.t) - 1)]
        stretch = recording.begins == begins
        seen = stretch & (recording.t >= event.onset) & (recording.t <= (event.end if np.isfinite(event.end) else np.inf))
        t = recording.t[seen]
        if not len(t) or t[0] > event.onset + 0.1:  # the face was not followed then
            continue
        places, closing = parts(event, t)
        places = shown(places, random)
        columns[seen, :PLACES] += places.astype(np.float32)
        columns[seen, EYES] *= (1 - closing).clip(0, 1.3)
        columns[seen, REGIONS] = heard(columns[seen, REGIONS], places, event, t, random)
        rows.append(np.array([[event.onset, event.apex, event.offset]]))
    # a usual place is worked out anew from the change
    columns[:, AWAY] = away(columns[:, :PLACES], recording.columns[:, :PLACES], columns[:, AWAY], recording.begins)
    return np.concatenate(rows), replace(recording, columns=columns)


def shown(places: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """What following the points shows of how the parts moved (n×PLACES, hundredths of the outer-eye distance): less, unevenly, with a little that all have in common."""
    many = len(PARTS)
    median, spread = SHOWN
    gain = median * np.exp(spread * random.standard_normal() + UNEVEN * random.standard_normal(many))
    found = places * np.tile(gain, 2)
    way = np.linalg.norm(places.reshape(len(places), 2, -1), axis=1).max(axis=1)
    x, y = SHARED * random.standard_normal(2)
    return found + way[:, None] * np.repeat([x, y], many)


def heard(regions: np.ndarray, places: np.ndarray, event: Happening, t: np.ndarray, random) -> np.ndarray:
    """The regions' log2 differences (n×3 float32), with what the movement adds to them; nothing once the face has rested anew."""
    way = np.linalg.norm(places.reshape(len(t), 2, -1), axis=1)  # n×PARTS
    forgets = np.exp(-np.maximum(t - event.offset - 0.3, 0) / 0.1)
    gain = np.exp(random.uniform(*np.log(HEARD)))
    added = np.stack([way[:, which].max(axis=1) for which in REGION_PARTS], axis=1) * gain * forgets[:, None]
    return np.log2(np.sqrt(np.exp2(2 * regions) + added**2)).clip(-2, 6).astype(np.float32)


REGION_PARTS = [
    [i for i, name in enumerate(PARTS) if name.startswith("left") and ("brow" in name or "lid" in name)],
    [i for i, name in enumerate(PARTS) if name.startswith("right") and ("brow" in name or "lid" in name)],
    [i for i, name in enumerate(PARTS) if any(word in name for word in ("mouth", "lip", "chin", "cheek", "nose"))],
]


def away(places: np.ndarray, before: np.ndarray, was: np.ndarray, begins: np.ndarray) -> np.ndarray:
    """How far the part that is furthest from its usual place is, n float32, where `before` became `places`: as `verify.Series` has it."""
    found = was.copy()
    for begin in np.unique(begins):
        rows = np.flatnonzero(begins == begin)
        home: np.ndarray = np.zeros(places.shape[1], np.float32)
        seen: float = 0
        for row in rows:
            seen = min(seen + 1, HOME_LOOKS)
            home += (places[row] - home) / seen
            found[row] = np.linalg.norm((places[row] - home).reshape(2, -1)[:, NO_LIDS], axis=0).max()
    return found
