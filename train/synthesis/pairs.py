"""Two views of a face and what it did between them: action units that are known, and all that disturbs them.

Cheaper than a clip by far: only the onset and the apex are drawn. Between the two the head sways, lids and gaze may move,
the mouth may begin to speak, and each view has noise of its own.
"""

from __future__ import annotations

import cv2
import numpy as np

from train.synthesis.action_units import ACTION_UNITS
from train.synthesis.expressions import Expression, express
from train.synthesis.schedule import State

UNITS = tuple(unit for unit in ACTION_UNITS if unit < 30)  # those of expressions


def any_units(random: np.random.Generator, size: float) -> Expression:
    """One to three units, each as likely as any other; one in five on one side alone."""
    units = random.choice(UNITS, random.integers(1, 4), replace=False)
    side = str(random.choice(["both", "right", "left"], p=[0.8, 0.1, 0.1]))
    return express("", {int(unit): float(random.uniform(0.4, 1.0)) for unit in units}, size, side, float(np.exp(random.normal(0, 0.2))))


def meanwhile(random: np.random.Generator) -> tuple[State, State]:
    """The face before and after, without the expression: what the head, the lids and the eyes do meanwhile."""
    before, after = State(), State()
    size = np.exp(random.normal(-0.5, 0.8))
    after.head += size * random.normal(0, 1, 6) * [0.006, 0.006, 0.25, 0.35, 0.4, 0.003]
    if random.random() < 0.2:  # part of a blink, in either view
        state, depth = (before, after)[random.integers(2)], random.uniform(0.1, 1.0)
        state.lids += depth * np.array([1, random.uniform(0.9, 1), 0.15, 0.15])
    if random.random() < 0.2:
        after.lids += random.normal(0, 0.08) * np.array([1, 1, 0.1, 0.1])
    if random.random() < 0.3:
        after.gaze += random.normal(0, 1, 2) * [0.015, 0.008]
        after.lids[:2] += after.gaze[1] * 6.0
    if random.random() < 0.15:  # the mouth, a little
        after.pull(int(random.choice([18, 25, 26])), "both", random.uniform(0.02, 0.12))
    return before, after


def between(before: State, after: State, share: float) -> State:
    """The face at `share` of the way from one to the other."""
    units = {key: share * amount for key, amount in after.units.items()}
    return State(units, before.lids + share * (after.lids - before.lids), share * after.gaze, share * after.head)


def showing(state: State, expression: Expression, share: float = 1.0) -> State:
    """The same face with `share` of an expression on it."""
    made = between(State(), state, 1.0)
    for unit, side, strength in expression.units:
        made.pull(unit, side, share * strength)
    return made


def seen(picture: np.ndarray, sigma: float, gain: float, random: np.random.Generator) -> np.ndarray:
    """H×W×3 uint8 as a camera with noise of `sigma` grey levels has it, in light of `gain`."""
    noise = cv2.GaussianBlur(random.standard_normal(picture.shape).astype(np.float32), (0, 0), 0.45)
    return np.clip(np.rint(picture * gain + noise * (sigma / noise.std())), 0, 255).astype(np.uint8)
