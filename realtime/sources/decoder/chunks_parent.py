"""The parent's side of a child that decodes what it is given, chunk by chunk (`chunks_child`)."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass

from realtime.sources.decoder.parent import Picture, ReaderProcess, Request

MOST_PIXELS = 1920 * 1088
MEMORY = 512 * 2**20  # bytes that the decoder may have beside what its libraries take


@dataclass(frozen=True, eq=False)
class Packet:
    """One picture. microseconds: when it was taken, in the browser's clock. key: it stands on its own.
    arrival: when it came, `time.monotonic()` seconds. layout: of a raw one, see LAYOUTS; full: its values reach from 0 to
    255, not from 16 to 235."""

    microseconds: int
    key: bool
    data: bytes
    arrival: float
    layout: int = 0
    full: bool = False


@dataclass(frozen=True)
class PacketRequest(Request):
    codec: str = "vp8"
    most_pixels: int = MOST_PIXELS
    memory: int = MEMORY


class DecoderProcess(ReaderProcess):
    """A child that decodes what it is given, one answer for each packet, in their order. Used by one thread.

    Raises SourceError where `first`, a key frame, is no picture, and see `ReaderProcess`.
    """

    SIDE = "realtime.sources.decoder.chunks_child"

    def __init__(self, request: PacketRequest, first: Packet, cancel: threading.Event):
        self._first = first
        super().__init__(request, cancel)

    def _start(self) -> None:
        super()._start()
        self.send(self._first)

    def send(self, packet: Packet) -> None:
        """Beside the numbers of free slots, which are one byte each, a packet is a null byte and its data."""
        with self._giving, suppress(OSError):
            self._slots.send_bytes(b"\0" + packet.data)

    def answer(self, packet: Packet, timeout: float) -> Picture | None:
        """The picture of `packet`, None where it held none. Raises as `read` does."""
        with self._busy:
            message = self._wait("frame", timeout)
            if message is None or message["slot"] < 0:
                return None
            return Picture(packet.microseconds / 1e6, packet.arrival, self._taken(message["slot"]))
