"""A container's film as a player shows it: which of its streams that is, how many frames a second it has (doubted where there is
reason), and its pictures with square pixels, upright, not mirrored. Runs in the child process.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from av.sidedata.sidedata import Type
from av.stream import Disposition
from av.video.reformatter import Interpolation, VideoReformatter

from realtime.errors import SourceError
from realtime.sources.base import MOST_PIXELS, MOST_SIDE
from realtime.sources.checks import VIDEO

NO_FILM = Disposition.attached_pic | Disposition.timed_thumbnails  # the cover of a song, the previews of a player
FALLBACK_FPS = 25.0
DOUBTFUL = 1.5  # a container's rate that is so many times the pictures' own, or less than its inverse
PLAUSIBLE = (5.0, 480.0)  # frames a second; pictures of uneven rate often name their clock's ticks, 1000 or 90000, instead
HINT = "source.fps=N sets it"
MOST_STRETCHED = 10  # a pixel that is said to be longer than that is a fault of the header


def choose(container: av.container.InputContainer, name: str, number: int | None, warn: Callable[[str], None]) -> av.VideoStream:
    """Stream `number` of the container, or the one marked as default, the largest of several.

    Raises:
        SourceError: there is none, or none that can be decoded.
    """
    films = [stream for stream in container.streams.video if not stream.disposition & NO_FILM]
    decodable = [stream for stream in films if stream.codec_context is not None]
    if any(stream.codec_context.name == "ansi" for stream in decodable):  # FFmpeg plays text files as a film of a terminal
        raise SourceError(f"{name} is text, not a video: {VIDEO}")
    if number is not None:
        chosen = [stream for stream in decodable if stream.index == number]
        if not chosen:
            there = f"there is {_listed(decodable)}" if decodable else "there is none"
            raise SourceError(f"{name} has no video stream {number} (source.stream): {there}")
        return chosen[0]
    if decodable:
        best = max(decodable, key=lambda s: (bool(s.disposition & Disposition.default), s.width * s.height, -s.index))
        if len(decodable) > 1:
            warn(f"of the video streams {_listed(decodable)}, {best.index} was taken; source.stream=N chooses another")
        return best
    if films:
        raise SourceError(f"{name} holds video of a kind that cannot be decoded: convert it to MP4 (H.264)")
    kinds = ", ".join(sorted({stream.type for stream in container.streams if stream.type != "video"})) or "a still picture"
    raise SourceError(f"{name} holds no video, only {kinds}: {VIDEO}")


def _listed(streams: list[av.VideoStream]) -> str:
    """As "0 (160×120, 1 frames/s), 1 (640×480, 50 frames/s)"."""
    return ", ".join(f"{s.index} ({s.width}×{s.height}, {float(s.average_rate or 0):g} frames/s)" for s in streams)


# Demuxers that invent timestamps, at 25 frames/s: the pictures' own headers may say the rate, and over a network the time
# of arrival is nearer the truth.
WITHOUT_CLOCK = (
    "mpjpeg",
    "mjpeg",
    "h264",
    "hevc",
    "vvc",
    "m4v",
    "mpegvideo",
    "obu",
    "vc1",
    "cavsvideo",
    "avs2",
    "avs3",
    "h261",
    "h263",
)


class Rate:
    """How many frames a second a film has.

    Args:
        asked: by the user; then, and where the source has no clock, a frame's number says its time.

    Attributes:
        fps: frames a second.
        own: those of the source's own timestamps.
        clockless: it has none, or invented ones.
    """

    def __init__(self, container: av.container.InputContainer, stream: av.VideoStream, asked: float | None, film: bool, warn: Callable):
        self.clockless = container.format.name in WITHOUT_CLOCK
        written = float(stream.codec_context.framerate or 0)  # in the pictures' own headers, 0 for none
        stated = float(stream.average_rate or stream.guessed_rate or 0)
        self.own = (written if self.clockless else stated) or FALLBACK_FPS
        self.fps = asked or self.own
        self._by_number = film and (self.clockless or asked is not None)
        if film and asked is None:
            self._doubt(written, {stated, float(stream.base_rate or stated)}, warn)

    def _doubt(self, written: float, usual: set[float], warn: Callable[[str], None]) -> None:
        """usual: as the container has it on average, and most often (the second counts fields where frames have two)."""
        if self.clockless:
            if not written:
                warn(f"no frame rate is written in it: {self.fps:g} frames/s were taken; {HINT}")
        elif PLAUSIBLE[0] <= written <= PLAUSIBLE[1] and not any(1 / DOUBTFUL < rate / written < DOUBTFUL for rate in usual):
            warn(f"its header says {self.fps:.4g} frames/s, its pictures {written:g}: if they are right, source.fps={written:g} sets it")
        elif not PLAUSIBLE[0] <= self.fps <= 2 * PLAUSIBLE[1]:
            warn(f"its header says {self.fps:.4g} frames/s: where that is wrong, {HINT}")

    def seconds(self, number: int, raw: float | None) -> float | None:
        """
        Args:
            raw: the source's own word.
        """
        return number / self.fps if self._by_number else raw


@dataclass(frozen=True)
class Turn:
    """One of the eight ways to lay a picture: rows and columns exchanged, then mirrored from left to right, or upside down."""

    exchanged: bool = False
    mirrored: bool = False
    upside_down: bool = False

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """H×W×3 → a view of the same pixels."""
        pixels = pixels.swapaxes(0, 1) if self.exchanged else pixels
        return pixels[:: -1 if self.upside_down else 1, :: -1 if self.mirrored else 1]

    def size(self, width: int, height: int) -> tuple[int, int]:
        return (height, width) if self.exchanged else (width, height)


def turn_of(frame: av.VideoFrame) -> Turn:
    """What the display matrix says: phones film sideways, selfie cameras and screen recorders mirror."""
    try:
        matrix = frame.side_data.get(Type.DISPLAYMATRIX)
    except ValueError:  # beside it lies something that PyAV does not know yet; the angle alone can still be had
        quarter = round(frame.rotation / 90) % 4  # counterclockwise
        return Turn(quarter % 2 == 1, quarter in (2, 3), quarter in (1, 2))
    if matrix is None:
        return Turn()
    a, b, _, c, d = np.frombuffer(bytes(matrix), np.int32)[:5].tolist()  # (x, y) is shown at (a·x + c·y, b·x + d·y)
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Turn(False, a < 0, d < 0)
    return Turn(True, c < 0, b < 0)


class Upright:
    """Decoded frame → H×W×3 uint8 BGR, always of `size` (width, height), or of the first one's.

    Args:
        aspect: width of a pixel over its height; the shorter side is stretched, so that a face has its own proportions.
        most: (width, height), None for any; larger pictures are made as small, in proportion, where they are converted in any case.
    """

    def __init__(self, aspect: Fraction | None, size: Sequence[int] | None, warn: Callable[[str], None], most: Sequence[int | None] = (None, None)):
        self._aspect = float(aspect or 1)
        if not 1 / MOST_STRETCHED <= self._aspect <= MOST_STRETCHED:
            self._aspect = 1.0
        self._reformat = VideoReformatter().reformat  # one for all: a new one per frame costs 20 %
        self._turn: Turn | None = None
        self._size: tuple[int, int] | None = (size[0], size[1]) if size else None
        self._stored: set[tuple[int, int]] = set()  # sizes seen
        self._warn, self._most = warn, most

    def __call__(self, frame: av.VideoFrame) -> np.ndarray:
        if self._turn is None or frame.key_frame:
            self._turn = turn_of(frame)
        stored = (frame.width, frame.height)
        shown = self._no_larger(*self._turn.size(*self._square(*stored)))
        self._size = self._size or _within(shown)
        if stored not in self._stored:
            self._stored.add(stored)
            if shown != self._size:
                now, first = (f"{w}×{h}" for w, h in (shown, self._size))
                self._warn(f"the frame size changed to {now}; scaled to {first}")
        width, height = self._turn.size(*self._size)
        way = Interpolation.AREA if width * height < stored[0] * stored[1] else None  # every pixel counts, or small movements flicker
        plane = self._reformat(frame, width=width, height=height, format="bgr24", interpolation=way, threads=1).planes[0]
        rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[:height, : 3 * width]
        return self._turn(rows.reshape(height, width, 3))

    def _square(self, width: int, height: int) -> tuple[int, int]:
        """The size with square pixels."""
        if self._aspect == 1.0:
            return width, height
        square = (round(width * self._aspect), height) if self._aspect > 1 else (width, round(height / self._aspect))
        return square if square[0] * square[1] <= MOST_PIXELS else (width, height)

    def _no_larger(self, width: int, height: int) -> tuple[int, int]:
        scale = min([1.0, *(most / side for most, side in zip(self._most, (width, height)) if most)])
        return max(1, round(width * scale)), max(1, round(height * scale))


def _within(size: tuple[int, int]) -> tuple[int, int]:
    """
    Raises:
        SourceError: a side is longer than anything can be cut out of.
    """
    if max(size) > MOST_SIDE:
        raise SourceError(f"pictures of {size[0]}×{size[1]} pixels: at most {MOST_SIDE} a side are read; make them smaller")
    return size
