"""A recording: every frame, in order, as fast or as slowly as its reader takes them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from realtime.errors import BrokenSourceError, UsageError
from realtime.names import printable
from realtime.records import Frame
from realtime.sources.base import SourceCounts, SourceInfo, SourceSettings
from realtime.sources.checks import check_file
from realtime.sources.decoder.parent import Cancelled, ReaderProcess, Request

AHEAD = 10  # frames that are read before their turn: a landmark run may begin with them, 40 ms at 200 frames/s
AHEAD_BYTES = 64 * 2**20  # large pictures: fewer of them
LEAST_FPS, MOST_FPS = 1.0, 100_000.0  # of a recording: beyond, it would last for years, or no time
HANG_SECONDS = 60.0  # a decoder that is silent for so long will not come back


def file_request(path: str | Path, settings: SourceSettings | None = None) -> Request:
    """What to ask of the child for a file, or a folder of pictures.

    Raises:
        SourceError: there is no such file, or it cannot be a recording.
        UsageError: the rate makes no sense.
    """
    settings = settings or SourceSettings()
    if settings.fps is not None and not LEAST_FPS <= settings.fps <= MOST_FPS:
        raise UsageError(f"source.fps must be {LEAST_FPS:g} to {MOST_FPS:g} frames a second, got {settings.fps:g}")
    check_file(Path(path), settings.fps)
    return Request(
        name=printable(path),
        target=str(Path(path).absolute()),
        width=settings.width,
        height=settings.height,
        fps=settings.fps,
        stream=settings.stream,
    )


class Recording:
    """The frames of a file, or of a folder of pictures; see `base.Source`.

    pts: as a player counts, from where the first of pictures and sound begins; the file's own timestamps, strictly
    increasing. One that is missing or cannot be right is replaced by its best guess and counted as a warning.
    """

    def __init__(self, path: str | Path, settings: SourceSettings | None = None):
        self._counts = SourceCounts()
        self._frames: deque[Frame] = deque()
        self._fault: Exception | None = None  # what ended the file, raised after its last good frame
        self._over = False
        self._state = "opening"
        self._reader = ReaderProcess(file_request(path, settings))
        self.info = info_of(self._reader, live=False)
        self._ahead = max(1, min(AHEAD, AHEAD_BYTES // (3 * self.info.width * self.info.height)))
        self._state = "running"

    @property
    def counts(self) -> SourceCounts:
        counts = self._counts.copy()
        counts.frames -= len(self._frames)
        return counts

    @property
    def state(self) -> str:
        return self._state

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        if self._state == "ended":
            raise StopIteration
        try:
            while not self._over and len(self._frames) <= self._ahead:
                self._read()
        except BaseException:  # Ctrl-C, or closed from another thread
            self.close()
            raise
        with suppress(IndexError):  # the last one, or closed from another thread meanwhile
            return replace(self._frames.popleft(), arrival=time.monotonic())
        self.close()
        if self._fault is not None:
            raise self._fault
        raise StopIteration

    def waiting(self) -> list[Frame]:
        return list(self._frames)

    def _read(self) -> None:
        try:
            frame = read_frame(self._reader, self._counts)
        except Cancelled as stop:
            raise StopIteration from stop
        except Exception as fault:
            self._fault, self._over = fault, True
            return
        if frame is None:
            self._over = True
        else:
            self._frames.append(frame)

    def __enter__(self) -> Recording:
        return self

    def __exit__(self, *exc) -> None:
        self.close()

    def close(self) -> None:
        self._state = "ended"
        self._reader.close()
        self._frames.clear()  # they hold the shared memory


def info_of(reader: ReaderProcess, live: bool) -> SourceInfo:
    return SourceInfo(reader.request.name, reader.width, reader.height, reader.fps, live, reader.duration)


def read_frame(reader: ReaderProcess, counts: SourceCounts) -> Frame | None:
    """The next frame of a file, counted, or None at its end.

    Raises:
        BrokenSourceError: the file broke off, or its decoder hung.
    """
    try:
        picture = reader.read(HANG_SECONDS)
    except TimeoutError:
        raise BrokenSourceError(f"{reader.request.name} hung: no frame was decoded for {HANG_SECONDS:g} s; the file or its disk is damaged") from None
    finally:
        take_warnings(reader, counts)
    if picture is None:
        return None
    counts.frames += 1
    return Frame(picture.pixels, counts.frames - 1, picture.pts, time.monotonic())


def take_warnings(reader: ReaderProcess, counts: SourceCounts) -> None:
    for cause in reader.warnings:
        counts.warn(cause)
    reader.warnings.clear()
