"""Frames from chunks that a browser sent, with the browser's own times: whole pictures, or encoded ones, which a child
process decodes.

    source = Packets("browser camera", "vp8", 640, 480, settings, want_key=ask_the_page)
    source.feed(Packet(microseconds, key, data, arrival))     # from any thread, never waits
    for frame in source: ...
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from realtime.errors import BrokenSourceError, MerError, SourceError
from realtime.records import Frame
from realtime.sources.base import MOST_SENT_PIXELS, Handed, SourceInfo, SourceSettings
from realtime.sources.clock import LiveClock
from realtime.sources.decoder.parent import Cancelled, Picture, ReaderProcess, Request
from realtime.sources.encoded import REMUXED, Encoded
from realtime.sources.packet import Packet, from_raw

log = logging.getLogger(__name__)

CODECS = ("raw", "h264", "vp8", "mjpeg")
MOST_BYTES = 2**20  # of one encoded chunk: a key frame of a large picture has a third of that
MOST_WAITING = 30  # chunks before the decoder
MOST_RAW_WAITING = 15  # each of them is large
AT_ONCE = 4  # chunks that the decoder has been given and not answered
MEMORY = 640 * 2**20  # bytes that the decoder may have beside what its libraries take, the ring of pictures among them
DECODE_SECONDS = 5.0  # for one chunk: beyond, the decoder hangs
MOST_CRASHES = 5  # decoders in a row that gave not one picture
BEHIND, NO_KEY, DAMAGED = "decoder behind", "no key frame yet", "damaged chunk"


class Packets(Handed):
    """A live source that is fed, see `base.Source`; it ends when it is closed.

    pts: 0 at the first frame, then the browser's own steps. Where the decoder cannot keep up, what waits for it is dropped
    as a whole, since each picture builds on the one before, and `want_key` asks the sender for a fresh start. A decoder that
    dies is replaced; `trouble` gets one line.

    Raises:
        BrokenSourceError: nothing can be decoded.
    """

    def __init__(
        self,
        name: str,
        codec: str,
        width: int,
        height: int,
        settings: SourceSettings,
        want_key: Callable[[], None] = lambda: None,
        trouble: Callable[[str], None] = lambda line: None,
    ):
        if not (16 <= width and 16 <= height and width * height <= MOST_SENT_PIXELS) or width % 2 or height % 2:
            raise SourceError(f"the browser offers {width}×{height} pixels: expected even numbers, 16×16 to 1920×1080")
        super().__init__(settings.queue)
        self.info = SourceInfo(name, width, height, None, live=True, duration=None, now=True)
        self._request = Request(name, live=True, size=(width, height), open_seconds=20.0, memory=MEMORY)
        self._use(codec)
        self._settings, self._want_key, self._trouble = settings, want_key, trouble
        self._packets: deque[Packet] = deque()  # guarded by `_news`, too
        self._clock = LiveClock()
        self._taken: deque[tuple[int, int]] = deque(maxlen=4 * settings.queue + 64)  # of the latest frames
        self._need_key = True
        self._tap: Callable[[Picture, float], None] | None = None
        self._latest = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="decode chunks", daemon=True)
        self._thread.start()

    def _use(self, codec: str) -> None:
        if codec not in CODECS:
            raise SourceError(f"video of the kind '{codec}' is not taken from a browser: expected one of {', '.join(CODECS)}")
        self._request = replace(self._request, codec=codec)
        self._raw = codec == "raw"
        raw = MOST_RAW_WAITING, self.info.width * self.info.height * 3 // 2
        self._most_waiting, self._most_bytes = raw if self._raw else (MOST_WAITING, MOST_BYTES)

    # --- the sender's side

    def change(self, codec: str) -> None:
        """What is fed from now on is encoded, no longer raw.

        Raises:
            SourceError: any other change.
        """
        with self._news:
            if not self._raw or codec == "raw":
                raise SourceError("only raw pictures can give way to encoded ones: start the camera again")
            self._use(codec)
            self._packets.clear()
            self._need_key = True

    def feed(self, packet: Packet) -> None:
        """Take one chunk.

        Raises:
            SourceError: it is larger than a chunk may be.
        """
        if len(packet.data) > self._most_bytes:
            raise SourceError(f"a chunk of {len(packet.data)} bytes: expected {self._most_bytes} at most")
        with self._news:
            self._latest = packet.arrival
            if not packet.data or bool(packet.layout) != self._raw:
                self._counts.drop(DAMAGED)
                return
            if len(self._packets) >= self._most_waiting:
                self._forget(BEHIND)
            if self._need_key and not packet.key:
                self._counts.drop(NO_KEY)
                return
            self._need_key = False
            self._packets.append(packet)
            self._news.notify_all()

    def taken(self, index: int) -> int | None:
        """When one of the latest frames was taken, microseconds in the browser's clock."""
        with self._news:
            return next((microseconds for of, microseconds in reversed(self._taken) if of == index), None)

    def _forget(self, cause: str) -> None:
        """What waits builds on what is lost."""
        for _ in self._packets:
            self._counts.drop(cause)
        self._packets.clear()
        self._need_key = True
        self._want_key()

    # --- the reader's side

    @property
    def state(self) -> str:
        if self._done:
            return "ended"
        if self._clock.pts is None:
            return "opening"
        return "stalled" if time.monotonic() - self._latest > self._settings.stall_seconds else "running"

    @property
    def codec(self) -> str | None:
        """See `Live.codec`."""
        return self._request.codec if self._request.codec in REMUXED else None

    def tap(self, taker: Callable[[Picture, float], None] | None) -> None:
        """See `Live.tap`."""
        self._tap = taker

    def close(self) -> None:
        self._stop.set()
        with self._news:
            self._news.notify_all()
        if threading.current_thread() is not self._thread:
            self._thread.join(5)
        with self._news:
            self._frames.clear()  # they hold the shared memory
            self._packets.clear()

    # --- the decoding thread

    def _run(self) -> None:
        crashes, before, error = 0, 0, None
        try:
            while crashes < MOST_CRASHES:
                try:
                    packet = self._next_packet()
                    self._convert(packet) if packet.layout else self._decode(packet)
                except (MerError, TimeoutError) as fault:
                    got = self._counts.frames
                    crashes, before = 1 if got > before else crashes + 1, got
                    self._replace(str(fault))
            raise BrokenSourceError(f"none of what {self.info.name} sent could be decoded: start the camera again")
        except Cancelled:
            pass
        except BaseException as fault:  # whatever it is, it belongs to the reader of the frames
            error = fault
        finally:
            self._end(error)

    def _replace(self, fault: str) -> None:
        log.info("%s: %s", self.info.name, fault)
        with self._news:
            self._counts.reopenings += 1
            self._counts.warn("the decoder was started again")
            self._forget(DAMAGED)
        self._trouble(f"{fault}. The decoder was started again.")

    def _convert(self, packet: Packet) -> None:
        """A raw picture needs no decoder."""
        pixels = from_raw(packet, self.info.width, self.info.height)
        if pixels is not None:
            return self._take(pixels, packet)
        with self._news:
            self._counts.drop(DAMAGED)

    def _decode(self, first: Packet) -> None:
        """Feed one decoder until it fails."""
        reader = ReaderProcess(self._request, self._stop, first.data)
        given, broken = deque([first]), False
        try:
            while True:
                while len(given) < AT_ONCE and (packet := self._next_packet(wait=not given)) is not None:
                    reader.send(packet.data)
                    given.append(packet)
                packet = given.popleft()
                picture = reader.read(DECODE_SECONDS)
                broken = picture is None or (broken and not packet.key)
                if not broken:
                    self._take(picture.pixels, packet)
                    continue
                with self._news:
                    self._counts.drop(DAMAGED)
                    if picture is None:
                        self._forget(DAMAGED)
        finally:
            reader.close()

    def _next_packet(self, wait: bool = True) -> Packet | None:
        with self._news:
            while wait and not self._packets and not self._stop.is_set():
                self._news.wait(1.0)
            if self._stop.is_set():
                raise Cancelled
            return self._packets.popleft() if self._packets else None

    def _take(self, pixels: np.ndarray, packet: Packet) -> None:
        if not self._begun.is_set():
            return  # loading a model should not begin with old frames
        with self._news:
            number = self._counts.frames
            pts = self._clock.stamp(packet.microseconds / 1e6, packet.arrival)
            self._taken.append((number, packet.microseconds))
            if self._tap:
                seconds = packet.microseconds / 1e6
                encoded = [Encoded(self.codec, packet.key, seconds, seconds, packet.data)] if self.codec and not packet.layout else []
                self._tap(Picture(seconds, packet.arrival, pixels, encoded), pts)
            self._put(Frame(pixels, number, pts, packet.arrival))
