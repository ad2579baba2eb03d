"""What was found in a recording, as every format takes it, and what formats share: files put there whole, text that any of them may hold."""

from __future__ import annotations

import math
import os
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from realtime.judged import Trace
from realtime.names import file_name, printable
from realtime.output.line_file import cannot_write, make_folder_of
from realtime.records import Event, Keyframes, Marker

CARE = (
    "A movement of the face is no proof of a feeling, a lie or a thought. "
    "Use it only with people who know that they are being recorded and have agreed."
)
MOST_PICTURES = 40  # of faces in a report: onset and apex of its surest events


@dataclass
class Found:
    """What a recording came to.

    Attributes:
        name: its file name, without folders.
        events: in the order found.
        classes: the network's.
        model: its name.
        thumbnails: event number → (onset, apex), H×W×3 uint8 RGB, for the report; events may lack them.
        path: where the recording lies, None where that is nobody's business (a file dropped into the page).
        session: its number in the event log, where it comes from there.
        incomplete: why that session may have missed events.
        seconds: the recording's length.
        frame_s: how long one frame lasts.
        measures: chosen columns of frames.csv over time, a PNG for the report.
        markers: what other instruments marked in it, by time.
        coders: how human coders compare, a row of `review.comparison.COLUMNS` each, for the report.
        coders_note: what these rows go by.
    """

    name: str
    events: list[Event]
    trace: Trace | None = None
    classes: Sequence[str] = ()
    model: str = ""
    thumbnails: dict[int, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    path: Path | None = None
    session: int | None = None
    _sure: dict[int, float] = field(default_factory=dict, repr=False)
    incomplete: str = ""
    measures: bytes = b""
    markers: Sequence[Marker] = ()
    coders: Sequence[Sequence] = ()
    coders_note: str = ""

    def __post_init__(self):
        self.name = printable(self.name)

    def see(self, number: int, keyframes: Keyframes) -> None:
        """Keep the thumbnails of an event, as long as it is one of the surest."""
        onset, apex = (np.ascontiguousarray(view.pixels[..., ::-1]) for view in (keyframes.onset, keyframes.apex))
        self.thumbnails[number] = onset, apex
        self._sure[number] = keyframes.confidence
        if len(self.thumbnails) > MOST_PICTURES // 2:
            self.thumbnails.pop(min(self.thumbnails, key=lambda one: self._sure.get(one, 1.0)))

    @property
    def count(self) -> int:
        """Of events: one that two people have judged is one."""
        return self.count_of("micro", "macro")

    def count_of(self, *kinds: str) -> int:
        """Of events of these kinds."""
        return len({getattr(event, "key", number) for number, event in enumerate(self.events) if event.kind in kinds})

    @property
    def reviewers(self) -> list[str]:
        """Who judged the events, by name."""
        return sorted({reviewer_of(event) for event in self.events} - {""})

    @property
    def seconds(self) -> float:
        ends = [event.offset_s for event in self.events] + [marker.time_s for marker in self.markers] + ([self.trace.end] if self.trace else [])
        return max(ends, default=0.0)

    @property
    def marked(self) -> list[Marker]:
        """The markers from its first frame on: other programs know no time before that."""
        return sorted((marker for marker in self.markers if marker.time_s >= 0), key=lambda marker: marker.time_s)

    @property
    def frame_s(self) -> float:
        times = self.trace.t if self.trace else ()
        return float(np.median(np.diff(times))) if len(times) > 1 else 0.04

    @property
    def stem(self) -> str:
        """A name for files of it: without folders and ending."""
        return file_name(re.sub(r"[/\\:]+", "-", Path(self.name).stem.strip(".")) or "recording")


def replace(path: Path, writer: Callable[[Path], None]) -> None:
    """Have `writer` write a file beside `path`, then put it there: one that breaks off leaves the older file as it was.

    Raises:
        OutputError: it cannot be written.
    """
    make_folder_of(path)
    part = path.with_name(f".part-{os.getpid()}-{threading.get_ident()}{path.suffix}")
    try:
        writer(part)
        part.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        if part.is_file():
            part.unlink()


def replace_bytes(path: Path, data: bytes) -> None:
    """The same with what is written at hand.

    Raises:
        OutputError: it cannot be written.
    """

    def write_it(part: Path) -> None:
        part.write_bytes(data)

    replace(path, write_it)


def write_text(path: Path, text: str) -> None:
    """As UTF-8, line ends as they are; undecodable bytes of a file name become \\udcXX.

    Raises:
        OSError: it cannot be written.
    """
    path.write_text(text, encoding="utf-8", errors="backslashreplace", newline="")


def clean(words: str) -> str:
    """Without what XML cannot hold: control characters, and the undecodable bytes of a file name."""
    return re.sub(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "?", words)


def number_of(event: Event) -> int | str:
    """The event's number; "m1" for the first that a reviewer added."""
    return getattr(event, "key", "") if event.event is None else event.event


def reviewer_of(event: Event) -> str:
    """Who judged it, by name; empty where nobody did."""
    return getattr(event, "reviewer", "")


def named(event: Event) -> str:
    """As "surprise 0.85"; without the number where a person has chosen the label."""
    return event.label if math.isnan(event.score) else f"{event.label} {event.score:.2f}"
