"""Detections against truth, by the protocol of the micro-expression grand challenges (MEGC 2020–2024, spotting task).

A detection is true where its interval overlaps a truth interval of the same clip that no other detection has taken,
with an intersection over union of at least one half. Everything is counted over all clips together.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

IOU = 0.5
NUISANCES = ("blink", "speech", "head", "swallow", "gaze", "exposure", "flicker")  # blamed in this order
MACRO = "macro"
NOTHING = "nothing"


@dataclass(frozen=True)
class Interval:
    """A truth or a detection, seconds in the clip's clock. confidence: of a detection; intensity: A–E, of a truth."""

    onset: float
    apex: float
    offset: float
    confidence: float = 1.0
    known_at: float = float("nan")  # stream time at which a detection was said
    intensity: str = ""


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
    """Counts over some clips. blamed: false detections by what was happening. apex_errors, delays: seconds."""

    true: int = 0
    false: int = 0
    missed: int = 0
    seconds: float = 0.0
    blamed: Counter = field(default_factory=Counter)
    apex_errors: list[float] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(
            self.true + other.true, self.false + other.false, self.missed + other.missed, self.seconds + other.seconds,
            self.blamed + other.blamed, self.apex_errors + other.apex_errors, self.delays + other.delays,
        )  # fmt: skip

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


def judge(clip: Clip, least: float = 0.0) -> Outcome:
    """One clip's outcome, of the detections with at least this confidence."""
    detected = tuple(d for d in clip.detected if d.confidence >= least)
    taken = match(clip.truth, detected)
    false = [d for i, d in enumerate(detected) if i not in taken]
    pairs = [(detected[i], clip.truth[j]) for i, j in taken.items()]
    return Outcome(
        true=len(taken),
        false=len(false),
        missed=len(clip.truth) - len(taken),
        seconds=clip.seconds,
        blamed=Counter(blame(d, clip) for d in false),
        apex_errors=[abs(d.apex - t.apex) for d, t in pairs],
        # a wrong offset must not make the delay look shorter: it runs from the later of the two
        delays=[d.known_at - max(d.offset, t.offset) for d, t in pairs],
    )


def blame(detection: Interval, clip: Clip) -> str:
    """What was happening during a false detection: a truth badly placed, a nuisance, or nothing."""
    if any(overlap(detection, t) > 0 for t in clip.truth):
        return "badly placed"
    present = {kind for kind, start, end in clip.nuisances if start < detection.offset and end > detection.onset}
    return next((kind for kind in (MACRO, *NUISANCES) if kind in present), NOTHING)


def total(clips: list[Clip], least: float = 0.0) -> Outcome:
    return sum((judge(clip, least) for clip in clips), Outcome())


def of_intensity(clips: list[Clip], intensity: str) -> Outcome:
    """Recall for one intensity: other truths are neither found nor missed, and their detections are not counted."""
    outcome = Outcome()
    for clip in clips:
        taken = match(clip.truth, clip.detected)
        mine = {j for j, t in enumerate(clip.truth) if t.intensity == intensity}
        found = mine & set(taken.values())
        outcome += Outcome(true=len(found), missed=len(mine) - len(found))
    return outcome


def bootstrap(clips: list[Clip], draws: int = 1000, seed: int = 0) -> dict[str, tuple[float, float]]:
    """95 % intervals of precision, recall, f1 and false_a_minute, drawing subjects with replacement."""
    outcomes: dict[str, Outcome] = {}
    for clip in clips:
        outcomes[clip.subject] = outcomes.get(clip.subject, Outcome()) + judge(clip)
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
    return {name: tuple(float(q) for q in np.nanpercentile(values, [2.5, 97.5])) if not np.isnan(values).all()
            else (float("nan"), float("nan")) for name, values in drawn.items()}


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


