"""A movement of the face: what moved, how far, from when to when.

It begins when parts of the face begin to move and ends when they come to rest: where they were, or anywhere else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

LEVEL = 0.1  # up to this share of the apex's displacement, the face is where it was
BEFORE = 0.15  # seconds before the onset that show the face at rest
LEAST = 0.004  # outer-eye distances: what moved less than this is placed by its histograms
SMOOTH = 0.02  # seconds over which the displacement is averaged before its peak is sought
STEP = 0.05  # seconds over which its speed is taken
SLOW = 0.15  # of the movement's greatest speed: what is slower has come to rest
TOP = 0.97  # of the apex's displacement: the plateau that the apex is the middle of


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

    @property
    def rise(self) -> float:
        return self.apex - self.onset


def movement(samples: list[Sample], onset: float, apex: float, offset: float) -> Movement:
    """The movement that is believed to lie at (onset, apex, offset), out of the samples of the last seconds."""
    window = [s for s in samples if s.pts >= onset - BEFORE - 1e-6]
    t = np.array([s.pts for s in window])
    moved = np.array([s.moved for s in window])
    still = t <= max(onset - BEFORE / 3, t[0])
    return Movement(t, moved - moved[still].mean(axis=0), onset, apex, offset)


def refined(move: Movement) -> Movement:
    """The same movement with onset, apex and offset where the displacement has them.

    All parts are projected onto what had moved at the apex: one curve, far less noisy than any of its parts.
    """
    t, moved = move.t, move.moved.reshape(len(move.t), -1)
    inside = (t >= move.onset) & (t <= move.offset)
    apex = int(np.argmin(np.abs(t - move.apex)))
    for _ in range(2):  # a better apex gives a better pattern
        pattern = moved[apex]
        size = float(pattern @ pattern)
        if size < LEAST**2:
            return move
        amount = smoothed(t, moved @ pattern / size)
        apex = int(np.argmax(np.where(inside, amount, -np.inf)))
    first = apex
    while first > 0 and amount[first] > LEVEL * amount[apex]:
        first -= 1
    last = _end(t, amount, first, apex, int(np.argmin(np.abs(t - move.offset))))
    apex = _middle(amount, first, last)
    return replace(move, onset=float(t[first]), apex=float(t[apex]), offset=float(t[last]))


def _end(t: np.ndarray, amount: np.ndarray, first: int, apex: int, guess: int) -> int:
    """The index at which the movement is back or goes no further; the guess is somewhere near."""
    speed = np.abs(np.interp(t + STEP / 2, t, amount) - np.interp(t - STEP / 2, t, amount)) / STEP
    before = speed[: first + 1]
    moving = speed > max(SLOW * speed[first : guess + 1].max(), before.max() if len(before) > 2 else 0.0)
    last = max(guess, apex)
    if moving[last]:
        while last < len(t) - 1 and moving[last]:
            last += 1
    else:
        while last > first + 1 and not moving[last - 1]:
            last -= 1
    back = np.flatnonzero(amount[apex : last + 1] <= LEVEL * amount[apex])
    return apex + int(back[0]) if len(back) else last


def _middle(amount: np.ndarray, first: int, last: int) -> int:
    """The index in the middle of the curve's top between two others."""
    top = first + int(np.argmax(amount[first : last + 1]))
    begin = end = top
    while begin > first and amount[begin - 1] >= TOP * amount[top]:
        begin -= 1
    while end < last and amount[end + 1] >= TOP * amount[top]:
        end += 1
    return (begin + end) // 2


def smoothed(t: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Mean over SMOOTH seconds around each moment; nothing changes where frames lie further apart."""
    near = np.abs(t[:, None] - t[None, :]) <= SMOOTH / 2 + 1e-9
    return (near * values).sum(axis=1) / near.sum(axis=1)
