"""The front end, cheap enough for every frame: how far a face is from its own resting state, how fast it changes, and so
whether it moves or rests.

LBP histograms of the three regions are held against the resting ones (SA-AT Eq. 1), and each part's place against its
resting place; and both against what they were a moment ago. All are counted in multiples of their usual difference at
rest, so that a noisy camera or a small face raises the bar by itself; what counts is the region or part that is
furthest from rest, or changes most. A face wakes when it is off its rest, and is at rest again when it is back there, or
has not changed for a while: then where it is now is its rest.
"""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from realtime.records import FaceView
from realtime.spotting.lbp import RegionHistograms, distance, regions
from realtime.spotting.movement import PARTS
from realtime.spotting.settings import SpotterSettings

SMOOTHING = 0.01  # seconds over which histograms are averaged: nothing at 30 fps, a few frames at 200
RESTING = 0.7  # seconds over which the resting histograms forget
LEAST_FLOOR = 1e-4  # a noiseless source must not turn rounding into movement
LEAST_MOVED = 0.0003  # the same for places, outer-eye distances: what no camera resolves
LEAST_DEVIATION = 0.1
EVERY = 0.1  # seconds between two looks at the noise
HELD = 0.3  # seconds without change after which a face is at rest, wherever it is
LOOKS = 30.0  # a second, of which these seconds are made up
CALM = 4.0  # deviations above the median change at rest up to which nothing has changed
EDGE = 0.35  # back at rest: this share of the threshold's height over rest
SETTLING = 0.05  # seconds for which a face must be back
SLOW = 0.15  # share of a movement's fastest change up to which nothing moves: a slow drift is rest, too
LONGEST = 4.0  # seconds that a face may move without a rest; then it is the light or the camera that has changed


