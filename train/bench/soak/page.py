"""A page as a browser has it open: it sends its camera's pictures to the Live tab, and hears of events."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from realtime.dashboard.live.choices import BROWSER
from realtime.dashboard.live.socket import HEADER, KEY, PATH, VERSION
from realtime.output.log import Log
from train.bench.soak.camera import ROUSING
from train.bench.soak.films import Film, Sent

AHEAD = 8  # pictures that may be on their way: of a page few wait
SILENT_S = 5.0
READY_S = 240.0  # on a machine that has other things to do
PAUSE_S = 0.05  # of the wall's clock, between two pictures that only rouse
POLL_S = 0.002


def sessions(log: Log) -> list[int]:
    """The numbers of the pages' sessions in a log, in their order."""
    return sorted(session["id"] for session in log.sessions() if session["sources"] == [BROWSER])


@dataclass(frozen=True)
class Shown:
    """An event that the page was told of. ended: simulated seconds."""

    event: dict
    ended: float


class Page:
    """From its opening to its closing.

    Attributes:
        shown: what it was told of; there afterwards, too.
        problems: what it was told went wrong.
        held: simulated seconds at which the machine was too busy for it: pictures were lost on the way.
    """

    def __init__(self, port: int, film: Film, at: float, meanwhile: Callable[[], None]):
        """
        Args:
            film: what its camera is.
            at: simulated seconds.
            meanwhile: called now and then where this has to wait.
        """
        self._meanwhile = meanwhile
        self.shown: list[Shown] = []
        self.problems: list[str] = []
        self.held: list[float] = []
        self._at = at
        self._frames = self._sent = 0
        self._begun, self._ended, self._key = threading.Event(), threading.Event(), False
        self._socket = connect(f"ws://127.0.0.1:{port}{PATH}", max_size=None, compression=None, open_timeout=READY_S)
        self._thread = threading.Thread(target=self._listen, name="page", daemon=True)
        self._thread.start()
        wish = {"source": "browser", "codec": "h264", "width": film.size[0], "height": film.size[1]}
        self._wish("start", **wish, consent=True, keep=True, take_over=True)
        self._until(self._begun.is_set)
        while not self._frames:  # what comes before its pipeline is there is let go
            self._send(at, film.room)
            at += ROUSING
            time.sleep(PAUSE_S)
            meanwhile()
            if self.problems:
                raise TimeoutError(f"the page's camera did not start: {self.problems}")
        self._sent = self._frames
        self.held.clear()

    def send(self, at: float, picture: Sent) -> None:
        """At a simulated second."""
        if self._key and not picture.key:
            return
        self._key = False
        self._wait()
        self._send(at, picture)

    def _send(self, at: float, picture: Sent) -> None:
        head = HEADER.pack(VERSION, KEY * picture.key, 0, len(picture.data), round(at * 1e6))
        with suppress(ConnectionClosed):
            self._socket.send(head + picture.data)
            self._sent += 1
            self._at = at

    def stop(self) -> None:
        """Stop the camera, as its button does, then close the page."""
        self._wait()
        self._wish("stop")
        self._until(self._ended.is_set)
        self.leave()

    def leave(self) -> None:
        """Close it, or reload it, at once."""
        self._socket.close()
        self._thread.join(READY_S)

    def _wish(self, kind: str, **content) -> None:
        with suppress(ConnectionClosed):
            self._socket.send(json.dumps({"kind": kind, **content}))

    def _listen(self) -> None:
        with suppress(ConnectionClosed):
            while True:
                message = self._socket.recv()
                if isinstance(message, str):
                    self._hear(json.loads(message))

    def _hear(self, told: dict) -> None:
        kind = told["kind"]
        if kind == "state":
            self._frames = told["frames"]
            if told["phase"] in ("opening", "running"):
                self._begun.set()
        elif kind == "event":
            self.shown.append(Shown(told["event"], told["ended"] / 1e6))
        elif kind == "problem":
            self.problems.append(told["text"])
        elif kind == "key":
            self._key = True
            self.held.append(self._at)
        elif kind == "ended":
            self._ended.set()

    def _until(self, so: Callable[[], bool]) -> None:
        """Raises TimeoutError."""
        until = time.monotonic() + READY_S
        while not so():
            if time.monotonic() > until:
                raise TimeoutError("the page's server did not answer")
            time.sleep(PAUSE_S)
            self._meanwhile()

    def _wait(self) -> None:
        """Until few pictures are on their way."""
        frames, since = self._frames, time.monotonic()
        while self._sent - self._frames > AHEAD:
            if self._frames != frames:
                frames, since = self._frames, time.monotonic()
            if time.monotonic() - since > SILENT_S:
                self._sent = self._frames
                self.held.append(self._at)
            time.sleep(POLL_S)
