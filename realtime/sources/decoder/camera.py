"""Cameras through OpenCV: on Linux its V4L2, elsewhere what it finds. Runs in the child process."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator

from realtime.errors import BrokenSourceError, MissingPartError, SourceError
from realtime.sources.base import DAMAGED
from realtime.sources.checks import no_camera
from realtime.sources.encoded import Encoded, Keeping

FALLBACK_FPS = 30.0
JPEG, JPEG_END = b"\xff\xd8", b"\xff\xd9"


def open_camera(request: dict, warn: Callable[[str], None], keep: Keeping) -> tuple[dict, Iterator[tuple]]:
    """Open camera number `request["camera"]`, asking for width, height and fps; see `child._open`.

    What the camera really gives is in the facts (fps) and in the frames (size).

    Raises:
        SourceError: there is no such camera, or it would not open.
        MissingPartError: OpenCV cannot be loaded.
    """
    try:
        import cv2
    except ImportError as error:
        raise MissingPartError(f"OpenCV cannot be loaded ({error}): install libgl1 and libglib2.0-0, then opencv-contrib-python") from None

    capture = cv2.VideoCapture(request["camera"], cv2.CAP_V4L2 if sys.platform == "linux" else cv2.CAP_ANY)
    if not capture.isOpened():
        raise SourceError(no_camera(request["camera"]))
    wanted = {
        getattr(cv2, f"CAP_PROP_{prop}"): request[key]
        for prop, key in (("FRAME_WIDTH", "width"), ("FRAME_HEIGHT", "height"), ("FPS", "fps"))
        if request[key] is not None
    }
    _ask(capture, wanted)
    if any(round(capture.get(prop)) < round(value) for prop, value in wanted.items()):
        # uncompressed pictures do not fit the USB cable at every size and rate; JPEG ones may
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        _ask(capture, wanted)
    fps = capture.get(cv2.CAP_PROP_FPS)
    fps = fps if 0 < fps < 10_000 else None
    packed = Packed(cv2, capture, keep)
    facts = {"fps": fps, "duration": None, "nominal": 1 / (fps or FALLBACK_FPS), "codec": "mjpeg" if packed.possible else None}
    return facts, _pictures(cv2, capture, request, warn, packed)


def _ask(capture, wanted: dict[int, float]) -> None:
    for prop, value in wanted.items():
        capture.set(prop, value)


class Packed:
    """A camera's JPEG pictures as they come, while they are kept; OpenCV then hands them over as bytes, and they are decoded here as it does.

    Attributes:
        possible: the camera sends JPEG, and OpenCV lets it out.
    """

    def __init__(self, cv2, capture, keep: Keeping):
        self._cv2, self._capture, self._keep = cv2, capture, keep
        self.possible = round(capture.get(cv2.CAP_PROP_FOURCC)) in [cv2.VideoWriter.fourcc(*letters) for letters in ("MJPG", "JPEG")]
        self._on = False

    def switch(self) -> None:
        """Before each picture is asked for."""
        if self._on != (self._keep.wanted and self.possible):
            self._on = not self._on
            self._capture.set(self._cv2.CAP_PROP_CONVERT_RGB, 0 if self._on else 1)

    def decoded(self, pixels, stamp: float | None):
        """The picture as OpenCV would have given it, None where it is damaged; its bytes are kept."""
        if not self._on or (pixels.ndim == 3 and pixels.shape[2] == 3):
            return pixels
        data = pixels.tobytes()
        data = data[: data.rfind(JPEG_END) + 2]  # the rest of the buffer is an older picture's
        if not data.startswith(JPEG):
            self.possible = False  # what this driver gives is something else
            return None
        self._keep(Encoded("mjpeg", True, stamp, stamp, data))
        return self._cv2.imdecode(pixels.reshape(-1), self._cv2.IMREAD_COLOR)


def _pictures(cv2, capture, request: dict, warn: Callable, packed: Packed) -> Iterator[tuple]:
    size, changed = request["size"] and tuple(request["size"]), False
    while True:
        packed.switch()
        good, pixels = capture.read()
        if not good:
            raise BrokenSourceError("the camera gave no picture: it was unplugged, or another program took it")
        arrival = time.monotonic()
        stamp = capture.get(cv2.CAP_PROP_POS_MSEC)  # the driver's time of capture; 0 or less where it keeps none
        seconds = stamp / 1000 if stamp > 0 else None
        pixels = packed.decoded(pixels, seconds)
        if pixels is None:
            warn(DAMAGED)
            continue
        if pixels.ndim == 2:
            pixels = cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR)
        now = (pixels.shape[1], pixels.shape[0])
        size = size or now
        if now != size:
            if not changed:
                warn(f"the frame size changed to {now[0]}×{now[1]}; scaled to {size[0]}×{size[1]}")
            changed = True
            pixels = cv2.resize(pixels, size)
        yield seconds, arrival, pixels
