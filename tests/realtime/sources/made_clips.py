"""Clips for the tests of the sources. Each picture carries its number as its brightness (10 × number, modulo 250)."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

CLIPS = Path(os.environ.get("MER_DATA", Path(__file__).parents[4] / "shared" / "data")) / "clips"


def picture(number: int, width: int = 64, height: int = 48) -> np.ndarray:
    return np.full((height, width, 3), 10 * number % 250, np.uint8)


def number_of(pixels: np.ndarray) -> int:
    """The number (modulo 25) that `picture` wrote."""
    return round(float(pixels.mean()) / 10)


def film(path: Path, times: list[float], codec: str = "libx264", size=(64, 48), options=None, metadata=None, aspect=None, kind="yuv420p") -> Path:
    """One picture at each of `times` (seconds, to the millisecond). aspect: of a pixel. kind: of the stored pixels."""
    with av.open(str(path), "w", options=options or {}) as out:
        out.metadata.update(metadata or {})
        stream = out.add_stream(codec, rate=Fraction(1000))
        stream.width, stream.height, stream.pix_fmt = *size, kind
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        if codec == "libx264":
            stream.options = {"g": "10", "preset": "ultrafast"}
        for number, seconds in enumerate(times):
            frame = av.VideoFrame.from_ndarray(picture(number, *size), format="bgr24")
            frame.pts, frame.time_base = round(seconds * 1000), Fraction(1, 1000)
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return path


def steady(seconds: float, fps: float) -> list[float]:
    return [number / fps for number in range(round(seconds * fps))]


def jpegs(path: Path, packets: list[bytes], fps: int = 25, size=(64, 48)) -> Path:
    """Motion JPEG from ready packets, whatever is in them: one of another size, or garbage."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mjpeg", rate=fps)
        stream.width, stream.height, stream.pix_fmt = *size, "yuvj420p"
        for number, data in enumerate(packets):
            packet = av.Packet(data)
            packet.stream, packet.time_base = stream, Fraction(1, fps)
            packet.pts = packet.dts = number
            packet.is_keyframe = True
            out.mux(packet)
    return path


def jpeg(number: int, width: int = 64, height: int = 48) -> bytes:
    return cv2.imencode(".jpg", picture(number, width, height))[1].tobytes()


def cut(path: Path, to: Path, share: float) -> Path:
    data = path.read_bytes()
    to.write_bytes(data[: int(len(data) * share)])
    return to
