"""From what a source says about time to timestamps that strictly increase.

One wild timestamp must not move everything after it: a jump that the next frames do not continue is that frame's fault.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator

from realtime.errors import MerError
from realtime.sources.base import JUMPED_BACK, MISSING, WILD

JUMP = 1.0  # seconds back that are a jump; what is shorter is a small disorder
HELD = 12  # frames that may show whether a jump goes on
LEAST_STEP = 1e-3  # seconds between two live frames whose times say nothing
AHEAD = 2.0  # seconds by which a live source's clock may outrun ours: what waited somewhere comes at once


class FileClock:
    """Timestamps of a recording: its own, where they can be believed.

    Args:
        nominal: seconds from frame to frame on average, for frames whose timestamp is missing or wrong.
        warn: called with MISSING, WILD or JUMPED_BACK for each time that had to be mended.
    """

    def __init__(self, nominal: float, warn: Callable[[str], None] = lambda cause: None):
        self._nominal, self._warn = nominal, warn
        self._jump = max(JUMP, 3 * nominal)
        self._last: float | None = None
        self._shift = 0.0  # from the recording's times to ours, once its clock has jumped back

    def __call__(self, frames: Iterable[tuple]) -> Iterator[tuple]:
        """(seconds or None, …) of each frame, in order → (seconds, …) of the same frames.

        A frame whose time is out of line is held until the next ones have shown whose fault that is: HELD at most.
        """
        held: deque[tuple] = deque()
        fault = None
        try:
            for frame in frames:
                held.append(frame)
                while held and (pts := self._judged([raw for raw, *_ in held], False)) is not None:
                    yield (pts, *held.popleft()[1:])
        except MerError as error:  # what came before it is good
            fault = error
        while held:
            yield (self._judged([raw for raw, *_ in held], True), *held.popleft()[1:])
        if fault is not None:
            raise fault

    def _judged(self, raws: list[float | None], over: bool) -> float | None:
        """The first one's time, None while more must be known. over: no more will come."""
        first, *later = [None if raw is None else raw + self._shift for raw in raws]
        enough = over or len(later) >= HELD
        later = [t for t in later if t is not None]
        if self._last is None:
            pts = self._begin(first, later) if over or len(raws) > 2 else None
        elif first is None or -self._jump <= first - self._last <= 0:
            pts = self._guess(later, MISSING) if over or len(raws) > 1 else None
        elif first <= self._last:
            pts = self._back(first, later) if enough or any(t > self._last for t in later) else None
        elif first - self._last <= 3 * self._nominal:
            pts = first
        elif any(self._last < t < first for t in later):
            pts = self._guess(later, WILD)
        else:  # a pause, if the next ones go on from there
            pts = first if enough else None
        self._last = self._last if pts is None else pts
        return pts

    def _begin(self, first: float | None, later: list[float]) -> float:
        if first is None:
            self._warn(MISSING)
            return max(0.0, later[0] - self._nominal) if later else 0.0
        if later and first - later[0] > self._jump:
            self._warn(WILD)
            first = later[0] - self._nominal
            if first < 0:
                self._shift, first = -first, 0.0
        return first

    def _guess(self, later: list[float], cause: str) -> float:
        """As far as usual after the last one, and before the next that can be believed."""
        self._warn(cause)
        usual = self._last + self._nominal
        after = next((t for t in later if t > self._last), usual + self._nominal)
        return usual if usual < after else (self._last + after) / 2

    def _back(self, first: float, later: list[float]) -> float:
        if any(t > self._last for t in later) or not any(t > first for t in later):
            return self._guess(later, WILD)
        self._warn(JUMPED_BACK)
        self._shift += self._last + self._nominal - first
        return self._last + self._nominal


class LiveClock:
    """Timestamps of a camera or a stream: 0 at the first frame, then the source's own steps.

    Where the source's clock says nothing (no timestamp, a step back, a new connection) or cannot be right (it has gone on by
    more than the time that passed here), the step is the time that passed here. So pts goes on across a reopening by as much
    as the gap was long.

    Attributes:
        strayed: whether the latest frame's time was out of line; the next ones are held against the last that was not, or
            against the stray one where they continue it.
    """

    def __init__(self):
        self.pts: float | None = None
        self.arrival = 0.0
        self.strayed = False
        self._good: tuple[float, float, float] | None = None  # raw, pts, arrival of the last that could be believed
        self._stray: float | None = None

    def stamp(self, raw: float | None, arrival: float) -> float:
        """
        Args:
            raw: seconds in the source's clock or None.
            arrival: monotonic seconds.

        Returns:
            pts in seconds.
        """
        passed = 0.0 if self.pts is None else max(arrival - self.arrival, LEAST_STEP)
        pts = (self.pts or 0.0) + passed
        self.strayed = False
        if raw is None:
            self._good = self._stray = None
        elif self._good is None:
            self._good = raw, pts, arrival
        elif 0 < raw - self._good[0] <= arrival - self._good[2] + AHEAD:
            pts = max(self._good[1] + raw - self._good[0], self.pts + LEAST_STEP)
            self._good, self._stray = (raw, pts, arrival), None
        elif self._stray is not None and 0 < raw - self._stray <= passed + AHEAD:
            pts = self.pts + raw - self._stray  # the source's clock has been set
            self._good, self._stray = (raw, pts, arrival), None
        else:
            self._stray, self.strayed = raw, raw != self._good[0]
        self.pts, self.arrival = pts, arrival
        return pts

    def restart(self) -> None:
        """The source was reopened: its own clock may begin anywhere."""
        self._good = self._stray = None
