"""Films that tests make for themselves."""

from pathlib import Path

import av
import numpy as np
from places import DEMO


def film(path: Path, times: list[float]) -> bytes:
    """Of black pictures at these times, seconds."""
    with av.open(str(path), "w") as made:
        stream = made.add_stream("mpeg4", rate=30)
        stream.width = stream.height = 64
        for seconds in times:
            frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="bgr24")
            frame.pts = round(seconds * 30)
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    return path.read_bytes()


def sounding(path: Path) -> Path:
    """The demo clip with a tone from 4.5 s to 5 s."""
    with av.open(str(DEMO)) as clip, av.open(str(path), "w") as made:
        shown, tone = clip.streams.video[0], made.add_stream("aac", rate=48_000, layout="mono")
        target = made.add_stream_from_template(shown)
        for packet in clip.demux(shown):
            if packet.dts is not None:
                packet.stream = target
                made.mux(packet)
        t = np.arange(14 * 48_000) / 48_000
        wave = (0.5 * np.sin(2 * np.pi * 440 * t) * ((t >= 4.5) & (t < 5))).astype(np.float32)
        for begin in range(0, len(wave), 1024):
            frame = av.AudioFrame.from_ndarray(wave[None, begin : begin + 1024], format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 48_000, begin
            made.mux(tone.encode(frame))
        made.mux(tone.encode(None))
    return path


def faint(path: Path, share: float, seconds: float) -> Path:
    """The demo clip's first seconds, with `share` of what moves in it."""
    with av.open(str(DEMO)) as clip, av.open(str(path), "w") as made:
        shown, rest = clip.streams.video[0], None
        stream = made.add_stream("libx264", rate=50, options={"crf": "12", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = shown.width, shown.height, "yuv420p"
        for frame in clip.decode(shown):
            if frame.time > seconds:
                break
            picture = frame.to_ndarray(format="bgr24").astype(np.float32)
            rest = picture if rest is None else rest
            mixed = (share * picture + (1 - share) * rest).round().astype(np.uint8)
            made.mux(stream.encode(av.VideoFrame.from_ndarray(mixed, format="bgr24").reformat(format="yuv420p")))
        made.mux(stream.encode(None))
    return path
