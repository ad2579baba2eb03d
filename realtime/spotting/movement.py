"""A movement of the face: what moved, how far, from when to when.

It begins when parts of the face begin to move and ends when they come to rest: where they were, or anywhere else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BEFORE = 0.15  # seconds before the onset that show the face at rest
LEAST = 0.004  # outer-eye distances: what moved less than this is placed by its histograms


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