class RestingDifference:
    """`measure` a moment, then say with `rest` that it was a resting one (or with `settle` that rest is here now).

    Attributes:
        by_region: of the left eye's, the right eye's and the mouth's histograms.
        difference: the largest, parts included.
        threshold: what it must exceed. All three are multiples of the resting difference; NaN until the warm-up is over.
        change: the largest within the last HELD seconds, in multiples of its own usual size; up to `calm` there is none.
    """

    def __init__(self, grey: np.ndarray, view: FaceView, settings: SpotterSettings):
        """
        Args:
            grey: ALIGNED×ALIGNED uint8, as `lbp.smooth_grey` makes it of the view.
            view: the first one, taken as rest until more is known.
            settings: how much of rest is looked at.
        """
        self._settings = settings
        self._histograms = RegionHistograms(regions(view.landmarks), grey.shape)
        self._now = self._histograms(grey)
        self._rest = self._now.copy()
        self._place = np.zeros((len(PARTS), 2), np.float32)
        self._resting_place = self._place.copy()
        self._raw = np.zeros(len(self._now) + len(PARTS), np.float32)  # before it is counted in multiples
        self._noise: deque[tuple[float, np.ndarray]] = deque()  # (pts, raw) at rest
        self._lately: deque[tuple[float, np.ndarray, np.ndarray]] = deque()  # (pts, histograms, places) of HELD seconds
        self._changes: deque[tuple[float, np.ndarray]] = deque()  # (pts, changed) at rest
        self._changed: np.ndarray | None = None  # within the last HELD seconds, before it is counted in multiples
        self._looked = -math.inf
        self._floor: np.ndarray | None = None
        self._usual_change: np.ndarray | None = None
        self._multiples = np.full(len(self._raw), np.nan, np.float32)
        self.difference = self.threshold = self.change = self.calm = math.nan
        self._usual = settings.usual
        if self._usual is not None and len(self._usual.floor) == len(self._usual.change) == len(self._raw):
            self._floor, self.threshold = np.array(self._usual.floor, np.float32), self._usual.threshold
            self._usual_change, self.calm = np.array(self._usual.change, np.float32), self._usual.calm
        else:
            self._usual = None

    def levels(self) -> tuple[np.ndarray, float, np.ndarray, float] | None:
        """Floor, threshold, usual change and calm, once all are known: what a baseline keeps."""
        if self._floor is None or self._usual_change is None:
            return None
        return self._floor, self.threshold, self._usual_change, self.calm

    @property
    def by_region(self) -> np.ndarray:
        """(3,): left eye, right eye, mouth."""
        return self._multiples[: len(self._now)]

    def measure(self, grey: np.ndarray, moved: np.ndarray, pts: float, dt: float) -> None:
        """
        Args:
            grey: ALIGNED×ALIGNED uint8.
            moved: PARTS×2, outer-eye distances.
            pts: seconds.
            dt: seconds.
        """
        fresh = 1 - math.exp(-dt / SMOOTHING)
        self._now += fresh * (self._histograms(grey) - self._now)
        self._place += fresh * (moved - self._place)
        self._raw = self._apart(self._rest, self._resting_place)
        self._look_back(pts)
        if pts - self._looked >= EVERY:
            self._looked = pts
            self._look(pts)
        if self._floor is not None:
            self._multiples = self._raw / self._floor
            self.difference = float(self._counted(self._multiples).max())
        if self._changed is not None and self._usual_change is not None:
            self.change = float(self._counted(self._changed / self._usual_change).max())

    def rest(self, pts: float, dt: float, long_since: bool) -> None:
        """
        Args:
            long_since: for more than HELD seconds already.
        """
        self._noise.append((pts, self._raw))
        if long_since and self._changed is not None and (not self._changes or pts - self._changes[-1][0] >= EVERY):
            self._changes.append((pts, self._changed))
        share = 1 - math.exp(-dt / RESTING)
        self._rest += share * (self._now - self._rest)
        self._resting_place += share * (self._place - self._resting_place)

    def settle(self) -> None:
        """The face has come to rest in another state: that is its resting state now."""
        self._rest, self._resting_place = self._now.copy(), self._place.copy()

    def _apart(self, histograms: np.ndarray, places: np.ndarray) -> np.ndarray:
        """How far each region and each part is now from those: (regions + PARTS,)."""
        return np.concatenate([distance(histograms, self._now), np.linalg.norm(self._place - places, axis=1)])

    def _look_back(self, pts: float) -> None:
        """How much each region and part has changed within the last HELD seconds: between their thirds, for the noise's sake."""
        lately = self._lately
        if lately and pts - lately[-1][0] < 1 / LOOKS - 1e-3:
            return
        lately.append((pts, self._now.copy(), self._place.copy()))
        while pts - lately[0][0] > HELD + 1e-6:
            lately.popleft()
        if len(lately) < 3 or pts - lately[0][0] < 0.8 * HELD:
            return
        _, histograms, places = zip(*lately, strict=True)
        thirds = np.linspace(0, len(lately), 4).astype(int)[:3]
        share = np.diff([*thirds, len(lately)])[:, None, None]
        histograms, places = (np.add.reduceat(np.array(seen), thirds) / share for seen in (histograms, places))
        # the angle between histograms goes with what moved, its cosine with the square
        angles = distance(histograms, np.roll(histograms, 1, axis=0)) ** 0.5
        ways = np.linalg.norm(places - np.roll(places, 1, axis=0), axis=2)
        self._changed = np.concatenate([angles, ways], axis=1).max(axis=0)

    def _counted(self, multiples: np.ndarray) -> np.ndarray:
        return multiples if self._settings.displacement else multiples[..., : len(self._now)]

    def _look(self, pts: float) -> None:
        """Floor and threshold from what rest looked like lately."""
        while self._noise and pts - self._noise[0][0] > self._settings.noise_seconds:
            self._noise.popleft()
        if not self._noise or self._noise[-1][0] - self._noise[0][0] < self._settings.warmup_seconds:
            return
        least = np.full(len(self._raw), LEAST_MOVED)
        least[: len(self._now)] = LEAST_FLOOR
        self._floor, self.threshold = self._levels(self._noise, least, self._settings.sensitivity)
        if self._usual is not None:  # until this session knows as much of rest
            share = min(1.0, (self._noise[-1][0] - self._noise[0][0]) / (0.9 * self._settings.noise_seconds))
            self._floor = share * self._floor + (1 - share) * np.array(self._usual.floor)
            self.threshold = share * self.threshold + (1 - share) * self._usual.threshold
        while self._changes and pts - self._changes[0][0] > self._settings.noise_seconds:
            self._changes.popleft()
        if len(self._changes) >= 3:
            least[: len(self._now)] **= 0.5
            self._usual_change, self.calm = self._levels(self._changes, least, CALM)

    def _levels(self, noise: deque[tuple[float, np.ndarray]], least: np.ndarray, deviations: float) -> tuple[np.ndarray, float]:
        """Of moments at rest: the usual value of each column, and the multiple of it that rest stays below."""
        resting = np.array([raw for _, raw in noise])
        floor = np.maximum(np.median(resting, axis=0), least)
        curve = self._counted(resting / floor).max(axis=1)
        middle = float(np.median(curve))
        deviation = 1.4826 * float(np.median(np.abs(curve - middle)))
        return floor, middle + deviations * max(deviation, LEAST_DEVIATION)


class Waking:
    """`waking(pts, dt)` for each moment that the front end has measured.

    Attributes:
        moving: whether it does.
        since: when it began to move, seconds.
        rested: when it came to rest last, seconds.
        just_rested: whether that is known since this moment.
        back: whether that was its rest before it moved.
    """

    def __init__(self, front: RestingDifference, pts: float):
        self._front = front
        self.moving, self.just_rested, self.back = False, False, True
        self.since = self.rested = pts
        self._over: float | None = None  # since when it is back, if it is
        self._fastest = 0.0

    @property
    def edge(self) -> float:
        return 1 + EDGE * (self._front.threshold - 1)

    def __call__(self, pts: float, dt: float) -> None:
        front, moved = self._front, self.moving
        if self.moving:
            self._come_to_rest(pts)
        elif front.difference > front.threshold:
            self.moving, self.since, self._over, self._fastest = True, pts, None, 0.0
        self.just_rested = moved and not self.moving
        if not self.moving:
            front.rest(pts, dt, pts - self.rested > HELD)

    def _come_to_rest(self, pts: float) -> None:
        front = self._front
        if front.difference > front.threshold:
            self._over = None
        elif self._over is None and front.difference <= self.edge:
            self._over = pts
        self._fastest = max(self._fastest, front.change)
        still = pts - self.since >= HELD and front.change <= max(front.calm, SLOW * self._fastest)
        if self._over is not None and pts - self._over >= SETTLING:
            self.moving, self.back, self.rested = False, True, self._over
        elif still or pts - self.since > LONGEST:
            self.moving, self.back, self.rested = False, front.difference <= front.threshold, pts - HELD if still else pts
            front.settle()
