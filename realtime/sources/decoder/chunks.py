"""Encoded pictures that somebody sends one by one, such as a browser. Runs in the child process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import av
from av.error import FFmpegError

from realtime.errors import SourceError
from realtime.sources.base import MOST_SENT_PIXELS
from realtime.sources.decoder.film import Upright


def open_chunks(request: dict, chunks: Iterable[bytes], warn: Callable[[str], None]) -> tuple[dict, Iterator[tuple]]:
    """Decode `request["codec"]`, one answer for each chunk, scaled to `request["size"]`; see `child._open`.

    The pictures carry no times, and are None where a chunk held none.

    Raises:
        SourceError: the first one held none.
    """
    codec = av.CodecContext.create(request["codec"], "r")
    codec.thread_count = 1  # threads delay by a picture each
    codec.options = {"max_pixels": str(MOST_SENT_PIXELS), "flags": "low_delay"}
    upright = Upright(None, request["size"], warn)
    return {"fps": None, "duration": None, "nominal": 1 / 30}, _pictures(codec, chunks, upright, request)


def _pictures(codec: av.CodecContext, chunks: Iterable[bytes], upright: Upright, request: dict) -> Iterator[tuple]:
    begun = False
    for chunk in chunks:
        try:
            frame = _decoded(codec, chunk)
            pixels = None if frame is None else upright(frame)
        except MemoryError:
            raise SourceError(f"a chunk from {request['name']} needs more memory than it may have") from None
        if pixels is None and not begun:
            raise SourceError(f"{request['name']} sent something that is no {request['codec'].upper()} video")
        begun = True
        yield None, None, pixels


def _decoded(codec: av.CodecContext, chunk: bytes) -> av.VideoFrame | None:
    try:
        frames = codec.decode(av.Packet(chunk)) if chunk else []
    except FFmpegError:
        return None
    fitting = [frame for frame in frames if frame.width * frame.height <= MOST_SENT_PIXELS]
    return fitting[-1] if fitting else None
