"""The chances: how long, how large and how often each thing is, as measured on people where that is known."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from train.synthesis.camera import Camera, Flicker
from train.synthesis.conditions import Conditions
from train.synthesis.course import Course
from train.synthesis.covers import Flash, Hand, Wisp
from train.synthesis.expressions import LARGEST, draw, moved_like
from train.synthesis.motions import Blink, Excursion, Happening, Speech, Step, Swallow
from train.synthesis.real_motion import Movement

SHORTEST, LONGEST_MICRO, LONGEST_MACRO = 0.04, 0.5, 6.0  # seconds, onset to offset
MICRO_SIZE = (0.008, 0.026)  # outer-eye distances: 0.7 to 2.4 pixels at a face of 150
REAL_SIZE = (0.0037, 0.016, 0.033)  # least, commonest, largest of real movements: a third of a pixel to three
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


def head(random, start: float) -> Excursion:
    """A nod, a turn, or a shift to another posture and back."""
    kind = random.choice(["nod", "turn", "shift"], p=[0.4, 0.25, 0.35])
    sign = float(random.choice([-1, 1]))
    if kind == "nod":
        leave, hold, back = random.uniform(0.15, 0.4), 0.0, random.uniform(0.2, 0.5)
        vector = [0, random.uniform(0.02, 0.08), 0, 0, random.uniform(1, 5), 0]
    elif kind == "turn":
        leave, hold, back = random.uniform(0.25, 0.7), random.uniform(0.1, 2.0), random.uniform(0.3, 0.8)
        vector = [sign * random.uniform(0.01, 0.06), 0, sign * random.normal(0, 0.8), sign * random.uniform(1, 5), 0, 0]
    else:
        leave, hold, back = random.uniform(0.3, 1.0), random.uniform(0.5, 4.0), random.uniform(0.3, 1.0)
        vector = random.normal(0, 1, 6) * [0.04, 0.03, 1.2, 1.0, 1.0, 0.012]
    return Excursion("head", start, float(leave), float(hold), float(back), tuple(map(float, vector)))


def nod(random, start: float) -> Excursion:
    """A small, quick one, of which perspective shows more than the shift."""
    leave, back = random.uniform(0.1, 0.25, 2)
    vector = (float(random.normal(0, 0.004)), float(random.normal(0, 0.006)), 0.0, float(random.normal(0, 0.4)), float(random.uniform(-1.8, 1.8)), 0.0)
    return Excursion("nod", start, float(leave), math.inf if random.random() < 0.3 else 0.0, float(back), vector)


def gaze(random, start: float) -> Excursion:
    """Saccades of 30 to 60 ms, a look elsewhere for a while between them; one in three stays there."""
    angle, size = random.uniform(0, 2 * np.pi), random.uniform(0.012, 0.035)
    vector = (float(size * np.cos(angle)), float(0.5 * size * np.sin(angle)))
    leave, back = random.uniform(0.03, 0.06, 2)
    hold = math.inf if random.random() < 1 / 3 else float(random.uniform(0.3, 2.0))
    return Excursion("gaze", start, float(leave), hold, float(back), vector)


def lid(random, start: float) -> Excursion:
    """The lids sink or rise a little, as with tiredness and attention, and mostly stay there."""
    depth = float(random.uniform(0.05, 0.25) * random.choice([-0.5, 1]))
    hold = math.inf if random.random() < 0.6 else float(random.uniform(0.3, 2.0))
    vector = (depth, depth * float(random.uniform(0.7, 1.1)), 0.1 * depth, 0.1 * depth)
    return Excursion("lid", start, float(random.uniform(0.15, 1.5)), hold, float(random.uniform(0.15, 0.8)), vector)


def tongue(random, start: float) -> Excursion:
    """Pushed into a cheek."""
    strength, left = float(random.uniform(0.15, 0.6)), random.random() < 0.5
    times = random.uniform(0.1, 0.4), random.uniform(0.05, 1.5), random.uniform(0.1, 0.4)
    return Excursion("tongue", start, *map(float, times), (0.0, strength) if left else (strength, 0.0))


def jaw(random, start: float) -> Excursion:
    """Shifted to a side and back; some stay."""
    strength = float(random.uniform(0.1, 0.5) * random.choice([-1, 1]))
    hold = math.inf if random.random() < 0.25 else float(random.uniform(0.05, 1.0))
    return Excursion("jaw", start, float(random.uniform(0.12, 0.4)), hold, float(random.uniform(0.12, 0.5)), (strength,))


def flash(random, start: float) -> Flash:
    place = float(random.normal(0, 0.06)), float(random.uniform(-0.05, 0.08))
    return Flash(start, float(random.uniform(0.1, 0.8)), place, float(random.uniform(3, 15)), float(random.uniform(0.3, 0.9)))


def hair(random, start: float) -> Wisp:
    """One to three swings."""
    sways, t = [], start
    for _ in range(int(random.integers(1, 4))):
        length = float(random.uniform(0.4, 1.2))
        sways.append((t, length, float(random.choice([-1, 1]) * random.uniform(4, 18))))
        t += length
    return Wisp((float(random.uniform(-0.45, 0.45)), -0.75), float(random.uniform(0.35, 0.65)), tuple(sways))


def hand(random, start: float) -> Hand:
    """On a cheek or on the mouth, 0.3 to 1.5 s in all."""
    length, side = random.uniform(0.3, 1.5), random.choice([-1, 1])
    way = length * random.uniform(0.25, 0.45)
    place = float(side * random.uniform(0.1, 0.5)), float(random.uniform(0.5, 0.95))
    return Hand(start, float(way), float(length - 2 * way), place)


def blink(random, start: float) -> Blink:
    """100 to 400 ms; one in six leaves the eye not quite shut."""
    length = float(np.clip(random.lognormal(np.log(0.22), 0.3), 0.1, 0.4))
    closing, shut = length * random.uniform(0.25, 0.35), length * random.uniform(0.1, 0.3)
    depth = random.uniform(0.6, 0.85) if random.random() < 0.15 else random.uniform(0.95, 1.0)
    both = np.clip(depth + random.normal(0, 0.02, 2), 0.4, 1.0)
    return Blink(start, float(closing), float(shut), length - float(closing + shut), (float(both[0]), float(both[1])))


def speech(random, start: float) -> Speech:
    """A burst of 1 to 4 s: consonant and vowel targets in turn, 3 to 7 syllables a second."""
    rate = random.uniform(3, 7)
    count = max(4, int(random.uniform(1, 4) * rate * 2))
    steps = np.clip(random.normal(1, 0.25, count), 0.5, 1.7) / (2 * rate)
    keys = start + np.concatenate([[0], np.cumsum(steps)])
    targets = np.zeros((count + 1, len(Speech.VISEMES)))
    loud = random.uniform(0.5, 1.1)
    for i in range(1, count):
        if i % 2:  # a vowel: open, round or spread
            targets[i, 0] = loud * random.uniform(0.08, 0.5)
            targets[i, 1] = loud * random.uniform(0.1, 0.5)
            targets[i, 2 + int(random.integers(2))] = loud * random.uniform(0.0, 0.45)
        elif random.random() < 0.3:  # lips shut: m, b, p
            targets[i, 4] = random.uniform(0.4, 0.9)
        else:
            targets[i, :2] = loud * random.uniform(0.0, 0.2, 2)
    return Speech(keys, targets)


def swallow(random, start: float) -> Swallow:
    return Swallow(start, float(random.uniform(0.6, 1.2)), float(random.uniform(0.4, 1.0)))


def exposure(random, start: float) -> Step:
    """A step of up to a quarter, within a frame or eased over half a second as automatic exposure does."""
    length = random.uniform(0.001, 0.01) if random.random() < 0.4 else random.uniform(0.1, 0.6)
    return Step(start, float(length), float(np.exp(random.choice([-1, 1]) * random.uniform(0.03, 0.22))))


def drift(random) -> np.ndarray:
    """The head's sway: 3 (amplitude, Hz, phase) × 6 ways × 4 waves, slow ones and a faint tremor."""
    frequency = np.exp(random.uniform(np.log(0.05), np.log(0.4), (6, 4)))
    frequency[:, 3] = random.uniform(0.8, 2.5, 6)
    size = np.array([0.012, 0.009, 0.35, 0.4, 0.35, 0.004])[:, None] * random.uniform(0.3, 1.5)
    amplitude = np.abs(random.normal(0, 1, (6, 4))) * size
    amplitude[:, 3] *= 0.06
    return np.stack([amplitude, frequency, random.uniform(0, 2 * np.pi, (6, 4))])


