"""What every source is and says of itself."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol, Self

from realtime.records import Frame

FULL = "queue full"
# warnings that are said with their number in front
DAMAGED = "pictures damaged, left out"
MISSING = "missing or repeated timestamps"
WILD = "pictures with a time far from their neighbours', put between them"
JUMPED_BACK = "jumps back of the recording's own clock: the times go on"
PACKETS = "damaged packets"
COUNTED = (DAMAGED, MISSING, WILD, JUMPED_BACK, PACKETS)
MOST_PIXELS = 8192 * 4320  # of one picture; larger ones are refused before they are decoded
MOST_SIDE = 32766  # of one picture, pixels: OpenCV cuts nothing out of a longer one
MOST_SENT_PIXELS = 1920 * 1088  # the same, of what a browser sends


@dataclass
class SourceSettings:
    """What a person may choose about a source. The camera may give something else: see `SourceInfo`.

    Attributes:
        width: pixels, None leaves it to the camera. Larger pictures of anything else are scaled to it, in proportion, where they are decoded.
        height: the same.
        fps: frames a second; None leaves it to the camera. A file's frames are taken to be so many a second, whatever the
            file says; a folder of pictures needs it.
        stream: which video stream of a file, by its number in the file; None: the one marked as default, or the largest.
        queue: frames that may wait for the recognizer before the oldest is dropped.
        stall_seconds: a live source that is silent for so long is reopened.
        max_backoff: the longest pause between two attempts to reopen, seconds.
        give_up_seconds: a live source that stays away for so long has ended for good; None waits for ever.
    """

    width: int | None = None
    height: int | None = None
    fps: float | None = None
    stream: int | None = None
    queue: int = 64
    stall_seconds: float = 3.0
    max_backoff: float = 10.0
    give_up_seconds: float | None = None


@dataclass(frozen=True)
class SourceInfo:
    """What was opened.

    Attributes:
        width: pixels of every frame.
        height: pixels of every frame.
        fps: nominal, None where the source names none.
        name: the path as given (`names.printable`), the URL without its password, or "camera N".
        duration: seconds, None where unknown.
        now: whether what comes is happening now: never for a recording, however it is played.
    """

    name: str
    width: int
    height: int
    fps: float | None
    live: bool
    duration: float | None
    now: bool = False


@dataclass(frozen=True)
class Gap:
    """A live source was away: after `pts` (its last frame), for `seconds`, because of `cause`."""

    pts: float
    seconds: float
    cause: str


@dataclass
class SourceCounts:
    """What happened so far.

    Attributes:
        frames: all that arrived, the dropped ones too.
        drops: number by cause.
        reopenings: how often a live source came back.
        gaps: when it was away.
        warnings: number by cause.
    """

    frames: int = 0
    drops: dict[str, int] = field(default_factory=dict)
    reopenings: int = 0
    gaps: list[Gap] = field(default_factory=list)
    warnings: dict[str, int] = field(default_factory=dict)

    @property
    def dropped(self) -> int:
        return sum(self.drops.values())

    @property
    def said(self) -> list[str]:
        """The warnings in words: "47 pictures damaged, left out"."""
        return [f"{n} {cause if n > 1 else cause.replace('s ', ' ', 1)}" if cause in COUNTED else cause for cause, n in self.warnings.items()]

    def warn(self, cause: str) -> None:
        self.warnings[cause] = self.warnings.get(cause, 0) + 1

    def drop(self, cause: str) -> None:
        self.drops[cause] = self.drops.get(cause, 0) + 1

    def copy(self) -> SourceCounts:
        return SourceCounts(self.frames, dict(self.drops), self.reopenings, list(self.gaps), dict(self.warnings))

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class Source(Protocol):
    """An iterator of frames that is closed after use. `close` may be called twice, and from another thread.

    Iterating raises BrokenSourceError after the last good frame where the source broke off.

    Attributes:
        state: "opening", "running", "stalled", "reopening" or "ended".
        counts: a snapshot.
    """

    info: SourceInfo

    @property
    def counts(self) -> SourceCounts: ...

    @property
    def state(self) -> str: ...

    def __iter__(self) -> Iterator[Frame]: ...

    def __next__(self) -> Frame: ...

    def waiting(self) -> list[Frame]:
        """Frames that are there and have not been taken, the next first; a live source may still drop some."""
        ...

    def __enter__(self) -> Source: ...

    def __exit__(self, *exc: object) -> None: ...

    def close(self) -> None: ...


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

    def __exit__(self, *exc: object) -> None:
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
