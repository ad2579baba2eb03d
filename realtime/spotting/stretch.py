"""A face for as long as its views can be compared pixel by pixel: what is measured of it, and what is remembered."""

from __future__ import annotations

import numpy as np

from realtime.records import FaceView, Keyframes
from realtime.spotting.memory import Recent
from realtime.spotting.movement import PARTS, Movement, PointFollower, Sample
from realtime.spotting.resting import SETTLING, RestingDifference, Waking
from realtime.spotting.settings import SpotterSettings
from realtime.spotting.verify import Found, MicroDetector

LATELY = 0.7  # seconds: as long as a micro-expression may last, and a little
LARGEST_GAP = 0.25  # seconds without a frame after which the past says nothing about the present


class Stretch:
    """Views of one anchor without a gap: `goes_on(view)`, then `look(view, …)`.

    Attributes:
        front: how far the face is from rest, and whether it moves.
        waking: how far the face is from rest, and whether it moves.
        recent: its last seconds.
        detector: what is asked about micro-expressions, if anything.
        last: the latest view, and what was measured of it.
        sample: the latest view, and what was measured of it.
        ended: when the last movement was over, seconds.
    """

    def __init__(self, view: FaceView, grey: np.ndarray, settings: SpotterSettings, detector: MicroDetector | None):
        """
        Args:
            view: the first one.
            grey: ALIGNED×ALIGNED uint8, as `lbp.smooth_grey` makes it of the view.
            settings: of the spotter.
            detector: its own for each stretch, if any.
        """
        self._settings, self.detector = settings, detector
        self.last, self.ended = view, view.pts
        self.front = RestingDifference(grey, view, settings)
        self.waking = Waking(self.front, view.pts)
        self._follow = PointFollower(grey, view.landmarks, view.pts)
        self.sample = self._sample(view, np.zeros((len(PARTS), 2), np.float32))
        self.recent = Recent(self.sample, view, settings)
        self._stirring = -np.inf  # when the front end was off rest last

    def goes_on(self, view: FaceView) -> bool:
        """Whether this view can be compared with those before it."""
        return view.anchor == self.last.anchor and view.pts - self.last.pts <= LARGEST_GAP

    def look(self, view: FaceView, grey: np.ndarray, all_views: bool) -> str | None:
        """Take the next view in; returns the gate that holds now, "blink" or "motion", if any.

        Args:
            view: of the same anchor.
            grey: ALIGNED×ALIGNED uint8, as before.
            all_views: keep every picture from the beginning, since this may be a clip that is soon over.
        """
        dt, self.last = view.pts - self.last.pts, view
        moved = self._follow(grey, view.pts, not self.waking.moving)
        self.front.measure(grey, moved, view.pts, dt)
        self.waking(view.pts, dt)
        gate = self.recent.gate(view)
        self.sample = self._sample(view, moved)
        # otherwise a whole movement and its rest
        self.recent.add(self.sample, view, gate, np.inf if all_views else 2 * self._settings.max_duration + SETTLING)
        return gate

    def ask(self) -> Found | None:
        """The micro-expression that the detector has just seen end. Only where there is a detector."""
        if self.front.difference > self.waking.edge:
            self._stirring = self.last.pts
        # the network is not asked about stillness
        return self.detector(self.sample, self.recent.usual_eyes, self.last.pts - self._stirring < LATELY)

    def ending(self) -> float:
        """When what is under way came to rest; else, now."""
        return self.last.pts if self.waking.moving else self.waking.rested

    def keyframes(self, move: Movement, peak: float, kind: str, confidence: float = 1.0) -> Keyframes:
        """Of a movement whose views are still there."""
        onset, apex, offset = (self.recent.view_at(t) for t in (move.onset, move.apex, move.offset))
        return Keyframes(onset, apex, offset, peak, self.front.threshold, kind, confidence, self.recent.between(onset, offset))

    def _sample(self, view: FaceView, moved: np.ndarray) -> Sample:
        return Sample(view.pts, self.front.difference, self.front.by_region, moved, view.eye_opening, view.motion)
