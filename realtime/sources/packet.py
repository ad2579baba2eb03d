"""What a browser sends, picture by picture; and raw ones, planes of brightness and colour as cameras give them, in BGR."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

LAYOUTS = {1: "I420", 2: "NV12"}  # of a raw picture, as `Packet.layout`

_LEVELS = np.arange(256)
_NARROW_Y = np.round(16 + _LEVELS * 219 / 255).astype(np.uint8)
_NARROW_C = np.round(128 + (_LEVELS - 128) * 224 / 255).astype(np.uint8)


@dataclass(frozen=True, eq=False)
class Packet:
    """One picture.

    Attributes:
        microseconds: when it was taken, in the browser's clock.
        key: it stands on its own.
        data: encoded, or the raw planes.
        arrival: when it came, `time.monotonic()` seconds.
        layout: of a raw one, see LAYOUTS; 0 for an encoded one.
        full: the values of a raw one reach from 0 to 255, not from 16 to 235.
    """

    microseconds: int
    key: bool
    data: bytes
    arrival: float
    layout: int = 0
    full: bool = False


def from_raw(packet: Packet, width: int, height: int) -> np.ndarray | None:
    """H×W×3 uint8 BGR, None where the bytes are no such picture."""
    if packet.layout not in LAYOUTS or len(packet.data) != width * height * 3 // 2:
        return None
    planes = np.frombuffer(packet.data, np.uint8).reshape(height * 3 // 2, width)
    if packet.full:  # OpenCV knows only the narrow range
        planes = np.concatenate([cv2.LUT(planes[:height], _NARROW_Y), cv2.LUT(planes[height:], _NARROW_C)])
    return cv2.cvtColor(planes, getattr(cv2, f"COLOR_YUV2BGR_{LAYOUTS[packet.layout]}"))
