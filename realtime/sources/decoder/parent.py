"""The parent's side of one decoder: start the child, read its frames with a time-out, and leave nothing behind.

The ring of pictures is anonymous memory (a memfd), handed to the child as an open file: it has no name in
/dev/shm that could outlive a crash. The child is started as a program of its own, not through `multiprocessing`,
whose spawn runs the parent's main script once more.
"""

from __future__ import annotations

import json
import mmap
import os
import signal
import subprocess
import tempfile
import threading
import time
import weakref
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from multiprocessing import Pipe

import numpy as np

from engines import isolated
from realtime import errors
from realtime.errors import BrokenSourceError, SourceError
from realtime.sources.addresses import without_password
from realtime.sources.encoded import MARK, OFF, ON, Encoded, received

SPARE = 6  # slots that the child keeps in any case: beyond, what is held for long is copied
MEMORY = 2 * 2**30
MOST_ENCODED = 1000  # that wait for a decoded picture: more are of a stream that cannot be decoded
POLL = 0.1  # seconds: how soon a cancelled wait ends


@dataclass(frozen=True)
class Request:
    """What the child shall open: `camera`, `codec`, or else `target`.

    Attributes:
        name: what it is called in messages.
        target: a path (of a file, or a folder of pictures) or URL.
        camera: an index.
        codec: FFmpeg's name of that in which chunks are encoded, which `ReaderProcess.send` brings.
        live: whether it goes on while nobody reads.
        keep: whether encoded pictures are wanted from the first on, see `ReaderProcess.keep`.
        width: what to ask of a camera, pixels; larger pictures of anything else are scaled to it.
        height: the same.
        fps: what to ask of a camera; a film's frames are taken to be so many a second.
        stream: see `SourceSettings`.
        size: (width, height) to scale every frame to; None: the first one's. Chunks need one.
        open_seconds: how long the first frame may take.
        read_seconds: how long a network read may take.
        memory: bytes that decoding may take beside what its libraries do (a camera's driver is not held to that).
    """

    name: str
    target: str | None = None
    camera: int | None = None
    codec: str | None = None
    live: bool = False
    keep: bool = False
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    stream: int | None = None
    size: tuple[int, int] | None = None
    open_seconds: float = 30.0
    read_seconds: float = 30.0
    memory: int = MEMORY


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded picture.

    Attributes:
        pts: seconds in the source's clock or None.
        arrival: monotonic seconds; None of a chunk, which came to the parent.
        pixels: H×W×3 uint8 BGR, not to be written to: they lie where the child has put them, and the child gets the place
            back once nobody holds them any more.
        encoded: what the source sent since the picture before, where that is kept (`ReaderProcess.keep`).
    """

    pts: float | None
    arrival: float | None
    pixels: np.ndarray
    encoded: Sequence[Encoded] = ()


class Cancelled(Exception):
    """`cancel` was set while waiting."""


class ReaderProcess:
    """One child that decodes one source. Used by one thread; `close` may come from any.

    After construction the first frame is there: width, height, fps, duration (seconds or None), nominal (seconds), codec (of its encoded pictures,
    None where there are none to keep).

    Attributes:
        warnings: causes that the child told of since they were last cleared.
    """

    def __init__(self, request: Request, cancel: threading.Event | None = None, first: bytes | None = None):
        """
        Args:
            request: what to open.
            cancel: ends every wait once it is set.
            first: where the request names a codec, the first chunk, which holds a picture that stands on its own.

        Raises:
            SourceError: the source does not open.
            Cancelled: `cancel` was set meanwhile.
        """
        self.request = request
        self.warnings: list[str] = []
        self._encoded: list[Encoded] = []
        self._cancel = cancel or threading.Event()
        self._opened = self._closing = False
        self._child: subprocess.Popen | None = None
        self._owned = ExitStack()
        self._giving = threading.RLock()  # held while a slot's number is sent, so that close() leaves no stray number
        self._busy = threading.RLock()  # held while reading, so that close() pulls nothing away under a reader
        try:
            self._start()
            if first is not None:
                self.send(first)
            self._map(self._wait("opened", request.open_seconds))
        except BaseException:  # Ctrl-C too: no child may outlive its parent's interest
            self.close()
            raise

    def _start(self) -> None:
        self._errors = self._owned.enter_context(tempfile.TemporaryFile())
        self._memory = os.memfd_create("mer-live-frames") if hasattr(os, "memfd_create") else _unnamed_file()
        self._owned.callback(os.close, self._memory)
        self._messages, child_messages = Pipe(duplex=False)
        child_slots, self._slots = Pipe(duplex=False)
        self._owned.enter_context(self._messages)
        self._owned.enter_context(self._slots)
        theirs = (child_messages.fileno(), child_slots.fileno(), self._memory)
        try:
            self._child = subprocess.Popen(
                isolated.command("realtime.sources.decoder.child", *map(str, theirs)),
                pass_fds=theirs,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                start_new_session=True,  # a terminal's Ctrl-C is for the parent, which closes the child in order
            )
        finally:
            child_messages.close()
            child_slots.close()
        # over the pipe, not on the command line, where other users could read a URL's password
        with suppress(OSError):  # a child that died at once is found out by the first wait
            self._slots.send_bytes(json.dumps(asdict(self.request)).encode())

    def _map(self, opened: dict) -> None:
        self.width, self.height = opened["width"], opened["height"]
        self.fps, self.duration, self.nominal = opened["fps"], opened["duration"], opened["nominal"]
        self.codec: str | None = opened.get("codec")
        shape = (opened["slots"], self.height, self.width, 3)
        self._shape, self._lendable = shape[1:], max(0, opened["slots"] - SPARE)
        self._lent: set[int] = set()
        # a picture keeps the mapping alive for as long as anyone reads from it
        self._ring = memoryview(mmap.mmap(self._memory, int(np.prod(shape)), prot=mmap.PROT_READ))
        self._opened = True

    def send(self, chunk: bytes) -> None:
        """Beside the numbers of free slots, which are one byte each, a chunk is a null byte and its data."""
        with self._giving, suppress(OSError):
            self._slots.send_bytes(b"\0" + chunk)

    def keep(self, on: bool) -> None:
        """Whether pictures come with what they were decoded from, from now on. From any thread."""
        with self._giving, suppress(OSError):
            self._slots.send_bytes(ON if on else OFF)

    def read(self, timeout: float) -> Picture | None:
        """The next picture, or None at the end; of chunks the answer to the next one, None where it held no picture.

        Args:
            timeout: seconds.

        Raises:
            TimeoutError: none came for so long.
            Cancelled: `cancel` was set, or the reader closed.
            BrokenSourceError: the source broke off or its decoder crashed.
        """
        with self._busy:
            message = self._wait("frame", timeout)
            if message is None or message["slot"] < 0:
                return None
            encoded, self._encoded = self._encoded, []
            return Picture(message["pts"], message["arrival"], self._taken(message["slot"]), encoded)

    def _taken(self, slot: int) -> np.ndarray:
        """The picture in a slot: lent, or a copy where too many are lent already."""
        size = int(np.prod(self._shape))
        flat = np.frombuffer(self._ring, np.uint8, size, slot * size)
        pixels = flat.reshape(self._shape)
        if len(self._lent) >= self._lendable:
            pixels = pixels.copy()
            self._give_back(slot)
        else:
            self._lent.add(slot)
            # each call of frombuffer makes one such view of the ring; it lives as long as any array on this picture
            weakref.finalize(flat.base, self._give_back, slot).atexit = False
        return pixels

    def _give_back(self, slot: int) -> None:
        """From any thread, whenever Python lets go of a picture."""
        self._lent.discard(slot)
        with self._giving, suppress(OSError):  # the child may have ended; what it sent before still lies in the pipe
            self._slots.send_bytes(bytes([slot]))

    def _wait(self, kind: str, timeout: float) -> dict | None:
        deadline = time.monotonic() + timeout  # warnings do not extend it: a stream of nothing but damage is silent
        while True:
            message = self._receive(deadline)
            if message is None:
                raise self._silent(kind, timeout)
            if message["kind"] == "warning":
                self.warnings.append(message["cause"])
            elif message["kind"] == kind:
                return message
            elif message["kind"] == "encoded":
                continue
            elif message["kind"] == "end":
                return None
            elif message["kind"] == "error":
                raise getattr(errors, message["type"])(without_password(message["text"], user=True))
            else:
                raise RuntimeError(f"the reader of {self.request.name} failed:\n{without_password(message['text'])}")

    def _receive(self, deadline: float) -> dict | None:
        """The next message, None where none comes in time."""
        try:
            while not self._messages.poll(min(POLL, max(0.0, deadline - time.monotonic()))):
                if self._cancelled():
                    raise Cancelled
                if time.monotonic() >= deadline:
                    return None
            message = self._messages.recv_bytes()
            if message[:1] != MARK:
                return json.loads(message)
            if len(self._encoded) >= MOST_ENCODED:
                self._encoded.clear()
            self._encoded.append(received(message))
            return {"kind": "encoded"}
        except (EOFError, OSError):
            if self._cancelled():
                raise Cancelled from None
            raise self._crashed() from None

    def _cancelled(self) -> bool:
        return self._closing or self._cancel.is_set()

    def _silent(self, kind: str, timeout: float) -> Exception:
        if kind == "opened":
            return SourceError(f"{self.request.name} gave no frame within {timeout:g} s: check that it is switched on and reachable")
        return TimeoutError(f"no frame for {timeout:g} s")

    def _crashed(self) -> SourceError:
        try:
            code = self._child.wait(5)
        except subprocess.TimeoutExpired:
            code = None
        name = self.request.name
        if code is not None and code < 0:
            how = f"the decoder crashed on {name} ({signal.Signals(-code).name})"
        else:
            how = f"the reader of {name} ended without a word (exit code {code})"
        self._errors.seek(0)
        last = self._errors.read().decode(errors="replace").strip().splitlines()[-1:]
        text = ": ".join([how, *last]) + ": the file or its codec is damaged, or memory ran out"
        text = without_password(text, user=True)
        return BrokenSourceError(text) if self._opened else SourceError(text)

    def close(self) -> None:
        """Kill the child and give back its memory, at once. From any thread, as often as you like."""
        self._closing = True
        if self._child is not None:
            self._child.kill()
            with suppress(subprocess.TimeoutExpired):  # a child stuck in its driver dies when the driver lets go
                self._child.wait(5)
        with self._busy, self._giving:
            self._owned.close()
            self._ring = None


def _unnamed_file() -> int:
    """Shared memory for systems without memfd: a file that has already lost its name."""
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
