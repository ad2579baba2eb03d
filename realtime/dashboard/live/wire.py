"""The bytes of the live tab's WebSocket: chunks of the camera come in, pictures go out (see `socket`)."""

from __future__ import annotations

import json
import struct
import time

import cv2
import numpy as np

from realtime.errors import SourceError
from realtime.sources.packet import Packet

VERSION = 1
HEADER = struct.Struct("<BBBxIq")  # version, flags, layout, one of padding, size, microseconds
KEY, FULL_RANGE = 1, 2  # bits of the flags
VIEW_WIDTH = 960  # pixels of what a page is shown of a server's source
QUALITY = 82  # of that JPEG


def chunk(message: bytes) -> Packet:
    """One picture of the browser's camera. Raises SourceError where `message` is none."""
    if len(message) < HEADER.size:
        raise SourceError("the browser sent a chunk without a header: reload the page")
    version, flags, layout, size, microseconds = HEADER.unpack_from(message)
    if version != VERSION or size != len(message) - HEADER.size:
        raise SourceError("the browser sent a chunk of another version or size than it said: reload the page")
    data = message[HEADER.size :]
    return Packet(microseconds, bool(flags & KEY), data, time.monotonic(), layout, bool(flags & FULL_RANGE))


def with_head(head: dict, data: bytes) -> bytes:
    """Length of the JSON head (4 bytes), the head, one picture."""
    text = json.dumps(head).encode()
    return struct.pack("<I", len(text)) + text + data


def view_jpeg(pixels: np.ndarray) -> bytes:
    """H×W×3 uint8 BGR, at most VIEW_WIDTH wide."""
    height, width = pixels.shape[:2]
    if width > VIEW_WIDTH:
        pixels = cv2.resize(pixels, (VIEW_WIDTH, round(height * VIEW_WIDTH / width)), interpolation=cv2.INTER_AREA)
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()
