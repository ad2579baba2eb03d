"""A clip's plan, drawn from a seed: what happens when, seen by which camera."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from train.synthesis import drawn_events, draws
from train.synthesis.camera import Camera
from train.synthesis.conditions import ALL, Conditions
from train.synthesis.covers import Patch
from train.synthesis.expressions import CLASSES, one_of_three
from train.synthesis.motions import Happening
from train.synthesis.real_motion import Movement

LEAD_IN, LEAD_OUT = 1.5, 0.7  # seconds without expressions at the clip's ends
APART = 0.6  # seconds of neutral face between two expressions, at least
BESIDE = 0.15  # a nuisance this near to an expression counts as overlapping it


@dataclass
class State:
    """The face at one moment, everything at rest to begin with.

    units: {(action unit, side): strength}. lids: closing of (right upper, left upper, right lower, left lower), 1 = its
    whole way. gaze: (x, y) of the eyeballs, outer-eye distances, x to the picture's right. head: (x, y) in outer-eye
    distances, then roll, yaw, pitch in degrees, then scale as a fraction. gain: of the light. shut: a blink's share. covers: what hides parts of the face.
    """

    units: dict[tuple[int | Movement, str], float] = field(default_factory=dict)
    lids: np.ndarray = field(default_factory=lambda: np.zeros(4))
    gaze: np.ndarray = field(default_factory=lambda: np.zeros(2))
    head: np.ndarray = field(default_factory=lambda: np.zeros(6))
    throat: float = 0.0
    gain: float = 1.0
    covers: list[Patch] = field(default_factory=list)
    shut: float = 0.0

    def pull(self, unit: int | Movement, side: str, strength: float) -> None:
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
            if what.start < t < what.end:
                what.add(state, t)
        return state

    @property
    def movements(self) -> list[Movement]:
        """The real movements that it shows, each once."""
        shown = [what for what in self.events + self.nuisances if isinstance(what, Happening)]
        return list(dict.fromkeys(unit for what in shown for unit, _, _ in what.expression.units if isinstance(unit, Movement)))

    def on_expression(self, event: Happening) -> bool:
        """Whether it falls on a smile or frown that is held from before."""
        kept = [what for what in self.events + self.nuisances if what.kind in ("macro", "held")]
        return any(what.on(event.onset) for what in kept)

    def blink_inside(self, event: Happening) -> bool:
        return any(b.kind == "blink" and b.start < event.offset and event.onset < b.end for b in self.nuisances)

    def intervals(self) -> list[tuple[str, float, float]]:
        """(kind, start, end) of every nuisance, the camera's and what returns late included, in order of time."""
        last = float(self.times[-1])
        found = [(what.kind, *span) for what in self.nuisances for span in _own(what)]
        slow = [what for what in self.events + self.nuisances if isinstance(what, Happening)]
        found += [("return", *span) for what in slow for span in what.later() if span[0] < last]
        found += [("flicker", 0.0, last)] * bool(self.camera.flicker) + [("keyframes", 0.0, last)] * bool(self.camera.gop)
        return sorted(found, key=lambda row: (row[1], row[0]))


def _own(what) -> list[tuple[float, float]]:
    """When a nuisance moves; a held expression is at rest, and its going is told as "return"."""
    if what.kind == "held":
        return []
    return [(what.onset, what.offset)] if isinstance(what, Happening) else what.intervals()


def plan(seed: int, seconds: float, fps: float, conditions: Conditions = ALL, deck: Sequence[Movement] = ()) -> Plan:
    """Draw a clip: the same arguments always give the same plan.

    deck: real movements, of which those micro-expressions that are to be real ones take the next each, one of a person.
    Raises ValueError unless seconds and fps are above 0.
    """
    if seconds <= 0 or fps <= 0:
        raise ValueError(f"a clip needs seconds and fps above 0, got {seconds} s at {fps} fps")
    # each matter has its own stream of chance: switching one off leaves the others as they were
    times_of, camera_of, drift_of, events_of, *others = (np.random.default_rng([seed, i]) for i in range(20))
    camera = draws.camera(camera_of, conditions)
    times = draws.times(times_of, seconds, fps, conditions.timing)
    drawn = _scatter_events(events_of, seconds, fps, conditions)
    drawn = _moved(events_of, drawn, conditions, deck)
    events = [event for event in drawn if event.kind != "long"]
    nuisances = [event for event in drawn if event.kind == "long"]
    for random, (kind, draw) in zip(others, draws.NUISANCES.items(), strict=False):
        for start in _poisson(random, getattr(conditions, kind), seconds):
            made = draw(random, start)
            left_there = random.random() < conditions.overlap
            if made.intervals()[-1][1] < seconds and (left_there or not any(map(_meets(made), drawn))):
                if not any(_meets(made, 0.05)(other) for other in nuisances if other.kind == kind):
                    nuisances.append(made)
    nuisances += _with_events(events_of, events, conditions)
    before = drawn_events.held(events_of, seconds)
    if events_of.random() < conditions.held and not any(map(_meets(before), drawn)):
        nuisances.append(before)
    nuisances.sort(key=lambda what: what.start)
    drift = draws.drift(drift_of) * np.array([conditions.sway * (conditions.head > 0), 1, 1])[:, None, None]
    return Plan(seed, seconds, fps, conditions, camera, times, _disturbed(events, nuisances), tuple(nuisances), drift)


