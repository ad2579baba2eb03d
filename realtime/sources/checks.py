"""What can be said about a source before it is opened, or after it would not open."""

from __future__ import annotations

import os
import re
from pathlib import Path

from realtime.errors import SourceError
from realtime.sources.cameras import listed

APPLE_DOUBLE = bytes.fromhex("00051607")
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
VIDEO = "expected a video file, such as MP4, MOV, MKV, AVI or MPG"


def check_file(path: Path) -> None:
    """What can be told of a file before it is opened.

    Raises:
        SourceError: `path` cannot be a recording: missing, a folder, empty, not readable.
    """
    if not os.path.exists(path) and re.search(r"[*?]|%0?\d*d", path.name) and path.suffix.lower() in PICTURES:
        raise SourceError(f"{path} is a pattern of pictures: {as_film(path)}")
    if not os.path.exists(path):  # unlike Path.exists, it takes any name
        raise SourceError(f"no such file: {path}: check the path ({VIDEO})")
    if path.is_dir() and (first := a_picture_in(path)):
        raise SourceError(f"{path} is a folder of pictures: {as_film(first)}")
    if path.is_dir():
        raise SourceError(f"{path} is a folder: {VIDEO}; name a file in it")
    if not os.access(path, os.R_OK):
        raise SourceError(f"{path} may not be read: check its permissions")
    if path.is_file() and path.stat().st_size == 0:
        raise SourceError(f"{path} is empty (0 bytes): {VIDEO}; copy or record it again")


def a_picture_in(folder: Path) -> Path | None:
    """The first picture that lies in a folder; None where there is none or it may not be read."""
    try:
        return min((file for file in folder.iterdir() if file.suffix.lower() in PICTURES), default=None)
    except OSError:
        return None


def as_film(picture: Path) -> str:
    """What to do with pictures, for one of them or their pattern."""
    if "%" in picture.name:
        given = f"-i {picture}"
    else:
        given = f"-pattern_type glob -i '{picture.parent / ('*' + picture.suffix)}'"
    return f"make a film of them first, with their rate: ffmpeg -framerate 200 {given} clip.mp4"


def why_unreadable(path: str, reason: str) -> str:
    """One line for a file that no demuxer took; `reason` is the library's own word."""
    try:
        with open(path, "rb") as file:
            head = file.read(4096)
    except OSError:
        head = b""
    if head[:4] == APPLE_DOUBLE:
        return f"{path} is what macOS leaves beside a file on other disks, not the film itself: name the file without '._'"
    if head[4:8] == b"ftyp" and "moov" in reason:
        return f"{path} is cut short: its index (the moov box) is missing; copy or export it again"
    if head and all(byte in b"\t\n\r\f" or byte >= 32 for byte in head):
        return f"{path} is text, not a video: {VIDEO}"
    return f"{path} cannot be read as a video ({reason}): {VIDEO}"


def no_camera(index: int) -> str:
    """One line for a camera that would not open."""
    if Path(f"/dev/video{index}").exists():
        return (
            f"camera {index} (/dev/video{index}) would not open: it may be in use by another program, be no capture device, or need the group 'video'"
        )
    return f"no camera {index}: {listed()}; use one of those, or --source with a file or URL"
