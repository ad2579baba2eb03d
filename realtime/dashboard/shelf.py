"""The latest events of a live page with their pictures: in memory only, packed, and only so many of them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace

import cv2
import numpy as np

from realtime.recognition import Recognizer
from realtime.records import Event, FaceView, Keyframes

KEPT = 50  # events whose pictures can be looked at
FAST = [cv2.IMWRITE_PNG_COMPRESSION, 1]


class Remembering:
    """A recognizer that keeps what it was asked: a pipeline names its movements in the order of its events."""

    def __init__(self, recognizer: Recognizer):
        self.recognizer = recognizer
        self.name, self.classes, self.engines = recognizer.name, recognizer.classes, recognizer.engines
        self.asked: list[Keyframes] = []

    def __call__(self, keyframes: Keyframes) -> tuple[str, dict[str, float]]:
        named = self.recognizer(keyframes)
        self.asked.append(keyframes)
        return named


@dataclass(frozen=True)
class _Packed:
    """Keyframes whose pictures are PNGs: about half of the memory, and nothing lost."""

    keyframes: Keyframes
    pictures: dict[int, bytes]  # by the view's index in the stream


class Shelf:
    """From any thread. `put` the events in order, `get` any of the last KEPT."""

    def __init__(self):
        self._events: OrderedDict[int, tuple[Event, _Packed, Recognizer]] = OrderedDict()
        self._guard = threading.Lock()
        self._opened: tuple[int, Keyframes] | None = None  # the last one, so that flows found for it are used again

    def put(self, event: Event, keyframes: Keyframes, recognizer: Recognizer) -> None:
        packed = _pack(keyframes)
        with self._guard:
            self._events[event.event] = event, packed, recognizer
            while len(self._events) > KEPT:
                self._events.popitem(last=False)

    def get(self, number: int) -> tuple[Event, Keyframes, Recognizer] | None:
        with self._guard:
            found = self._events.get(number)
            if found is None:
                return None
            event, packed, recognizer = found
            if self._opened is None or self._opened[0] != number:
                self._opened = number, _unpack(packed)
            return event, self._opened[1], recognizer

    def __len__(self) -> int:
        return len(self._events)


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
    return replace(
        keyframes, onset=fresh(keyframes.onset), apex=fresh(keyframes.apex), offset=fresh(keyframes.offset), between=between
    )
