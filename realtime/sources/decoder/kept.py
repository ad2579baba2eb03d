"""A stream's packets as they are kept: each key picture with what a decoder has to know, so that a film may begin at any. Runs in the child process."""

from __future__ import annotations

import av
from av.bitstream import BitStreamFilterContext
from av.error import FFmpegError

from realtime.sources.encoded import REMUXED, Encoded, Keeping

ANNEX_B = {"h264": "h264_mp4toannexb", "hevc": "hevc_mp4toannexb"}  # what has lengths instead of marks, as in FLV and MP4


class Packets:
    """Hands the packets of one stream to `keep`.

    Attributes:
        codec: of REMUXED, None where nothing is handed on.
    """

    def __init__(self, stream: av.VideoStream, keep: Keeping):
        name = stream.codec_context.codec.canonical_name
        self.codec = name if name in REMUXED else None
        self._keep = keep
        extradata = stream.codec_context.extradata
        lengths = name in ANNEX_B and extradata is not None and extradata[:1] == b"\1"
        self._filter = None
        if extradata and name in (*ANNEX_B, "mpeg4"):
            try:
                self._filter = BitStreamFilterContext(ANNEX_B[name] if lengths else "dump_extra=freq=k", stream)
            except FFmpegError:  # what a decoder has to know is damaged: then nothing can be kept that plays
                self.codec = None

    def __call__(self, packet: av.Packet, begin: float | None) -> None:
        """
        Args:
            begin: what the stream's own clock shows at our 0, seconds.
        """
        if not self._keep.wanted or self.codec is None or not packet.size:
            return
        key, base = packet.is_keyframe, packet.time_base
        pts, dts = (None if ticks is None else float(ticks * base) - (begin or 0.0) for ticks in (packet.pts, packet.dts))
        try:
            data = b"".join(bytes(part) for part in self._filter.filter(_copy(packet))) if self._filter else bytes(packet)
        except FFmpegError:  # damaged: the decoder will say so
            return
        self._keep(Encoded(self.codec, key, pts, dts, data))


def _copy(packet: av.Packet) -> av.Packet:
    """A filter takes what it is given; the decoder needs it, too."""
    copy = av.Packet(bytes(packet))
    copy.pts, copy.dts, copy.time_base, copy.is_keyframe = packet.pts, packet.dts, packet.time_base, packet.is_keyframe
    return copy
