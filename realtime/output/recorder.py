"""`--record`: a live source as it is, kept on the disk from a person's "start" to their "stop", and the events beside it in the recording's own clock.

    recorder = Recorder(source, name, Path("day1.mp4"), say)
    recorder.start()                 # from any thread, as often as somebody likes: each time a new file
    recorder.write(event)            # a `Sink`
    recorder.close()

What the source encoded (H.264, JPEG, …) is kept as it is, from the first key picture on; pictures that come without are encoded.
"""

from __future__ import annotations

import json
import queue
import threading
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from engines.errors import notices
from realtime.errors import OutputError
from realtime.names import file_name
from realtime.output.line_file import LEAST_FREE, cannot_write, disk_is_full, make_folder_of
from realtime.output.sinks import JsonlSink, Sink
from realtime.records import Event, Marker
from realtime.sources import SourceInfo
from realtime.sources.decoder.parent import Picture

if TYPE_CHECKING:
    from realtime.output.fragmented import FragmentedFilm

WAITING = 48  # pictures that may wait to be written: beyond, they are left out and counted
PATIENCE = 15.0  # seconds for what waits to be written
LOOK_S = 1.0  # between two looks at the room on the disk
FULL = f"less than {LEAST_FREE // 2**20} MiB are free on that disk; make room, or choose another place"
WITHOUT_S = 1.0  # of pictures that came alone, though more was promised: then they are encoded


@runtime_checkable
class Tapped(Protocol):
    """A source whose pictures can be had beside its frames: `Live`, `Packets`."""

    info: SourceInfo

    @property
    def codec(self) -> str | None: ...

    def tap(self, taker) -> None: ...


class Recorder(Sink):
    """Of one source. A failure ends a recording with one line, never the stream.

    Attributes:
        path: of the latest recording, None before the first.
        faults: what could not be kept, a line each.
    """

    def __init__(self, source: Tapped, name: str, where: Path, say=lambda line: None):
        """
        Args:
            name: as events call the source.
            where: a file, or a folder in which each recording gets a name of its own; nothing is replaced.
            say: takes a line for a person, from any thread.
        """
        self.name = f"recording in {where}"
        self.path: Path | None = None
        self.faults: list[str] = []
        self._source, self._of, self._where, self._tell = source, name, where, say
        self._guard = threading.Lock()
        self._latest: _Recording | None = None

    @property
    def on(self) -> bool:
        return self._latest is not None and not self._latest.ended

    @property
    def exit_code(self) -> int:
        return OutputError.exit_code if self.faults else 0

    def start(self) -> None:
        """
        Raises:
            OutputError: there is no place for it.
        """
        with self._guard:
            if self.on:
                return
            if self._latest is not None:
                self._latest.close()
            if disk_is_full(self._where):
                raise OutputError(f"'{self._where}' is not begun: {FULL}")
            self.path = _new_file(self._where, self._of)
            self._latest = _Recording(self._source, self.path, self._fail)
            self._source.tap(self._latest.take)

    def stop(self) -> str:
        """What was kept, in words; "" where nothing was."""
        with self._guard:
            if not self.on:
                return ""
            self._source.tap(None)
            words, lost = self._latest.stop(), self._latest.lost
        if lost:
            self._tell(f"{self.path}: {lost} pictures are not in it, they came faster than they could be written")
        return words

    def write(self, event: Event) -> None:
        latest = self._latest  # also when it has ended: an event is known a little later
        if latest is not None and event.source == self._of:
            latest.write(event)

    def mark(self, marker: Marker) -> None:
        if self._latest is not None and marker.source == self._of:
            self._latest.mark(marker)

    def close(self) -> None:
        self.stop()
        if self._latest is not None:
            self._latest.close()

    def _fail(self, line: str) -> None:
        """From the recording's thread."""
        self._source.tap(None)
        self.faults.append(line)
        self._tell(line)


