"""Frames that one thread hands to another: what the live sources have in common."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator
from typing import Self

from realtime.records import Frame
from realtime.sources.base import SourceCounts

FULL = "queue full"


class Handed(ABC):
    """A bounded queue of frames. A subclass's thread puts them, the reader takes them; when the reader does not keep up, the
    oldest is dropped, and whether a frame is dropped depends on nothing else.

    `_news` guards the queue and the counts. `_begun` is set by the first read, `_stop` by `close`.
    """

    def __init__(self, most: int):
        self._most = most
        self._frames: deque[Frame] = deque()
        self._news = threading.Condition()
        self._begun, self._stop = threading.Event(), threading.Event()
        self._counts = SourceCounts()
        self._error: BaseException | None = None
        self._done = False

    @property
    def counts(self) -> SourceCounts:
        with self._news:
            return self._counts.copy()

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        self._begun.set()
        with self._news:
            while not self._frames and not self._done and not self._stop.is_set():
                self._news.wait(1.0)
            if self._frames and not self._stop.is_set():
                return self._frames.popleft()
            error, self._error = self._error, None
        if error is not None:
            raise error
        raise StopIteration

    def waiting(self) -> list[Frame]:
        with self._news:
            return list(self._frames)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None: ...

    def _put(self, frame: Frame) -> None:
        with self._news:
            if len(self._frames) >= self._most:
                self._frames.popleft()
                self._counts.drop(FULL)
            self._frames.append(frame)
            self._counts.frames += 1
            self._news.notify_all()

    def _end(self, error: BaseException | None) -> None:
        """No more frames; whatever `error` is, it belongs to their reader."""
        with self._news:
            self._error, self._done = error, True
            self._news.notify_all()
