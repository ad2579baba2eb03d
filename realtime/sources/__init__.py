"""Where frames come from: a recording waits for its reader, a camera or a stream drops its oldest frames.

    with open_source("clip.mp4", settings=SourceSettings()) as source:
        for frame in source:
            ...

This package stays light: every decoder lives in a child process (`decoder`), because the media
that people send may crash one, and the child imports this file too.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from realtime.errors import ON_WINDOWS, MissingPartError, SourceError, UsageError
from realtime.sources.base import Gap, Source, SourceCounts, SourceInfo, SourceSettings

__all__ = ["VIDEO_ENDINGS", "Gap", "Source", "SourceCounts", "SourceInfo", "SourceSettings", "is_stream", "lies_here", "open_source"]

# of recordings in a folder or an upload: the usual ones first, raw streams last
VIDEO_ENDINGS = tuple(
    ".mp4 .m4v .mov .mkv .webm .avi .mpg .mpeg .wmv .flv .ts .mts .m2ts .vob .mxf .dv .ogv .3gp .gif .y4m .mjpeg .h264 .264 .h265 .265 .hevc .ivf".split()
)
STREAM_SCHEMES = ("rtsp", "rtsps", "rtmp", "http", "https", "udp", "tcp", "rtp", "srt")


def open_source(spec: int | str | Path, *, as_live: bool = False, settings: SourceSettings | None = None) -> Source:
    """Open a camera (its index), a network stream (its URL) or a recording (the path of a file, or of
    a folder of pictures), and wait for its first frame.

    A recording gives every frame, in order. With `as_live` it plays at its own clock and drops like a camera
    does; cameras and streams always do.

    Args:
        spec: an index, a URL or a path.
        as_live: for a recording alone.
        settings: what may be chosen; by default nothing is.

    Raises:
        SourceError: there is nothing to read, one line.
        UsageError: a size or a rate that cannot be.
        MissingPartError: on Windows itself.
    """
    if sys.platform == "win32":
        raise MissingPartError(ON_WINDOWS)
    settings = settings or SourceSettings()
    for side in ("width", "height"):
        if (value := getattr(settings, side)) is not None and value < 1:
            raise UsageError(f"source.{side} must be above 0, got {value}")
    if isinstance(spec, bool) or not isinstance(spec, int | str | Path):
        raise SourceError(f"a source is a camera index, a URL or a path, got {spec!r}")
    # imported here so that the child process, which imports this package too, does not load the parent's side
    from realtime.sources.live import Live
    from realtime.sources.recording import Recording

    if isinstance(spec, int):
        return Live.camera(spec, settings)
    if is_stream(spec):
        return Live.stream(str(spec), settings)
    return Live.recording(spec, settings) if as_live else Recording(spec, settings)


def lies_here(spec: int | str | Path) -> bool:
    """Whether `spec` is the path of a recording on this machine, a file or a folder."""
    return not isinstance(spec, int) and (os.path.isfile(spec) or os.path.isdir(spec))


def is_stream(spec: int | str | Path) -> bool:
    """Whether `spec` is a URL.

    Raises:
        SourceError: a URL of a kind that cannot be opened.
    """
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", str(spec))
    if not scheme:
        return False
    if scheme[1].lower() not in STREAM_SCHEMES:
        kinds = ", ".join(STREAM_SCHEMES)
        raise SourceError(f"cannot open {scheme[1]}:// addresses: expected one of {kinds}, or a path")
    return True
