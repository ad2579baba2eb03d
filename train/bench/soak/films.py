"""The known clip as several cameras would send it, and the slate before each showing, by which the program's time is found again."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from realtime.sources.demo import DEMO_CLIP

TICKS = 90_000  # a second, of MPEG's clock
KINDS: dict[str, tuple[int, tuple[int, int], str]] = {  # frames/s, size, pixel format
    "usual": (25, (320, 240), "yuv420p"),
    "size": (25, (480, 360), "yuv420p"),
    "rate": (20, (320, 240), "yuv420p"),
    "pixels": (25, (320, 240), "yuv444p"),
}
BITS = 20  # of a slate's number
FRAME = [True, False, True, False]  # before and behind it
GREY = 110


@dataclass(frozen=True)
class Sent:
    """A picture, encoded (H.264 in Annex B). key: it stands on its own."""

    data: bytes
    key: bool


@dataclass(frozen=True)
class Truth:
    """A movement of the clip, seconds since its begin."""

    onset: float
    apex: float
    offset: float


class Film:
    """One kind of camera.

    Attributes:
        shown: the clip, (seconds since its begin, picture).
        room: the empty room.
    """

    def __init__(self, kind: str, seconds: float):
        """
        Args:
            seconds: how much of the clip is shown.
        """
        self.fps, self.size, self.pixels = KINDS[kind]
        encoder = self._encoder(self.fps)  # a key frame a second
        self.shown: list[tuple[float, Sent]] = []
        due = 0.0
        with av.open(DEMO_CLIP) as clip:
            for frame in clip.decode(video=0):
                if frame.time >= seconds:
                    break
                if frame.time >= due - 1e-6:
                    due += 1 / self.fps
                    self.shown += [(frame.time, one) for one in self._encoded(encoder, frame.reformat(*self.size, self.pixels), frame.time)]
        self._single = self._encoder(1)
        self.room = self._still(np.full((*self.size[::-1], 3), GREY, np.uint8))

    def slate(self, number: int) -> Sent:
        return self._still(slate(number, self.size))

    def _still(self, pixels: np.ndarray) -> Sent:
        picture = av.VideoFrame.from_ndarray(pixels, "bgr24").reformat(format=self.pixels)
        return self._encoded(self._single, picture, None)[0]

    def _encoder(self, most_between_keys: int) -> av.VideoCodecContext:
        encoder = av.CodecContext.create("libx264", "w")
        encoder.width, encoder.height = self.size
        encoder.pix_fmt, encoder.time_base, encoder.framerate = self.pixels, Fraction(1, TICKS), Fraction(self.fps)
        encoder.thread_count = 1
        encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "crf": "18", "g": str(most_between_keys)}
        return encoder

    @staticmethod
    def _encoded(encoder: av.VideoCodecContext, frame: av.VideoFrame, seconds: float | None) -> list[Sent]:
        frame.pts, frame.time_base = None if seconds is None else round(seconds * TICKS), Fraction(1, TICKS)
        return [Sent(bytes(packet), packet.is_keyframe) for packet in encoder.encode(frame)]


def truth(seconds: float) -> list[Truth]:
    """What moves in the clip's first seconds."""
    with open(Path(DEMO_CLIP).with_suffix(".csv"), newline="") as file:
        rows = [Truth(float(row["onset_s"]), float(row["apex_s"]), float(row["offset_s"])) for row in csv.DictReader(file)]
    return [row for row in rows if row.offset < seconds - 0.5]


def slate(number: int, size: tuple[int, int]) -> np.ndarray:
    """A picture (H×W×3 uint8 BGR) of bars, white for each bit of a number that is set."""
    bars = [*FRAME, *(bool(number >> bit & 1) for bit in range(BITS)), *FRAME]
    across = np.arange(size[0]) * len(bars) // size[0]
    row = np.where(np.array(bars)[across], 235, 16).astype(np.uint8)
    return np.broadcast_to(row[None, :, None], (size[1], size[0], 3)).copy()


def number_of(pixels: np.ndarray) -> int | None:
    """Of a picture (H×W×3 uint8 BGR) that may be a slate; None where it is none."""
    height, width = pixels.shape[:2]
    number = BITS + 2 * len(FRAME)
    places = (np.arange(number) * 2 + 1) * width // (2 * number)
    seen = pixels[[height // 5, height // 2, 4 * height // 5], :, 1][:, places].astype(int)
    bars = seen > 128
    clear = (abs(seen - 128) > 70).all() and (bars == bars[0]).all()
    bits = bars[0].tolist()
    if not clear or bits[: len(FRAME)] != FRAME or bits[-len(FRAME) :] != FRAME:
        return None
    return sum(bit << at for at, bit in enumerate(bits[len(FRAME) : -len(FRAME)]))
