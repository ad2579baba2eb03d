"""What Chromium shows as its camera."""

from fractions import Fraction
from pathlib import Path

import av

CAMERA_FPS = 30  # what Chromium plays a .mjpeg at, whatever it was


def as_mjpeg(clip: Path, target: Path) -> None:
    """At the clip's own speed: the picture that is shown at each thirtieth of a second."""
    with av.open(str(clip)) as source, open(target, "wb") as out:
        shown = source.streams.video[0]
        encoder = av.CodecContext.create("mjpeg", "w")
        encoder.width, encoder.height, encoder.pix_fmt = shown.width, shown.height, "yuvj420p"
        encoder.time_base, encoder.options = Fraction(1, CAMERA_FPS), {"qmin": "2", "qmax": "2"}
        written, before = 0, None
        for frame in source.decode(shown):
            while before is not None and frame.time > written / CAMERA_FPS:
                picture = before.reformat(format="yuvj420p")
                picture.pts, picture.time_base = written, encoder.time_base
                for packet in encoder.encode(picture):
                    out.write(bytes(packet))
                written += 1
            before = frame
        for packet in encoder.encode(None):
            out.write(bytes(packet))
