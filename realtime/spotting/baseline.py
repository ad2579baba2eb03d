"""What is usual of one person, learnt once from a neutral stretch in which they look, blink and speak as they do: numbers alone, no picture.

A spotter that knows it (`SpotterSettings.usual`) need not wait for rest to be learnt, knows how far this person's lids close in a blink, and
reports a movement only where its verifier is surer than it has been of what this person does all the time.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from realtime.errors import UsageError
from realtime.records import FaceView
from realtime.spotting.settings import Baseline, SpotterSettings
from realtime.spotting.spotter import Spotter
from realtime.spotting.verify import MicroDetector, Verifier

LEAST_S = 5.0  # of a face, from which less than nothing would be learnt
SUSPICIOUS = 0.3  # probability from which on the verifier's alarms are looked at
SPEAKS = 0.5  # probability of speech that is speech
BLINK_S = 0.5  # seconds between two looks that are no longer one blink
ABOVE = 0.02  # what is reported is so much surer than this person's surest alarm …
HIGHEST = 0.9  # … but not surer than that: a real one would be missed
DROPS = (0.55, 0.85)  # shares of the usual opening between which a blink may be told


class Learner:
    """`learner(view)` for each view of the person's face in order (None: it is not in view), then `baseline(name)`."""

    def __init__(self, settings: SpotterSettings, verifier: Verifier | None = None):
        self._settings = settings
        verifier = verifier or (Verifier(settings.verifier) if settings.verifier else None)
        self._detector: MicroDetector | None = None

        def listening() -> MicroDetector | None:
            self._detector = MicroDetector(verifier, SUSPICIOUS) if verifier else None
            return self._detector

        self._spotter = Spotter(settings, verifier, listening)
        self._eyes: list[tuple[float, float]] = []
        self._speech: deque[bool] = deque()
        self._asked = float("-inf")
        self._levels: list[tuple] = []
        self._alarms: list[float] = []
        self._seconds = 0.0
        self._last: float | None = None

    def __call__(self, view: FaceView | None) -> None:
        if view is None:
            self._spotter.lost()
            self._last = None
            return
        reading = self._spotter(view)
        if self._last is not None:
            self._seconds += view.pts - self._last
        self._last = view.pts
        self._eyes.append((view.pts, view.eye_opening))
        if reading.keyframes and reading.keyframes.kind == "micro":
            self._alarms.append(reading.keyframes.confidence)
        if levels := self._spotter.levels():
            self._levels.append(levels)
        if self._detector is not None and view.pts - self._asked > 0.1:
            self._asked = view.pts
            scores = self._detector.during(view.pts - 0.1, view.pts)
            self._speech.append(scores.get("speech", 0.0) > SPEAKS)

    def baseline(self, participant: str) -> Baseline:
        """
        Raises:
            UsageError: too little of a face at rest was seen.
        """
        if self._seconds < LEAST_S or not self._levels:
            raise UsageError(f"a baseline needs {LEAST_S:g} seconds of a face that is at rest now and then, got {self._seconds:.1f} s of a face")
        floor, threshold, change, calm = (np.median(np.array(column), axis=0) for column in zip(*self._levels, strict=True))
        t, opening = np.array(self._eyes).T
        usual = float(np.median(opening))
        shut = self._blinks(t, opening / max(usual, 1e-6))
        highest = max(self._alarms, default=0.0)
        return Baseline(
            participant=participant,
            seconds=round(self._seconds, 2),
            floor=[float(one) for one in floor],
            threshold=float(threshold),
            change=[float(one) for one in change],
            calm=float(calm),
            eyes=round(usual, 4),
            blink_drop=round(float(np.clip((1 + np.median(shut)) / 2, *DROPS)), 3) if shut else self._settings.blink_drop,
            blinks_a_minute=round(60 * len(shut) / self._seconds, 1),
            speech=round(float(np.mean(self._speech)), 3) if self._speech else 0.0,
            alarms=[round(one, 3) for one in sorted(self._alarms, reverse=True)],
            confidence=round(max(self._settings.confidence, min(highest + ABOVE, HIGHEST)), 3),
        )

    def _blinks(self, t: np.ndarray, share: np.ndarray) -> list[float]:
        """How far the lids were open at the bottom of each blink, as a share of their usual opening."""
        found: list[float] = []
        last = float("-inf")
        for when, open_ in zip(t, share, strict=True):
            if open_ < DROPS[1]:
                if when - last > BLINK_S:
                    found.append(open_)
                found[-1] = min(found[-1], open_)
                last = when
        return found
