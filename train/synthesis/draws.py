"""The chances of all but the expressions: how long and how large each thing is, as measured on people where that is known."""

from __future__ import annotations

import math

import numpy as np

from train.synthesis.camera import Camera, Flicker
from train.synthesis.conditions import Conditions
from train.synthesis.covers import Flash, Hand, Wisp
from train.synthesis.motions import Blink, Excursion, Speech, Step, Swallow


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
    vector = (
        float(random.normal(0, 0.004)),
        float(random.normal(0, 0.006)),
        0.0,
        float(random.normal(0, 0.4)),
        float(random.uniform(-1.8, 1.8)),
        0.0,
    )
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
    return Flash(start, float(random.uniform(0.1, 0.8)), place, float(random.uniform(3, 15)), float(random.uniform(0.4, 1.0)))


def hair(random, start: float) -> Wisp:
    """One to three swings."""
    sways, t = [], start
    for _ in range(int(random.integers(1, 4))):
        length = float(random.uniform(0.4, 1.2))
        sways.append((t, length, float(random.choice([-1, 1]) * random.uniform(4, 18))))
        t += length
    return Wisp((float(random.uniform(-0.45, 0.45)), -0.9), float(random.uniform(0.4, 0.75)), tuple(sways))


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


NUISANCES = {draw.__name__: draw for draw in (blink, speech, head, gaze, swallow, exposure, nod, lid, tongue, jaw, flash, hair, hand)}
