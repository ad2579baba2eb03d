"""The WebSocket of the live tab: chunks and wishes come in, state, events and pictures go out.

Text, page → server: JSON with a "kind": start ("run": the page's number of it), codec, stop, change, keep, record, look (for
pictures of an event), download (all events of the latest run, or what was measured of its frames), ping.
Binary, page → server: one chunk, HEADER (little-endian: version; flags, bit 0 a key frame, bit 1 full
range; layout of a raw picture; size; microseconds) and its data.
Text, server → page: JSON with a "kind": hello, busy, started, ready (chunks are wanted), state, provisional (an event that is told at
its apex, or withdrawn), event (one for good, under the same number; "ended": when its offset was taken, microseconds as in the chunk), scores, missing and gone (pictures that there are not), word, problem,
key (a key frame is wanted), moved (to another page), ended (with the run's number), pong.
Binary, server → page: length of a JSON head (4 bytes), the head, one picture: of a server's source ("frame"), or of an
event ("picture": onset, apex and flow by themselves, the others when asked for); or a "file" to be saved.
"""

from __future__ import annotations

import asyncio
import struct
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from realtime.dashboard.live.choices import DEMO, Choice, camera, of_server
from realtime.dashboard.live.event_pictures import Looks
from realtime.dashboard.live.latest_events import KEPT, Run
from realtime.dashboard.live.latest_frames import FORMATS as FRAMES
from realtime.dashboard.live.latest_frames import LatestFrames
from realtime.dashboard.live.outbox import Out, with_head
from realtime.dashboard.live.session import LiveSession, Seats, seats_of
from realtime.dashboard.server.browser_json import NOT_SOUND, read
from realtime.dashboard.shared import Shared
from realtime.errors import MerError, SourceError, UsageError
from realtime.records import UNSURE
from realtime.sources import Source
from realtime.sources.browser import MOST_BYTES, Packets
from realtime.sources.packet import Packet

PATH = "/mer/live/ws"
VERSION = 1
HEADER = struct.Struct("<BBBxIq")  # version, flags, layout, one of padding, size, microseconds
KEY, FULL_RANGE = 1, 2  # bits of the flags
MOST_TEXT = 2**16  # bytes of a wish
MOST_PAGES = 50  # connected at a time
LET_GO_S = 10.0  # that a start waits for the source before it to be let go: each holds a model, threads, perhaps a decoder


def routes(shared: Shared, app: FastAPI) -> None:
    seats, pages = seats_of(shared), set()

    @app.websocket(PATH)
    async def live(socket: WebSocket):
        if len(pages) >= MOST_PAGES:
            await socket.accept()
            await socket.send_json({"kind": "problem", "text": "Too many pages are open: close some, then reload this one."})
            return await socket.close(1013)
        pages.add(socket)
        try:
            await Connection(socket, shared, seats).run()
        finally:
            pages.discard(socket)


def chunk(message: bytes) -> Packet:
    """One picture of the browser's camera.

    Raises:
        SourceError: where `message` is none.
    """
    if len(message) < HEADER.size:
        raise SourceError("the browser sent a chunk without a header: reload the page")
    version, flags, layout, size, microseconds = HEADER.unpack_from(message)
    if version != VERSION or size != len(message) - HEADER.size:
        raise SourceError("the browser sent a chunk of another version or size than it said: reload the page")
    data = message[HEADER.size :]
    return Packet(microseconds, bool(flags & KEY), data, time.monotonic(), layout, bool(flags & FULL_RANGE))


