"""Emotions as combinations of action units (FACS/EMFACS), drawn partial and uneven like real micro-expressions."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from train.synthesis.action_units import ACTION_UNITS, SIDES
from train.synthesis.real_motion import Movement


@dataclass(frozen=True)
class Emotion:
    """typical: units of which at least one always shows. also: units that may join, with their probability."""

    typical: tuple[int, ...]
    also: dict[int, float]
    one_sided: float = 0.08  # probability that only half of the face shows it


EMOTIONS: dict[str, Emotion] = {
    "happiness": Emotion((12, 6), {25: 0.15}),
    "surprise": Emotion((1, 2), {5: 0.6, 25: 0.2, 26: 0.45}, one_sided=0.03),
    "disgust": Emotion((9, 10), {4: 0.4, 7: 0.4, 17: 0.15}),
    "anger": Emotion((4,), {5: 0.3, 7: 0.6, 23: 0.45, 24: 0.3}, one_sided=0.03),
    "fear": Emotion((20, 1, 4), {2: 0.6, 5: 0.6, 25: 0.2}, one_sided=0.03),
    "sadness": Emotion((15, 1), {4: 0.6, 17: 0.3}, one_sided=0.05),
    "contempt": Emotion((14,), {12: 0.2}, one_sided=1.0),
    "repression": Emotion((17, 24, 15), {14: 0.25}, one_sided=0.05),
}

# the three classes of MEGC2019
CLASSES = {
    "negative": ("disgust", "repression", "anger", "contempt", "fear", "sadness"),
    "positive": ("happiness",),
    "surprise": ("surprise",),
}

# an expression's size is the largest displacement at its apex, in outer-eye distances (91 pixels at a face of 150);
# each letter's sizes end below the next one's
INTENSITIES = {"A": 0.008, "B": 0.013, "C": 0.022, "D": 0.045, "E": 0.075}
LARGEST = 0.12


def intensity(size: float) -> str:
    """FACS's letter for an expression whose largest displacement is `size` outer-eye distances."""
    return [letter for letter, least in INTENSITIES.items() if size >= least or letter == "A"][-1]


@dataclass(frozen=True)
class Expression:
    """units: (unit, side, strength at the apex); an unseparable unit has side "both", the others "right" or "left".

    A unit is an action unit or a real person's `Movement`.

    side: "both", "right" or "left" (the person's own). size: the largest displacement, outer-eye distances.
    """

    emotion: str
    units: tuple[tuple[int | Movement, str, float], ...]
    side: str
    size: float

    @property
    def intensity(self) -> str:
        return intensity(self.size)

    @property
    def motion(self) -> str:
        """Where its movement is from: "real" or "action units"."""
        return "real" if any(isinstance(unit, Movement) for unit, _, _ in self.units) else "action units"

    @property
    def text(self) -> str:
        """As CASME II writes it: "6+12", one-sided "L14"; empty for a real movement, whose units are not known."""
        if self.motion == "real":
            return ""
        shown = list(dict.fromkeys(unit for unit, _, _ in self.units))
        letter = "" if self.side == "both" else self.side[0].upper()
        return "+".join(f"{letter if ACTION_UNITS[u].separable else ''}{u}" for u in sorted(shown))

    def scaled(self, size: float) -> Expression:
        """The same, larger or smaller."""
        units = tuple((unit, side, amount * size / self.size) for unit, side, amount in self.units)
        return replace(self, units=units, size=size)


def express(emotion: str, units: dict[int, float], size: float, side: str = "both", uneven: float = 1.0) -> Expression:
    """An expression with these units, weighed against one another, at `size`.

    uneven: strength of the left side over that of the right. A unit is never driven beyond its own extent, so an
    expression of small units may turn out smaller than asked for; `size` says what it is.
    """
    made, sizes = [], []
    for unit, weight in units.items():
        extent = ACTION_UNITS[unit].extent
        strength = min(size * weight / max(units.values()) / extent, 1.0)
        for half in SIDES if ACTION_UNITS[unit].separable else ("both",):
            if "both" in (half, side) or half == side:
                factor = min(1.0, {"left": uneven, "right": 1 / uneven}.get(half, 1.0)) if side == "both" else 1.0
                made.append((unit, half, strength * factor))
                sizes.append(strength * factor * extent)
    return Expression(emotion, tuple(made), side, max(sizes))


def moved_like(movement: Movement, random: np.random.Generator, size: float) -> Expression:
    """A real person's movement of about `size`, one half a bit stronger, one in twelve in its stronger half alone."""
    uneven = float(np.exp(random.normal(0, 0.2)))
    halves = {"right": min(1.0, 1 / uneven), "left": min(1.0, uneven)}
    side = movement.stronger if random.random() < 1 / 12 else "both"
    units = tuple((movement, half, size * halves[half]) for half in SIDES if side in ("both", half))
    return Expression(movement.label, units, side, max(amount for _, _, amount in units))


def one_of_three(random: np.random.Generator) -> str:
    """An emotion, its class drawn first: negative, positive and surprise come equally often."""
    return str(random.choice(CLASSES[str(random.choice(list(CLASSES)))]))


def draw(random: np.random.Generator, size: float, emotion: str | None = None) -> Expression:
    """A random expression of about `size`: a partial set of its emotion's units, one side a bit stronger."""
    emotion = emotion or str(random.choice(list(EMOTIONS)))
    what = EMOTIONS[emotion]
    typical = list(random.permutation(what.typical))
    shown = typical[:1] + [u for u in typical[1:] if random.random() < 0.6]
    shown += [u for u, chance in what.also.items() if random.random() < chance]
    weights = {int(u): float(random.uniform(0.55, 1.0)) for u in shown}
    one_sided = random.random() < what.one_sided
    side = str(random.choice(SIDES)) if one_sided else "both"
    return express(emotion, weights, size, side, float(np.exp(random.normal(0, 0.15))))
