"""How one movement goes over time: it rises, holds, gives back some of its way, and what is left stays or goes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


def ramp(x: float, bend: float = 1.0) -> float:
    """A smooth rise from 0 (x ≤ 0) to 1 (x ≥ 1); bend above 1 starts later, below 1 earlier."""
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    return 0.5 - 0.5 * math.cos(math.pi * x**bend)


@dataclass(frozen=True)
class Course:
    """rise, hold, fall: seconds from the onset to full strength, at full strength, and from there to the offset.

    returned: share of the way that is given back at the offset, where the face is at rest again or changes no further.
    stay, away: what is not given back then stays for `stay` seconds (inf: for good) and goes within `away`.
    bends: shapes of the rise and of the fall, see `ramp`.
    """

    rise: float
    hold: float
    fall: float
    returned: float = 1.0
    stay: float = math.inf
    away: float = 0.0
    bends: tuple[float, float] = (1.0, 1.0)

    length = property(lambda self: self.rise + self.hold + self.fall)
    gone = property(lambda self: self.length if self.returned >= 1 else self.length + self.stay + self.away)

    def share(self, t: float, lag: float = 0.0, more: float = 0.0) -> float:
        """How much shows `t` seconds after the onset, 0 to 1.

        Parts of a face differ: one sets in later (`lag`, share of the rise), and has given back `more` at the offset.
        """
        if t <= self.rise:
            return ramp((t - lag * self.rise) / ((1 - lag) * self.rise), self.bends[0])
        left = self.left(more)
        if t < self.length:
            return left + (1 - left) * ramp((self.length - t) / self.fall, self.bends[1])
        if math.isinf(self.stay):
            return left
        return left * ramp((self.gone - t) / self.away)

    def left(self, more: float = 0.0) -> float:
        """What of the way is still there at the offset, in a part that has given back `more`."""
        return 0.0 if self.returned >= 1 else float(np.clip(1 - self.returned - more, 0, 1))
