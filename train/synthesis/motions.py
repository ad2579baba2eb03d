"""How each movement goes over time: expressions, head and gaze excursions, blinks, speech, swallowing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from train.synthesis.expressions import Expression


def ramp(x: float, bend: float = 1.0) -> float:
    """A smooth rise from 0 (x ≤ 0) to 1 (x ≥ 1); bend above 1 starts later, below 1 earlier."""
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    return float(0.5 - 0.5 * np.cos(np.pi * x**bend))


@dataclass(frozen=True)
class Happening:
    """A micro- or macro-expression. Times are seconds in the clip; it is at full strength from `apex` for `hold` s.

    apex is the middle of that plateau for the truth (`peak`). rise_bend, fall_bend: shapes of the two flanks.
    lags: for each of the expression's units, how much later than the first it sets in, share of the rise.
    """

    kind: str
    expression: Expression
    onset: float
    apex: float
    hold: float
    offset: float
    rise_bend: float = 1.0
    fall_bend: float = 1.0
    lags: tuple[float, ...] = ()
    disturbed: bool = False

    start = property(lambda self: self.onset)
    end = property(lambda self: self.offset)
    peak = property(lambda self: self.apex + self.hold / 2)

    def strength(self, t: float, lag: float = 0.0) -> float:
        """How much of the expression shows at `t`, 0 to 1."""
        begin = self.onset + lag * (self.apex - self.onset)
        if t <= self.apex:
            return ramp((t - begin) / (self.apex - begin), self.rise_bend)
        return ramp((self.offset - t) / (self.offset - self.apex - self.hold), self.fall_bend)

    def add(self, state, t: float) -> None:
        lags = self.lags or (0.0,) * len(self.expression.units)
        for (unit, side, amount), lag in zip(self.expression.units, lags, strict=True):
            state.pull(unit, side, amount * self.strength(t, lag))


@dataclass(frozen=True)
class Excursion:
    """Head or gaze leaves its place, stays for `hold` seconds, and comes back. `vector`: see `State`."""

    kind: str
    start: float
    leave: float
    hold: float
    back: float
    vector: tuple[float, ...]

    end = property(lambda self: self.start + self.leave + self.hold + self.back)

    def intervals(self) -> list[tuple[float, float]]:
        """When it moves: once if it hardly stays, else leaving and coming back."""
        if self.hold < 0.3:
            return [(self.start, self.end)]
        return [(self.start, self.start + self.leave), (self.end - self.back, self.end)]

    def add(self, state, t: float) -> None:
        share = ramp((t - self.start) / self.leave) * ramp((self.end - t) / self.back)
        target = state.head if self.kind == "head" else state.gaze
        target += share * np.array(self.vector)
        if self.kind == "gaze":  # the upper lid goes with the eye, up and down
            state.lids[:2] += share * self.vector[1] * 6.0


@dataclass(frozen=True)
class Blink:
    """closing, shut, opening: seconds of each phase. depth: (right, left), 1 = wholly shut."""

    start: float
    closing: float
    shut: float
    opening: float
    depth: tuple[float, float]

    kind = "blink"
    end = property(lambda self: self.start + self.closing + self.shut + self.opening)

    def intervals(self) -> list[tuple[float, float]]:
        return [(self.start, self.end)]

    def add(self, state, t: float) -> None:
        # the lid falls fast and rises slower, and slows down at the end of its way up
        share = ramp((t - self.start) / self.closing) * ramp((self.end - t) / self.opening, 0.8)
        state.lids[:2] += share * np.array(self.depth)
        state.lids[2:] += 0.15 * share
        state.shut = max(state.shut, share)


@dataclass(frozen=True, eq=False)
class Speech:
    """Mouth targets at 3 to 7 syllables a second. keys: times (K,), seconds; targets: K×5 strengths of VISEMES."""

    keys: np.ndarray
    targets: np.ndarray

    kind = "speech"
    VISEMES = (26, 25, 18, 20, 24)
    start = property(lambda self: float(self.keys[0]))
    end = property(lambda self: float(self.keys[-1]))

    def intervals(self) -> list[tuple[float, float]]:
        return [(self.start, self.end)]

    def add(self, state, t: float) -> None:
        after = int(np.searchsorted(self.keys, t))
        if not 0 < after < len(self.keys):
            return
        share = ramp((t - self.keys[after - 1]) / (self.keys[after] - self.keys[after - 1]))
        for unit, amount in zip(self.VISEMES, (1 - share) * self.targets[after - 1] + share * self.targets[after]):
            for side in ("right", "left") if unit == 20 else ("both",):
                state.pull(unit, side, float(amount))


@dataclass(frozen=True)
class Swallow:
    """Lips pressed, chin raised, then the throat rises and sinks."""

    start: float
    length: float
    strength: float

    kind = "swallow"
    end = property(lambda self: self.start + self.length)

    def intervals(self) -> list[tuple[float, float]]:
        return [(self.start, self.end)]

    def add(self, state, t: float) -> None:
        x = (t - self.start) / self.length
        mouth, throat = ramp(x / 0.25) * ramp((0.8 - x) / 0.4), ramp((x - 0.2) / 0.3) * ramp((1 - x) / 0.4)
        state.pull(24, "both", 0.7 * self.strength * mouth)
        state.pull(17, "both", 0.35 * self.strength * mouth)
        state.throat += self.strength * throat


@dataclass(frozen=True)
class Step:
    """The exposure changes: by `gain` (factor) within `length` seconds, and stays."""

    start: float
    length: float
    gain: float

    kind = "exposure"
    end = property(lambda self: self.start + self.length)

    def intervals(self) -> list[tuple[float, float]]:
        return [(self.start, self.end)]

    def add(self, state, t: float) -> None:
        state.gain *= self.gain ** ramp((t - self.start) / self.length)
