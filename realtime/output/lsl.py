"""`--lsl`: in time with other instruments, over the Lab Streaming Layer.

For each source three outlets, named after it (a camera "camera 0"; a file without its folder): "mer-live events SOURCE" (JSON, an event line), "mer-live markers SOURCE" (words such as
"micro surprise apex"), stamped at onset, apex and offset, which lie in the past when they become known, with "provisional micro surprise
apex" soon after the apex and "withdrawn micro surprise apex" where that comes to nothing; and "mer-live frames SOURCE", what
is measured in every frame, stamped with the frame's time.
"""

from __future__ import annotations

import math
import os
import statistics
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from realtime.errors import MissingPartError
from realtime.output.frame_table import COLUMNS, rows
from realtime.output.sinks import Sink, json_line
from realtime.pipeline import Step
from realtime.records import Event

NUMBERS = tuple(name for name in COLUMNS if name != "gate")  # of the frames' outlet
WINDOW = 500  # frames over which the clocks are compared
MOMENTS = ("onset", "apex", "offset")


class Clock:
    """Where the source's own clock stands on LSL's. `note` every frame; `at` tells when a moment of the source was.

    A frame arrives later than it was taken, now by more, now by less: the median over WINDOW frames is taken, so a camera's constant
    delay remains in it and has to be measured by whoever needs less.
    """

    def __init__(self, now: float):
        """
        Args:
            now: LSL's clock less `time.monotonic()`, seconds; on Linux they are the same clock.
        """
        self._now = now
        self._differences: deque[float] = deque(maxlen=WINDOW)

    @classmethod
    def of_this_machine(cls, pylsl) -> Clock:
        return cls(pylsl.local_clock() - time.monotonic())

    def note(self, pts: float, arrival: float) -> None:
        self._differences.append(arrival + self._now - pts)

    @property
    def offset(self) -> float:
        """Seconds to add to the source's clock; NaN before the first frame."""
        return statistics.median(self._differences) if self._differences else math.nan

    @property
    def spread(self) -> float:
        """Median distance of a frame's own difference from it, seconds."""
        middle = self.offset
        return statistics.median(abs(one - middle) for one in self._differences) if self._differences else math.nan

    def at(self, pts: float) -> float:
        return pts + self.offset


class LslSink(Sink):
    """The outlets of all sources. `note(source, step)` is called for each frame, from the thread that watches it."""

    name = "LSL"

    def __init__(self, sources: Sequence[str]):
        """
        Raises:
            MissingPartError: pylsl is not installed, or its library is missing.
        """
        pylsl = library()
        self._clocks = {source: Clock.of_this_machine(pylsl) for source in sources}
        self._events, self._markers, self._frames = (
            {source: _outlet(pylsl, kind, source) for source in sources} for kind in ("events", "markers", "frames")
        )

    def note(self, source: str, step: Step) -> None:
        clock = self._clocks[source]
        clock.note(step.frame.pts, step.frame.arrival)
        for row in rows(step):
            found = [row.get(name) for name in NUMBERS]
            self._frames[source].push_sample([math.nan if one is None else float(one) for one in found], clock.at(step.frame.pts))

    def write(self, event: Event) -> None:
        clock = self._clocks[event.source]
        self._events[event.source].push_sample([json_line(event.as_dict()).strip()], clock.at(event.apex_s))
        for moment in MOMENTS:
            words = f"{event.kind} {event.label} {moment}"
            self._markers[event.source].push_sample([words], clock.at(getattr(event, f"{moment}_s")))

    def provisional(self, event: Event) -> None:
        clock, what = self._clocks[event.source], "withdrawn" if event.withdrawn else "provisional"
        self._events[event.source].push_sample([json_line(event.as_dict()).strip()], clock.at(event.apex_s))
        self._markers[event.source].push_sample([f"{what} {event.kind} {event.label} apex"], clock.at(event.apex_s))

    def close(self) -> None:
        for source, clock in self._clocks.items():
            if math.isfinite(clock.offset):
                where = f"{source}: its clock + {clock.offset:.4f} s = LSL's, ± {clock.spread * 1000:.1f} ms"
                self.say(f"{where} (median over the last {WINDOW} frames' arrivals; the camera's own delay is not known)")


def library():
    """pylsl.

    Raises:
        MissingPartError: it is not installed, or its library is missing.
    """
    try:
        import pylsl
    except (ModuleNotFoundError, RuntimeError) as error:
        raise MissingPartError(f"LSL needs pylsl ({error}): pip install 'mer-live[lsl]'") from error
    with suppress(AttributeError, NotImplementedError):  # of an older library
        pylsl.set_config_content("[log]\nlevel = -2\n")  # its news would tear the terminal's view
    return pylsl


def _outlet(pylsl, kind: str, source: str):
    of = os.path.basename(source) if os.path.exists(source) else source  # where a file lies is nobody's business
    name, mark = f"mer-live {kind} {of}", f"mer-live-{kind}-{of}"
    if kind != "frames":
        return pylsl.StreamOutlet(pylsl.StreamInfo(name, "Markers", 1, pylsl.IRREGULAR_RATE, pylsl.cf_string, mark))
    info = pylsl.StreamInfo(name, "Face", len(NUMBERS), pylsl.IRREGULAR_RATE, pylsl.cf_double64, mark)
    channels = info.desc().append_child("channels")
    for column in NUMBERS:
        channels.append_child("channel").append_child_value("label", column)
    return pylsl.StreamOutlet(info)
