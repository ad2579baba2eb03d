"""The parent's side of a child that decodes what it is given, chunk by chunk (`packet_reader`)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass
from multiprocessing import Pipe
from tempfile import TemporaryFile

from realtime.sources.process import Picture, ReaderProcess, Request, _unnamed_file

MOST_PIXELS = 1920 * 1088
MEMORY = 512 * 2**20  # bytes that the decoder may have beside what its libraries take
CHILD = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]); "
    "from realtime.sources.packet_reader import main; main(*map(int, sys.argv[2:]))"
)


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

    def __init__(self, request: PacketRequest, first: Packet, cancel: threading.Event):
        self._first = first
        super().__init__(request, cancel)

    def _start(self) -> None:
        self._errors = self._owned.enter_context(TemporaryFile())
        self._memory = os.memfd_create("mer-live-frames") if hasattr(os, "memfd_create") else _unnamed_file()
        self._owned.callback(os.close, self._memory)
        self._messages, child_messages = Pipe(duplex=False)
        child_slots, self._slots = Pipe(duplex=False)
        self._owned.enter_context(self._messages)
        self._owned.enter_context(self._slots)
        theirs = (child_messages.fileno(), child_slots.fileno(), self._memory)
        try:
            self._child = subprocess.Popen(
                [sys.executable, "-c", CHILD, json.dumps([str(path) for path in sys.path]), *map(str, theirs)],
                pass_fds=theirs,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                start_new_session=True,
            )
        finally:
            child_messages.close()
            child_slots.close()
        with suppress(OSError):  # a child that died at once is found out by the first wait
            self._slots.send_bytes(json.dumps(asdict(self.request)).encode())
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
