"""A network camera in simulated time: it sends as fast as the program keeps up, and fails when it is told to."""

from __future__ import annotations

import socket
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction

import av

from train.bench.soak.films import TICKS, Film, Sent

AHEAD, PROBED = 12, 60  # pictures that may be on their way; the same until the first is done, since a decoder looks at many before it begins
IN_DECODER = 4
QUIET_S = 1.0  # without one more done: what was sent is done, or lost. Less than a source may be silent
SILENT_S = 5.0  # that the program may take for a picture: beyond, it never got it
BACK_S = 60.0  # that it may take to come back
HELD_S = 4.0  # by the wall's clock: a machine that kept the camera silent for so long has disturbed the stream itself
START_S = 240.0  # that it may take to start, on a machine that has other things to do
BEGIN = 1000.0  # seconds that its clock shows at the simulated 0: it may be set back
ROUSING = 1e-3  # simulated seconds between two pictures that only rouse
ROUSE_S, IDLE_S = 0.05, 0.5  # the same by the wall's clock
POLL_S = 0.001


class Camera:
    """MPEG-TS over TCP on 127.0.0.1, for one reader at a time.

    A picture's time is the simulated one: the program lays it on its own by the steps, as for any camera, and never waits for the wall's clock.

    Attributes:
        port: where it is.
        film: which kind of camera it is now; another one begins at its next key picture.
        shift: seconds that its clock is wrong by.
        at: simulated seconds of the last picture.
        held: simulated seconds at which the machine was too busy for it.
        starved: the program's decoder will let go of it at some time, and what is on its way then is lost.
        spoilt: simulated seconds at which a picture was lost like that, or the room was shown in between.
    """

    def __init__(self, film: Film, done: Callable[[], int], welcome: Callable[[], None]):
        """
        Args:
            done: how many pictures the program has worked through since it was started.
            welcome: called when the program has come, before it gets a picture.
        """
        self.film, self.shift = film, 0.0
        self.at, self._sent_at = 0.0, time.monotonic()  # of the last picture, the latter by the wall's clock
        self.held: list[float] = []
        self.starved = False
        self.spoilt: list[float] = []
        self._latest: deque[float] = deque(maxlen=AHEAD + IN_DECODER)
        self._welcome, self._begun_at = welcome, 0
        self._done, self._owed = done, 0  # pictures that the program will have done once it has done all that was sent
        self._sending: Film | None = None
        self._reader: socket.socket | None = None
        self._listen(0)

    def _listen(self, port: int) -> None:
        self._door = socket.create_server(("127.0.0.1", port))
        self._door.settimeout(START_S)
        self.port = self._door.getsockname()[1]

    def send(self, at: float, picture: Sent) -> None:
        """At a simulated second.

        Raises:
            TimeoutError: nobody came to take it.
        """
        if self._reader is None:
            self._accept()
        if self._sending is not self.film:
            if not picture.key:
                return  # nobody could decode it
            self._sending = self.film
        self._wait(PROBED if self._done() == self._begun_at else AHEAD)
        if time.monotonic() - self._sent_at > HELD_S:
            self.held.append(at)
        try:
            packet = av.Packet(picture.data)
            packet.pts = packet.dts = round((BEGIN + at + self.shift) * TICKS)
            packet.time_base, packet.is_keyframe, packet.stream = Fraction(1, TICKS), picture.key, self._stream
            self._muxer.mux(packet)
            self._owed += 1
            self.at, self._sent_at = at, time.monotonic()
            self._latest.append(at)
        except (OSError, av.error.FFmpegError):  # the program has let go
            if self.starved:
                self.spoilt += [*self._latest, at]
            self._hang_up()

    def rouse(self, at: float) -> None:
        """Show the room until the program sees it: what comes while it loads its networks is let go.

        Raises:
            TimeoutError: it never does.
        """
        until, self.at = time.monotonic() + START_S, max(at, self.at)
        while not self._done():
            if time.monotonic() > until:
                raise TimeoutError("the program did not begin to watch")
            self.send(self.at + ROUSING, self.film.room)
            self._owed = self._done()
            time.sleep(ROUSE_S)

    def idle(self) -> None:
        """Something else takes a while: the camera must not pass for one that has stalled."""
        if self._reader is not None and time.monotonic() - self._sent_at > IDLE_S:
            self.spoilt.append(self.at)
            self.send(self.at + ROUSING, self.film.room)

    def drain(self) -> None:
        """Until the program has done what was sent; the last ones wait in its decoder for the next, and some may be lost."""
        self._wait(IN_DECODER, QUIET_S)

    def die(self, seconds: float) -> None:
        """For so long nobody answers at the address."""
        self._hang_up()
        self._door.close()
        time.sleep(seconds)
        self._listen(self.port)

    def jump(self, seconds: float) -> None:
        self.shift -= seconds
        if self._reader is not None:
            self._begin()  # the muxer itself would refuse

    def close(self) -> None:
        self._hang_up()
        self._door.close()

    def forget(self) -> None:
        """The program is another one: it has done nothing yet."""
        self._hang_up()
        self._owed = 0

    def _accept(self) -> None:
        try:
            self._reader, _ = self._door.accept()
        except TimeoutError:
            raise TimeoutError(f"nobody came to the camera within {START_S:g} s") from None
        self._reader.settimeout(BACK_S)
        self.starved = False  # whoever comes has a new decoder, to which nothing is on its way
        self._latest.clear()
        self._welcome()
        self._sending = None
        self._begin()

    def _begin(self) -> None:
        self._muxer = av.open(self, "w", format="mpegts", options={"flush_packets": "1"})
        self._stream = self._muxer.add_stream("h264", rate=self.film.fps)
        self._stream.width, self._stream.height = self.film.size
        self._stream.pix_fmt = self.film.pixels
        self._sending = None
        self._owed = self._begun_at = self._done()

    def write(self, data: bytes) -> int:
        """What the muxer wants sent."""
        self._reader.sendall(data)
        return len(data)

    def _hang_up(self) -> None:
        if self._reader is not None:
            with suppress(OSError):
                self._reader.close()
        self._reader = None

    def _wait(self, most: int, patience: float = SILENT_S) -> None:
        """Until at most so many pictures are on their way. Those that are lost there never come: then it goes on from where the program is."""
        done, since = self._done(), time.monotonic()
        while self._owed - self._done() > most:
            if self._done() != done:
                done, since = self._done(), time.monotonic()
            if time.monotonic() - since > patience:
                self._owed = self._done()
            time.sleep(POLL_S)
