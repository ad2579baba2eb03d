"""What was found in a recording, as files for other programs and for people: one function a format, all with one call.

    found = Found("clip.mp4", events, trace)
    write("elan", found, folder)        # → folder/clip.eaf
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from realtime.recognition import Recognizer
from realtime.records import Event, Keyframes
from realtime.sinks import CsvSink, JsonlSink, Sink, cannot_write, columns, flat, make_folder_of
from realtime.timeline import Trace

CARE = (
    "A movement of the face is no proof of a feeling, a lie or a thought. "
    "Use it only with people who know that they are being recorded and have agreed."
)


@dataclass
class Found:
    """What a recording came to. name: its file name, without folders. events: in the order found. classes: the network's.

    model: its name. seconds: the recording's length; frame_s: how long one frame lasts. thumbnails: event number →
    (onset, apex), H×W×3 uint8 RGB, for the report; events may lack them.
    """

    name: str
    events: list[Event]
    trace: Trace | None = None
    classes: Sequence[str] = ()
    model: str = ""
    thumbnails: dict[int, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)

    def see(self, number: int, keyframes: Keyframes) -> None:
        """Keep the thumbnails of an event; for `Remembering`."""
        views = keyframes.onset, keyframes.apex
        self.thumbnails[number] = tuple(np.ascontiguousarray(view.pixels[..., ::-1]) for view in views)

    @property
    def seconds(self) -> float:
        ends = [event.offset_s for event in self.events] + ([self.trace.end] if self.trace else [])
        return max(ends, default=0.0)

    @property
    def frame_s(self) -> float:
        times = self.trace.t if self.trace else ()
        return float(np.median(np.diff(times))) if len(times) > 1 else 0.04

    @property
    def stem(self) -> str:
        return Path(self.name).stem or "recording"


class Remembering:
    """A recognizer that hands on the keyframes it is asked about: keep(number of the event, keyframes)."""

    def __init__(self, recognizer: Recognizer, keep: Callable[[int, Keyframes], None]):
        self._recognizer, self._keep, self._asked = recognizer, keep, 0
        self.name, self.classes = recognizer.name, recognizer.classes

    def __call__(self, keyframes: Keyframes):
        self._asked += 1  # events are numbered in the order in which they are named
        self._keep(self._asked, keyframes)
        return self._recognizer(keyframes)


def write(kind: str, found: Found, folder: Path) -> Path:
    """Write one of KINDS into `folder`, over an older one, and say where. Raises OutputError, MissingPartError."""
    ending, writer = KINDS[kind]
    path = Path(folder) / f"{found.stem}{ending}"
    make_folder_of(path)
    part = path.with_name(f".{path.name}.part{path.suffix}")  # one that breaks off leaves the older file as it was
    try:
        writer(part, found)
        part.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        part.unlink(missing_ok=True)
    return path


def _rows(sink: Sink, events: list[Event]) -> None:
    for event in events:
        sink.write(event)
    sink.close()


def _csv(path: Path, found: Found) -> None:
    _rows(CsvSink(path, found.classes), found.events)


def _jsonl(path: Path, found: Found) -> None:
    _rows(JsonlSink(path), found.events)


def _parquet(path: Path, found: Found) -> None:
    from realtime.exports.parquet import write_parquet

    write_parquet(path, columns(found.classes), [flat(event.as_dict()) for event in found.events])


def _elan(path: Path, found: Found) -> None:
    from realtime.exports.elan import eaf

    path.write_bytes(eaf(found))


def _webvtt(path: Path, found: Found) -> None:
    from realtime.exports.webvtt import vtt

    path.write_text(vtt(found), encoding="utf-8", newline="\n")


def _html(path: Path, found: Found) -> None:
    from realtime.exports.report import html

    path.write_text(html(found), encoding="utf-8", newline="\n")


def _pdf(path: Path, found: Found) -> None:
    from realtime.exports.pdf import pdf

    path.write_bytes(pdf(found))


KINDS = {
    "csv": (".csv", _csv),
    "jsonl": (".jsonl", _jsonl),
    "parquet": (".parquet", _parquet),
    "elan": (".eaf", _elan),
    "webvtt": (".vtt", _webvtt),
    "report": (".html", _html),
    "pdf": (".pdf", _pdf),
}
