"""Detections against truth, by the protocol of the micro-expression grand challenges (MEGC 2020–2024, spotting task).

A detection is true where its interval overlaps a truth interval of the same clip that no other detection has taken,
with an intersection over union of at least one half. Everything is counted over all clips together.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

IOU = 0.5
# blamed in this order
NUISANCES = (
    "blink",
    "speech",
    "return",
    "head",
    "nod",
    "lid",
    "jaw",
    "tongue",
    "swallow",
    "gaze",
    "hand",
    "hair",
    "flash",
    *("exposure", "keyframes", "flicker"),
)
MACRO = "macro"
NOTHING = "nothing"


@dataclass(frozen=True)
class Interval:
    """A truth or a detection, seconds in the clip's clock.

    Of a detection: confidence, and known_at, the stream time at which it was said. Of a truth: intensity A–E; motion, whose
    it is ("real" or "action units"); returned, how much of the way to the apex is undone at the offset (0 to 1, NaN where
    nobody knows); whether it lies on an expression that is there already, and whether a blink falls into it.
    """

    onset: float
    apex: float
    offset: float
    confidence: float = 1.0
    known_at: float = float("nan")
    intensity: str = ""
    motion: str = ""
    returned: float = float("nan")
    on_expression: bool = False
    blink_inside: bool = False


Which = Callable[[Interval], bool]  # truths that a row of a table is about


@dataclass(frozen=True)
class Clip:
    """What is true of one clip, and what was detected in it. nuisances, macros: (kind, start, end) in seconds."""

    name: str
    subject: str
    fps: float
    seconds: float
    conditions: str
    truth: tuple[Interval, ...]
    detected: tuple[Interval, ...]
    nuisances: tuple[tuple[str, float, float], ...] = ()


@dataclass
class Outcome:
    """Counts over some clips. false: whole unless it is of some truths among others, see `judge`.

    blamed: false detections by what was happening. apex_errors, delays: seconds.
    """

    true: int = 0
    false: float = 0
    missed: int = 0
    seconds: float = 0.0
    blamed: Counter = field(default_factory=Counter)
    apex_errors: list[float] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(
            self.true + other.true,
            self.false + other.false,
            self.missed + other.missed,
            self.seconds + other.seconds,
            self.blamed + other.blamed,
            self.apex_errors + other.apex_errors,
            self.delays + other.delays,
        )

    @property
    def precision(self) -> float:
        return self.true / (self.true + self.false) if self.true + self.false else float("nan")

    @property
    def recall(self) -> float:
        return self.true / (self.true + self.missed) if self.true + self.missed else float("nan")

    @property
    def f1(self) -> float:
        total = 2 * self.true + self.false + self.missed
        return 2 * self.true / total if total else float("nan")

    @property
    def false_a_minute(self) -> float:
        return self.false / self.seconds * 60 if self.seconds else float("nan")


def overlap(first: Interval, second: Interval) -> float:
    """Intersection over union of two intervals, in [0, 1]."""
    common = min(first.offset, second.offset) - max(first.onset, second.onset)
    union = max(first.offset, second.offset) - min(first.onset, second.onset)
    return max(0.0, common) / union if union > 0 else 0.0


def match(truth: tuple[Interval, ...], detected: tuple[Interval, ...]) -> dict[int, int]:
    """{detection: truth} by index; the best overlaps are given away first, each truth and detection once."""
    pairs = [(overlap(d, t), i, j) for i, d in enumerate(detected) for j, t in enumerate(truth)]
    taken: dict[int, int] = {}
    for shared, i, j in sorted(pairs, key=lambda pair: -pair[0]):
        if shared >= IOU and i not in taken and j not in taken.values():
            taken[i] = j
    return taken


def judge(clip: Clip, least: float = 0.0, which: Which | None = None) -> Outcome:
    """One clip's outcome, of the detections with at least this confidence.

    which: only of these truths. The others are then neither found nor missed. A false detection counts where it overlaps
    one of them (it was badly placed); those that belong to no truth, and the clip's seconds, are shared out among its
    truths: a third of them where a third of the truths are meant.
    """
    detected = tuple(d for d in clip.detected if d.confidence >= least)
    taken = match(clip.truth, detected)
    false = [d for i, d in enumerate(detected) if i not in taken]
    mine = {j for j, truth in enumerate(clip.truth) if which is None or which(truth)}
    share = 1 if which is None else len(mine) / max(len(clip.truth), 1)
    pairs = [(detected[i], clip.truth[j]) for i, j in taken.items() if j in mine]
    return Outcome(
        true=len(pairs),
        false=sum(owner in mine if (owner := _owner(d, clip)) is not None else share for d in false),
        missed=len(mine) - len(pairs),
        seconds=clip.seconds * share,
        blamed=Counter(blame(d, clip) for d in false) if which is None else Counter(),
        apex_errors=[abs(d.apex - t.apex) for d, t in pairs],
        # a truth ends where the face comes to rest; a wrong offset must not make the delay look shorter than from there
        delays=[d.known_at - max(d.offset, t.offset) for d, t in pairs],
    )


def blame(detection: Interval, clip: Clip) -> str:
    """What was happening during a false detection: a truth badly placed, a nuisance, or nothing."""
    if _owner(detection, clip) is not None:
        return "badly placed"
    present = {kind for kind, start, end in clip.nuisances if start < detection.offset and end > detection.onset}
    return next((kind for kind in (MACRO, *NUISANCES) if kind in present), NOTHING)


def _owner(detection: Interval, clip: Clip) -> int | None:
    """The index of the truth that a detection overlaps most, None where it overlaps none."""
    shared = [overlap(detection, truth) for truth in clip.truth]
    return int(np.argmax(shared)) if max(shared, default=0.0) > 0 else None


def total(clips: list[Clip], least: float = 0.0, which: Which | None = None) -> Outcome:
    return sum((judge(clip, least, which) for clip in clips), Outcome())


def bootstrap(clips: list[Clip], which: Which | None = None, draws: int = 1000, seed: int = 0) -> dict[str, tuple[float, float]]:
    """95 % intervals of precision, recall, f1 and false_a_minute, drawing subjects with replacement."""
    outcomes: dict[str, Outcome] = {}
    for clip in clips:
        outcomes[clip.subject] = outcomes.get(clip.subject, Outcome()) + judge(clip, which=which)
    counts = np.array([(o.true, o.false, o.missed, o.seconds) for o in outcomes.values()])
    rng = np.random.default_rng(seed)
    true, false, missed, seconds = counts[rng.integers(len(counts), size=(draws, len(counts)))].sum(axis=1).T
    with np.errstate(invalid="ignore", divide="ignore"):
        drawn = {
            "precision": true / (true + false),
            "recall": true / (true + missed),
            "f1": 2 * true / (2 * true + false + missed),
            "false_a_minute": false / seconds * 60,
        }
    return {
        name: (float(np.nanpercentile(values, 2.5)), float(np.nanpercentile(values, 97.5))) if not np.isnan(values).all() else (math.nan, math.nan)
        for name, values in drawn.items()
    }


def true_of_ten(recall: float, false: float, minutes: float, rate: float) -> tuple[float, float, float]:
    """How many of ten alarms are true where people make `rate` micro-expressions a minute: (likely, fewest, most).

    false: alarms in so many minutes without a micro-expression. The bounds are those of their true rate, at 95 % (Poisson,
    exact: none in a short time is no proof of none). recall is taken as it is. NaN where nothing was measured.
    """
    from scipy.stats import chi2

    highest, lowest = chi2.ppf(0.975, 2 * false + 2) / 2, chi2.ppf(0.025, 2 * false) / 2 if false else 0.0
    found = recall * rate * minutes
    likely, fewest, most = (10 * found / (found + n) if found + n else math.nan for n in (false, highest, lowest))
    return likely, fewest, most


def curve(clips: list[Clip]) -> list[tuple[float, float, float]]:
    """(confidence, precision, recall) at every confidence that a detection has, from the surest on."""
    levels = sorted({d.confidence for clip in clips for d in clip.detected}, reverse=True)
    if len(levels) > 200:  # a plot has no more points than that
        levels = [levels[int(i)] for i in np.linspace(0, len(levels) - 1, 200)]
    points = []
    for level in levels:
        outcome = total(clips, level)
        points.append((level, outcome.precision, outcome.recall))
    return points


def calibration(clips: list[Clip], bins: int = 10) -> list[tuple[float, float, int]]:
    """(mean confidence, share that is true, number) of the detections in each tenth of the confidence."""
    pairs = []
    for clip in clips:
        taken = match(clip.truth, clip.detected)
        pairs += [(d.confidence, i in taken) for i, d in enumerate(clip.detected)]
    table = []
    for low in np.arange(bins) / bins:
        inside = [(c, hit) for c, hit in pairs if low <= c < low + 1 / bins or (c == 1.0 and low + 1 / bins >= 1.0)]
        if inside:
            table.append((float(np.mean([c for c, _ in inside])), float(np.mean([hit for _, hit in inside])), len(inside)))
    return table


def only(clips: list[Clip], **fields) -> list[Clip]:
    """Clips whose fields have these values; a tuple means any of them."""
    wanted = {name: value if isinstance(value, tuple) else (value,) for name, value in fields.items()}
    return [clip for clip in clips if all(getattr(clip, name) in values for name, values in wanted.items())]