class Connection:
    """One page, from its first message to its last."""

    def __init__(self, socket: WebSocket, shared: Shared, seats: Seats):
        self.socket, self.shared, self.seats = socket, shared, seats
        self.session: LiveSession | None = None  # the latest, which may be over: its events can still be looked at
        self._before: LiveSession | None = None  # that is let go by the next start
        self.run_number = 0
        self.choice = Choice.of(shared.settings)
        self._out = Out(socket, lambda: self.running)
        self.tell = self._out.tell
        self._looks = Looks(self.tell, self._out.post, lambda number: self.session.shelf.get(number) if self.session else None)

    @property
    def running(self) -> LiveSession | None:
        return self.session if self.session is not None and not self.session.over else None

    async def run(self) -> None:
        await self.socket.accept()
        self.tell("hello", {"version": VERSION, "most_bytes": MOST_BYTES, "kept": KEPT, "seats": self.seats.most})
        sending = self._out.tasks()
        try:
            await self._receive_on()
        except (WebSocketDisconnect, RuntimeError):
            pass  # the page has gone
        finally:
            for task in [*sending, *self._looks.tasks]:
                task.cancel()
            await asyncio.to_thread(self.end)

    def end(self) -> None:
        sessions, self.session, self._before = (self.session, self._before), None, None
        self.seats.leave(self)
        for session in filter(None, sessions):
            session.stop()
            session.join()

    def put_out(self) -> None:
        """Another page has taken the place."""
        self.tell("moved", {"text": "Live now runs in another tab or window."})
        if (session := self.running) is not None:  # elsewhere: it takes a while, and the other page's messages wait for this
            threading.Thread(target=session.stop, name="put out", daemon=True).start()

    # --- in

    async def _receive_on(self) -> None:
        while True:
            message = await self.socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            if message.get("bytes") is not None:
                await self._chunk(message["bytes"])
            elif message.get("text") is not None:
                await self._wish(message["text"])

    async def _chunk(self, message: bytes) -> None:
        source = self.running.source if self.running else None
        if not isinstance(source, Packets):
            return  # late, of a camera that was stopped
        try:
            source.feed(chunk(message))
        except SourceError as error:
            self.tell("problem", {"text": str(error)})
            await asyncio.to_thread(self.session.stop)

    async def _wish(self, text: str) -> None:
        try:
            wish = read(text) if len(text) <= MOST_TEXT else {}
            handler = getattr(self, f"_on_{wish.get('kind')}", None)
            if handler is None:
                raise UsageError("the page sent something that the server does not know: reload it")
            await handler(wish)
        except MerError as error:
            self.tell("problem", {"text": str(error)})
        except (ValueError, TypeError, KeyError, ArithmeticError):
            self.tell("problem", {"text": NOT_SOUND})

    async def _on_ping(self, wish: dict) -> None:
        self.tell("pong", {"at": float(wish["at"])})

    async def _on_start(self, wish: dict) -> None:
        demo = wish.get("source") == "server" and wish.get("spec") == DEMO  # nobody is in view whom one could ask
        if wish.get("consent") is not True and not demo:
            raise UsageError("tick the box first: everyone in view must know and agree")
        if not self.seats.take(self, wish.get("take_over") is True):
            self.tell("busy", {"text": self.seats.full})
            return
        try:
            await self._begin(wish)
        except Exception:
            if self.session is None:
                self.seats.leave(self)
            raise

    async def _begin(self, wish: dict) -> None:
        self._before, self.session = self.session or self._before, None
        if self._before is not None:
            await asyncio.to_thread(self._before.stop)
            if not await asyncio.to_thread(self._before.join, LET_GO_S):
                raise UsageError("the source before this one is still being let go: start again in a moment")
        self._before, self.run_number = None, int(wish.get("run", 0))
        if "settings" in wish:
            self.choice = self.choice.changed(dict(wish["settings"]))
        source = self._source(wish)
        session = LiveSession(self.shared, self.choice, source, lambda *told: self._told(session, *told))
        self.session = session
        session.start()
        self.tell("started", {"source": wish["source"]})
        if wish.get("keep") is True:
            await self._on_keep({"on": True, "pictures": wish.get("keep_pictures")})

    def _source(self, wish: dict) -> Packets | Callable[[], Source]:
        if wish["source"] == "browser":
            return camera(wish, self.shared.settings.source, self.tell)
        return of_server(str(wish["spec"]), self.shared.settings.source)

    async def _on_codec(self, wish: dict) -> None:
        """The way to here is too narrow for raw pictures: from now on they are encoded."""
        if (session := self.running) is not None and isinstance(session.source, Packets):
            session.source.change(str(wish["codec"]))

    async def _on_stop(self, wish: dict) -> None:
        self.seats.leave(self)
        if (session := self.running) is not None:
            await asyncio.to_thread(session.stop)

    async def _on_change(self, wish: dict) -> None:
        self.choice = self.choice.changed(dict(wish["settings"]))
        if (session := self.running) is not None:
            session.change(self.choice)

    async def _on_keep(self, wish: dict) -> None:
        on = wish["on"] is True
        if on:
            self.shared.refuse_if_read_only("Keeping events in the log")
        if (session := self.running) is not None:
            await asyncio.to_thread(session.keep, on, wish.get("pictures") is True)

    async def _on_record(self, wish: dict) -> None:
        on = wish["on"] is True
        if on:
            self.shared.refuse_if_read_only("Recording")
        if (session := self.running) is not None:
            await asyncio.to_thread(session.record, on)

    async def _on_download(self, wish: dict) -> None:
        """Nothing is written but for a moment, so it is there where mer-demo is read only, too."""
        what = str(wish["what"])
        found: Run | LatestFrames = Run()
        if self.session:
            found = self.session.measured if what in FRAMES else self.session.found
        name, data = await asyncio.to_thread(_file, found, what, self.shared.temp)
        self._out.post(with_head({"kind": "file", "name": name}, data))
        if found.word:
            self.tell("word", {"text": found.word})

    def _told(self, session: LiveSession, kind: str, content: dict) -> None:
        """From the session's threads."""
        if session is not self.session:
            return  # it was left behind
        if kind == "pictures":
            self._looks.first(content["event"], content["keyframes"])
        elif kind == "ended":
            self.seats.leave(self)
            self.tell(kind, {"run": self.run_number})
        elif kind in ("provisional", "event"):
            event = content["event"]
            self.tell(kind, content | {"event": event.as_dict(), "unsure": event.label == UNSURE})
        else:
            self.tell(kind, content)

    async def _on_look(self, wish: dict) -> None:
        what = [str(name) for name in wish["what"]]
        self._looks.look(int(wish["number"]), what, float(wish.get("factor", 8)), wish.get("dark") is True)


def _file(found: Run | LatestFrames, what: str, temp: Path) -> tuple[str, bytes]:
    """(name, content) of its `file`. temp: a private folder, as it was afterwards."""
    with tempfile.TemporaryDirectory(dir=temp) as folder:
        path = found.file(what, Path(folder))
        return path.name, path.read_bytes()
