"""Files and network streams through PyAV, with their own timestamps. Runs in the child process."""

from __future__ import annotations

import errno
import os
import re
import time
from collections.abc import Callable, Iterator
from itertools import chain

import av
from av.error import EOFError as EndOfMedia
from av.error import ExitError, FFmpegError

from realtime.errors import BrokenSourceError, MerError, SourceError
from realtime.sources.addresses import host_of, proxy_for
from realtime.sources.base import DAMAGED, MOST_PIXELS, PACKETS
from realtime.sources.checks import why_unreadable
from realtime.sources.clock import FileClock
from realtime.sources.decoder.film import NO_FILM, Rate, Upright, choose
from realtime.sources.decoder.kept import Packets
from realtime.sources.encoded import Keeping

SMALL = 1280 * 720  # pixels: one thread decodes hundreds of such pictures a second
MATROSKA = "matroska,webm"
# Containers whose header states the duration. Elsewhere it is guessed from the size and says nothing about a cut.
STATES_DURATION = ("mov,mp4,m4a,3gp,3g2,mj2", MATROSKA, "avi", "flv", "asf")
DEMUX_FAILURES = 10  # in a row, before a file counts as broken off

OPTIONS = {"max_pixels": str(MOST_PIXELS)}  # obeyed while the file is probed, too: nothing larger is decoded even once
# a playlist in disguise must not reach into the network, nor the name of a picture mean a whole series
FILE_OPTIONS = OPTIONS | {"protocol_whitelist": "file", "pattern_type": "none"}
# No "nobuffer": it throws away what was read while probing, the first key frame too.
STREAM_OPTIONS = OPTIONS | {"rtsp_transport": "tcp", "analyzeduration": "2000000"}
WHOLE_OR_NONE = ("mjpeg", "png", "apng", "webp")  # of these half a picture comes without a flag, unless it is forbidden
STRICT = {"err_detect": "explode"}


def open_media(request: dict, warn: Callable[[str], None], keep: Keeping) -> tuple[dict, Iterator[tuple]]:
    """Open the file or URL `request["target"]`; see `child._open`.

    Raises:
        SourceError: it cannot be opened, or holds no film.
    """
    container = _open_container(request)
    stream = choose(container, request["name"], request["stream"], warn)
    context = stream.codec_context
    # frame threads delay by a frame each, and between two cores a small picture costs half as much again
    alone = request["live"] or context.width * context.height <= SMALL
    context.thread_type = "SLICE" if alone else "AUTO"
    context.thread_count = 1 if alone else 2

    begin = beginning(container, stream)
    stated = _duration(container, stream, begin)
    film = not request["live"] or stated is not None  # a film on a web server has an end, too
    context.options = OPTIONS | (STRICT if film and context.name in WHOLE_OR_NONE else {})
    rate = Rate(container, stream, request["fps"] if film else None, film, warn)
    facts = {"fps": rate.fps if film or not rate.clockless else None, "nominal": 1 / rate.fps, "duration": stated}
    packets = Packets(stream, keep)
    facts["codec"] = packets.codec
    frames = _frames(container, stream, request, warn, begin, facts, rate, packets)
    if film:
        timed = ((rate.seconds(number, raw), arrival, frame) for number, raw, arrival, frame in frames)
        frames = FileClock(1 / rate.fps, warn)(_several(timed, request["name"]))
    else:
        frames = ((None if rate.clockless else raw, arrival, frame) for _, raw, arrival, frame in frames)
    upright = Upright(stream.sample_aspect_ratio, request["size"], warn, (request["width"], request["height"]))
    return facts, ((pts, arrival, upright(frame)) for pts, arrival, frame in frames)


def _open_container(request: dict) -> av.container.InputContainer:
    name, live = request["name"], request["live"]
    proxy = proxy_for(request["target"]) if live else None
    if proxy is None:
        os.environ.pop("http_proxy", None)  # FFmpeg knows nothing of what lies near
    av.logging.set_level(av.logging.ERROR)  # so that an error carries the library's last word
    try:
        with av.logging.Capture() as said:
            container = av.open(
                request["target"],
                options=STREAM_OPTIONS if live else FILE_OPTIONS,
                timeout=(request["open_seconds"], request["read_seconds"]) if live else None,
                metadata_errors="replace",  # a title in Latin-1 is no reason to refuse a film
            )
    except FFmpegError as error:
        if error.errno == errno.ENOMEM:
            raise MemoryError from None
        word = error.log[2].strip() if error.log and error.log[2] else ""
        if not live:
            reason = word if "moov" in word else (error.strerror or str(error))
            raise SourceError(why_unreadable(request["target"], reason)) from None
        reason = error.strerror or str(error)
        if isinstance(error, ExitError):
            reason = f"no answer within {request['open_seconds']:g} s"
        elif word.startswith("Failed to resolve"):
            reason = "no such host"
        way = f" through the proxy {proxy} of http_proxy (no_proxy={host_of(name)} goes around it)" if proxy else ""
        raise SourceError(f"cannot open {name}{way}: {reason}: check the address and that the camera is on") from None
    finally:
        av.logging.set_level(None)
    _refuse_large(container, name, [message for _, _, message in said])
    return container


