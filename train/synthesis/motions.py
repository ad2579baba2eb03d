"""How each movement goes over time: expressions, head and gaze excursions, blinks, speech, swallowing."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from train.synthesis.course import Course, ramp
from train.synthesis.expressions import Expression


@dataclass(frozen=True)
class Happening:
    """A micro- or macro-expression, or a "long" one: it rises like a micro-expression and takes its time to return.

    onset: seconds in the clip. parts: for each of the expression's units (lag, more), see `Course.share`.
    nod: how the head moves along, see `State.head`. The truth's apex is the middle of the time at full strength.
    """

    kind: str
    expression: Expression
    onset: float
    course: Course
    parts: tuple[tuple[float, float], ...] = ()
    nod: tuple[float, ...] = ()
    disturbed: bool = False

    start = property(lambda self: self.onset)
    end = property(lambda self: self.onset + self.course.gone)
    apex = property(lambda self: self.onset + self.course.rise + self.course.hold / 2)
    offset = property(lambda self: self.onset + self.course.length)

    @property
    def returned(self) -> float:
        """What share of the way to the apex is given back at the offset, over all units."""
        amounts = np.array([amount for _, _, amount in self.expression.units])
        left = np.array([self.course.left(more) for _, more in self._parts()])
        return float(1 - (amounts * left).sum() / amounts.sum())

    def intervals(self) -> list[tuple[float, float]]:
        """When it moves: to its offset, and where something was left that goes later, then again."""
        return [(self.onset, self.offset), *self.later()]

    def later(self) -> list[tuple[float, float]]:
        left = self.end - self.offset > 1e-6 and np.isfinite(self.end)
        return [(self.end - self.course.away, self.end)] if left else []

    def on(self, t: float) -> bool:
        """Whether it has moved, is not back, and stays so at `t`."""
        return self.offset < t < self.end - self.course.away

    def add(self, state, t: float) -> None:
        since = t - self.onset
        for (unit, side, amount), part in zip(self.expression.units, self._parts(), strict=True):
            state.pull(unit, side, amount * self.course.share(since, *part))
        if self.nod:
            state.head += self.course.share(since) * np.array(self.nod)

    def _parts(self) -> tuple[tuple[float, float], ...]:
        return self.parts or ((0.0, 0.0),) * len(self.expression.units)


@dataclass(frozen=True)
class Excursion:
    """Head, gaze, lids, jaw or tongue leave their place, stay for `hold` seconds (inf: for good), and come back.

    vector: see `State`; of the jaw (to the picture's right), of the tongue (in the right cheek, in the left one).
    """

    kind: str
    start: float
    leave: float
    hold: float
    back: float
    vector: tuple[float, ...]

    end = property(lambda self: self.start + self.leave + self.hold + self.back)

    def intervals(self) -> list[tuple[float, float]]:
        """When it moves: once if it hardly stays, else leaving and coming back, if it does."""
        if math.isinf(self.hold):
            return [(self.start, self.start + self.leave)]
        if self.hold < 0.3:
            return [(self.start, self.end)]
        return [(self.start, self.start + self.leave), (self.end - self.back, self.end)]

    def add(self, state, t: float) -> None:
        share = ramp((t - self.start) / self.leave) * ramp((self.end - t) / self.back)
        moved = share * np.array(self.vector)
        if self.kind == "jaw":
            state.pull(30, "both", moved[0])
        elif self.kind == "tongue":
            for side, strength in zip(("right", "left"), moved, strict=True):
                state.pull(36, side, strength)
        elif self.kind == "lid":
            state.lids += moved
        elif self.kind == "gaze":
            state.gaze += moved
            state.lids[:2] += moved[1] * 6.0  # the upper lid goes with the eye, up and down
        else:
            state.head += moved


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
    end = math.inf

    def intervals(self) -> list[tuple[float, float]]:
        return [(self.start, self.start + self.length)]

    def add(self, state, t: float) -> None:
        state.gain *= self.gain ** ramp((t - self.start) / self.length)