def scripted(plan: Plan, events: tuple[Happening, ...], nuisances: tuple = ()) -> Plan:
    """The same clip with these happenings instead of the drawn ones."""
    return replace(plan, events=_disturbed(events, nuisances), nuisances=nuisances)


def _disturbed(events: Sequence[Happening], nuisances: Sequence) -> tuple[Happening, ...]:
    spans = [span for what in nuisances for span in what.intervals()]
    spans += [span for event in events for span in event.later()]
    return tuple(replace(e, disturbed=any(a < e.offset and e.onset < b for a, b in spans)) for e in events)


def _scatter_events(random, seconds: float, fps: float, conditions: Conditions) -> list[Happening]:
    drawn = []  # of one or two that belong together
    for kind, draw in drawn_events.EVENTS.items():
        rate = getattr(conditions, kind)
        own = np.random.default_rng(random.integers(2**32))
        emotion = one_of_three if conditions.alike else lambda random: None
        for start in _poisson(own, rate, seconds):
            together = [draw(own, start, fps, emotion(own))]
            chance = own.random()
            if kind == "micro" and chance < conditions.twice:
                together.append(draw(own, together[0].offset + own.uniform(0.15, 0.4), fps, emotion(own)))
            elif kind == "micro" and conditions.macro and chance > 1 - conditions.onward and together[0].course.returned < 1:
                together = list(drawn_events.into_macro(own, together[0]))
            drawn.append(together)
    kept: list[Happening] = []
    # in random order, so that neither kind nor the early ones push the others out
    for place in random.permutation(len(drawn)):
        together = drawn[place]
        inside = together[0].onset >= LEAD_IN and together[-1].offset <= seconds - LEAD_OUT
        if inside and not any(_meets(event, APART)(other) for event in together for other in kept):
            kept += together
    return sorted(kept, key=lambda event: event.onset)


def _moved(random, events: list[Happening], conditions: Conditions, deck: Sequence[Movement]) -> list[Happening]:
    """The events with their share of real movements, no person's twice, and of faint ones."""
    left, made = list(deck), []
    for event in events:
        faint, wanted = random.random() < conditions.faint, random.random() < conditions.real
        fits = [m for m in left if not conditions.alike or event.expression.emotion in CLASSES[m.label]]
        own = np.random.default_rng(random.integers(2**32))
        if event.kind != "macro" and wanted and fits:
            event = drawn_events.real(own, event, fits[0], faint)
            left = [m for m in left if m.person != fits[0].person]
        elif event.kind == "micro" and faint:
            event = drawn_events.faint(own, event)
        made.append(event)
    return made


def _with_events(random, events: list[Happening], conditions: Conditions) -> list:
    """Blinks inside micro-expressions, and speech that follows upon one."""
    made = []
    for event in [event for event in events if event.kind == "micro"]:
        chance, share = random.random(2)
        if chance < conditions.blink_inside:
            made.append(draws.blink(random, event.onset + share * event.course.length - 0.1))
        elif chance > 0.95 and conditions.speech:
            following = [e.onset for e in events if e.onset > event.onset]
            talk = draws.speech(random, event.offset + 0.2 * share)
            if not following or talk.end < following[0]:
                made.append(talk)
    return made


def _poisson(random, per_minute: float, seconds: float) -> list[float]:
    return sorted(random.uniform(0, seconds, random.poisson(per_minute * seconds / 60)).tolist())


def _meets(one, margin: float = BESIDE):
    """Whether another happening moves within `margin` seconds of a movement of `one`."""
    spans = one.intervals()
    return lambda other: any(a < d + margin and c < b + margin for a, b in spans for c, d in other.intervals())
