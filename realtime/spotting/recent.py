"""The last seconds of one anchored face: samples, the latest pictures, and when a gate was closed."""

from __future__ import annotations

from collections import deque

import numpy as np

from realtime.records import FaceView, evenly
from realtime.spotting.movement import Sample
from realtime.spotting.settings import SpotterSettings

KEPT_SAMPLES = 7.0  # seconds: more than what a micro-expression and its judgement take
BESIDE_BLINK = 0.2  # seconds before and after shut lids in which they are still on their way


class Recent:
    """samples: of KEPT_SAMPLES seconds. views: the latest, with their pixels. usual_eyes: the median eye opening."""

    def __init__(self, first: Sample, view: FaceView, settings: SpotterSettings):
        self._settings = settings
        self.samples: deque[Sample] = deque([first])
        self.views: deque[FaceView] = deque([view])
        self.usual_eyes = view.eye_opening
        self._gates: deque[tuple[float, str]] = deque()
        self._eyes: deque[tuple[float, float]] = deque()

    def gate(self, view: FaceView) -> str | None:
        """As "blink" or "motion" where that holds now."""
        if not self._eyes or view.pts - self._eyes[-1][0] >= 0.04:
            self._eyes.append((view.pts, view.eye_opening))
            while view.pts - self._eyes[0][0] > self._settings.noise_seconds:
                self._eyes.popleft()
            self.usual_eyes = float(np.median([opening for _, opening in self._eyes]))
        if view.eye_opening < self._settings.blink_drop * self.usual_eyes:
            return "blink"
        return "motion" if view.motion > self._settings.motion_limit else None

    def add(self, sample: Sample, view: FaceView, gate: str | None, views_kept: float) -> None:
        """views_kept: seconds of pictures that may still be needed."""
        self.samples.append(sample)
        self.views.append(view)
        if gate:
            self._gates.append((view.pts, gate))
        for kept, time_of, seconds in (
            (self.samples, lambda s: s.pts, KEPT_SAMPLES),
            (self.views, lambda v: v.pts, views_kept),
            (self._gates, lambda g: g[0], KEPT_SAMPLES),
        ):
            while kept and view.pts - time_of(kept[0]) > seconds:
                kept.popleft()

    def gates(self, since: float) -> set[str]:
        return {gate for pts, gate in self._gates if pts >= since}

    def blinking(self, t: np.ndarray) -> np.ndarray:
        """Which of the moments (n, seconds) lie in or beside a blink: (n,) bool."""
        blinks = np.array([pts for pts, gate in self._gates if gate == "blink"])
        return (np.abs(t[:, None] - blinks[None, :]) <= BESIDE_BLINK).any(axis=1)

    def rise(self, since: float, after: float, edge: float) -> float:
        """When the difference last left rest (`edge`) before it crossed the threshold at `since`; not before `after`."""
        onset = since
        for sample in reversed(self.samples):
            if sample.pts < after:
                break
            onset = sample.pts
            if not sample.difference > edge:  # also where it was not known yet
                break
        return onset

    def sample_at(self, t: float) -> Sample:
        return min(self.samples, key=lambda sample: abs(sample.pts - t))

    def view_at(self, t: float) -> FaceView:
        return min(self.views, key=lambda view: abs(view.pts - t))

    def between(self, onset: FaceView, offset: FaceView) -> tuple[FaceView, ...]:
        return tuple(evenly([view for view in self.views if onset.pts <= view.pts <= offset.pts]))
