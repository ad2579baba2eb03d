"""A clip's plan, drawn from a seed: what happens when, seen by which camera."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from train.synthesis import draws
from train.synthesis.camera import Camera
from train.synthesis.conditions import ALL, Conditions
from train.synthesis.expressions import one_of_three
from train.synthesis.motions import Happening

LEAD_IN, LEAD_OUT = 1.5, 0.7  # seconds without expressions at the clip's ends
APART = 0.6  # seconds of neutral face between two expressions, at least
BESIDE = 0.15  # a nuisance this near to an expression counts as overlapping it


@dataclass
class State:
    """The face at one moment, everything at rest to begin with.

    units: {(action unit, side): strength}. lids: closing of (right upper, left upper, right lower, left lower), 1 = its
    whole way. gaze: (x, y) of the eyeballs, outer-eye distances, x to the picture's right. head: (x, y) in outer-eye
    distances, then roll, yaw, pitch in degrees, then scale as a fraction. gain: of the light. shut: a blink's share.
    """

    units: dict[tuple[int, str], float] = field(default_factory=dict)
    lids: np.ndarray = field(default_factory=lambda: np.zeros(4))
    gaze: np.ndarray = field(default_factory=lambda: np.zeros(2))
    head: np.ndarray = field(default_factory=lambda: np.zeros(6))
    throat: float = 0.0
    gain: float = 1.0
    shut: float = 0.0

    def pull(self, unit: int, side: str, strength: float) -> None:
        self.units[unit, side] = self.units.get((unit, side), 0.0) + strength


@dataclass(frozen=True, eq=False)
class Plan:
    """times: true capture time of each frame, seconds, the first is 0. fps: the nominal rate.

    events: micro- and macro-expressions in order of time. nuisances: blinks, speech, head, gaze, swallowing, exposure.
    drift: 6×3 (amplitude), frequency (Hz) and phase of the head's slow sway, see `State.head`.
    """

    seed: int
    seconds: float
    fps: float
    conditions: Conditions
    camera: Camera
    times: np.ndarray
    events: tuple[Happening, ...]
    nuisances: tuple
    drift: np.ndarray

    def at(self, t: float) -> State:
        """What the face does at `t` seconds."""
        state = State()
        amplitude, frequency, phase = self.drift
        state.head += (amplitude * np.sin(2 * np.pi * frequency * t + phase)).sum(axis=1)
        for what in self.events + self.nuisances:
            if what.start < t and (t < what.end or what.kind == "exposure"):
                what.add(state, t)
        return state

    def intervals(self) -> list[tuple[str, float, float]]:
        """(kind, start, end) of every nuisance, flicker included, in order of time."""
        found = [(what.kind, *span) for what in self.nuisances for span in what.intervals()]
        if self.camera.flicker:
            found.append(("flicker", 0.0, float(self.times[-1])))
        return sorted(found, key=lambda row: (row[1], row[0]))


def plan(seed: int, seconds: float, fps: float, conditions: Conditions = ALL) -> Plan:
    """Draw a clip: the same arguments always give the same plan.

    Raises ValueError unless seconds and fps are above 0.
    """
    if seconds <= 0 or fps <= 0:
        raise ValueError(f"a clip needs seconds and fps above 0, got {seconds} s at {fps} fps")
    # each matter has its own stream of chance: switching one off leaves the others as they were
    times_of, camera_of, drift_of, events_of, *others = (np.random.default_rng([seed, i]) for i in range(20))
    camera = draws.camera(camera_of, conditions)
    times = draws.times(times_of, seconds, fps, conditions.timing)
    events = _scatter_events(events_of, seconds, fps, conditions)
    nuisances = []
    for random, (kind, draw) in zip(others, draws.NUISANCES.items(), strict=False):
        for start in _poisson(random, getattr(conditions, kind), seconds):
            made = draw(random, start)
            left_there = random.random() < conditions.overlap
            if made.end < seconds and (left_there or not any(map(_meets(made), events))):
                if not any(_meets(made, 0.05)(other) for other in nuisances if other.kind == kind):
                    nuisances.append(made)
    events = [replace(e, disturbed=any(map(_meets(e, 0.0), nuisances))) for e in events]
    nuisances.sort(key=lambda what: what.start)
    drift = draws.drift(drift_of) * np.array([float(conditions.head > 0), 1, 1])[:, None, None]
    return Plan(seed, seconds, fps, conditions, camera, times, tuple(events), tuple(nuisances), drift)


def scripted(plan: Plan, events: tuple[Happening, ...], nuisances: tuple = ()) -> Plan:
    """The same clip with these happenings instead of the drawn ones."""
    disturbed = [replace(e, disturbed=any(map(_meets(e, 0.0), nuisances))) for e in events]
    return replace(plan, events=tuple(disturbed), nuisances=nuisances)


def _scatter_events(random, seconds: float, fps: float, conditions: Conditions) -> list[Happening]:
    drawn = []
    for kind, draw in draws.EVENTS.items():
        rate = getattr(conditions, kind)
        own = np.random.default_rng(random.integers(2**32))
        emotion = one_of_three if conditions.alike else lambda random: None
        drawn += [draw(own, start, fps, emotion(own)) for start in _poisson(own, rate, seconds)]
    kept: list[Happening] = []
    # in random order, so that neither kind nor the early ones push the others out
    for event in random.permutation(np.array(drawn, object)) if drawn else []:
        inside = event.onset >= LEAD_IN and event.offset <= seconds - LEAD_OUT
        if inside and not any(map(_meets(event, APART), kept)):
            kept.append(event)
    return sorted(kept, key=lambda event: event.onset)


def _poisson(random, per_minute: float, seconds: float) -> list[float]:
    return sorted(random.uniform(0, seconds, random.poisson(per_minute * seconds / 60)).tolist())


def _meets(one, margin: float = BESIDE):
    """Whether another happening moves within `margin` seconds of a movement of `one`."""
    spans = _spans(one)
    return lambda other: any(a < d + margin and c < b + margin for a, b in spans for c, d in _spans(other))


def _spans(what) -> list[tuple[float, float]]:
    return what.intervals() if hasattr(what, "intervals") else [(what.start, what.end)]
