"""A movement of the face: what moved, how far, from when to when."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

LEVEL = 0.1  # onset and offset are where this share of the apex's displacement is left
BEFORE = 0.15  # seconds before the rise that show the face at rest
LEAST = 0.004  # outer-eye distances: what moved less than this is placed by its histograms
SMOOTH = 0.02  # seconds over which the displacement is averaged before its peak is sought


@dataclass(frozen=True, eq=False)
class Sample:
    """One moment, small enough to keep for seconds. moved: PARTS×2, outer-eye distances since the anchor."""

    pts: float
    difference: float
    by_region: np.ndarray
    moved: np.ndarray
    eye_opening: float
    motion: float


@dataclass(frozen=True, eq=False)
class Movement:
    """From a little before the onset to now. t: n, seconds. moved: n×PARTS×2, outer-eye distances since the onset."""

    t: np.ndarray
    moved: np.ndarray
    onset: float
    apex: float
    offset: float

    @property
    def duration(self) -> float:
        return self.offset - self.onset


def movement(samples: list[Sample], onset: float, apex: float, offset: float) -> Movement:
    """The movement that is believed to lie at (onset, apex, offset), out of the samples of the last seconds."""
    window = [s for s in samples if s.pts >= onset - BEFORE - 1e-6]
    t = np.array([s.pts for s in window])
    moved = np.array([s.moved for s in window])
    still = t <= max(onset - BEFORE / 3, t[0])
    return Movement(t, moved - moved[still].mean(axis=0), onset, apex, offset)


def refined(move: Movement, returns: bool = True) -> Movement:
    """The same movement with onset, apex and offset where the displacement has them.

    All parts are projected onto what had moved at the apex: one curve, far less noisy than any of its parts. Where the
    face `returns`, what is left at the end (a drift, a face that does not quite come back) is taken off in proportion to
    the time.
    """
    t = move.t
    drift = np.clip((t - move.onset) / max(move.offset - move.onset, 1e-6), 0, 1)[:, None, None] * move.moved[-1] * returns
    moved = (move.moved - drift).reshape(len(t), -1)
    inside = (t >= move.onset) & (t <= move.offset)
    apex = int(np.argmin(np.abs(t - move.apex)))
    for _ in range(2):  # a better apex gives a better pattern
        pattern = moved[apex]
        size = float(pattern @ pattern)
        if size < LEAST**2:
            return move
        amount = smoothed(t, moved @ pattern / size)
        apex = int(np.argmax(np.where(inside, amount, -np.inf)))
    level = LEVEL * amount[apex]
    first, last = apex, apex
    while first > 0 and amount[first] > level:
        first -= 1
    while last < len(t) - 1 and amount[last] > level:
        last += 1
    return replace(move, onset=float(t[first]), apex=float(t[apex]), offset=float(t[last]))


def smoothed(t: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Mean over SMOOTH seconds around each moment; nothing changes where frames lie further apart."""
    near = np.abs(t[:, None] - t[None, :]) <= SMOOTH / 2 + 1e-9
    return (near * values).sum(axis=1) / near.sum(axis=1)