def _refuse_large(container: av.container.InputContainer, name: str, said: list[str]) -> None:
    """Raise SourceError where a picture is larger than any may be, by the header or by what the probing said."""
    sizes = [(stream.width, stream.height) for stream in container.streams.video if stream.codec_context is not None]
    sizes += [(int(size[1]), int(size[2])) for text in said if (size := re.match(r"Picture size (\d+)x(\d+) ", text))]
    for width, height in sizes:
        if width * height > MOST_PIXELS:
            raise SourceError(
                f"{name} has pictures of {width}×{height} pixels: at most {MOST_PIXELS / 1e6:.0f} million (8192×4320) are read; make them smaller"
            )


def beginning(container: av.container.InputContainer, stream: av.VideoStream) -> float | None:
    """Where a player's clock stands at 0, in the stream's seconds: where the first of pictures and sound begins."""
    films = [s for s in container.streams.video if not s.disposition & NO_FILM]
    starts = [_seconds(s.start_time, s.time_base) for s in (*films, *container.streams.audio)]
    own = _seconds(stream.start_time, stream.time_base)
    if own is None:
        return None
    first = min(start for start in starts if start is not None)
    return 0.0 if first < 0 <= own else first  # sound a few milliseconds before 0 is the encoder's run-up


def _duration(container: av.container.InputContainer, stream: av.VideoStream, begin: float | None) -> float | None:
    """Seconds until the pictures end. The shorter of the two statements, because an edit list may cut either."""
    if container.format.name == "avi" and stream.frames:
        return float(stream.frames * stream.time_base)  # FFmpeg shortens the other statements to what is there
    stated = [container.duration / av.time_base] if container.duration else []
    if stated and container.format.name == MATROSKA:
        stated[0] -= begin or 0.0  # FFmpeg writes the time of the end there, not the length
    if stream.duration:
        late = (_seconds(stream.start_time, stream.time_base) or 0.0) - (begin or 0.0)
        stated.append(late + float(stream.duration * stream.time_base))
    return min(stated, default=None)


def _frames(container, stream, request: dict, warn: Callable, begin: float | None, facts: dict, rate: Rate, packets: Packets) -> Iterator[tuple]:
    """(number, seconds or None, arrival, frame) of each good frame; the number counts the damaged ones, too."""
    # where only the whole container states a duration, sound may outlast the pictures: watch every stream's end
    watched = [stream] if request["live"] or stream.duration else list(container.streams)
    stated, number, end, fault = facts["duration"], -1, 0.0, None
    try:
        for packet in _packets(container, watched, request["live"], warn):
            arrival = time.monotonic()
            if packet.stream is not stream:
                end = max(end, (_seconds(packet.pts, packet.time_base) or 0.0) - (begin or 0.0))
                continue
            packets(packet, begin)
            for frame in _decoded(packet, warn):
                raw, number = _seconds(frame.pts if frame.pts is not None else frame.dts, frame.time_base), number + 1
                if raw is not None and (begin is None or (number == 0 and raw < begin)):
                    if begin is None and stated and container.format.name == MATROSKA:
                        stated -= raw
                    begin = raw
                if number == 0 and stated:
                    facts["duration"] = stated * rate.own / rate.fps
                if raw is not None:
                    raw -= begin
                    end = max(end, raw + 1 / rate.own)
                if frame.is_corrupt:
                    warn(DAMAGED)
                else:
                    yield number, raw, arrival, frame
    except FFmpegError as error:
        fault = error.strerror or str(error)
    _refuse_short(request, container.format.name, end, stated, fault)


def _several(frames: Iterator[tuple], name: str) -> Iterator[tuple]:
    """The same frames. Raises SourceError, before the first, where there is but one."""
    first, fault, second = next(frames, None), None, []
    try:
        second = [frame for frame in (next(frames, None),) if frame]
    except MerError as error:
        fault = error
    if first is not None and not second and fault is None:
        raise SourceError(f"{name} is a single picture, which holds no movement: expected a video")
    if first is not None:
        yield first
    if fault is not None:
        raise fault
    yield from chain(second, frames)


def _refuse_short(request: dict, kind: str, end: float, stated: float | None, fault: str | None) -> None:
    """Raise BrokenSourceError where the frames ended with a fault, or well before the stated duration."""
    if request["live"] and stated is None:
        raise BrokenSourceError(f"the stream broke off: {fault}" if fault else "the stream ended")
    short = stated is not None and kind in STATES_DURATION and end < stated - max(0.5, 0.05 * stated)
    if short or (fault and stated is None):
        of = f" of {stated:.2f} s" if stated is not None else f" ({fault})"
        raise BrokenSourceError(f"{request['name']} broke off at {end:.2f} s{of}: the rest is missing or damaged; copy or record it again")


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
            warn(PACKETS)


def _decoded(packet: av.Packet, warn: Callable) -> list[av.VideoFrame]:
    try:
        return packet.decode()
    except EndOfMedia:
        return []
    except FFmpegError as error:
        if error.errno == errno.ENOMEM:
            raise MemoryError from None
        warn(DAMAGED)
        return []


def _seconds(ticks: int | None, time_base) -> float | None:
    return None if ticks is None or time_base is None else float(ticks * time_base)
