"""The latest events of a live page, in memory only: all of a run as a file that the browser saves, and of the last ones their pictures,
packed."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from realtime.errors import UsageError
from realtime.naming.recognizer import Recognizer
from realtime.output.exports import KINDS, Found, write
from realtime.records import Event, FaceView, Keyframes

MOST = 5000  # events of one run that are held
FORMATS = {what: name for what, name in {"csv": "CSV", "excel": "Excel", "elan": "ELAN"}.items() if what in KINDS}


class Numbers:
    """The page's own numbers of events, which go on where another network takes over. Used by one thread."""

    def __init__(self):
        self._latest = 0
        self._open: dict[int, int] = {}  # of those told at their apex: the pipeline's number → ours

    def of(self, event: Event) -> int:
        """Of one that is told at its apex, and the same when it is confirmed or withdrawn."""
        if event.withdrawn or event.provisional is False:
            return self._open.pop(event.event)
        self._latest += 1
        if event.provisional:
            self._open[event.event] = self._latest
        return self._latest


class Run:
    """From any thread."""

    def __init__(self):
        self._events: deque[Event] = deque(maxlen=MOST)
        self._dropped = 0

    def put(self, event: Event) -> None:
        self._dropped += len(self._events) == MOST
        self._events.append(event)

    @property
    def word(self) -> str:
        """What to know of a file of them; "" where there is nothing to know."""
        return f"The file holds the latest {MOST} events; the first {self._dropped} are no longer there." if self._dropped else ""

    def file(self, what: str, folder: Path) -> Path:
        """The file, over an older one.

        Args:
            what: of FORMATS.
            folder: a private one.

        Raises:
            MerError: for another format, without events, or where it cannot be written.
        """
        if what not in FORMATS:
            raise UsageError(f"events are not written as '{what[:60]}': expected one of {', '.join(FORMATS)}")
        if not (events := list(self._events)):
            raise UsageError("there are no events yet")
        classes = dict.fromkeys(name for event in events for name in event.scores)  # of all models that ran
        found = Found("live", events, classes=tuple(classes), model=events[-1].model)
        return write(what, found, folder)


KEPT = 50  # events whose pictures can be looked at
OPEN = 2  # of them unpacked: the newest and one that is being looked at, so that flows found for them are used again
FAST = [cv2.IMWRITE_PNG_COMPRESSION, 1]


@dataclass(frozen=True)
class _Packed:
    """Keyframes whose pictures are PNGs: about half of the memory, and nothing lost."""

    keyframes: Keyframes
    pictures: dict[int, bytes]  # by the view's index in the stream


@dataclass
class _Kept:
    event: Event
    keyframes: Keyframes | _Packed
    recognizer: Recognizer


class Shelf:
    """From any thread. `put` the events in order, `get` any of the last KEPT; `pack` one when there is time."""

    def __init__(self):
        self._events: OrderedDict[int, _Kept] = OrderedDict()
        self._opened: OrderedDict[int, Keyframes] = OrderedDict()
        self._guard = threading.Lock()

    def put(self, event: Event, keyframes: Keyframes, recognizer: Recognizer) -> None:
        """At once, for somebody waits to see them."""
        with self._guard:
            self._events[event.event] = _Kept(event, keyframes, recognizer)
            self._open(event.event, keyframes)
            while len(self._events) > KEPT:
                self._events.popitem(last=False)

    def pack(self, number: int) -> None:
        """Takes a tenth of a second."""
        kept = self._events.get(number)
        if kept is not None and isinstance(kept.keyframes, Keyframes):
            kept.keyframes = _pack(kept.keyframes)

    def get(self, number: int) -> tuple[Event, Keyframes, Recognizer] | None:
        with self._guard:
            kept = self._events.get(number)
            if kept is None:
                return None
            found = kept.keyframes
            if isinstance(found, _Packed):
                found = self._opened.get(number) or _unpack(found)
            self._open(number, found)
            return kept.event, found, kept.recognizer

    def __len__(self) -> int:
        return len(self._events)

    def _open(self, number: int, keyframes: Keyframes) -> None:
        self._opened[number] = keyframes
        self._opened.move_to_end(number)
        while len(self._opened) > OPEN:
            self._opened.popitem(last=False)


def _views(keyframes: Keyframes) -> list[FaceView]:
    return [keyframes.onset, keyframes.apex, keyframes.offset, *keyframes.between]


def _pack(keyframes: Keyframes) -> _Packed:
    pictures = {view.index: cv2.imencode(".png", view.pixels, FAST)[1].tobytes() for view in _views(keyframes)}
    return _Packed(_with(keyframes, lambda view: np.empty((0, 0, 3), np.uint8)), pictures)


def _unpack(packed: _Packed) -> Keyframes:
    opened = {index: cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) for index, data in packed.pictures.items()}
    return _with(packed.keyframes, lambda view: opened[view.index])


def _with(keyframes: Keyframes, pixels) -> Keyframes:
    def fresh(view: FaceView) -> FaceView:
        return replace(view, pixels=pixels(view))

    between = tuple(fresh(view) for view in keyframes.between)
    return replace(keyframes, onset=fresh(keyframes.onset), apex=fresh(keyframes.apex), offset=fresh(keyframes.offset), between=between)
