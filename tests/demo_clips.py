"""Recordings that are cut from the demo clip, without decoding it."""

import math
import os

import av
from places import DEMO


def demo_start(path, seconds: float = math.inf, **options):
    """The demo clip's first `seconds`, as MP4 at `path` (text or bytes); its first event, at 2.16 s, is over after 2.4 s.
    options: of the MP4, such as movflags. Returns `path`."""
    with av.open(str(DEMO)) as given, av.open(os.fsdecode(path), "w", format="mp4", options=options) as made:
        stream = made.add_stream_from_template(given.streams.video[0])
        for packet in given.demux(video=0):
            if packet.dts is not None and packet.pts * packet.time_base < seconds:
                packet.stream = stream
                made.mux(packet)
    return path
