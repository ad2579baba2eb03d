"""Finds expressions in the stream of one face: onset, apex and offset, and what kind of movement each was."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable

import numpy as np

from realtime.lbp import smooth_grey
from realtime.records import FaceView, Keyframes, evenly
from realtime.spotting.aside import Aside
from realtime.spotting.cut import CUT_SECONDS, REMARK, cut_movement, judged_alone
from realtime.spotting.episode import Episode
from realtime.spotting.movement import Movement, Sample, movement, refined
from realtime.spotting.points import NO_LIDS, PARTS, PointFollower
from realtime.spotting.resting import RestingDifference
from realtime.spotting.settings import Reading, SpotterSettings
from realtime.spotting.waking import SETTLING, Waking
from realtime.spotting.verify import Found, MicroDetector, Verifier

LINGERS = 1.0  # seconds for which a face may rest in another place before it moves on, and that is one movement
EYES_BEFORE = 0.1  # seconds before an onset in which a blink still counts as its cause
BESIDE_BLINK = 0.2  # seconds before and after shut lids in which they are still on their way
MACRO_SIZE = 0.03  # outer-eye distances that some part of the face moves in a macro-expression, at least
OTHERWISE = 0.4  # mean probability of speech, or of the head, above which a long movement is that
KEPT_SAMPLES = 7.0  # seconds: the longest movement, and what was before it
LATELY = 0.7  # seconds: as long as a micro-expression may last, and a little
LARGEST_GAP = 0.25  # seconds without a frame after which the past says nothing about the present


class Spotter:
    """`spotter(view)` for each view of one face in order; `spotter.lost()` for each frame without it; `finish()` last.

    At rest → risen (off rest) → over (back for a moment: judged) → at rest. What stays risen for longer than a
    micro-expression may is long; it ends when the face comes back, holds still, or the source ends.
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
            detector = lambda: MicroDetector(verifier, settings.confidence)  # noqa: E731
        self._make_detector = detector
        self._last: FaceView | None = None
        self._began: float | None = None  # pts of the first view
        self._aside = Aside()
        self._under_way: Episode | None = None

    def __call__(self, view: FaceView) -> Reading:
        last = self._last
        grey = smooth_grey(view.pixels)
        if last is None or view.anchor != last.anchor or view.pts - last.pts > LARGEST_GAP:
            keyframes = self._interrupted()
            self._start_over(view, grey)
            return Reading(keyframes=keyframes, set_aside=self._aside.take())
        dt = view.pts - last.pts
        self._last = view
        moved = self._follow(grey, view.pts, not self._waking.moving)
        self._front.measure(grey, moved, view.pts, dt)
        self._waking(view.pts, dt)
        gate = self._gate(view)
        self._remember(view, moved, gate)
        keyframes = self._advance(view)
        if self._detector is not None:
            found = self._detector(self._samples[-1], self._usual_eyes, self._stirred(view.pts))
            keyframes = self._verified(found) if found else keyframes
            self._aside.settle(view.pts - LATELY, self._detector.during)
        return Reading(self._front.difference, self._front.threshold, gate, keyframes, self._aside.take())

    def lost(self) -> Reading:
        """The face is not in view: what was under way ends, and the next view starts anew."""
        keyframes, self._last = self._interrupted(), None
        return Reading(gate="lost", keyframes=keyframes, set_aside=self._aside.take())

    def finish(self) -> Keyframes | None:
        """The source has ended: a long movement under way has, too. One that was cut short is looked at as a whole."""
        one = self._under_way
        long = one is not None and self._ending() - one.since > self.settings.max_duration
        keyframes = self._judge(self._ending()) if long else None
        if keyframes is None and self._last is not None and self._last.pts - self._began <= CUT_SECONDS:
            keyframes = self._whole()
        self._last = None
        return keyframes

    # -- the state

    def _start_over(self, view: FaceView, grey: np.ndarray) -> None:
        self._last = view
        self._began = view.pts if self._began is None else self._began
        self._ended = view.pts
        self._under_way: Episode | None = None
        self._front = RestingDifference(grey, view, self.settings)
        self._waking = Waking(self._front, view.pts)
        self._follow = PointFollower(grey, view.landmarks, view.pts)
        self._views: deque[FaceView] = deque([view])  # the latest, with their pixels
        nothing = np.zeros((len(PARTS), 2), np.float32)
        self._samples = deque([Sample(view.pts, np.nan, self._front.by_region, nothing, view.eye_opening, view.motion)])
        self._gates: deque[tuple[float, str]] = deque()
        self._eyes: deque[tuple[float, float]] = deque()
        self._usual_eyes = view.eye_opening
        self._stirring = -np.inf
        self._found: Found | None = None  # the last one that was reported
        self._detector = self._make_detector() if self._make_detector else None

    def _advance(self, view: FaceView) -> Keyframes | None:
        waking, under_way, now = self._waking, self._under_way, self._samples[-1]
        if waking.moving:
            if under_way is None:
                rise = self._rise(waking.since)
                samples = [s for s in self._samples if s.pts >= rise]
                self._under_way = Episode(waking.since, samples, [v for v in self._views if v.pts >= rise])
            else:
                under_way.add(now, view)
            return None
        if under_way is None:
            return None
        under_way.settled |= not waking.back
        home = waking.just_rested and under_way.at_home(now)
        if under_way.settled and now.pts - waking.rested < LINGERS and not home:
            return None  # a movement may rest on its way: a smile that is held for a moment
        return self._judge(waking.rested)

    def _interrupted(self) -> Keyframes | None:
        under_way = self._under_way
        if under_way is None:
            return None
        if self.settings.lost_gate and self._waking.moving:
            self._under_way = None
            self._drop("lost", under_way.top.pts)
            return None
        return self._judge(self._ending())

    def _ending(self) -> float:
        """When what is under way came to rest, or was cut off now."""
        return self._last.pts if self._waking.moving else self._waking.rested

    # -- the judgement

    def _judge(self, ended: float) -> Keyframes | None:
        """What came to rest then, or is cut off now: keyframes, or None and a count."""
        one, self._under_way = self._under_way, None
        long = ended - one.since > self.settings.max_duration
        move = movement(one.samples(ended) if long else list(self._samples), one.onset.pts, one.top.pts, max(ended, one.top.pts))
        if self.settings.refine and not long:
            move = refined(move)
        self._ended = move.offset
        kind = self._long_kind(move) if long or one.size >= MACRO_SIZE and not self._waking.back else self._kind(move)
        if kind == "micro" and self._detector is not None:
            self._aside.wait(move.onset, one.top.pts, move.offset)
            return None  # the detector says which of them are
        if kind not in ("micro", "macro"):
            self._drop(kind, one.top.pts)
            return None
        self._aside.reported(one.top.pts)
        self.counts["spotted" if kind == "micro" else kind] += 1
        if long:
            end = self._view_at(move.offset)
            return Keyframes(one.onset_view, one.top_view, end, one.top.difference, self._front.threshold, kind, 1.0, one.between(end))
        return self._keyframes(move, one.top.difference, kind)

    def _kind(self, move: Movement) -> str:
        """"micro" or "macro", or the cause for which a movement that was soon over is dropped."""
        settings = self.settings
        gates = {gate for pts, gate in self._gates if pts >= move.onset - EYES_BEFORE}
        for gate, on in (("blink", settings.blink_gate), ("motion", settings.motion_gate)):
            if on and gate in gates:
                return gate
        if move.duration < settings.min_duration:
            return "too short"
        return "macro" if move.duration > settings.max_duration else "micro"

    def _long_kind(self, move: Movement) -> str:
        """The same for a longer one: large enough for a macro-expression, and not a blink, speech or the head."""
        size = np.linalg.norm(move.moved, axis=2)  # n×PARTS
        if size.max() < MACRO_SIZE:
            return "too small"
        # lids may need long to settle, and a lossy recording shows them settling late: what else was there?
        blinking = self._blinking(move.t)
        if self.settings.blink_gate and blinking.any() and size[~blinking][:, NO_LIDS].max(initial=0.0) < MACRO_SIZE:
            return "blink"
        if self._found is not None and self._found.offset > move.onset:
            return "too long"  # what was left of a micro-expression that has been reported
        if self._detector is not None:
            scores = self._detector.during(move.onset, move.offset)
            cause = max(("speech", "head"), key=lambda name: scores.get(name, 0.0))
            if scores.get(cause, 0.0) > OTHERWISE:
                return cause
        return "macro"

    def _verified(self, found: Found) -> Keyframes | None:
        """The keyframes of what the detector found, its edges placed by what moved."""
        move = movement(list(self._samples), found.onset, found.apex, found.offset)
        if self.settings.refine:
            move = refined(move)
        kind = self._kind(move)
        if kind != "micro":
            self._drop("too long" if kind == "macro" else kind, move.apex)
            return None
        self.counts["spotted"] += 1
        self._aside.reported(move.apex)
        self._found = found
        apex = min(self._samples, key=lambda s: abs(s.pts - move.apex))
        return self._keyframes(move, apex.difference, "micro", found.confidence)

    def _drop(self, cause: str, apex: float) -> None:
        self.counts[cause] += 1
        self._aside.drop(cause, apex)

    def _keyframes(self, move: Movement, peak: float, kind: str, confidence: float = 1.0) -> Keyframes:
        views = [self._view_at(t) for t in (move.onset, move.apex, move.offset)]
        between = evenly([view for view in self._views if views[0].pts <= view.pts <= views[-1].pts])
        return Keyframes(*views, peak, self._front.threshold, kind, confidence, tuple(between))

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
        if self.counts or len(self._views) < 3 or self._views[0].pts > self._began:
            return None
        samples, views = list(self._samples), list(self._views)
        self.remark = REMARK
        move = cut_movement(samples, views)
        if move is None:
            return None
        kind, confidence = self._kind(move), 1.0
        if self._verifier is not None:
            scores = judged_alone(self._verifier, samples, move.offset, self._usual_eyes)
            cause, confidence = max(("blink", "speech", "head"), key=scores.get), scores["micro"]
            kind = cause if scores[cause] > OTHERWISE else kind
        self.counts["spotted" if kind == "micro" else kind] += 1
        return self._keyframes(move, 1.0, kind, confidence) if kind in ("micro", "macro") else None

    # -- what the state and the judgement look at

    def _rise(self, since: float) -> float:
        """When the difference last left rest before it crossed the threshold, seconds; not before the last movement."""
        onset = since
        for sample in reversed(self._samples):
            if sample.pts < self._ended:
                break
            onset = sample.pts
            if not sample.difference > self._waking.edge:  # also where it was not known yet
                break
        return onset

    def _blinking(self, t: np.ndarray) -> np.ndarray:
        """Which of the moments (n, seconds) lie in or beside a blink: (n,) bool."""
        blinks = np.array([pts for pts, gate in self._gates if gate == "blink"])
        return (np.abs(t[:, None] - blinks[None, :]) <= BESIDE_BLINK).any(axis=1)

    def _view_at(self, t: float) -> FaceView:
        return min(self._views, key=lambda view: abs(view.pts - t))

    def _gate(self, view: FaceView) -> str | None:
        if not self._eyes or view.pts - self._eyes[-1][0] >= 0.04:
            self._eyes.append((view.pts, view.eye_opening))
            while view.pts - self._eyes[0][0] > self.settings.noise_seconds:
                self._eyes.popleft()
            self._usual_eyes = float(np.median([opening for _, opening in self._eyes]))
        if view.eye_opening < self.settings.blink_drop * self._usual_eyes:
            return "blink"
        return "motion" if view.motion > self.settings.motion_limit else None

    def _remember(self, view: FaceView, moved: np.ndarray, gate: str | None) -> None:
        now, front = view.pts, self._front
        self._samples.append(Sample(now, front.difference, front.by_region, moved, view.eye_opening, view.motion))
        self._views.append(view)
        if gate:
            self._gates.append((now, gate))
        for kept, time_of, seconds in (
            (self._samples, lambda s: s.pts, KEPT_SAMPLES),
            (self._views, lambda v: v.pts, self._views_kept(now)),
            (self._gates, lambda g: g[0], KEPT_SAMPLES),
        ):
            while kept and now - time_of(kept[0]) > seconds:
                kept.popleft()
