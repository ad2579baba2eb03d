"""Whether a face moves or is at rest.

It wakes when it is off its rest, and is at rest again when it is back there, or has not changed for a while: then where it
is now is its rest.
"""

from __future__ import annotations

from realtime.spotting.resting import HELD, RestingDifference

EDGE = 0.35  # back at rest: this share of the threshold's height over rest
SETTLING = 0.05  # seconds for which a face must be back
SLOW = 0.15  # share of a movement's fastest change up to which nothing moves: a slow drift is rest, too
LONGEST = 4.0  # seconds that a face may move without a rest; then it is the light or the camera that has changed


class Waking:
    """`waking(pts, dt)` for each moment that the front end has measured. moving. since: when it began to move (seconds).

    rested: when it came to rest last; just_rested: known since this moment; back: whether that was its rest before it moved.
    """

    def __init__(self, front: RestingDifference, pts: float):
        self._front = front
        self.moving, self.just_rested, self.back = False, False, True
        self.since = self.rested = pts
        self._over: float | None = None  # since when it is back, if it is
        self._fastest = 0.0

    @property
    def edge(self) -> float:
        return 1 + EDGE * (self._front.threshold - 1)

    def __call__(self, pts: float, dt: float) -> None:
        front, moved = self._front, self.moving
        if self.moving:
            self._come_to_rest(pts)
        elif front.difference > front.threshold:
            self.moving, self.since, self._over, self._fastest = True, pts, None, 0.0
        self.just_rested = moved and not self.moving
        if not self.moving:
            front.rest(pts, dt, pts - self.rested > HELD)

    def _come_to_rest(self, pts: float) -> None:
        front = self._front
        if front.difference > front.threshold:
            self._over = None
        elif self._over is None and front.difference <= self.edge:
            self._over = pts
        self._fastest = max(self._fastest, front.change)
        still = pts - self.since >= HELD and front.change <= max(front.calm, SLOW * self._fastest)
        if self._over is not None and pts - self._over >= SETTLING:
            self.moving, self.back, self.rested = False, True, self._over
        elif still or pts - self.since > LONGEST:
            self.moving, self.back, self.rested = False, front.difference <= front.threshold, pts - HELD if still else pts
            front.settle()
