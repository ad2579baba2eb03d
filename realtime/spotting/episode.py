"""A movement under way, from the moment at which the front end woke: what of it is kept, however long it takes."""

from __future__ import annotations

import numpy as np

from realtime.records import BETWEEN, FaceView, evenly
from realtime.spotting.movement import Sample
from realtime.spotting.points import NO_LIDS

KEPT = 256  # samples of a movement
HOME = 0.3  # share of the way to its furthest up to which a face is back at its onset


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
    """since: when the front end woke. onset, top: the samples at the rise and furthest from rest, with their views.

    size: how far the part that went furthest (no lid) is from its place at the onset, the largest so far, outer-eye
    distances. settled: whether the face has been at rest in another place meanwhile.
    """

    def __init__(self, since: float, samples: list[Sample], views: list[FaceView], left_over: bool = False):
        """samples, views: from the rise on. left_over: it is what comes after a micro-expression that was reported."""
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
