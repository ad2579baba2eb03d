"""The chances of the expressions: how long, how large, whose movement, and what is left of it, as coders have timed them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from train.synthesis.course import Course
from train.synthesis.expressions import LARGEST, draw, moved_like
from train.synthesis.motions import Happening
from train.synthesis.real_motion import Movement

SHORTEST, LONGEST_MICRO, LONGEST_MACRO = 0.04, 0.5, 6.0  # seconds, onset to offset
MICRO_SIZE = (0.008, 0.026)  # outer-eye distances: 0.7 to 2.4 pixels at a face of 150
REAL_SIZE = (0.0037, 0.022, 0.034)  # least, commonest, largest of real movements: a third of a pixel to three
FAINT_SIZE = (0.008, 0.0129)  # FACS intensity A
WHOLLY_BACK = 1 / 3  # share of the micro-expressions that have returned at the offset; the others' return is anything


def micro(random, start: float, fps: float, emotion: str | None = None) -> Happening:
    """Mostly 0.18 to 0.5 s, as coders have timed them; never under three frames, which no camera would have caught."""
    rise, rest = _timed(random, 0.17, 0.34), _timed(random, 0.165, 0.33)
    if random.random() < 0.04:
        rise, rest = random.uniform(0.03, 0.08, 2)
    shrunk = min(1.0, (LONGEST_MICRO - 0.005) / (rise + rest))
    grown = max(1.0, max(SHORTEST, 3 / fps) / (rise + rest))
    rise, rest = rise * shrunk * grown, rest * shrunk * grown
    size = float(np.exp(random.uniform(*np.log(MICRO_SIZE))))
    course = _course(random, rise, rest * random.uniform(0.0, 0.3), rest, *_return(random))
    return _happening(random, "micro", draw(random, size, emotion), start, course)


def long(random, start: float, fps: float, emotion: str | None = None) -> Happening:
    """Rises as a micro-expression does, and takes longer than one to come back: CAS(ME)³'s commonest kind."""
    rise, rest = min(_timed(random, 0.17, 0.34), 0.27), float(np.clip(random.lognormal(np.log(0.7), 0.6), 0.45, 2.5))
    size = float(np.exp(random.uniform(*np.log(MICRO_SIZE))))
    course = _course(random, rise, rest * random.uniform(0.0, 0.3), rest, *_return(random))
    return _happening(random, "long", draw(random, size, emotion), start, course)


def macro(random, start: float, fps: float, emotion: str | None = None) -> Happening:
    """0.55 to 6 s, large; two of five come to rest as a held smile or frown, which goes after seconds."""
    length = float(np.clip(random.lognormal(np.log(1.3), 0.55), 0.55, LONGEST_MACRO))
    size = float(np.exp(random.uniform(np.log(0.03), np.log(LARGEST))))
    rise = max(0.2, length * random.uniform(0.15, 0.4))
    hold = (length - rise) * random.uniform(0.1, 0.5)
    kept = random.random() < 0.4
    left = (random.uniform(0.0, 0.4), random.uniform(2.0, 6.0), random.uniform(0.5, 1.5)) if kept else (1.0, math.inf, 0.0)
    return _happening(random, "macro", draw(random, size, emotion), start, _course(random, rise, hold, length - rise, *left))


def held(random, seconds: float) -> Happening:
    """A smile or frown that is there before the clip begins, and goes some time in it."""
    course = Course(0.5, 0.0, 0.5, 0.0, 1.0 + seconds * float(random.uniform(0.5, 1.2)), float(random.uniform(0.5, 1.5)))
    size = float(np.exp(random.uniform(np.log(0.03), np.log(LARGEST))))
    return Happening("held", draw(random, size), -2.0, course)


def real(random, event: Happening, movement: Movement, faint: bool) -> Happening:
    """The same with a real person's movement: unequal halves, one in four with a little of the head in it."""
    size = np.exp(random.uniform(*np.log(FAINT_SIZE)) if faint else random.triangular(*np.log(REAL_SIZE)))
    nod = random.normal(0, 1, 6) * [0.004, 0.004, 0.15, 0.2, 0.2, 0.0015] if random.random() < 0.25 else ()
    made = _happening(random, event.kind, moved_like(movement, random, float(size)), event.onset, event.course)
    return replace(made, nod=tuple(map(float, nod)))


def faint(random, event: Happening) -> Happening:
    """The same at FACS intensity A."""
    size = float(np.exp(random.uniform(*np.log(FAINT_SIZE))))
    return replace(event, expression=event.expression.scaled(size))


def into_macro(random, event: Happening) -> tuple[Happening, Happening]:
    """What a micro-expression has left, going on into a macro-expression: (the one, the other)."""
    onset = event.offset + float(random.uniform(0.0, 0.12))
    after = macro(random, onset, 30.0, event.expression.emotion)
    after = replace(after, course=replace(after.course, returned=1.0))
    course = replace(event.course, stay=after.offset - after.course.fall - event.offset, away=after.course.fall)
    return replace(event, course=course), after


def _timed(random, median: float, most: float) -> float:
    return float(np.clip(random.lognormal(np.log(median), 0.43), 0.06, most))


def _return(random) -> tuple[float, float, float]:
    """(returned, stay, away), see `Course`: what is left is held, or goes at once, slowly or in a snap."""
    if random.random() < WHOLLY_BACK:
        return 1.0, math.inf, 0.0
    returned, how = float(random.uniform(0, 1)), random.random()
    if how < 0.35:
        return returned, math.inf, 0.0
    if how < 0.6:
        return returned, float(random.uniform(1, 5)), float(random.uniform(0.3, 1.5))
    if how < 0.82:
        return returned, float(random.uniform(0, 0.3)), float(np.exp(random.uniform(np.log(0.3), np.log(3))))
    return returned, float(random.uniform(0, 0.5)), float(random.uniform(0.05, 0.15))


def _course(random, rise: float, hold: float, rest: float, returned: float, stay: float, away: float) -> Course:
    bends = tuple(map(float, random.uniform(0.7, 1.5, 2)))
    return Course(float(rise), float(hold), float(rest - hold), float(returned), float(stay), float(away), bends)


def _happening(random, kind: str, expression, start: float, course: Course) -> Happening:
    lags = random.uniform(0, 0.25, len(expression.units))
    lags[random.integers(len(lags))] = 0.0  # the truth's onset is the first unit's
    more = random.uniform(-0.25, 0.25, len(lags))
    return Happening(kind, expression, start, course, tuple(zip(map(float, lags), map(float, more), strict=True)))


EVENTS = {"micro": micro, "macro": macro, "long": long}
