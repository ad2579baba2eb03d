"""`--lsl-markers`: what other instruments mark over the Lab Streaming Layer ("stimulus A", a key that was pressed), in the sources' own clocks."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from realtime.names import printable
from realtime.output.lsl import Clock, library
from realtime.pipeline import Step
from realtime.records import Marker

ANY = "any"
OURS = "mer-live "  # our own outlets' names begin so
LOOK_S, AGAIN_S = 0.05, 5.0  # between two looks at what has come, and two measurements of another machine's clock
LONGEST = 300  # characters of a marker


class LslMarkers:
    """Hears all streams of the type "Markers", or those of one name, whenever they are there. A thread of its own; `note` every frame of every source.

    A marker's time is what its sender gave it, moved to this machine's clock by LSL's own measurement (`time_correction`), then to a
    source's by the median of its frames' arrivals (`lsl.Clock`).
    """

    def __init__(self, name: str, sources: Sequence[str], found: Callable[[Marker], None], say: Callable[[str], None] = lambda line: None):
        """
        Args:
            name: of the streams that are heard, ANY for all.
            found: gets each marker once for each source; from the thread.

        Raises:
            MissingPartError: pylsl is not installed, or its library is missing.
        """
        self._pylsl, self._name, self._found, self._say = library(), name, found, say
        self._clocks = {source: Clock.of_this_machine(self._pylsl) for source in sources}
        self._early: list[Marker] = []  # of sources that have not begun
        self._heard: dict[str, _Stream] = {}  # by the stream's uid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="LSL markers", daemon=True)
        self._thread.start()

    def note(self, source: str, step: Step) -> None:
        self._clocks[source].note(step.frame.pts, step.frame.arrival)

    def close(self) -> None:
        if self._over.is_set():
            return
        self._over.set()
        self._thread.join(AGAIN_S)
        if not self._heard:
            which = "" if self._name == ANY else f" '{self._name}'"
            self._say(f"no stream{which} of markers was heard over LSL")

    def _run(self) -> None:
        resolver = self._pylsl.ContinuousResolver(prop="type", value="Markers")
        over = False
        while not over:
            over = self._over.wait(LOOK_S)  # then a last look
            for info in resolver.results():
                wanted = self._name == info.name() if self._name != ANY else not info.name().startswith(OURS)
                if wanted and info.uid() not in self._heard:
                    self._heard[info.uid()] = _Stream(self._pylsl, info)
                    self._say(f"markers of '{printable(info.name())}' on {printable(info.hostname())} are taken in")
            for stream in self._heard.values():
                for label, stamp in stream.new():
                    self._early += [Marker(source, stamp, label, stream.name) for source in self._clocks]
            self._early = [marker for marker in self._early if not self._placed(marker)]

    def _placed(self, marker: Marker) -> bool:
        """Hand it over, where its source has begun."""
        offset = self._clocks[marker.source].offset
        if math.isfinite(offset):
            self._found(replace(marker, time_s=marker.time_s - offset))
        return math.isfinite(offset)


class _Stream:
    """One sender. It may vanish and come back."""

    def __init__(self, pylsl, info):
        self.name = printable(info.name())
        self._pylsl = pylsl
        self._inlet = pylsl.StreamInlet(info)
        self._failures = (pylsl.util.LostError, pylsl.util.TimeoutError, pylsl.util.InternalError)
        self._measured, self._correction = -math.inf, 0.0

    def new(self) -> list[tuple[str, float]]:
        """(what it says, when by this machine's clock) of each marker that has come."""
        found = []
        with suppress(*self._failures):
            if (now := self._pylsl.local_clock()) - self._measured > AGAIN_S:
                self._inlet.open_stream(1.0)
                self._correction, self._measured = self._inlet.time_correction(1.0), now
            while (pulled := self._inlet.pull_sample(0.0))[0] is not None:
                sample, stamp = pulled
                found.append((printable(" ".join(map(_word, sample)))[:LONGEST], stamp + self._correction))
        return found


def _word(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
