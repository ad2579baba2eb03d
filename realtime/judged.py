"""How much of a source was judged at all, and why the rest was not: "0 events" says nothing where nobody could be seen.

`Judged` counts seconds while a source runs; a `Trace` keeps what the spotter saw frame by frame: its curve, and where
nothing could be judged.
"""

from __future__ import annotations

import math
from array import array
from collections import defaultdict
from copy import copy

import numpy as np

from realtime.pipeline import Step
from realtime.records import FaceView
from realtime.spotting import Reading
from realtime.spotting.stretch import LARGEST_GAP

NO_PICTURE, NO_FACE, SMALL, REST = "no picture", "no face", "face too small", "rest not yet known"
GATES = {"lost": NO_FACE, "motion": "head moves", "blink": "blink"}
# what a person can do, or should know, about each cause
MEANING = {
    NO_PICTURE: "frames are missing, damaged or too far apart",
    NO_FACE: "none was found, or it is turned away, covered or dark",
    SMALL: "come nearer, or use a larger picture",
    REST: "a face must be seen at rest for about a second first",
    "blink": "what begins in a blink is not judged",
    "head moves": "the head moves too fast to tell its movement from the face's",
}
NOTABLE_S = 0.05  # seconds that people are told of
LEAST_WIDTH = 40  # pixels of a face: the demo clip scaled down is spotted below that, too, but named wrongly


class Judged:
    """Counts seconds of a source, by its own clock, never frames: `add(step)` after each frame, in order.

    The time from one frame to the next goes to what the later one shows. It was judged where a movement in some face in
    view would have been noticed and told; else it goes to the cause that held for the largest face.
    """

    def __init__(self):
        self.seconds = 0.0  # in all
        self._judged = 0.0
        self._why: defaultdict[str, float] = defaultdict(float)
        self._last: float | None = None  # pts

    def add(self, step: Step) -> None:
        now = step.frame.pts
        passed = 0.0 if self._last is None else max(now - self._last, 0.0)
        self._last = now
        self.seconds += passed
        cause = NO_PICTURE if passed > LARGEST_GAP else why_not(step)
        if cause is None:
            self._judged += passed
        else:
            self._why[cause] += passed

    def copy(self) -> Judged:
        """As it is now, while another thread counts on."""
        now = copy(self)
        now._why = self._why.copy()
        return now

    def as_a_whole(self) -> None:
        """A clip that was cut to its movement has been judged after its end: that rest was not known did no harm."""
        self._judged += self._why.pop(REST, 0.0)

    @property
    def share(self) -> float:
        """Of the time that was judged, in [0, 1]; 0 where there was no time (a single picture)."""
        return self._judged / self.seconds if self.seconds else 0.0

    def why(self) -> dict[str, float]:
        """Seconds that were not judged, by cause, the longest first."""
        return {cause: seconds for cause, seconds in sorted(self._why.items(), key=lambda one: -one[1]) if seconds}

    def as_dict(self) -> dict:
        """For logs and tables: {"seconds": 13.0, "share": 0.81, "not_judged": {"no face": 2.1, …}}."""
        return {
            "seconds": round(self.seconds, 3),
            "share": round(self.share, 4),
            "not_judged": {cause: round(seconds, 3) for cause, seconds in self.why().items()},
        }

    def __str__(self) -> str:
        return sentence(self.as_dict())


def why_not(step: Step) -> str | None:
    """Why a movement at this moment would not be told; None where it would."""
    if not step.views:
        return NO_FACE
    causes = [_cause(view, step.readings[view.face]) for view in step.views]
    return None if None in causes else causes[0]


def sentence(judged: dict) -> str:
    """`Judged.as_dict` in words: "judged 81 % of 13.0 s; not: no face 2.1 s, blink 0.4 s"."""
    text = f"judged {math.floor(100 * judged['share'])} % of {judged['seconds']:.1f} s"
    rest = causes(judged["not_judged"], NOTABLE_S)
    return f"{text}; not: {', '.join(rest)}" if rest else text


def causes(not_judged: dict[str, float], least: float = 0.0) -> list[str]:
    """["no face 2.1 s", "blink 0.4 s"]: those that took `least` seconds or more."""
    return [f"{cause} {seconds:.1f} s" for cause, seconds in not_judged.items() if seconds >= least]


