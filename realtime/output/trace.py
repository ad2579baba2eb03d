"""What the spotter saw of a recording, frame by frame: its curve, and where nothing could be judged."""

from __future__ import annotations

import math
from array import array

import numpy as np

from realtime import judged

COLOURS = {"lost": "#e2e2e2", "motion": "#f3e9d2", "blink": "#e6e0f0"}
GATES = {gate: (colour, judged.GATES[gate]) for gate, colour in COLOURS.items()}  # in the words of every table
LEARNING = judged.REST


class Trace:
    """What the spotter saw, one `add` a frame (about a microsecond, 25 bytes).

    t: seconds in the source's own clock. difference, threshold: in the spotter's units, NaN where there was no face.
    spans: [(start_s, end_s, kind)], kind "lost", "motion" or "blink": where the spotter could not judge. A span ends
    where the next frame begins.
    """

    def __init__(self):
        self._t, self._difference, self._threshold = array("d"), array("d"), array("d")
        self._spans: list[tuple[float, float, str]] = []
        self._gate: str | None = None
        self._since = 0.0

    def add(self, pts: float, difference: float | None, threshold: float | None, gate: str | None = None) -> None:
        """One frame. gate: None, "lost", "motion" or "blink"; difference and threshold None (or NaN) without a face."""
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
        return np.array(self._t)

    @property
    def difference(self) -> np.ndarray:
        return np.array(self._difference)

    @property
    def threshold(self) -> np.ndarray:
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
        found = [(steps[begin], steps[end], LEARNING) for begin, end in learning.reshape(-1, 2)]
        return sorted([*found, *((begin, end, GATES[kind][1]) for begin, end, kind in self.spans)])

    @property
    def end(self) -> float:
        """When the last frame is over, seconds: it lasts as long as the one before."""
        if len(self._t) < 2:
            return self._t[-1] + 0.04 if self._t else 0.0
        return 2 * self._t[-1] - self._t[-2]
