"""Finds expressions in the stream of one face: onset, apex and offset, and what kind of movement each was."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable

import numpy as np

from realtime.records import FaceView, Keyframes
from realtime.spotting import kinds
from realtime.spotting.course import refined
from realtime.spotting.cut import CUT_SECONDS, REMARK, cut_movement, judged_alone
from realtime.spotting.kinds import Aside
from realtime.spotting.lbp import smooth_grey
from realtime.spotting.memory import Episode, Recent
from realtime.spotting.movement import PARTS, Movement, PointFollower, Sample, movement
from realtime.spotting.resting import SETTLING, RestingDifference, Waking
from realtime.spotting.settings import Reading, SpotterSettings
from realtime.spotting.verify import Found, MicroDetector, Verifier

LINGERS = 1.0  # seconds for which a face may rest in another place before it moves on, and that is one movement
LATELY = 0.7  # seconds: as long as a micro-expression may last, and a little
LARGEST_GAP = 0.25  # seconds without a frame after which the past says nothing about the present


class Spotter:
    """`spotter(view)` for each view of one face in order; `spotter.lost()` for each frame without it; `finish()` last.

    A movement begins when the front end wakes and ends when the face is at rest, where it was or elsewhere. What is soon
    over is a micro-expression if the verifier says so; what takes longer is a macro-expression if it is large enough.
    counts: "spotted", and movements dropped, by cause. remark: what a person should know of how it was done, if anything.
    """

    def __init__(
        self,
        settings: SpotterSettings,
        verifier: Verifier | None = None,
        detector: Callable[[], MicroDetector] | None = None,
    ):
        """verifier: shared by several spotters; by default the one that the settings name.

        detector: makes the one that is asked about each anchored stretch; by default one with the verifier, if any.
        """
        self.settings = settings
        self.counts: Counter[str] = Counter()
        self.remark: str | None = None
        self._verifier = verifier = verifier or (Verifier(settings.verifier) if settings.verifier else None)
        if detector is None and verifier is not None:
            detector = lambda: MicroDetector(verifier, settings.confidence)
        self._make_detector = detector
        self._last: FaceView | None = None
        self._began: float | None = None  # pts of the first view
        self._aside = Aside()
        self._under_way: Episode | None = None
        self._known: deque[Keyframes] = deque()  # to be told, one in a reading

    def __call__(self, view: FaceView) -> Reading:
        last = self._last
        grey = smooth_grey(view.pixels)
        if last is None or view.anchor != last.anchor or view.pts - last.pts > LARGEST_GAP:
            self._interrupt()
            self._start_over(view, grey)
            return Reading(keyframes=self._next(), set_aside=self._aside.take())
        dt = view.pts - last.pts
        self._last = view
        moved = self._follow(grey, view.pts, not self._waking.moving)
        self._front.measure(grey, moved, view.pts, dt)
        self._waking(view.pts, dt)
        gate = self._recent.gate(view)
        sample = self._sample(view, moved)
        self._recent.add(sample, view, gate, self._views_kept(view.pts))
        if self._detector is not None:
            found = self._detector(sample, self._recent.usual_eyes, self._stirred(view.pts))
            if found:
                self._verified(found)
            self._aside.settle(view.pts - LATELY, self._detector.during)
        self._advance(sample, view)
        return Reading(self._front.difference, self._front.threshold, gate, self._next(), self._aside.take())

    def lost(self) -> Reading:
        """The face is not in view: what was under way ends, and the next view starts anew."""
        self._interrupt()
        self._last = None
        return Reading(gate="lost", keyframes=self._next(), set_aside=self._aside.take())

    def finish(self) -> Keyframes | None:
        """The source has ended: a long movement under way, or one that rests, has, too. One that was cut short is looked at
        as a whole."""
        one = self._under_way
        if one is not None and (one.settled or self._ending() - one.since > self.settings.max_duration):
            self._judge(self._ending())
        keyframes = self._next()
        if keyframes is None and self._last is not None and self._last.pts - self._began <= CUT_SECONDS:
            keyframes = self._whole()
        self._last = self._under_way = None
        return keyframes

    # -- the movement under way

    def _start_over(self, view: FaceView, grey: np.ndarray) -> None:
        self._last = view
        self._began = view.pts if self._began is None else self._began
        self._ended = view.pts  # of the last movement
        self._front = RestingDifference(grey, view, self.settings)
        self._waking = Waking(self._front, view.pts)
        self._follow = PointFollower(grey, view.landmarks, view.pts)
        self._recent = Recent(self._sample(view, np.zeros((len(PARTS), 2), np.float32)), view, self.settings)
        self._stirring = -np.inf
        self._detector = self._make_detector() if self._make_detector else None

    def _sample(self, view: FaceView, moved: np.ndarray) -> Sample:
        return Sample(view.pts, self._front.difference, self._front.by_region, moved, view.eye_opening, view.motion)

    def _advance(self, now: Sample, view: FaceView) -> None:
        waking, one = self._waking, self._under_way
        if waking.moving:
            if one is None:
                rise = self._recent.rise(waking.since, self._ended, waking.edge)
                self._begin(waking.since, rise)
            else:
                one.add(now, view)
        elif one is not None:
            one.settled |= not waking.back
            home = waking.just_rested and one.at_home(now)
            # it may rest on its way: a smile that is held for a moment
            if home or not one.settled or now.pts - waking.rested >= LINGERS:
                self._judge(waking.rested)

    def _begin(self, since: float, onset: float, left_over: bool = False) -> None:
        samples = [sample for sample in self._recent.samples if sample.pts >= onset]
        self._under_way = Episode(since, samples, [view for view in self._recent.views if view.pts >= onset], left_over)

    def _interrupt(self) -> None:
        """The stretch is over, and so is what is under way."""
        if self._under_way is not None and self.settings.lost_gate and self._waking.moving:
            self._drop("lost", self._under_way.top.pts)
        elif self._under_way is not None:
            self._judge(self._ending())
        self._under_way = None

    def _ending(self) -> float:
        """When what is under way came to rest; else, now."""
        return self._last.pts if self._waking.moving else self._waking.rested

    # -- the judgement

    def _judge(self, ended: float) -> None:
        """What is under way ended then."""
        one, self._under_way = self._under_way, None
        long = ended - one.since > self.settings.max_duration
        move = movement(one.samples(ended) if long else list(self._recent.samples), one.onset.pts, one.top.pts, max(ended, one.top.pts))
        if self.settings.refine and not long:
            move = refined(move)
        self._ended = move.offset
        if long or move.duration > self.settings.max_duration or (one.settled and one.size >= kinds.MACRO_SIZE):
            scores = self._detector.during(move.onset, move.offset) if self._detector else {}
            kind = kinds.of_long(move, self._recent, self.settings, scores)
        else:
            kind = kinds.of_short(move, self._recent, self.settings)
        if one.left_over and kind != "macro":
            return  # the rest of what was reported
        if kind == "micro" and self._detector is not None:
            self._aside.wait(move.onset, one.top.pts, move.offset)  # the detector says which of them are
        elif kind not in ("micro", "macro"):
            self._drop(kind, one.top.pts)
        elif long:
            end = self._recent.view_at(move.offset)
            threshold = self._front.threshold
            self._report(Keyframes(one.onset_view, one.top_view, end, one.top.difference, threshold, kind, 1.0, one.between(end)))
        else:
            self._report(self._keyframes(move, one.top.difference, kind))

    def _verified(self, found: Found) -> None:
        """The detector found this: its edges are placed by what moved."""
        move = movement(list(self._recent.samples), found.onset, found.apex, found.offset)
        if self.settings.refine:
            move = refined(move)
        kind = kinds.of_verified(move, self._recent, self.settings)
        if kind != "micro":
            self._drop(kind, move.apex)
            return
        self._report(self._keyframes(move, self._recent.sample_at(move.apex).difference, kind, found.confidence))
        one = self._under_way
        if one is not None and one.onset.pts < move.apex < one.onset.pts + LATELY:  # the same: what comes now is another one
            self._ended, self._under_way = move.offset, None
            if self._waking.moving:
                self._begin(move.offset, move.offset, left_over=True)

    def _report(self, keyframes: Keyframes) -> None:
        self.counts["spotted" if keyframes.kind == "micro" else keyframes.kind] += 1
        self._aside.reported(keyframes.apex.pts)
        self._known.append(keyframes)

    def _next(self) -> Keyframes | None:
        return self._known.popleft() if self._known else None

    def _drop(self, cause: str, apex: float) -> None:
        self.counts[cause] += 1
        self._aside.drop(cause, apex)

    def _keyframes(self, move: Movement, peak: float, kind: str, confidence: float = 1.0) -> Keyframes:
        onset, apex, offset = (self._recent.view_at(t) for t in (move.onset, move.apex, move.offset))
        return Keyframes(onset, apex, offset, peak, self._front.threshold, kind, confidence, self._recent.between(onset, offset))

    def _views_kept(self, now: float) -> float:
        """Seconds: a whole movement and its rest; at the beginning all, since it may be a clip that is soon over."""
        return np.inf if now - self._began <= CUT_SECONDS else 2 * self.settings.max_duration + SETTLING

    def _stirred(self, now: float) -> bool:
        """Whether the front end has been off rest lately: the network is not asked about stillness."""
        if self._front.difference > self._waking.edge:
            self._stirring = now
        return now - self._stirring < LATELY

    def _whole(self) -> Keyframes | None:
        """The keyframes of a clip that was cut to its movement, where nothing was spotted in the usual way."""
        samples, views = list(self._recent.samples), list(self._recent.views)
        if self.counts or len(views) < 3 or views[0].pts > self._began:
            return None
        self.remark = REMARK
        move = cut_movement(samples, views)
        if move is None:
            return None
        kind, confidence = kinds.of_short(move, self._recent, self.settings), 1.0
        if self._verifier is not None:
            scores = judged_alone(self._verifier, samples, move.offset, self._recent.usual_eyes)
            cause, confidence = max(("blink", "speech", "head"), key=scores.get), scores["micro"]
            kind = cause if scores[cause] > kinds.OTHERWISE else kind
        self.counts["spotted" if kind == "micro" else kind] += 1
        return self._keyframes(move, 1.0, kind, confidence) if kind in ("micro", "macro") else None
