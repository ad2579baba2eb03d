"""What can be said about a source before it is opened, or after it would not open."""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path

from realtime.errors import SourceError
from realtime.sources.cameras import listed

APPLE_DOUBLE = bytes.fromhex("00051607")
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
VIDEO = "expected a video file, such as MP4, MOV, MKV, AVI or MPG"
NAMED_RATE = "--fps 200 (source.fps=200)"


def check_file(path: Path, fps: float | None = None) -> None:
    """What can be told of a file, or of a folder of pictures, before it is opened.

    Args:
        fps: as asked for.

    Raises:
        SourceError: `path` cannot be a recording: missing, a folder without pictures or without a rate, empty, not readable.
    """
    if not os.path.exists(path) and re.search(r"[*?]|%0?\d*d", path.name) and path.suffix.lower() in PICTURES:
        raise SourceError(f"{path} is a pattern of pictures: name the folder that they lie in, with their rate: {path.parent} --fps 200")
    if not os.path.exists(path):  # unlike Path.exists, it takes any name
        raise SourceError(f"no such file: {path}: check the path ({VIDEO})")
    if path.is_dir():
        pictures = pictures_in(path)
        if not pictures:
            raise SourceError(f"{path} is a folder: {VIDEO}; name a file in it")
        if len(pictures) == 1:
            raise SourceError(f"{path} holds a single picture, which holds no movement: expected a video, or a folder of its frames")
        if fps is None:
            raise SourceError(f"{path} is a folder of {len(pictures)} pictures: say how many a second they are, such as {NAMED_RATE}")
        return
    if not os.access(path, os.R_OK):
        raise SourceError(f"{path} may not be read: check its permissions")
    if path.is_file() and path.stat().st_size == 0:
        raise SourceError(f"{path} is empty (0 bytes): {VIDEO}; copy or record it again")


def pictures_in(folder: Path) -> list[Path]:
    """The pictures that lie in a folder, img2 before img10; hidden files are none. Empty where it may not be read."""
    try:
        files = [file for file in folder.iterdir() if file.suffix.lower() in PICTURES and not file.name.startswith(".")]
    except OSError:
        return []
    return sorted(files, key=_in_order)


def _in_order(file: Path) -> tuple:
    words = re.split(r"(\d+)", file.stem.casefold())  # every second one is a number
    return [int(word) if at % 2 else word for at, word in enumerate(words)], file.name


def numbers_missing(files: list[Path]) -> int:
    """How many frames seem to be lost from a series, by the last number in each name; 0 where these do not count."""
    last = [re.findall(r"\d+", file.stem)[-1:] for file in files]
    numbers = [int(one[0]) for one in last if one]
    steps = [after - before for before, after in zip(numbers, numbers[1:])]
    if len(numbers) < len(files) or not steps or min(steps) < 1 or Counter(steps).most_common(1)[0][0] != min(steps):
        return 0
    missing = sum(step // min(steps) - 1 for step in steps)
    return missing if missing < len(files) else 0


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
