"""`--clips SECONDS`: a small film of each event, from so long before its onset to so long after its offset, and the event line beside it.

The last seconds are kept in memory as JPEG; without an event nothing of them is ever written.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np

from realtime.errors import OutputError, UsageError
from realtime.names import file_name
from realtime.output.line_file import LEAST_FREE, disk_is_full, make_folder_of
from realtime.output.sinks import Sink, json_line
from realtime.output.video import AnnotatedVideo
from realtime.pipeline import Step
from realtime.records import Event

QUALITY = 92  # of the JPEGs in memory
LATE_S = 4.0  # an event may be known so long after its onset
WAITING = 64  # frames that may wait to be packed: of a camera that is too fast some are left out


class ClipSink(Sink):
    """The films of one source. `note(step)` takes each frame, from the thread that watches it; `write` each event."""

    def __init__(self, folder: Path, source: str, seconds: float):
        """
        Raises:
            UsageError: seconds are none.
            OutputError: the folder cannot be made.
        """
        if not 0 < seconds <= 30:
            raise UsageError(f"--clips {seconds:g}: expected seconds, more than 0 and 30 at most")
        make_folder_of(folder / "a.mp4")
        self.name = f"clips in {folder}"
        self._folder, self._source, self._seconds = folder, source, seconds
        self._begun = datetime.now().strftime("%Y%m%d-%H%M%S")
        self._kept: deque[tuple[float, np.ndarray]] = deque()  # (pts, JPEG)
        self._due: list[Event] = []
        self._queue: queue.Queue[tuple[float, np.ndarray] | Event | None] = queue.Queue(WAITING)
        self._lost, self._full = 0, False
        self._failure: OutputError | None = None
        self._thread = threading.Thread(target=self._run, name="clips", daemon=True)
        self._thread.start()

    def note(self, step: Step) -> None:
        try:
            self._queue.put_nowait((step.frame.pts, step.frame.pixels.copy()))
        except queue.Full:
            self._lost += 1

    def write(self, event: Event) -> None:
        if event.source == self._source:
            self._queue.put(event)
        if self._failure:
            raise self._failure

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join(30)
        if self._lost:
            self.say(f"{self.name}: {self._lost} frames are not in the clips, they came faster than they could be packed")
        if self._failure:
            raise self._failure

    def _run(self) -> None:
        for one in iter(self._queue.get, None):
            if isinstance(one, Event):
                self._due.append(one)
                continue
            pts, pixels = one
            self._kept.append((pts, cv2.imencode(".jpg", pixels, (cv2.IMWRITE_JPEG_QUALITY, QUALITY))[1]))
            while self._due and pts >= self._due[0].offset_s + self._seconds:
                self._save(self._due.pop(0))
            oldest = min((event.onset_s for event in self._due), default=pts - LATE_S) - self._seconds
            while self._kept[0][0] < oldest:
                self._kept.popleft()
        for event in self._due:  # the source has ended
            self._save(event)

    def _save(self, event: Event) -> None:
        frames = [(pts, jpeg) for pts, jpeg in self._kept if event.onset_s - self._seconds <= pts <= event.offset_s + self._seconds]
        if not frames or self._failure:
            return
        if disk_is_full(self._folder):
            if not self._full:
                self.say(f"{self.name}: less than {LEAST_FREE // 2**20} MiB are free: no more are saved")
            self._full = True
            return
        stem = f"{file_name(Path(self._source).stem or 'camera')}-{self._begun}-{event.event:04d}-{file_name(event.label)}"
        first = cv2.imdecode(frames[0][1], cv2.IMREAD_COLOR)
        try:
            with AnnotatedVideo(self._folder / f"{stem}.mp4", first.shape[1], first.shape[0], comment="") as film:
                for pts, jpeg in frames:
                    film.write(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), pts)
            told = event.as_dict() | {"clip_begins_s": round(frames[0][0], 3)}
            (self._folder / f"{stem}.json").write_text(json_line(told), "utf-8")
        except (OutputError, OSError) as error:
            self._failure = error if isinstance(error, OutputError) else OutputError(f"{self.name}: {error.strerror}")