def _cause(view: FaceView, reading: Reading) -> str | None:
    if view.box[2] - view.box[0] < LEAST_WIDTH:
        return SMALL
    if math.isnan(reading.threshold):
        return REST
    return GATES.get(reading.gate) if reading.gate else None


class Trace:
    """What the spotter saw, one `add` a frame (about a microsecond, 25 bytes).

    Attributes:
        t: seconds in the source's own clock.
        difference: in the spotter's units, NaN where there was no face.
        threshold: in the spotter's units, NaN where there was no face.
        spans: [(start_s, end_s, kind)], kind "lost", "motion" or "blink": where the spotter could not judge. A span ends
            where the next frame begins.
    """

    def __init__(self):
        self._t, self._difference, self._threshold = array("d"), array("d"), array("d")
        self._spans: list[tuple[float, float, str]] = []
        self._gate: str | None = None
        self._since = 0.0

    def add(self, pts: float, difference: float | None, threshold: float | None, gate: str | None = None) -> None:
        """One frame.

        Args:
            pts: seconds in the source's own clock.
        difference: in the spotter's units, None (or NaN) without a face.
        threshold: the same.
        gate: None, "lost", "motion" or "blink".
        """
        if gate != self._gate:
            if gate is not None and gate not in GATES:
                raise ValueError(f"gate is None or one of {', '.join(GATES)}, got {gate!r}")
            if self._gate is not None:
                self._spans.append((self._since, pts, self._gate))
            self._gate, self._since = gate, pts
        self._t.append(pts)
        self._difference.append(math.nan if difference is None else difference)
        self._threshold.append(math.nan if threshold is None else threshold)

    @property
    def t(self) -> np.ndarray:
        """When each frame was, N seconds: (N,) float64."""
        return np.array(self._t)

    @property
    def difference(self) -> np.ndarray:
        """(N,) float64, multiples of the resting difference; NaN without a face."""
        return np.array(self._difference)

    @property
    def threshold(self) -> np.ndarray:
        """(N,) float64, in the same measure."""
        return np.array(self._threshold)

    @property
    def gated(self) -> np.ndarray:
        """For each frame, whether it lies in a span: N booleans."""
        edges = [edge for start, end, _ in self.spans for edge in (start, end)]
        return np.searchsorted(edges, self._t, side="right") % 2 == 1

    @property
    def spans(self) -> list[tuple[float, float, str]]:
        if self._gate is None:
            return list(self._spans)
        return [*self._spans, (self._since, self.end, self._gate)]

    @property
    def not_judged(self) -> list[tuple[float, float, str]]:
        """[(start_s, end_s, why in words)], by time: `spans`, and where the resting face was still being learnt."""
        steps = np.append(self.t, self.end) if len(self._t) else np.empty(0)
        learning = np.flatnonzero(np.diff(np.concatenate([[0], ~self.gated & np.isnan(self.threshold), [0]]).astype(int)))
        found = [(steps[begin], steps[end], REST) for begin, end in learning.reshape(-1, 2)]
        return sorted([*found, *((begin, end, GATES[kind]) for begin, end, kind in self.spans)])

    @property
    def end(self) -> float:
        """When the last frame is over, seconds: it lasts as long as the one before."""
        if len(self._t) < 2:
            return self._t[-1] + 0.04 if self._t else 0.0
        return 2 * self._t[-1] - self._t[-2]


def envelope(t: np.ndarray, *curves: np.ndarray, bins: int) -> tuple[np.ndarray, ...]:
    """Lowest and highest value of each of `bins` stretches: what a line through all points would cover on paper.

    Args:
        t: N, seconds.
        curves: N each.
        bins: on paper.

    Returns:
        (t, *curves), each of N points, or of 2·bins where N is larger. NaN only where all are NaN.
    """
    if len(t) <= 2 * bins:
        return (t, *curves)
    each = math.ceil(len(t) / bins)
    fill = -len(t) % each
    stretch = np.pad(t, (0, fill), mode="edge").reshape(-1, each)
    thinned = [np.stack([stretch[:, 0], stretch[:, each // 2]], axis=1).ravel()]
    for curve in curves:
        rows = np.pad(curve, (0, fill), constant_values=np.nan).reshape(-1, each)
        empty = np.isnan(rows)
        low, high = np.where(empty, np.inf, rows).min(axis=1), np.where(empty, -np.inf, rows).max(axis=1)
        thinned.append(np.where(empty.all(axis=1)[:, None], np.nan, np.stack([low, high], axis=1)).ravel())
    return tuple(thinned)
