"""Files and network streams through PyAV, with their own timestamps. Runs in the child process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import av
import numpy as np
from av.error import EOFError as EndOfMedia
from av.error import ExitError, FFmpegError
from av.stream import Disposition
from av.video.reformatter import VideoReformatter

from realtime.errors import BrokenSourceError, SourceError
from realtime.sources.checks import VIDEO, why_unreadable

FALLBACK_FPS = 25.0
SMALL = 1280 * 720  # pixels: one thread decodes hundreds of such pictures a second
# Containers whose header states the duration. Elsewhere it is guessed from the size and says nothing about a cut.
STATES_DURATION = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi", "flv", "asf")
# Demuxers that invent timestamps at 25 fps: over a network the time of arrival is nearer the truth.
WITHOUT_CLOCK = ("mpjpeg", "mjpeg", "h264", "hevc", "m4v")
DEMUX_FAILURES = 10  # in a row, before a file counts as broken off

FILE_OPTIONS = {"protocol_whitelist": "file"}  # a playlist in disguise must not reach into the network
# No "nobuffer": it throws away what was read while probing, the first key frame too.
STREAM_OPTIONS = {"rtsp_transport": "tcp", "analyzeduration": "2000000"}


def open_media(request: dict, warn: Callable[[str], None]) -> tuple[dict, Iterator[tuple]]:
    """Open the file or URL `request["target"]`; see `reader._open`. Raises SourceError."""
    container = _open_container(request)
    stream = _video_stream(container, request["name"])
    # frame threads delay by a frame each, and between two cores a small picture costs half as much again
    alone = request["live"] or stream.codec_context.width * stream.codec_context.height <= SMALL
    stream.codec_context.thread_type = "SLICE" if alone else "AUTO"
    stream.codec_context.thread_count = 1 if alone else 2
    clockless = request["live"] and container.format.name in WITHOUT_CLOCK
    fps = None if clockless else float(stream.average_rate or stream.guessed_rate or 0) or None
    facts = {"fps": fps, "duration": _duration(container, stream), "nominal": 1 / (fps or FALLBACK_FPS)}
    return facts, _pictures(container, stream, request, warn, facts, clockless)


def _open_container(request: dict) -> av.container.InputContainer:
    name, live = request["name"], request["live"]
    av.logging.set_level(av.logging.ERROR)  # so that an error carries the library's last word
    try:
        return av.open(
            request["target"],
            options=STREAM_OPTIONS if live else FILE_OPTIONS,
            timeout=(request["open_seconds"], request["read_seconds"]) if live else None,
            metadata_errors="replace",  # a title in Latin-1 is no reason to refuse a film
        )
    except FFmpegError as error:
        word = error.log[2].strip() if error.log and error.log[2] else ""
        if not live:
            reason = word if "moov" in word else (error.strerror or str(error))
            raise SourceError(why_unreadable(request["target"], reason)) from None
        reason = error.strerror or str(error)
        if isinstance(error, ExitError):
            reason = f"no answer within {request['open_seconds']:g} s"
        elif word.startswith("Failed to resolve"):
            reason = "no such host"
        raise SourceError(f"cannot open {name}: {reason}: check the address and that the camera is on") from None
    finally:
        av.logging.set_level(None)


def _video_stream(container: av.container.InputContainer, name: str) -> av.VideoStream:
    for stream in container.streams.video:
        if stream.codec_context is None:
            raise SourceError(f"{name} holds video of a kind that cannot be decoded: convert it to MP4 (H.264)")
        if stream.codec_context.name == "ansi":  # FFmpeg plays text files as a film of a terminal
            raise SourceError(f"{name} is text, not a video: {VIDEO}")
        if not stream.disposition & Disposition.attached_pic:  # the cover of a song is no video
            return stream
    kinds = ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"
    raise SourceError(f"{name} holds no video, only {kinds}: {VIDEO}")


def _duration(container: av.container.InputContainer, stream: av.VideoStream) -> float | None:
    """Seconds of video. The shorter of the two statements, because an edit list may cut either."""
    if container.format.name == "avi" and stream.frames:
        return float(stream.frames * stream.time_base)  # FFmpeg shortens the other statements to what is there
    stated = [container.duration / av.time_base] if container.duration else []
    if stream.duration:
        stated.append(float(stream.duration * stream.time_base))
    return min(stated, default=None)


def _pictures(container, stream, request: dict, warn: Callable, facts: dict, clockless: bool) -> Iterator[tuple]:
    bgr = _ToBgr(request["size"], warn)
    # where only the whole container states a duration, sound may outlast the pictures: watch every stream's end
    watched = [stream] if request["live"] or stream.duration else list(container.streams)
    origin, end, fault = _seconds(stream.start_time, stream.time_base), 0.0, None
    begun = False
    try:
        for packet in _packets(container, watched, request["live"], warn):
            arrival = time.monotonic()
            if packet.stream is not stream:
                end = max(end, (_seconds(packet.pts, packet.time_base) or 0.0) - (origin or 0.0))
                continue
            for frame in _decode(packet, warn):
                pts = _seconds(frame.pts if frame.pts is not None else frame.dts, frame.time_base)
                if pts is not None:
                    if origin is None or (not begun and pts < origin):
                        origin = pts
                    if not begun and facts["duration"] and container.format.name == "matroska,webm":
                        facts["duration"] -= origin  # FFmpeg writes the time of the end there, not the length
                    pts -= origin
                    end = max(end, pts + facts["nominal"])
                begun = True
                yield (None if clockless else pts), arrival, bgr(frame)
    except FFmpegError as error:
        fault = error.strerror or str(error)
    _refuse_short(request, container.format.name, end, facts["duration"], fault)


def _refuse_short(request: dict, kind: str, end: float, stated: float | None, fault: str | None) -> None:
    """Raise BrokenSourceError where the frames ended with a fault, or well before the stated duration."""
    if request["live"] and stated is None:
        raise BrokenSourceError(f"the stream broke off: {fault}" if fault else "the stream ended")
    short = stated is not None and kind in STATES_DURATION and end < stated - max(0.5, 0.05 * stated)
    if short or (fault and stated is None):
        of = f" of {stated:.2f} s" if stated is not None else f" ({fault})"
        raise BrokenSourceError(
            f"{request['name']} broke off at {end:.2f} s{of}: the rest is missing or damaged; copy or record it again"
        )


def _packets(container, streams: list, live: bool, warn: Callable) -> Iterator[av.Packet]:
    """Every packet. In a file a fault is skipped, unless faults are all that comes."""
    failures = 0
    while True:
        try:
            for packet in container.demux(streams):
                failures = 0
                yield packet
            return
        except EndOfMedia:
            return
        except FFmpegError:
            failures += 1
            if live or failures > DEMUX_FAILURES:
                raise
            warn("damaged packets")


def _decode(packet: av.Packet, warn: Callable) -> list[av.VideoFrame]:
    try:
        return packet.decode()
    except EndOfMedia:
        return []
    except FFmpegError:
        warn("damaged packets")
        return []


def _seconds(ticks: int | None, time_base) -> float | None:
    return None if ticks is None or time_base is None else float(ticks * time_base)


class _ToBgr:
    """Decoded frame → H×W×3 BGR, upright, always `size`, or that of the first one."""

    def __init__(self, size: list[int] | None, warn: Callable):
        self._reformat = VideoReformatter().reformat  # one for all: a new one per frame costs 20 %
        self._size: tuple[int, int] | None = tuple(size) if size else None
        self._seen: set[tuple[int, int]] = set()
        self._warn = warn

    def __call__(self, frame: av.VideoFrame) -> np.ndarray:
        size = (frame.width, frame.height)
        if self._size is None:
            self._size = size
        if size != self._size and size not in self._seen:
            self._seen.add(size)
            now, first = (f"{w}×{h}" for w, h in (size, self._size))
            self._warn(f"the frame size changed to {now}; scaled to {first}")
        width, height = self._size
        plane = self._reformat(frame, width=width, height=height, format="bgr24", threads=1).planes[0]
        rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[:height, : 3 * width]
        return np.rot90(rows.reshape(height, width, 3), round(frame.rotation / 90))  # phones film sideways
