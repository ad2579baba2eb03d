"""The WebSocket of the live tab: chunks and wishes come in, state, events and pictures go out.

Text, page → server: JSON with a "kind": start, codec, stop, change, keep, look (for pictures of an event), ping.
Binary, page → server: one chunk, `wire.HEADER` (little-endian: version; flags, bit 0 a key frame, bit 1 full
range; layout of a raw picture; size; microseconds) and its data.
Text, server → page: JSON with a "kind": hello, busy, started, ready (chunks are wanted), state, event ("ended": when its
offset was taken, microseconds as in the chunk), scores, missing and gone (pictures that there are not), word, problem,
key (a key frame is wanted), moved (to another page), ended, pong.
Binary, server → page: length of a JSON head (4 bytes), the head, one picture: of a server's source ("frame"), or of an
event ("picture": onset, apex and flow by themselves, the others when asked for).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from realtime.dashboard.live.choice import Choice
from realtime.dashboard.live.look import Looks
from realtime.dashboard.live.out import Out
from realtime.dashboard.live.seats import Seats, seats_of
from realtime.dashboard.live.session import LiveSession
from realtime.dashboard.live.shelf import KEPT
from realtime.dashboard.live.sources import camera, of_server
from realtime.dashboard.live.wire import VERSION, chunk
from realtime.dashboard.shared import Shared
from realtime.errors import MerError, SourceError, UsageError
from realtime.records import UNSURE
from realtime.sources import Source
from realtime.sources.packets import MOST_BYTES, Packets

PATH = "/mer/live/ws"
MOST_TEXT = 2**16  # bytes of a wish


def routes(shared: Shared, app: FastAPI) -> None:
    seats = seats_of(shared)

    @app.websocket(PATH)
    async def live(socket: WebSocket):
        await Connection(socket, shared, seats).run()


class Connection:
    """One page, from its first message to its last."""

    def __init__(self, socket: WebSocket, shared: Shared, seats: Seats):
        self.socket, self.shared, self.seats = socket, shared, seats
        self.session: LiveSession | None = None
        self.choice = Choice.of(shared.settings)
        self._out = Out(socket, lambda: self.session)
        self.tell = self._out.tell
        self._looks = Looks(
            self.tell, self._out.post, lambda number: self.session.shelf.get(number) if self.session else None
        )

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
        session, self.session = self.session, None
        self.seats.leave(self)
        if session is not None:
            session.stop()
            session.join()

    def put_out(self) -> None:
        """Another page has taken the place."""
        session, self.session = self.session, None
        self.tell("moved", {"text": "Live now runs in another tab or window."})
        if session is not None:
            session.stop()

    # --- in

    async def _receive_on(self) -> None:
        while True:
            message = await self.socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            if message.get("bytes") is not None:
                self._chunk(message["bytes"])
            elif message.get("text") is not None:
                await self._wish(message["text"])

    def _chunk(self, message: bytes) -> None:
        source = self.session.source if self.session else None
        if not isinstance(source, Packets):
            return  # late, of a camera that was stopped
        try:
            source.feed(chunk(message))
        except SourceError as error:
            self.tell("problem", {"text": str(error)})
            self.session.stop()

    async def _wish(self, text: str) -> None:
        try:
            wish = json.loads(text) if len(text) <= MOST_TEXT else None
            handler = getattr(self, f"_on_{wish['kind']}", None) if isinstance(wish, dict) and "kind" in wish else None
            if handler is None:
                raise UsageError("the page sent something that the server does not know: reload it")
            await handler(wish)
        except MerError as error:
            self.tell("problem", {"text": str(error)})
        except (ValueError, TypeError, KeyError):
            self.tell("problem", {"text": "the page sent something that the server does not understand: reload it"})

    async def _on_ping(self, wish: dict) -> None:
        self.tell("pong", {"at": wish.get("at")})

    async def _on_start(self, wish: dict) -> None:
        if wish.get("consent") is not True:
            raise UsageError("tick the box first: everyone in view must know and agree")
        if not self.seats.take(self, wish.get("take_over") is True):
            self.tell("busy", {"text": self.seats.full})
            return
        before, self.session = self.session, None
        if before is not None:
            await asyncio.to_thread(before.stop)
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
        if self.session is not None and isinstance(self.session.source, Packets):
            self.session.source.change(str(wish["codec"]))

    async def _on_stop(self, wish: dict) -> None:
        session, self.session = self.session, None
        self.seats.leave(self)
        if session is not None:
            await asyncio.to_thread(session.stop)
            self.tell("ended", {})

    async def _on_change(self, wish: dict) -> None:
        self.choice = self.choice.changed(dict(wish["settings"]))
        if self.session is not None:
            self.session.change(self.choice)

    async def _on_keep(self, wish: dict) -> None:
        on = wish["on"] is True
        if on:
            self.shared.refuse_if_read_only("Keeping events in the log")
        if self.session is not None:
            await asyncio.to_thread(self.session.keep, on, wish.get("pictures") is True)

    def _told(self, session: LiveSession, kind: str, content: dict) -> None:
        """From the session's threads."""
        if session is not self.session:
            return  # it was left behind
        if kind == "pictures":
            self._looks.first(content["event"], content["keyframes"])
        elif kind == "event":
            event = content["event"]
            self.tell(kind, {"event": event.as_dict(), "unsure": event.label == UNSURE, "ended": content["ended"]})
        else:
            self.tell(kind, content)

    async def _on_look(self, wish: dict) -> None:
        what = [str(name) for name in wish["what"]]
        self._looks.look(int(wish["number"]), what, float(wish.get("factor", 8)), wish.get("dark") is True)
