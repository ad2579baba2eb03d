"""A folder of pictures as a film: one after another in the order of their numbers, so many a second. Runs in the child process."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from pathlib import Path

import av
from av.error import FFmpegError

from realtime.sources.base import DAMAGED
from realtime.sources.checks import numbers_missing, pictures_in
from realtime.sources.decoder.files import OPTIONS, STRICT, WHOLE_OR_NONE
from realtime.sources.decoder.film import Upright

# a file's first bytes say what it is, whatever its name says
BEGINNINGS = {b"\xff\xd8": "mjpeg", b"\x89PNG": "png", b"BM": "bmp", b"II*\0": "tiff", b"MM\0*": "tiff", b"RIFF": "webp"}


def open_pictures(request: dict, warn: Callable[[str], None]) -> tuple[dict, Iterator[tuple]]:
    """The pictures in `request["target"]`, `request["fps"]` a second; see `child._open`. One that is damaged is left out, its time stays."""
    files = pictures_in(Path(request["target"]))
    if missing := numbers_missing(files):
        warn(f"{missing} numbers are missing among its pictures: those that are there follow one another")
    step = 1 / request["fps"]
    upright = Upright(None, request["size"], warn, (request["width"], request["height"]))
    return {"fps": request["fps"], "duration": len(files) * step, "nominal": step}, _pictures(files, step, upright, warn)


def _pictures(files: list[Path], step: float, upright: Upright, warn: Callable[[str], None]) -> Iterator[tuple]:
    for number, file in enumerate(files):
        frame = _decoded(file)
        if frame is None:
            warn(DAMAGED)
        else:
            yield number * step, None, upright(frame)


def _decoded(file: Path) -> av.VideoFrame | None:
    """None where it holds no picture, or a part of one."""
    try:
        data = file.read_bytes()
        codec = next((codec for beginning, codec in BEGINNINGS.items() if data.startswith(beginning)), None)
        if codec is None:
            return None
        decoder = av.CodecContext.create(codec, "r")  # a new one: that of PNG adds up what it is given
        decoder.thread_count, decoder.options = 1, OPTIONS | (STRICT if codec in WHOLE_OR_NONE else {})
        frame = next(iter(decoder.decode(av.Packet(data))), None)
    except (OSError, FFmpegError) as error:
        if error.errno == errno.ENOMEM:
            raise MemoryError from None
        return None
    return None if frame is None or frame.is_corrupt else frame
