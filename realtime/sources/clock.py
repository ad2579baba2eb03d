"""From what a source says about time to timestamps that strictly increase."""

from __future__ import annotations

LEAST_STEP = 1e-3  # seconds between two live frames whose times say nothing


class FileClock:
    """Timestamps of a recording: the file's own, from the start of its video.

    nominal: seconds from frame to frame on average, for frames whose timestamp is missing or does not go forward.
    """

    def __init__(self, nominal: float):
        self.nominal = nominal
        self.last: float | None = None

    def stamp(self, raw: float | None) -> tuple[float, bool]:
        """(pts in seconds, whether it had to be guessed)."""
        guessed = raw is None or (self.last is not None and raw <= self.last)
        if guessed:
            raw = 0.0 if self.last is None else self.last + self.nominal
        self.last = raw
        return raw, guessed


class LiveClock:
    """Timestamps of a camera or a stream: 0 at the first frame, then the source's own steps.

    Where the source's clock says nothing (no timestamp, a step back, a new connection), the step is the time that
    passed here. So pts goes on across a reopening by as much as the gap was long.
    """

    def __init__(self):
        self.pts: float | None = None
        self._raw: float | None = None
        self.arrival = 0.0

    def stamp(self, raw: float | None, arrival: float) -> float:
        """raw: seconds in the source's clock or None; arrival: monotonic seconds. Returns pts in seconds."""
        if self.pts is None:
            self.pts = 0.0
        else:
            step = None if raw is None or self._raw is None else raw - self._raw
            if step is None or step <= 0:
                step = max(arrival - self.arrival, LEAST_STEP)
            self.pts += step
        self._raw, self.arrival = raw, arrival
        return self.pts

    def restart(self) -> None:
        """The source was reopened: its own clock may begin anywhere."""
        self._raw = None
