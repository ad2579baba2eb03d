"""Finds micro-expressions in the stream of one face: onset, apex and offset, by histogram difference.

For each view the LBP histograms of the three regions are held against the face's own resting histograms (SA-AT Eq. 1).
The difference is counted in multiples of the region's usual difference at rest, so that a noisy camera or a small
face raises the bar by itself. A rise above the adaptive threshold that falls back within `max_duration` is spotted.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from dataclasses import dataclass

import cv2
import numpy as np

from realtime.lbp import RegionHistograms, distance, regions
from realtime.records import FaceView, Keyframes

BLUR = 2.0  # aligned pixels: LBP compares neighbours, so sensor noise must go before it
SMOOTHING = 0.01  # seconds over which histograms are averaged: nothing at 30 fps, a few frames at 200
RESTING = 0.7  # seconds over which the resting histograms forget
SETTLING = 0.1  # the same while a long movement is under way, and how long stillness must last to end it
MARGIN = 0.1  # seconds before an onset in which a blink still counts as its cause
EDGE = 0.35  # onset and offset are where the curve leaves and reaches this share of the threshold's height over rest
LARGEST_GAP = 0.25  # seconds without a frame after which the past says nothing about the present


@dataclass
class SpotterSettings:
    """min_duration, max_duration: seconds from onset to offset of a micro-expression.
    sensitivity: how many deviations (scaled MAD) above the resting median the threshold lies; lower finds more.
    noise_seconds: how much of the resting past sets floor and threshold. warmup_seconds: resting time before spotting.
    blink_gate, motion_gate, lost_gate: drop candidates during a blink, a head movement, a loss of the face.
    blink_drop: eyes opened less than this share of their usual opening are in a blink.
    motion_limit: head speed, outer-eye distances a second, above which a movement may be the head's.
    """

    min_duration: float = 0.04
    max_duration: float = 0.5
    sensitivity: float = 8.0
    noise_seconds: float = 5.0
    warmup_seconds: float = 0.8
    blink_gate: bool = True
    motion_gate: bool = True
    lost_gate: bool = True
    blink_drop: float = 0.7
    motion_limit: float = 0.35


@dataclass(frozen=True, eq=False)
class Reading:
    """What the spotter made of one moment.

    difference, threshold: multiples of the resting difference (1 = at rest); NaN while there is nothing to compare.
    gate: "blink", "motion" or "lost" while that holds, else None. keyframes: set at the offset of a spotted movement.
    """

    difference: float = math.nan
    threshold: float = math.nan
    gate: str | None = None
    keyframes: Keyframes | None = None


@dataclass(frozen=True, eq=False)
class _Moment:
    view: FaceView
    difference: float
    gate: str | None


class Spotter:
    """`spotter(view)` for each view of one face in order; `spotter.lost()` for each frame without it.

    counts: "spotted", and candidates dropped: "blink", "motion", "lost", "too short", "too long".
    """

    def __init__(self, settings: SpotterSettings):
        self.settings = settings
        self.counts: Counter[str] = Counter()
        self._start_over(None)

    def __call__(self, view: FaceView) -> Reading:
        last = self._past[-1].view if self._past else None
        if last is None or view.anchor != last.anchor or view.pts - last.pts > LARGEST_GAP:
            keyframes = self._interrupted()
            self._start_over(view)
            return Reading(keyframes=keyframes)
        dt = view.pts - last.pts
        self._smooth += (1 - math.exp(-dt / SMOOTHING)) * (self._histograms(_grey(view)) - self._smooth)
        by_region = distance(self._rest, self._smooth)
        gate = self._gate(view)
        floor, threshold = self._levels()
        difference = float((by_region / floor).max()) if floor is not None else math.nan
        self._remember(_Moment(view, difference, gate))
        keyframes = self._advance(difference, threshold, by_region, dt)
        return Reading(difference, threshold, gate, keyframes)

    def lost(self) -> Reading:
        """The face is not in view: what was under way ends, and the next view starts anew."""
        keyframes = self._interrupted()
        self._past.clear()
        return Reading(gate="lost", keyframes=keyframes)

    # -- the state: at rest → risen (a candidate) → at rest, or → moving (too long for a micro-expression) → at rest

    def _start_over(self, view: FaceView | None) -> None:
        self._state, self._since, self._ended = "rest", -math.inf, -math.inf
        self._past: deque[_Moment] = deque()
        self._noise: deque[tuple[float, np.ndarray]] = deque()  # (pts, difference by region) at rest
        self._eyes: deque[tuple[float, float]] = deque()  # (pts, eye opening)
        if view is not None:
            self._histograms = RegionHistograms(regions(view.landmarks), view.pixels.shape[:2])
            self._smooth = self._histograms(_grey(view))
            self._rest = self._smooth.copy()
            self._past.append(_Moment(view, math.nan, None))

    def _advance(self, difference: float, threshold: float, by_region: np.ndarray, dt: float) -> Keyframes | None:
        now = self._past[-1].view.pts
        keyframes = None
        if self._state == "rest":
            if difference > threshold:
                self._state, self._since = "risen", now
            else:
                self._noise.append((now, by_region))
        elif self._state == "risen":
            if difference <= _edge(threshold):
                self._state, keyframes = "rest", self._close(threshold)
            elif now - self._since > self.settings.max_duration:
                self._state, self._since = "moving", now
                self.counts["too long"] += 1
        elif difference > threshold:
            self._since = now
        elif now - self._since > SETTLING:
            self._state = "rest"
        if self._state != "risen":
            memory = SETTLING if self._state == "moving" else RESTING
            self._rest += (1 - math.exp(-dt / memory)) * (self._smooth - self._rest)
        return keyframes

    def _close(self, threshold: float) -> Keyframes | None:
        """The candidate that ends with the latest moment, if it is a micro-expression and no gate holds it back."""
        moments = [m for m in self._past if m.view.pts >= self._ended]
        risen = [i for i, m in enumerate(moments) if m.view.pts >= self._since]
        apex = max(risen, key=lambda i: moments[i].difference)
        onset = risen[0]
        while onset > 0 and moments[onset].difference > _edge(threshold):
            onset -= 1
        begin, end = moments[onset].view, moments[-1].view
        self._ended = end.pts
        gates = {m.gate for m in self._past if m.view.pts >= begin.pts - MARGIN}
        duration = end.pts - begin.pts
        verdict = "spotted"
        if duration < self.settings.min_duration:
            verdict = "too short"
        elif duration > self.settings.max_duration:
            verdict = "too long"
        elif self.settings.blink_gate and "blink" in gates:
            verdict = "blink"
        elif self.settings.motion_gate and "motion" in gates:
            verdict = "motion"
        self.counts[verdict] += 1
        if verdict != "spotted":
            return None
        return Keyframes(begin, moments[apex].view, end, moments[apex].difference, threshold)

    def _interrupted(self) -> Keyframes | None:
        if self._state != "risen":
            return None
        self._state = "rest"
        if self.settings.lost_gate:
            self.counts["lost"] += 1
            return None
        return self._close(self._levels()[1])

    # -- what the state is judged by

    def _levels(self) -> tuple[np.ndarray | None, float]:
        """Each region's resting difference, and the threshold; (None, NaN) before the warm-up is over."""
        if not self._noise or self._noise[-1][0] - self._noise[0][0] < self.settings.warmup_seconds:
            return None, math.nan
        resting = np.array([by_region for _, by_region in self._noise])
        floor = np.maximum(np.median(resting, axis=0), 1e-4)
        curve = (resting / floor).max(axis=1)
        middle = float(np.median(curve))
        deviation = 1.4826 * float(np.median(np.abs(curve - middle)))
        return floor, middle + self.settings.sensitivity * max(deviation, 0.1)

    def _gate(self, view: FaceView) -> str | None:
        self._eyes.append((view.pts, view.eye_opening))
        while view.pts - self._eyes[0][0] > self.settings.noise_seconds:
            self._eyes.popleft()
        usual = float(np.median([opening for _, opening in self._eyes]))
        if view.eye_opening < self.settings.blink_drop * usual:
            return "blink"
        return "motion" if view.motion > self.settings.motion_limit else None

    def _remember(self, moment: _Moment) -> None:
        self._past.append(moment)
        now, settings = moment.view.pts, self.settings
        while now - self._past[0].view.pts > 2 * settings.max_duration + MARGIN:
            self._past.popleft()
        while self._noise and now - self._noise[0][0] > settings.noise_seconds:
            self._noise.popleft()


def _edge(threshold: float) -> float:
    return 1 + EDGE * (threshold - 1)


def _grey(view: FaceView) -> np.ndarray:
    return cv2.GaussianBlur(cv2.cvtColor(view.pixels, cv2.COLOR_BGR2GRAY), (0, 0), BLUR)


def apex_of_clip(views: list[FaceView]) -> int:
    """SA-AT Algorithm 1 for a trimmed clip: the index of the view that differs most from the first (Eq. 1).

    `views`: one face, one anchor, at least two. Raises ValueError for fewer.
    """
    if len(views) < 2:
        raise ValueError(f"an apex needs at least two views, got {len(views)}")
    histograms = RegionHistograms(regions(views[0].landmarks), views[0].pixels.shape[:2])
    first = histograms(_grey(views[0]))
    return int(np.argmax([distance(first, histograms(_grey(view))).sum() for view in views]))
