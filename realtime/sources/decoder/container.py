"""What a container says of its film: which of its streams that is, and how many frames a second; where there is reason, it is
doubted. Runs in the child process.
"""

from __future__ import annotations

from collections.abc import Callable

import av
from av.stream import Disposition

from realtime.errors import SourceError
from realtime.sources.checks import VIDEO

NO_FILM = Disposition.attached_pic | Disposition.timed_thumbnails  # the cover of a song, the previews of a player


def choose(container: av.container.InputContainer, name: str, number: int | None, warn: Callable[[str], None]) -> av.VideoStream:
    """Stream `number` of the container, or the one marked as default, the largest of several. Raises SourceError."""
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


FALLBACK_FPS = 25.0
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
DOUBTFUL = 1.5  # a container's rate that is so many times the pictures' own, or less than its inverse
PLAUSIBLE = (5.0, 480.0)  # frames a second; pictures of uneven rate often name their clock's ticks, 1000 or 90000, instead
HINT = "source.fps=N sets it"


class Rate:
    """fps: frames a second. own: those of the source's own timestamps. clockless: it has none, or invented ones.

    asked: by the user; then, and where the source has no clock, a frame's number says its time.
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
        """raw: the source's own word."""
        return number / self.fps if self._by_number else raw
