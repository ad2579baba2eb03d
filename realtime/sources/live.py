"""A live source: frames come when they come, and the oldest is dropped when the reader does not keep up.

Cameras, network streams, and recordings that are played at their own clock. A thread captures into a bounded
queue (`base.Handed`).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from realtime.errors import BrokenSourceError, MerError, SourceError, UsageError
from realtime.records import Frame
from realtime.sources.addresses import check_address, without_password
from realtime.sources.base import WILD, Gap, Handed, SourceCounts, SourceInfo, SourceSettings
from realtime.sources.cameras import falls_short, refuse
from realtime.sources.checks import no_camera
from realtime.sources.clock import LiveClock
from realtime.sources.decoder.parent import Cancelled, Picture, ReaderProcess, Request
from realtime.sources.recording import file_request, info_of, read_frame, take_warnings

log = logging.getLogger(__name__)

QUEUE_BYTES = 512 * 2**20  # large pictures: fewer of them wait
OPEN_SECONDS = 10.0  # for the first frame of a camera or a stream
FIRST_BACKOFF = 0.5


class Live(Handed):
    """The frames of a live source; see `base.Source`. Made by `camera`, `stream` or `recording`.

    pts of a camera or a stream: 0 at the first frame that is read, then the source's own steps; across a gap it goes on by
    the time that passed. pts of a recording: as in `Recording`, so that both give the same. Frames that come before the
    first read are let go, so that loading a model does not begin with old frames; a recording waits for the first read.
    Later it is reopened for as long as `settings.give_up_seconds` says.

    Raises:
        SourceError: at once where the source cannot be opened the first time.
    """

    def __init__(self, request: Request, settings: SourceSettings, *, finite: bool = False):
        if settings.queue < 1 or settings.stall_seconds <= 0 or settings.max_backoff <= 0:
            raise UsageError(f"queue, stall_seconds and max_backoff must be above 0, got {settings}")
        super().__init__(settings.queue)
        self._request, self._settings = request, settings
        self._away: str | None = None  # why frames are missing right now
        self._latest = 0.0  # when the last frame came, monotonic seconds
        self._state = "opening"
        self._reader = ReaderProcess(request, self._stop)
        # a film on a web server has an end, and comes faster than it plays: it is a recording
        self._finite = finite or self._reader.duration is not None
        self._tap: Callable[[Picture, float], None] | None = None
        self._clock = LiveClock()
        self.info: SourceInfo = replace(info_of(self._reader, live=True), now=not self._finite)
        self._most = max(4, min(self._most, QUEUE_BYTES // (3 * self.info.width * self.info.height)))
        self._state = "running"
        self._thread = threading.Thread(target=self._run, name=f"capture {request.name}", daemon=True)
        self._thread.start()

    @classmethod
    def camera(cls, index: int, settings: SourceSettings) -> Live:
        """
        Raises:
            UsageError: it does not offer what is asked for.
        """
        if not 0 <= index < 2**31:  # what a driver can count to
            raise SourceError(no_camera(index))
        refuse(index, settings)
        request = Request(
            f"camera {index}",
            camera=index,
            live=True,
            open_seconds=OPEN_SECONDS,
            width=settings.width,
            height=settings.height,
            fps=settings.fps,
        )
        camera = cls(request, settings)
        if line := falls_short(index, settings, camera.info):
            with camera._news:
                camera._counts.warn(line)
        return camera

    @classmethod
    def stream(cls, url: str, settings: SourceSettings) -> Live:
        # the child's own patience is longer than ours: we notice a stall first, and say so in our words
        patience = settings.stall_seconds + 5.0
        check_address(url)
        request = Request(
            without_password(url, user=True),
            url,
            live=True,
            open_seconds=OPEN_SECONDS,
            read_seconds=patience,
            width=settings.width,
            height=settings.height,
            fps=settings.fps,  # this and the next: of a film on a web server
            stream=settings.stream,
        )
        return cls(request, settings)

    @classmethod
    def recording(cls, path: str | Path, settings: SourceSettings) -> Live:
        return cls(file_request(path, settings), settings, finite=True)

    # --- the reader's side

    @property
    def state(self) -> str:
        return self._state

    @property
    def codec(self) -> str | None:
        """What comes with the pictures that `tap` gets; None where it is the pictures alone."""
        return None if self._finite else self._reader.codec

    def tap(self, taker: Callable[[Picture, float], None] | None) -> None:
        """Each picture goes to `taker` as well, with its pts and with what it was decoded from, dropped or not; None ends that.
        It is called in the capturing thread and must not wait."""
        self._tap = taker
        self._reader.keep(taker is not None and not self._finite)

    def close(self) -> None:
        self._stop.set()
        self._begun.set()  # wakes a recording that still waits for its first read
        with self._news:
            self._news.notify_all()
        self._reader.close()
        if threading.current_thread() is not self._thread:
            self._thread.join(5)
        with self._news:
            self._frames.clear()  # they hold the shared memory

    # --- the capture thread

    def _run(self) -> None:
        error: BaseException | None = None
        try:
            self._play() if self._finite else self._capture()
        except Cancelled:
            pass
        except BaseException as fault:  # whatever it is, it belongs to the reader of the frames
            error = fault
        finally:
            self._reader.close()
            if self._away is not None and self._clock.pts is not None:
                self._log_gap(self._clock.pts, time.monotonic() - self._clock.arrival)
            self._state = "ended"
            self._end(error)

    def _play(self) -> None:
        """A recording at its own clock: a frame is put when its time has come, or at once when it is late."""
        while not self._begun.wait(1.0):
            pass
        start, seen = None, SourceCounts()
        try:
            while (frame := read_frame(self._reader, seen)) is not None:
                start = time.monotonic() - frame.pts if start is None else start
                if self._stop.wait(max(0.0, start + frame.pts - time.monotonic())):
                    return
                frame = replace(frame, arrival=time.monotonic())
                if tap := self._tap:
                    tap(Picture(frame.pts, frame.arrival, frame.pixels), frame.pts)
                self._put(frame)
        finally:
            with self._news:
                self._counts.warnings = seen.warnings

    def _capture(self) -> None:
        """A camera or a stream: read until it fails, reopen it, and so on until it is closed."""
        first = min(FIRST_BACKOFF, self._settings.max_backoff)
        pause = first
        while True:
            began = time.monotonic()
            try:
                self._read_on()
                cause = "the stream ended"
            except (MerError, TimeoutError) as fault:
                cause = str(fault)
            if self._latest - began > self._settings.stall_seconds:
                pause = first  # it ran for a while: not a source that dies as soon as it is opened
            pause = self._reopen(cause, pause)

    def _read_on(self) -> None:
        """Put frames until the stream ends. Raises TimeoutError after `stall_seconds` of silence."""
        waited, part = 0.0, self._settings.stall_seconds / 3
        while True:
            try:
                picture = self._reader.read(part)
            except TimeoutError:
                waited += part
                self._state = "stalled"
                if waited >= self._settings.stall_seconds - part / 2:
                    raise TimeoutError(f"stalled: no frame for {self._settings.stall_seconds:g} s") from None
                continue
            finally:
                with self._news:
                    take_warnings(self._reader, self._counts)
            if picture is None:
                return
            waited, self._state, self._latest = 0.0, "running", time.monotonic()
            if self._begun.is_set():
                self._take(picture)

    def _take(self, picture: Picture) -> None:
        last = self._clock.pts
        pts = self._clock.stamp(picture.pts, picture.arrival)
        if self._clock.strayed:
            with self._news:
                self._counts.warn(WILD)
        if self._away is not None and last is not None:
            self._log_gap(last, pts - last)
        self._away = None
        if tap := self._tap:
            tap(picture, pts)
        self._put(Frame(picture.pixels, self._counts.frames, pts, picture.arrival))

    def _log_gap(self, pts: float, seconds: float) -> None:
        log.info("%s: gap of %.2f s after %.2f s: %s", self.info.name, seconds, pts, self._away)
        with self._news:
            self._counts.gaps.append(Gap(pts, seconds, self._away))

    def _reopen(self, cause: str, pause: float) -> float:
        """Try again, with growing pauses, until a frame comes. Returns the pause to begin with next time, seconds."""
        log.info("%s: %s; reopening", self.info.name, cause)
        self._state, self._away = "reopening", self._away or cause
        self._clock.restart()
        self._reader.close()
        # what comes back may have another size; whoever reads from us was promised this one
        request = replace(self._request, size=(self.info.width, self.info.height), keep=self._tap is not None)
        limit = self._settings.give_up_seconds
        end = float("inf") if limit is None else time.monotonic() + limit
        while True:
            if self._stop.wait(max(0.0, min(pause, end - time.monotonic()))):
                raise Cancelled
            if time.monotonic() >= end:
                name = self.info.name
                raise BrokenSourceError(f"{name} is gone ({self._away}) and did not come back within {limit:g} s")
            pause = min(2 * pause, self._settings.max_backoff)
            patience = max(1.0, min(request.open_seconds, end - time.monotonic()))
            try:
                self._reader = ReaderProcess(replace(request, open_seconds=patience), self._stop)
            except MerError as fault:
                log.debug("%s: %s", self.info.name, fault)
                continue
            self._reader.keep(self._tap is not None)  # it may have changed meanwhile
            with self._news:
                self._counts.reopenings += 1
            return pause
