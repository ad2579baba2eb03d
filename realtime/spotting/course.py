"""Where a movement begins, peaks and ends: a simple course is laid over how the parts of the face moved.

Rest, a smooth way to the apex, a smooth way to the offset, rest again. Each part has its own way and its own share of it
that it gives back; the three moments are common to all. Where the parts say little, the moments stay where they were
believed to be: of a face that stays at its apex nobody can see when the offset was.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np

from realtime.spotting.movement import LEAST, NO_LIDS, Movement

TRUST = 0.04  # seconds: deviation of the moments that are believed
STEPS = ((0.02, 4), (0.0067, 2))  # (seconds, how many of them to each side) of the search, coarse then fine
BEFORE, AFTER = 0.2, 0.1  # seconds of rest that are looked at
BIN = 1 / 60  # seconds over which samples are averaged
STEADY = 0.001  # outer-eye distances: the least noise of a place
AGREES = 0.1  # samples are no independent witnesses: what one counts
BRIEF = 0.03  # seconds: the shortest way to the apex


def refined(move: Movement) -> Movement:
    """The same movement with onset, apex and offset where the displacement has them."""
    t, places = _binned(move)
    if len(t) < 6:
        return move
    way = np.linalg.norm(np.ptp(places, axis=0), axis=1)  # of each part
    # lids blink: they are looked at where nothing else moved
    parts = NO_LIDS if way[NO_LIDS].max() > LEAST else slice(None)
    if way[parts].max() < LEAST:
        return move
    places = places[:, parts].reshape(len(t), -1)
    seen = places / _noise(t, places, move.onset)
    believed = times = np.array([move.onset, move.apex, move.offset])
    for step, many in STEPS:
        around = step * np.arange(-many, many + 1)
        some = times + np.array(list(product(around, around, around)))
        # what is to come is not known: nothing ends after the last moment
        some = some[(some[:, 1] - some[:, 0] >= BRIEF) & (some[:, 2] > some[:, 1]) & (some[:, 2] <= move.t[-1])]
        if not len(some):
            return move
        doubt = (((some - believed) / TRUST) ** 2).sum(axis=1)
        times = some[np.argmax(AGREES * _explained(t, seen, some) - doubt)]
    onset, apex, offset = map(float, times)
    return replace(move, onset=onset, apex=apex, offset=offset)


def _explained(t: np.ndarray, seen: np.ndarray, times: np.ndarray) -> np.ndarray:
    """How much of the squares of `seen` (n×channels) a course with each of these times (K×3) explains: (K,)."""
    onset, apex, offset = (moment[:, None] for moment in times.T)
    course = np.stack([np.ones((len(times), len(t))), _ramp((t - onset) / (apex - onset)), _ramp((t - apex) / (offset - apex))], axis=1)
    both = course @ course.transpose(0, 2, 1) + 1e-3 * np.eye(3)  # K×3×3
    shared = course @ seen  # K×3×channels
    return (shared * np.linalg.solve(both, shared)).sum(axis=(1, 2))


def _ramp(x: np.ndarray) -> np.ndarray:
    return 0.5 - 0.5 * np.cos(np.pi * np.clip(x, 0, 1))


def _binned(move: Movement) -> tuple[np.ndarray, np.ndarray]:
    """(t, places n×PARTS×2) from a little before the onset to a little after the offset."""
    near = (move.t >= move.onset - BEFORE) & (move.t <= move.offset + AFTER)
    t, places = move.t[near], move.moved[near].reshape(near.sum(), -1)
    if not len(t):
        return t, places
    which = np.unique(((t - t[0]) / BIN + 1e-6).astype(int), return_inverse=True)[1]
    count = np.bincount(which)
    mean = np.stack([np.bincount(which, channel) for channel in places.T], axis=1) / count[:, None]
    return np.bincount(which, t) / count, mean.reshape(len(count), -1, 2)


def _noise(t: np.ndarray, places: np.ndarray, onset: float) -> np.ndarray:
    """Deviation of each channel before the onset."""
    before = places[t < onset - 0.03]
    return np.maximum(before.std(axis=0) if len(before) > 3 else 0.0, STEADY)
