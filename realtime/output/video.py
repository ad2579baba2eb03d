"""Annotated video: the picture with the face's box, the curve of the last seconds and the last event drawn in."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import contextmanager, suppress
from fractions import Fraction
from functools import cache
from pathlib import Path
from statistics import median

import cv2
import numpy as np

from realtime.errors import OutputError
from realtime.output.line_file import cannot_write, make_folder_of
from realtime.output.sound import add_sound
from realtime.output.styling import colour
from realtime.records import Event
from realtime.sources import SourceSettings

TICK = Fraction(1, 90_000)  # seconds; fine enough for any camera's timestamps
SPAN_S = 6.0  # of curve in the strip
STAYS_S = 3.0  # how long an event's label stays bright
COMMENT = "annotated by mer-live"  # in the file: so that it is known again, see `cli.clips`

# BGR
PAPER, CURVE, THRESHOLD, BOX, DIM = (32, 28, 26), (235, 225, 215), (92, 168, 226), (240, 240, 240), (190, 190, 190)


class AnnotatedVideo:
    """Writes an MP4 whose frames keep their own times, so that a variable-rate source stays one.

    The first frame stands at 0, or with `sound_of` (a recording, read with `read`) at its own time, so that the recording's
    sound fits. Width and height are made even by repeating the last column or row (H.264 stores colours at half size);
    frames of another size are fitted to it.

    Attributes:
        silent: once closed, why the sound could not be had, "" where all is well.

    Raises:
        OutputError: it cannot write; a file that broke off is removed, since no player opens it.
    """

    def __init__(
        self, path: str | Path, width: int, height: int, sound_of: Path | None = None, read: SourceSettings | None = None, comment: str = COMMENT
    ):
        """
        Args:
            comment: stands in the file; films with COMMENT are passed over by mer-replay.
        """
        import av

        self.silent, self._sound_of, self._read = "", sound_of, read
        self.path, self.size = Path(path), (width, height)
        self._failures = (av.error.FFmpegError, OSError)
        self._first: int | None = None if sound_of is None else 0
        self._waiting: av.Packet | None = None  # the last packet: it is written when the next frame tells how long it lasted
        self._steps: deque[int] = deque(maxlen=15)
        make_folder_of(path)
        try:
            self._container = av.open(str(path), "w", format="mp4")
            self._container.metadata["comment"] = comment
            self._stream = add_encoder(self._container, width, height)
            self._container.start_encoding()  # opens the file now, not at the first frame
        except self._failures as error:
            raise cannot_write(path, error) from error

    def write(self, pixels: np.ndarray, pts: float) -> None:
        """
        Args:
            pixels: H×W×3 uint8 BGR.
            pts: seconds in the source's own clock, increasing.
        """
        import av

        if self._container is None:
            raise OutputError(f"video '{self.path}' is closed")

        frame = av.VideoFrame.from_ndarray(fitted(pixels, self.size), format="bgr24")
        ticks = round(pts / TICK)
        if self._first is None:
            self._first = ticks
        frame.pts, frame.time_base = ticks - self._first, TICK
        with self._removed_on_failure():
            self._mux(self._stream.encode(frame))

    def close(self, last_s: float | None = None) -> None:
        """
        Args:
            last_s: how long the last frame lasts, seconds; by default as long as the frames before it did.
        """
        if self._container is None:
            return
        with self._removed_on_failure():
            if self._stream.codec_context.is_open:
                self._mux(self._stream.encode(None))
            if self._waiting is not None:
                usual = median(self._steps) if self._steps else 1 / (30 * TICK)
                self._write_waiting(round(usual if last_s is None else last_s / TICK))
            container, self._container = self._container, None
            container.close()
        if self._sound_of is not None and self._waiting is not None:
            self.silent = add_sound(self.path, self._sound_of, read=self._read)

    def __enter__(self) -> AnnotatedVideo:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def _mux(self, packets) -> None:
        for packet in packets:
            if self._waiting is not None:
                step = packet.pts - self._waiting.pts
                self._steps.append(step)
                self._write_waiting(step)
            self._waiting = packet

    def _write_waiting(self, duration: int) -> None:
        self._waiting.duration = duration
        self._container.mux(self._waiting)

    @contextmanager
    def _removed_on_failure(self):
        try:
            yield
        except self._failures as error:
            container, self._container = self._container, None
            if container is not None:
                with suppress(*self._failures):
                    container.close()
            if self.path.is_file():  # not a device or a pipe
                self.path.unlink()
            raise cannot_write(self.path, error) from error


def add_encoder(container, width: int, height: int, delay: bool = True):
    """A stream of a film that is written: H.264, or MPEG-4 where there is no libx264; sizes are made even (see `fitted`).

    Args:
        delay: whether the encoder may look at later pictures first, for smaller films.
    """
    import av

    codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
    # no B-frames: packets come out in the order of time. fast: the stream waits for the encoder
    options = {"preset": "veryfast", "crf": "20", "bf": "0"} if codec == "libx264" else {"qscale": "3", "bf": "0"}
    if codec == "libx264" and not delay:
        options["tune"] = "zerolatency"
    stream = container.add_stream(codec, rate=30, options=options)
    stream.width, stream.height = width + width % 2, height + height % 2
    stream.pix_fmt = "yuv420p"
    stream.time_base = stream.codec_context.time_base = TICK
    return stream


def fitted(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """H×W×3 uint8 → the same at `size` (width, height), with the last column and row repeated where that is odd."""
    width, height = size
    if pixels.shape[:2] != (height, width):
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    if width % 2 or height % 2:
        pixels = cv2.copyMakeBorder(pixels, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(pixels)


Box = tuple[int, int, int, int]


def annotate(
    pixels: np.ndarray,
    faces: Sequence[tuple[Box, Event | None]],
    curve: Iterable[tuple[float, float, float]],
    last_event: Event | None,
    now: float,
) -> np.ndarray:
    """A copy of the picture with everything drawn in. Used by the video and by the live window.

    One face has its label in the corner, where it stays still. Each of several carries its own.

    Args:
        pixels: H×W×3 uint8 BGR.
        faces: the leading one first, whose curve is drawn: the box (left, top, right, bottom) in pixels, and the face's
            latest event.
        curve: (t, difference, threshold) of the last seconds, NaN or None where there was no face; older ones are ignored.
        last_event: the latest of all, also of a face that has gone.
        now: pts of this picture; times are seconds in the source's own clock.
    """
    picture = pixels.copy()
    unit = max(0.6, min(picture.shape[0] / 480, picture.shape[1] / 480))  # what is 1 pixel at 640×480
    for box, _ in faces:
        _corners(picture, box, unit)
    mine = faces[0][1] if faces else last_event
    _strip(picture, [point for point in curve if now - SPAN_S <= point[0] <= now], mine, now, unit)
    if len(faces) > 1:
        for box, event in faces:
            if event is not None:
                _label_of(picture, event, now, unit, (box[0], box[3]))
    elif mine is not None:
        _label_of(picture, mine, now, unit)
    elif not faces:
        _label(picture, "no face", "", DIM, unit)
    return picture


def _label_of(picture, event, now, unit, place=None) -> None:
    tint = _tint(event) if now - event.offset_s <= STAYS_S else DIM
    _label(picture, f"{event.label} {event.score:.2f}", f"{event.apex_s:.2f} s", tint, unit, place)


def _corners(picture, box, unit) -> None:
    left, top, right, bottom = box
    arm = max(6, int(0.12 * (right - left)))
    for x, y, dx, dy in ((left, top, 1, 1), (right, top, -1, 1), (left, bottom, 1, -1), (right, bottom, -1, -1)):
        line = np.array([(x, y + dy * arm), (x, y), (x + dx * arm, y)], np.int32)
        for ink, width in ((PAPER, 3 * unit), (BOX, 1.4 * unit)):  # a dark rim shows on a bright wall too
            cv2.polylines(picture, [line], False, ink, max(1, round(width)), cv2.LINE_AA)


def _strip(picture, points: Sequence, event, now, unit) -> None:
    height, width = picture.shape[:2]
    tall = min(height, round(64 * unit))
    strip = _shaded(picture, 0, height - tall, width, height)
    values = np.array(points, float).reshape(-1, 3)
    known = values[np.isfinite(values[:, 1:]).all(axis=1)]
    # twice the threshold fills the strip: steady to look at, and a blink does not squeeze the rest
    top = 2.4 * known[:, 2].max() if len(known) and known[:, 2].max() > 0 else 1.0

    def place(t, value) -> np.ndarray:
        x = (np.asarray(t) - (now - SPAN_S)) / SPAN_S * (width - 1)
        y = (tall - 4) - np.clip(np.asarray(value) / top, 0, 1) * (tall - 8)
        return np.stack(np.broadcast_arrays(x, y), axis=-1)

    if event is not None and event.offset_s > now - SPAN_S:
        (left, _), (right, _), (apex, _) = place([event.onset_s, event.offset_s, event.apex_s], 0.0).round().astype(int)
        tint = _tint(event)
        band = strip[:, max(left, 0) : max(right + 1, 0)]
        band[:] = (0.72 * band + 0.28 * np.array(tint)).astype(np.uint8)
        cv2.line(strip, (apex, 0), (apex, tall), tint, max(1, round(unit)), cv2.LINE_AA)
    for column, ink in ((2, THRESHOLD), (1, CURVE)):
        finite = np.isfinite(values[:, column])
        for run in np.split(np.arange(len(values)), np.flatnonzero(np.diff(finite)) + 1):
            if len(run) > 1 and finite[run[0]]:
                line = (place(values[run, 0], values[run, column]) * 16).round().astype(np.int32)  # 1/16 of a pixel
                cv2.polylines(strip, [line], False, ink, max(1, round(1.2 * unit)), cv2.LINE_AA, shift=4)


def _tint(event: Event) -> tuple[int, int, int]:
    """BGR, for the dark strip."""
    red, green, blue = bytes.fromhex(colour(event.label, dark=True)[1:])
    return blue, green, red


def _label(picture, words, time, colour, unit, place=None) -> None:
    """place: (left, top) of the label, pixels, moved into the picture where it reaches out; by default the corner."""
    size, margin = round(19 * unit), round(10 * unit)
    font = _font()
    words_width, time_width = (
        cv2.getTextSize((0, 0), text, (0, 0), font, size, weight)[2] if text else 0 for text, weight in ((words, 500), (time, 400))
    )
    gap = margin if time else 0
    wide, tall = words_width + gap + time_width + 2 * margin, round(1.8 * size)
    left, top = place or (margin, margin)
    left = max(0, min(left, picture.shape[1] - wide))
    top = max(0, min(top, picture.shape[0] - tall))
    _shaded(picture, left, top, min(picture.shape[1], left + wide), top + tall)
    base = top + round(1.25 * size)
    cv2.putText(picture, words, (left + margin, base), colour, font, size, 500)
    if time:
        cv2.putText(picture, time, (left + margin + words_width + gap, base), DIM, font, size, 400)


@cache
def _font():
    return cv2.FontFace("sans")  # comes with OpenCV 5


def _shaded(picture, left, top, right, bottom) -> np.ndarray:
    """Darken a rectangle so that light lines can be read on it. Returns its view."""
    part = picture[top:bottom, left:right]
    cv2.addWeighted(part, 0.35, np.full_like(part, PAPER), 0.65, 0, dst=part)
    return part
