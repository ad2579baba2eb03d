"""Finds expressions in the stream of one face: onset, apex and offset, and what kind of movement each was."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import replace

from realtime.records import FaceView, Keyframes
from realtime.spotting import kinds
from realtime.spotting.course import refined
from realtime.spotting.cut import CUT_SECONDS, REMARK, cut_movement, judged_alone
from realtime.spotting.early import Early
from realtime.spotting.kinds import Aside
from realtime.spotting.lbp import smooth_grey
from realtime.spotting.memory import Episode
from realtime.spotting.movement import Movement, movement
from realtime.spotting.settings import Reading, SpotterSettings
from realtime.spotting.stretch import LATELY, Stretch
from realtime.spotting.verify import RATE, Found, MicroDetector, Verifier

LINGERS = 1.0  # seconds for which a face may rest in another place before it moves on, and that is one movement


class Spotter:
    """`spotter(view)` for each view of one face in order; `spotter.lost()` for each frame without it; `finish()` last.

    A movement begins when the front end wakes and ends when the face is at rest, where it was or elsewhere. What is soon
    over is a micro-expression if the verifier says so; what takes longer is a macro-expression if it is large enough.

    Attributes:
        counts: "spotted", and movements dropped, by cause.
        remark: what a person should know of how it was done, if anything.
    """

    def __init__(
        self,
        settings: SpotterSettings,
        verifier: Verifier | None = None,
        detector: Callable[[], MicroDetector | None] | None = None,
        early: bool = False,
    ):
        """
        Args:
            verifier: shared by several spotters; by default the one that the settings name.
            detector: makes the one that is asked about each anchored stretch; by default one with the verifier, if any.
            early: also tell at its apex what is probably an event; what is spotted stays the same.
        """
        self.settings = settings
        self.counts: Counter[str] = Counter()
        self.remark: str | None = None
        self._verifier = verifier = verifier or (Verifier(settings.verifier) if settings.verifier else None)
        if detector is None and verifier is not None:
            least = max(settings.confidence, settings.usual.confidence) if settings.usual else settings.confidence
            detector = lambda: MicroDetector(verifier, least)
        self._make_detector = detector or (lambda: None)
        self._stretch: Stretch | None = None  # None while the face is out of view
        self._began: float | None = None  # pts of the first view
        self._aside = Aside()
        self._under_way: Episode | None = None
        self._known: deque[Keyframes] = deque()  # to be told, one in a reading
        self._early = Early(settings) if early else None
        self._suspected: Keyframes | None = None  # lately

    def __call__(self, view: FaceView) -> Reading:
        grey = smooth_grey(view.pixels)
        if self._stretch is None or not self._stretch.goes_on(view):
            self._interrupt()
            self._began = view.pts if self._began is None else self._began
            self._stretch, self._suspected = Stretch(view, grey, self.settings, self._make_detector()), None
            return self._ended()
        stretch = self._stretch
        gate = stretch.look(view, grey, all_views=view.pts - self._began <= CUT_SECONDS)
        suspected = None
        if stretch.detector is not None:
            if found := stretch.ask():
                self._verified(found)
            if stretch.detector.suspected:
                suspected = self._suspect(stretch.detector.suspected)
            self._aside.settle(view.pts - LATELY, stretch.detector.during)
        self._advance()
        early = self._early.at_apex(stretch, self._under_way) if self._early else None
        withdrawn = self._early.withdrawn(view.pts, self._under_way) if self._early else ()
        return Reading(stretch.front.difference, stretch.front.threshold, gate, self._next(), self._aside.take(), early, withdrawn, suspected)

    def lost(self) -> Reading:
        """The face is not in view: what was under way ends, and the next view starts anew."""
        self._interrupt()
        self._stretch = None
        return self._ended("lost")

    def finish(self) -> Keyframes | None:
        """The source has ended: a long movement under way, or one that rests, has, too. One that was cut short is looked at
        as a whole."""
        one, stretch = self._under_way, self._stretch
        if one is not None and (one.settled or stretch.ending() - one.since > self.settings.max_duration):
            self._judge(stretch.ending())
        keyframes = self._next()
        if keyframes is None and stretch is not None and stretch.last.pts - self._began <= CUT_SECONDS:
            keyframes = self._whole()
        self._stretch = self._under_way = None
        return keyframes

    def levels(self) -> tuple | None:
        """See `RestingDifference.levels`, of the stretch that is looked at."""
        return self._stretch.front.levels() if self._stretch else None

    # -- the movement under way

    def _advance(self) -> None:
        stretch, one = self._stretch, self._under_way
        waking, now = stretch.waking, stretch.sample
        if waking.moving:
            if one is None:
                self._begin(waking.since, stretch.recent.rise(waking.since, stretch.ended, waking.edge))
            else:
                one.add(now, stretch.last)
        elif one is not None:
            one.settled |= not waking.back
            home = waking.just_rested and one.at_home(now)
            # it may rest on its way: a smile that is held for a moment
            if home or not one.settled or now.pts - waking.rested >= LINGERS:
                self._judge(waking.rested)

    def _begin(self, since: float, onset: float, left_over: bool = False) -> None:
        recent = self._stretch.recent
        samples = [sample for sample in recent.samples if sample.pts >= onset]
        self._under_way = Episode(since, samples, [view for view in recent.views if view.pts >= onset], left_over)

    def _interrupt(self) -> None:
        """The stretch is over, and so is what is under way."""
        if self._under_way is not None and self.settings.lost_gate and self._stretch.waking.moving:
            self._drop("lost", self._under_way.top.pts)
        elif self._under_way is not None:
            self._judge(self._stretch.ending())
        self._under_way = None

    # -- the judgement

    def _judge(self, ended: float) -> None:
        """What is under way ended then."""
        stretch, settings = self._stretch, self.settings
        one, self._under_way = self._under_way, None
        long = ended - one.since > settings.max_duration
        samples = one.samples(ended) if long else list(stretch.recent.samples)
        move = movement(samples, one.onset.pts, one.top.pts, max(ended, one.top.pts))
        if settings.refine and not long:
            move = refined(move)
        stretch.ended = move.offset
        if long or move.duration > settings.max_duration or (one.settled and one.size >= kinds.MACRO_SIZE):
            scores = stretch.detector.during(move.onset, move.offset) if stretch.detector else {}
            kind = kinds.of_long(move, stretch.recent, settings, scores)
        else:
            kind = kinds.of_short(move, stretch.recent, settings)
        if one.left_over and kind != "macro":
            return  # the rest of what was reported
        if kind == "micro" and stretch.detector is not None:
            self._aside.wait(move.onset, one.top.pts, move.offset)  # the detector says which of them are
        elif kind not in ("micro", "macro"):
            self._drop(kind, one.top.pts)
        elif long:
            end = stretch.recent.view_at(move.offset)
            threshold = stretch.front.threshold
            self._report(Keyframes(one.onset_view, one.top_view, end, one.top.difference, threshold, kind, 1.0, one.between(end)))
        else:
            self._report(stretch.keyframes(move, one.top.difference, kind))

    def _suspect(self, found: Found) -> Keyframes | None:
        """The detector will find this in a moment, or a surer one in its place."""
        self._suspected = None
        move, kind = self._placed(found)
        self._suspected = self._keyframes(move, found) if kind == "micro" else None
        return self._suspected

    def _placed(self, found: Found) -> tuple[Movement, str]:
        """The movement, and its kind; its edges are placed by what moved. Where it was suspected already onset and apex stay as they
        were, which differ by a look of the verifier at most: from these it is being named."""
        move = movement(list(self._stretch.recent.samples), found.onset, found.apex, found.offset)
        if self.settings.refine:
            move = refined(move)
        if seen := self._suspected:
            onset, apex = seen.onset.pts, seen.apex.pts
            if abs(move.onset - onset) <= 1 / RATE and abs(move.apex - apex) <= 1 / RATE and apex < move.offset:
                move = replace(move, onset=onset, apex=apex)
        return move, kinds.of_verified(move, self._stretch.recent, self.settings)

    def _keyframes(self, move: Movement, found: Found) -> Keyframes:
        return self._stretch.keyframes(move, self._stretch.recent.sample_at(move.apex).difference, "micro", found.confidence)

    def _verified(self, found: Found) -> None:
        """The detector found this."""
        stretch = self._stretch
        move, kind = self._placed(found)
        self._suspected = None
        if kind != "micro":
            self._drop(kind, move.apex)
            return
        self._report(self._keyframes(move, found))
        one = self._under_way
        if one is not None and one.onset.pts < move.apex < one.onset.pts + LATELY:  # the same: what comes now is another one
            stretch.ended, self._under_way = move.offset, None
            if stretch.waking.moving:
                self._begin(move.offset, move.offset, left_over=True)

    def _whole(self) -> Keyframes | None:
        """The keyframes of a clip that was cut to its movement, where nothing was spotted in the usual way."""
        recent = self._stretch.recent
        samples, views = list(recent.samples), list(recent.views)
        if self.counts or len(views) < 3 or views[0].pts > self._began:
            return None
        self.remark = REMARK
        move = cut_movement(samples, views)
        if move is None:
            return None
        kind, confidence = kinds.of_short(move, recent, self.settings), 1.0
        if self._verifier is not None:
            scores = judged_alone(self._verifier, samples, move.offset, recent.usual_eyes)
            cause, confidence = max(("blink", "speech", "head"), key=scores.get), scores["micro"]
            kind = cause if scores[cause] > kinds.OTHERWISE else kind
        self.counts["spotted" if kind == "micro" else kind] += 1
        return self._stretch.keyframes(move, 1.0, kind, confidence) if kind in ("micro", "macro") else None

    # -- what is told

    def _ended(self, gate: str | None = None) -> Reading:
        """The views so far can be compared with no other."""
        withdrawn = self._early.abandoned() if self._early else ()
        return Reading(gate=gate, keyframes=self._next(), set_aside=self._aside.take(), withdrawn=withdrawn)

    def _report(self, keyframes: Keyframes) -> None:
        self.counts["spotted" if keyframes.kind == "micro" else keyframes.kind] += 1
        self._aside.reported(keyframes.apex.pts)
        self._known.append(replace(keyframes, early=self._early.confirmed(keyframes)) if self._early else keyframes)

    def _next(self) -> Keyframes | None:
        return self._known.popleft() if self._known else None

    def _drop(self, cause: str, apex: float) -> None:
        self.counts[cause] += 1
        self._aside.drop(cause, apex)
