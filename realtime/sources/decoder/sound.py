"""The sound of a recording, beside its pictures or alone, by the same clock. Runs in a child process of its own (`realtime.output.sound`).

Reads one request from stdin, answers with one line, both JSON. Sound is copied as it is where MP4 and browsers take it;
otherwise it becomes AAC.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from heapq import merge

import av
from av.error import FFmpegError

from engines.isolated import limit_memory
from realtime.errors import MerError
from realtime.sources.decoder.files import FILE_OPTIONS, beginning
from realtime.sources.decoder.film import choose
from realtime.sources.decoder.parent import MEMORY

AS_IT_IS = ("aac", "mp3")
RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)  # hertz, of AAC
OVER_S = 0.5  # of sound that may outlast the pictures


def main() -> None:
    """Answers {"sound": whether the recording has any} or {"error": why it could not be had}. See `write` for the request."""
    request = json.loads(sys.stdin.read())
    limit_memory(MEMORY)
    try:
        answer: dict[str, bool | str] = {"sound": write(**request)}
    except (FFmpegError, OSError, ValueError, MemoryError, MerError) as error:
        answer = {"error": getattr(error, "strerror", None) or str(error) or type(error).__name__}
    print(json.dumps(answer), flush=True)
    os._exit(0)


def write(recording: str, video: str | None, out: str, since: float, stream: int | None, fps: float | None) -> bool:
    """Write `out`, an MP4: the pictures of `video` (our own file, untouched) with the sound of `recording`, or the sound alone.

    Its clock is the recording's, counted from `since` seconds: 0 is where a player begins.

    Args:
        stream: as in `SourceSettings`.
        fps: as in `SourceSettings`.

    Returns:
        whether there is sound; without, nothing is written.

    Raises:
        ValueError: its clock is no longer the pictures'.
    """
    with av.open(recording, options=FILE_OPTIONS, metadata_errors="replace") as given:
        heard = given.streams.best("audio")
        if heard is None or heard.codec_context is None:
            return False
        if fps is not None:
            raise ValueError(f"with source.fps={fps:g} the pictures no longer keep its time")
        begin = (beginning(given, choose(given, recording, stream, lambda line: None)) or 0.0) + since
        if since:
            given.seek(round(begin * av.time_base))
        with av.open(out, "w", format="mp4", options={"movflags": "use_metadata_tags"}) as made:
            if video is None:
                for _, packet in _sound(given, heard, _target(made, heard), begin, float("inf")):
                    made.mux(packet)
                return True
            with av.open(video) as seen:
                pictures = seen.streams.video[0]
                made.metadata.update(seen.metadata)
                picture_target = made.add_stream_from_template(pictures)
                target = _target(made, heard)
                end = float((pictures.start_time or 0) + (pictures.duration or 0)) * float(pictures.time_base)
                packets = _pictures(seen, pictures, picture_target)
                sound = _sound(given, heard, target, begin, end + OVER_S)
                for _, packet in merge(packets, sound, key=lambda one: one[0]):  # in the order of time: neither waits for the other
                    made.mux(packet)
    return True


def _target(made: av.container.OutputContainer, heard: av.AudioStream) -> av.AudioStream:
    if _as_it_is(heard):
        return made.add_stream_from_template(heard)
    rate = next((rate for rate in RATES if rate >= heard.rate), RATES[-1])
    return made.add_stream("aac", rate=rate, layout="mono" if heard.codec_context.channels == 1 else "stereo")


def _as_it_is(heard: av.AudioStream) -> bool:
    return heard.codec_context.codec.canonical_name in AS_IT_IS


def _pictures(seen, pictures: av.VideoStream, target: av.VideoStream) -> Iterator[tuple[float, av.Packet]]:
    for packet in seen.demux(pictures):
        if packet.dts is not None:
            when = float(packet.dts * packet.time_base)
            packet.stream = target
            yield when, packet


def _sound(given, heard: av.AudioStream, target: av.AudioStream, begin: float, end: float) -> Iterator[tuple[float, av.Packet]]:
    """(seconds, packet) of what lies between 0 and `end` by our clock."""
    copied = _as_it_is(heard)
    for packet in _demuxed(given, heard):
        if copied:
            if packet.pts is not None and 0 <= float(packet.pts * packet.time_base) - begin <= end:
                yield _shifted(packet, begin, target)
            continue
        with suppress(FFmpegError):  # a damaged stretch is silent
            for frame in packet.decode():
                if frame.pts is not None and 0 <= frame.time - begin <= end:
                    frame.pts -= round(begin / frame.time_base)
                    yield from _timed(target.encode(frame))
    if not copied:
        yield from _timed(target.encode(None))


def _demuxed(given, heard: av.AudioStream) -> Iterator[av.Packet]:
    with suppress(FFmpegError):  # cut off: what came before is good
        yield from given.demux(heard)


def _shifted(packet: av.Packet, begin: float, target: av.AudioStream) -> tuple[float, av.Packet]:
    packet.pts -= round(begin / packet.time_base)
    packet.dts = packet.pts
    when = float(packet.pts * packet.time_base)
    packet.stream = target
    return when, packet


def _timed(packets: list[av.Packet]) -> Iterator[tuple[float, av.Packet]]:
    for packet in packets:
        yield float(packet.pts * packet.time_base), packet


if __name__ == "__main__":
    main()
