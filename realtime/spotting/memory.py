"""What is remembered of one anchored face: its last seconds, and a movement under way from its rise on, however long it takes."""

from __future__ import annotations

from collections import deque

import numpy as np

from realtime.records import BETWEEN, FaceView, evenly
from realtime.spotting.movement import NO_LIDS, Sample
from realtime.spotting.settings import SpotterSettings

KEPT_SAMPLES = 7.0  # seconds: more than what a micro-expression and its judgement take
BESIDE_BLINK = 0.2  # seconds before and after shut lids in which they are still on their way
KEPT = 256  # samples of a movement
HOME = 0.3  # share of the way to its furthest up to which a face is back at its onset


class Recent:
    """The last seconds of one anchored face.

    Attributes:
        samples: of KEPT_SAMPLES seconds.
        views: the latest, with their pixels.
        usual_eyes: the median eye opening.
    """

    def __init__(self, first: Sample, view: FaceView, settings: SpotterSettings):
        self._settings = settings
        self.samples: deque[Sample] = deque([first])
        self.views: deque[FaceView] = deque([view])
        usual = settings.usual
        self._prior = usual.eyes if usual and usual.eyes > 0 else None
        self._drop = usual.blink_drop if usual else settings.blink_drop
        self.usual_eyes = self._prior or view.eye_opening
        self._gates: deque[tuple[float, str]] = deque()
        self._eyes: deque[tuple[float, float]] = deque()

    def gate(self, view: FaceView) -> str | None:
        """As "blink" or "motion" where that holds now."""
        if not self._eyes or view.pts - self._eyes[-1][0] >= 0.04:
            self._eyes.append((view.pts, view.eye_opening))
            while view.pts - self._eyes[0][0] > self._settings.noise_seconds:
                self._eyes.popleft()
            self.usual_eyes = float(np.median([opening for _, opening in self._eyes]))
            if self._prior:  # until this session knows as much
                share = min(1.0, (view.pts - self._eyes[0][0]) / (0.9 * self._settings.noise_seconds))
                self.usual_eyes = share * self.usual_eyes + (1 - share) * self._prior
        if view.eye_opening < self._drop * self.usual_eyes:
            return "blink"
        return "motion" if view.motion > self._settings.motion_limit else None

    def add(self, sample: Sample, view: FaceView, gate: str | None, views_kept: float) -> None:
        """The next moment.

        Args:
            views_kept: seconds of pictures that may still be needed.
        """
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


class Thinned(list):
    """(pts, item) pairs, `most` of them at most, about evenly spaced in time; the first is always there."""

    def __init__(self, most: int):
        super().__init__()
        self._most, self._apart = most, 0.0

    def add(self, pts: float, item) -> None:
        if self and pts - self[-1][0] < self._apart:
            return
        self.append((pts, item))
        if len(self) > self._most:
            self[:] = self[::2]
            self._apart = 0.99 * (self[-1][0] - self[0][0]) / (len(self) - 1)


class Episode:
    """A movement under way.

    Attributes:
        since: when the front end woke.
        onset: the sample at the rise.
        onset_view: its view.
        top: the sample furthest from rest.
        top_view: its view.
        size: how far the part that went furthest (no lid) is from its place at the onset, the largest so far, outer-eye
            distances.
        settled: whether the face has been at rest in another place meanwhile.
    """

    def __init__(self, since: float, samples: list[Sample], views: list[FaceView], left_over: bool = False):
        """
        Args:
            samples: from the rise on.
            views: from the rise on.
            left_over: it is what comes after a micro-expression that was reported.
        """
        self.since, self.settled, self.left_over = since, False, left_over
        self.onset, self.onset_view = samples[0], views[0]
        self.top, self.top_view, self.size = samples[0], views[0], 0.0
        self._samples, self._views = Thinned(KEPT), Thinned(2 * BETWEEN)
        for sample in samples[:-1]:
            self._samples.add(sample.pts, sample)
        for view in views[:-1]:
            self._views.add(view.pts, view)
        self.add(samples[-1], views[-1])

    def add(self, sample: Sample, view: FaceView) -> None:
        self._samples.add(sample.pts, sample)
        self._views.add(view.pts, view)
        self.size = max(self.size, self._away(sample))
        if not self.settled and not sample.difference <= self.top.difference:
            self.top, self.top_view = sample, view

    def at_home(self, sample: Sample) -> bool:
        """Whether the face is about where it was at the onset."""
        return self._away(sample) <= HOME * self.size

    def samples(self, end: float) -> list[Sample]:
        return [sample for pts, sample in self._samples if pts <= end]

    def between(self, end: FaceView) -> tuple[FaceView, ...]:
        """Views from the onset to the end, both included."""
        return (*evenly([view for pts, view in self._views if pts < end.pts], BETWEEN - 1), end)

    def _away(self, sample: Sample) -> float:
        return float(np.linalg.norm(sample.moved - self.onset.moved, axis=1)[NO_LIDS].max())