def times(random, seconds: float, fps: float, faulty: float) -> np.ndarray:
    """Capture times: regular, or with jitter and dropped frames with probability `faulty`."""
    exact = np.arange(max(2, int(round(seconds * fps)))) / fps
    has_faults = random.random() < faulty
    jitter, loss = random.uniform(0.01, 0.12), random.uniform(0.001, 0.02)
    moved = exact + np.clip(random.normal(0, jitter, exact.size), -0.4, 0.4) / fps
    lost = random.random(exact.size) < loss
    for first in np.flatnonzero(lost):
        lost[first : first + int(random.choice([1, 1, 1, 2, 4]))] = True
    lost[:2] = lost[-1] = False
    return moved[~lost] - moved[0] if has_faults else exact


def camera(random, conditions: Conditions) -> Camera:
    gain = np.exp(random.uniform(np.log(0.5), np.log(2.5)))
    made = dict(
        face_px=float(random.uniform(150, 260)),
        crf=int(random.integers(18, 31)),
        read_noise=float(0.6 * gain),
        shot_noise=float(0.10 * gain),
        fixed_pattern=float(random.uniform(0.1, 0.6)),
        shutter=float(random.uniform(0.2, 0.9)),
    )
    mains, depth, readout = random.choice([100.0, 120.0]), random.uniform(0.004, 0.04), random.uniform(0, 0.015)
    phase, flickers = random.uniform(0, 2 * np.pi), random.random() < conditions.flicker
    if not conditions.noise:
        made.update(read_noise=0.0, shot_noise=0.0, fixed_pattern=0.0)
    if not conditions.blur:
        made.update(shutter=0.0)
    if conditions.sigma:
        made.update(read_noise=conditions.sigma, shot_noise=0.0)
    if conditions.crf:
        made.update(crf=int(conditions.crf))
    pulses, gop, poor = random.random() < conditions.keyframes, int(random.integers(6, 31)), int(random.integers(28, 34))
    if pulses:
        made.update(gop=gop, crf=max(made["crf"], poor))
    flicker = Flicker(float(mains), float(depth), float(readout), float(phase)) if flickers else None
    return Camera(**made, flicker=flicker)


EVENTS = {"micro": micro, "macro": macro, "long": long}
NUISANCES = {
    draw.__name__: draw
    for draw in (blink, speech, head, gaze, swallow, exposure, nod, lid, tongue, jaw, flash, hair, hand)
}
