"""The front end, cheap enough for every frame: how far a face is from its own resting state.

LBP histograms of the three regions are held against the resting ones (SA-AT Eq. 1), and each part's place against its
resting place. Either is counted in multiples of its usual difference at rest, so that a noisy camera or a small face
raises the bar by itself, and the difference is that of the region or part which is furthest from rest.
"""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from realtime.lbp import RegionHistograms, distance, regions
from realtime.records import FaceView
from realtime.spotting.points import PARTS
from realtime.spotting.settings import SpotterSettings

SMOOTHING = 0.01  # seconds over which histograms are averaged: nothing at 30 fps, a few frames at 200
RESTING = 0.7  # seconds over which the resting histograms forget
LEAST_FLOOR = 1e-4  # a noiseless source must not turn rounding into movement
LEAST_MOVED = 0.0003  # the same for places, outer-eye distances: what no camera resolves
LEAST_DEVIATION = 0.1
EVERY = 0.1  # seconds between two looks at the noise


class RestingDifference:
    """`measure` a moment, then say with `rest` that it was a resting one (or with `settle` that rest is here now).

    by_region: of the left eye's, the right eye's and the mouth's histograms. difference: the largest, parts included.
    threshold. All are multiples of the resting difference; NaN until the warm-up is over.
    """

    def __init__(self, grey: np.ndarray, view: FaceView, settings: SpotterSettings):
        self._settings = settings
        self._histograms = RegionHistograms(regions(view.landmarks), grey.shape)
        self._now = self._histograms(grey)
        self._rest = self._now.copy()
        self._place = np.zeros((len(PARTS), 2), np.float32)
        self._resting_place = self._place.copy()
        self._raw = np.zeros(len(self._now) + len(PARTS), np.float32)  # before it is counted in multiples
        self._noise: deque[tuple[float, np.ndarray]] = deque()  # (pts, raw) at rest
        self._looked = -math.inf
        self._floor: np.ndarray | None = None
        self._multiples = np.full(len(self._raw), np.nan, np.float32)
        self.difference = self.threshold = math.nan

    @property
    def by_region(self) -> np.ndarray:
        return self._multiples[: len(self._now)]

    def measure(self, grey: np.ndarray, moved: np.ndarray, pts: float, dt: float) -> None:
        """grey: ALIGNED×ALIGNED uint8. moved: PARTS×2, outer-eye distances. pts, dt: seconds."""
        fresh = 1 - math.exp(-dt / SMOOTHING)
        self._now += fresh * (self._histograms(grey) - self._now)
        self._place += fresh * (moved - self._place)
        away = np.linalg.norm(self._place - self._resting_place, axis=1)
        self._raw = np.concatenate([distance(self._rest, self._now), away])
        if pts - self._looked >= EVERY:
            self._looked = pts
            self._look(pts)
        if self._floor is not None:
            self._multiples = self._raw / self._floor
            self.difference = float(self._counted(self._multiples).max())

    def rest(self, pts: float, dt: float) -> None:
        self._noise.append((pts, self._raw))
        share = 1 - math.exp(-dt / RESTING)
        self._rest += share * (self._now - self._rest)
        self._resting_place += share * (self._place - self._resting_place)

    def settle(self) -> None:
        """The face has come to rest in another state: that is its resting state now."""
        self._rest, self._resting_place = self._now.copy(), self._place.copy()

    def _counted(self, multiples: np.ndarray) -> np.ndarray:
        return multiples if self._settings.displacement else multiples[..., : len(self._now)]

    def _look(self, pts: float) -> None:
        """Floor and threshold from what rest looked like lately."""
        while self._noise and pts - self._noise[0][0] > self._settings.noise_seconds:
            self._noise.popleft()
        if not self._noise or self._noise[-1][0] - self._noise[0][0] < self._settings.warmup_seconds:
            return
        resting = np.array([raw for _, raw in self._noise])
        least = np.full(resting.shape[1], LEAST_MOVED)
        least[: len(self._now)] = LEAST_FLOOR
        self._floor = np.maximum(np.median(resting, axis=0), least)
        curve = self._counted(resting / self._floor).max(axis=1)
        middle = float(np.median(curve))
        deviation = 1.4826 * float(np.median(np.abs(curve - middle)))
        self.threshold = middle + self._settings.sensitivity * max(deviation, LEAST_DEVIATION)