class _Recording:
    """One file, and the thread that writes it. failed(line): called once, if something ends it early."""

    def __init__(self, source: Tapped, path: Path, failed):
        self.path, self.ended, self.lost = path, False, 0
        self._codec, self._failed = source.codec, failed
        self._queue: queue.Queue[tuple[Picture, float] | None] = queue.Queue(WAITING)
        self._film: FragmentedFilm | None = None
        self._began: float | None = None  # pts of the first picture that was offered
        self._looked = 0.0
        self._broken = False  # what comes next builds on what was lost
        self._events: JsonlSink | None = None
        self._markers: JsonlSink | None = None
        self._writes = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=f"record {path.name}", daemon=True)
        self._thread.start()

    def take(self, picture: Picture, pts: float) -> None:
        """From the capturing thread."""
        try:
            self._queue.put_nowait((picture, pts))
        except queue.Full:
            self.lost += 1
            self._broken = True

    def write(self, event: Event) -> None:
        """An event that lies in the recording, moved to its clock."""
        with self._writes:
            if self._events is None or not self._holds(event.onset_s, event.offset_s):
                return
            times = {name: round(getattr(event, name) - self._film.begin, 3) for name in ("onset_s", "apex_s", "offset_s")}
            self._events.write(replace(event, source=self.path.name, **times))

    def mark(self, marker: Marker) -> None:
        """The same of a marker; the file is there once there is one."""
        with self._writes:
            if not self._holds(marker.time_s, marker.time_s):
                return
            self._markers = self._markers or JsonlSink(markers_beside(self.path), kept=True)
            self._markers.write_row(replace(marker, source=self.path.name, time_s=marker.time_s - self._film.begin).as_dict())

    def _holds(self, first: float, last: float) -> bool:
        """Whether this span of the source's time lies in the film; one that still grows will hold what is to come."""
        film = self._film
        return film is not None and film.begin is not None and film.begin <= first and not (self.ended and last > film.end)

    def close(self) -> None:
        """After `stop`: no more events."""
        with self._writes:
            for sink in filter(None, (self._events, self._markers)):
                sink.close()

    def stop(self) -> str:
        """What was kept, in words; "" where nothing was."""
        with suppress(queue.Full):  # of a thread that has ended by itself
            self._queue.put(None, timeout=0 if self.ended else PATIENCE)
        self._thread.join(PATIENCE)
        film = self._film
        if film is None:
            with suppress(OSError):  # its place alone was taken
                self.path.unlink()
        return "" if film is None or film.begin is None else f"{self.path}: {film.end - film.begin:.1f} s"

    def _run(self) -> None:
        try:
            for picture, pts in iter(self._queue.get, None):
                if pts - self._looked >= LOOK_S:
                    self._looked = pts
                    if disk_is_full(self.path):
                        raise OutputError(f"recording '{self.path}' has ended: {FULL}")
                self._put(picture, pts)
            if self._film is not None:
                self._film.close()
            self.ended = True
        except Exception as error:  # whatever it is, the stream goes on
            reason = error if isinstance(error, OutputError) else cannot_write(self.path, error)
            self.ended = True
            self._failed(str(reason))
            with suppress(OutputError):
                if self._film is not None:
                    self._film.close()

    def _put(self, picture: Picture, pts: float) -> None:
        from realtime.output.fragmented import FragmentedFilm  # with it comes FFmpeg

        self._began = pts if self._began is None else self._began
        height, width = picture.pixels.shape[:2]
        if self._film is None:
            if self._codec and not picture.encoded and pts - self._began > WITHOUT_S:
                self._codec = None
            if self._codec and not any(one.key for one in picture.encoded):
                return  # a film begins with a picture that stands on its own
            with self._writes:
                self._film = FragmentedFilm(self.path, width, height, self._codec)
                self._events = JsonlSink(self.path.with_suffix(".jsonl"), kept=True)
        if self._codec is None:
            return self._film.picture(picture.pixels, pts)
        shift = None if picture.pts is None else pts - picture.pts
        for one in picture.encoded:
            if not one.key and (self._broken or self._film.begin is None):
                continue
            self._broken = False
            shown = pts if one.pts is None or shift is None else one.pts + shift
            self._film.packet(one.data, one.key, shown, shown if one.dts is None or shift is None else one.dts + shift)


def markers_beside(film: Path) -> Path:
    """Where markers in a recording's clock lie."""
    return film.with_suffix(".markers.jsonl")


def read_markers(film: Path) -> list[Marker]:
    """Those beside a recording, by time; [] where there are none that can be read."""
    try:
        rows = [json.loads(line) for line in markers_beside(film).read_text("utf-8").splitlines() if line.strip()]
        markers = [Marker(film.name, float(row["time_s"]), str(row["label"]), str(row.get("stream", ""))) for row in rows]
    except OSError:
        return []
    except (ValueError, KeyError, TypeError) as error:
        notices.warning(f"'{markers_beside(film)}' holds no lines of markers ({error}): it is passed over")
        return []
    return sorted(markers, key=lambda marker: marker.time_s)


def recordings(log: Path) -> Path:
    """The folder of recordings that belongs to a log, for who names none."""
    return log.with_name(f"{log.name}.recordings")


def _new_file(where: Path, source: str) -> Path:
    """An empty one: of its own name the first time, then with a number; in a folder called after the source, with the time.

    Raises:
        OutputError: it cannot be made.
    """
    if where.suffix.lower() == ".mp4":
        wanted = where
    else:
        wanted = where / f"{file_name(Path(source).stem or 'camera')}-{datetime.now():%Y%m%d-%H%M%S}.mp4"
    make_folder_of(wanted)
    for number in count(1):
        path = wanted if number == 1 else wanted.with_stem(f"{wanted.stem}-{number}")
        if path.with_suffix(".jsonl").exists():
            continue
        try:
            path.touch(0o600, exist_ok=False)  # now: another source may wish the same name
        except FileExistsError:
            continue
        except OSError as error:
            raise cannot_write(path, error) from error
        break
    return path
