"""A film that can be read whenever its writer is killed: MP4 in fragments of a second, of which each is handed to the system once it is full."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from realtime.output.line_file import cannot_write, make_folder_of
from realtime.output.video import TICK, add_encoder, fitted

FRAGMENT_S = 1.0
OPTIONS = {"movflags": "empty_moov+default_base_moof", "frag_duration": str(round(FRAGMENT_S * 1e6)), "flush_packets": "1"}
COMMENT = "recorded by mer-live"
FAILURES = (av.error.FFmpegError, OSError, ValueError)  # the last: what this FFmpeg cannot put into MP4


class FragmentedFilm:
    """Either encoded pictures, as their source sent them, or decoded ones, which are encoded (H.264, crf 20; without libx264 MPEG-4).

    The first picture stands at 0, the others keep their distance from it.

    Attributes:
        begin: the first picture's pts, None before it.
        end: the latest one's.

    Raises:
        OutputError: it cannot write. What was written before can be read.
    """

    def __init__(self, path: Path, width: int, height: int, codec: str | None):
        """
        Args:
            codec: of the encoded pictures (`encoded.REMUXED`); None where decoded ones come.
        """
        self.path, self.end = path, 0.0
        self.begin: float | None = None
        self._size, self._encodes = (width, height), codec is None
        self._waiting: av.Packet | None = None  # until the next tells how long it lasted
        self._step, self._dts = round(1 / 30 / TICK), -1
        make_folder_of(path)
        try:
            path.touch(0o600)
            self._container = av.open(str(path), "w", format="mp4", options=OPTIONS)
            self._container.metadata.update(comment=COMMENT, creation_time=datetime.now(UTC).isoformat(timespec="milliseconds"))
            if codec is None:
                self._stream = add_encoder(self._container, width, height, delay=False)
                self._container.start_encoding()  # opens the file now, not at the first frame
            else:
                self._stream = self._container.add_mux_stream(codec, width=width, height=height, time_base=TICK)
        except FAILURES as error:
            raise cannot_write(path, error) from error

    def picture(self, pixels: np.ndarray, pts: float) -> None:
        """
        Args:
            pixels: H×W×3 uint8 BGR.
            pts: seconds, increasing.
        """
        frame = av.VideoFrame.from_ndarray(fitted(pixels, self._size), format="bgr24")
        frame.pts, frame.time_base = self._ticks(pts), TICK
        try:
            self._mux(self._stream.encode(frame))
        except FAILURES as error:
            raise cannot_write(self.path, error) from error

    def packet(self, data: bytes, key: bool, pts: float, dts: float) -> None:
        """
        Args:
            pts: when it is shown, dts: when it is decoded; seconds.
        """
        packet = av.Packet(data)
        ticks = self._ticks(pts)
        packet.dts = min(max(self._ticks(dts), self._dts + 1), max(ticks, self._dts + 1))
        packet.pts = max(ticks, packet.dts)
        packet.time_base, packet.is_keyframe, packet.stream = TICK, key, self._stream
        try:
            self._mux([packet])
        except FAILURES as error:
            raise cannot_write(self.path, error) from error

    def close(self) -> None:
        if self._container is None:
            return
        try:
            if self._encodes:
                self._mux(self._stream.encode(None))
            if self._waiting is not None:
                self._waiting.duration = self._step
                self._container.mux(self._waiting)
            container, self._container = self._container, None
            container.close()
        except FAILURES as error:
            raise cannot_write(self.path, error) from error

    def _ticks(self, pts: float) -> int:
        self.begin = pts if self.begin is None else self.begin
        self.end = max(self.end, pts)
        return round(Fraction(pts - self.begin) / TICK)

    def _mux(self, packets: list[av.Packet]) -> None:
        for packet in packets:
            if self._waiting is not None:
                self._waiting.duration = self._step = packet.dts - self._waiting.dts
                self._container.mux(self._waiting)
            self._waiting, self._dts = packet, packet.dts
