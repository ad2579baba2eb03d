"""What is told at its apex: a movement that is probably an event, long before it is known to be over.

A micro-expression is known at its end, since blinks, speech and the head's movements begin alike. Who must act at once takes
the risk: what is told here is confirmed later, or withdrawn.
"""

from __future__ import annotations

from realtime.records import Keyframes
from realtime.spotting import kinds
from realtime.spotting.memory import Episode
from realtime.spotting.settings import SpotterSettings
from realtime.spotting.stretch import LATELY, Stretch

FALLEN = 0.1  # share of its height over rest by which the curve is below its top when that is past
DEVIATIONS = 2.0  # of the curve at rest: less is no fall
HELD = 0.1  # seconds without a higher top that do, too: many a face stays at its apex for long


class Early:
    """Of one face: `at_apex` after each moment, `confirmed` of each event, `withdrawn` after both.

    Nothing is told twice of one episode, and nothing of what is left of a reported one.
    """

    def __init__(self, settings: SpotterSettings):
        self._settings = settings
        self._number = 0
        self._told: dict[int, tuple[float, Episode]] = {}  # number → its apex in seconds, and of what
        self._over: dict[int, float] = {}  # number → when the episode was over, seconds

    def at_apex(self, stretch: Stretch, one: Episode | None) -> Keyframes | None:
        """Of the episode under way, once its apex is past: its views so far, the latest as offset."""
        if one is None or one.left_over or any(of is one for _, of in self._told.values()):
            return None
        if not past(one, stretch.sample.pts, stretch.sample.difference, stretch.front.threshold, self._settings.sensitivity):
            return None
        scores = stretch.detector.during(one.top.pts, stretch.last.pts) if stretch.detector else {}
        kind = kinds.at_apex(one, stretch.recent, self._settings, scores)
        if kind not in ("micro", "macro"):
            return None
        self._number += 1
        self._told[self._number] = one.top.pts, one
        sure = scores.get("micro", 0.0)
        return Keyframes(one.onset_view, one.top_view, stretch.last, one.top.difference, stretch.front.threshold, kind, sure, early=self._number)

    def confirmed(self, keyframes: Keyframes) -> int | None:
        """The number under which this event was told at its apex, if it was."""
        begin, end = keyframes.onset.pts - kinds.BESIDE, keyframes.offset.pts + kinds.BESIDE
        number = next((number for number, (apex, _) in self._told.items() if begin <= apex <= end), None)
        if number is not None:
            self._forget(number)
        return number

    def withdrawn(self, now: float, under_way: Episode | None) -> tuple[int, ...]:
        """Those whose episode is over for so long that no event will come of them any more."""
        for number, (_, one) in self._told.items():
            if one is not under_way:
                self._over.setdefault(number, now)
        return self._all([number for number, over in self._over.items() if now - over > LATELY])

    def abandoned(self) -> tuple[int, ...]:
        """The face is out of view: all that was told and did not become an event."""
        return self._all(list(self._told))

    def _all(self, numbers: list[int]) -> tuple[int, ...]:
        for number in numbers:
            self._forget(number)
        return tuple(numbers)

    def _forget(self, number: int) -> None:
        del self._told[number]
        self._over.pop(number, None)


def past(one: Episode, now: float, difference: float, threshold: float, sensitivity: float) -> bool:
    """Whether the apex is past: the curve has fallen from its top by more than rest trembles, or has long not been higher.

    Args:
        now: seconds.
        difference: of the latest moment, multiples of the resting difference, as the threshold.
        sensitivity: see `SpotterSettings`; by it the threshold says how much rest trembles.
    """
    fall = max(FALLEN * (one.top.difference - 1), DEVIATIONS * (threshold - 1) / sensitivity)
    return one.top.difference > threshold and (one.top.difference - difference >= fall or now - one.top.pts >= HELD)
