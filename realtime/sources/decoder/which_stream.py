"""Which of a container's streams is the film. Runs in the child process."""

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
