"""What kind of movement it was: "micro", "macro", or the cause for which it is dropped; and what is said of those that are no event."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from realtime.spotting.memory import Episode, Recent
from realtime.spotting.movement import NO_LIDS, Movement
from realtime.spotting.settings import SetAside, SpotterSettings

EYES_BEFORE = 0.1  # seconds before an onset in which a blink still counts as its cause
MACRO_SIZE = 0.03  # outer-eye distances that some part of the face moves in a macro-expression, at least
BESIDES = 0.006  # outer-eye distances: where no part but the lids moved this far, a blink explains it all
OTHERWISE = 0.4  # mean probability of speech, or of the head, above which a long movement is that
JUMPED = 0.4  # share of a movement that is done in one step
TOLERANCE = 0.1  # seconds by which the duration of what the verifier is sure of may be wrong
QUICK = 0.33  # seconds from onset to apex: nineteen of twenty real micro-expressions rise no slower, most macro-expressions do
EXPLAINED = 8  # of the latest movements, about which something was said
BESIDE = 0.1  # seconds by which two looks at one movement may differ


def of_short(move: Movement, recent: Recent, settings: SpotterSettings) -> str:
    """Of one that was soon over."""
    if gate := _gate(move.onset, recent, settings):
        return gate
    return _by_duration(move, settings, settings.max_duration)


def of_verified(move: Movement, recent: Recent, settings: SpotterSettings) -> str:
    """Of one that the verifier is sure of. One of seven has a blink inside: that explains it only where nothing else moved."""
    gates = recent.gates(move.onset - EYES_BEFORE)
    others = np.linalg.norm(move.moved[np.argmin(np.abs(move.t - move.apex))], axis=1)[NO_LIDS].max()
    if settings.blink_gate and "blink" in gates and others < BESIDES:
        return "blink"
    if settings.motion_gate and "motion" in gates:
        return "motion"
    if came_and_went_with_lost_pictures(move):
        return "pictures lost"
    kind = _by_duration(move, settings, settings.max_duration + TOLERANCE)
    return "too long" if kind == "macro" else kind


def of_long(move: Movement, recent: Recent, settings: SpotterSettings, scores: dict[str, float]) -> str:
    """Of a longer one: large enough for a macro-expression, and not a blink, speech or the head.

    Args:
        scores: mean probability of each of the verifier's classes meanwhile; may be empty.
    """
    size = np.linalg.norm(move.moved, axis=2)  # n×PARTS
    if size.max() < MACRO_SIZE:
        return "too small"
    # lids may need long to settle, and a lossy recording shows them settling late: what else was there?
    blinking = recent.blinking(move.t)
    if settings.blink_gate and blinking.any() and size[~blinking][:, NO_LIDS].max(initial=0.0) < MACRO_SIZE:
        return "blink"
    cause = max(("speech", "head"), key=lambda name: scores.get(name, 0.0))
    return cause if scores.get(cause, 0.0) > OTHERWISE else "macro"


def at_apex(one: Episode, recent: Recent, settings: SpotterSettings, scores: dict[str, float]) -> str:
    """Of one that may not be over: what it is likely to become.

    Args:
        scores: mean probability of each of the verifier's classes lately; may be empty.
    """
    if gate := _gate(one.onset.pts, recent, settings):
        return gate
    if one.size < BESIDES:
        return "too small"
    cause = max(("blink", "speech", "head"), key=lambda name: scores.get(name, 0.0))
    if scores.get(cause, 0.0) > OTHERWISE:
        return cause
    if one.top.pts - one.onset.pts <= QUICK:
        return "micro"
    return "macro" if one.size >= MACRO_SIZE else "too small"


def came_and_went_with_lost_pictures(move: Movement) -> bool:
    """Whether it came in one step and went in one, each where a picture is missing: until the next whole picture, a decoder shows what it guessed."""
    inside = (move.t >= move.onset - TOLERANCE) & (move.t <= move.offset + TOLERANCE)
    t, places = move.t[inside], move.moved[inside][:, NO_LIDS]
    if len(t) < 4:
        return False
    apex, took = int(np.argmin(np.abs(t - move.apex))), np.diff(t)
    missing = took > 1.5 * np.median(took)
    steps = np.linalg.norm(np.diff(places, axis=0), axis=2).max(axis=1) * missing
    far = np.linalg.norm(places[apex] - places[0], axis=1).max()
    return bool(min(steps[:apex].max(initial=0.0), steps[apex:].max(initial=0.0)) > JUMPED * far)


def _gate(onset: float, recent: Recent, settings: SpotterSettings) -> str | None:
    """The gate that has held since shortly before the onset, if any."""
    gates = recent.gates(onset - EYES_BEFORE)
    return next((gate for gate, on in (("blink", settings.blink_gate), ("motion", settings.motion_gate)) if on and gate in gates), None)


def _by_duration(move: Movement, settings: SpotterSettings, most: float) -> str:
    if move.duration < settings.min_duration:
        return "too short"
    return "macro" if move.duration > most else "micro"


@dataclass(frozen=True)
class _Waiting:
    onset: float
    apex: float
    offset: float


class Aside:
    """Of one face. A movement that the detector has the last word on waits until that has had its time."""

    def __init__(self):
        self._new: list[SetAside] = []
        self._explained: deque[float] = deque(maxlen=EXPLAINED)
        self._waiting: deque[_Waiting] = deque()

    def drop(self, cause: str, apex: float) -> None:
        """Nothing is said of what is left of a movement about which something was said already."""
        if not any(abs(apex - pts) <= BESIDE for pts in self._explained):
            self._new.append(SetAside(apex, cause))
        self.reported(apex)

    def reported(self, apex: float) -> None:
        """Nothing more needs to be said of it."""
        self._explained.append(apex)

    def wait(self, onset: float, apex: float, offset: float) -> None:
        self._waiting.append(_Waiting(onset, apex, offset))

    def settle(self, before: float, during: Callable[[float, float], dict[str, float]]) -> None:
        """Say of what has had its time what it was.

        Args:
            before: what ended by then has had it, seconds.
            during: the detector's mean scores between two moments.
        """
        while self._waiting and self._waiting[0].offset <= before:
            one = self._waiting.popleft()
            if any(one.onset - BESIDE <= pts <= one.offset + BESIDE for pts in self._explained):
                continue
            scores = during(one.onset, before)
            self.drop(max(scores, key=scores.get) if scores else "nothing", one.apex)

    def take(self) -> tuple[SetAside, ...]:
        """What is new since the last call."""
        new, self._new = tuple(self._new), []
        return new
