"""The WebSocket of the live tab: chunks and wishes come in, state, events and pictures go out.

Text, page → server: JSON with a "kind": start, codec, stop, change, keep, look, magnify, ping.
Binary, page → server: one chunk, HEADER (little-endian: version; flags, bit 0 a key frame, bit 1 full range; layout of a raw
picture; size; microseconds) and its data.
Text, server → page: JSON with a "kind": hello, busy, started, ready (chunks are wanted), state, event, scores, word, problem,
key (a key frame is wanted), moved (to another page), ended.
Binary, server → page: length of a JSON head (4 bytes), the head, one picture.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import struct
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from importlib.resources import files

import cv2
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from realtime.dashboard.live_choice import Choice
from realtime.dashboard.live_look import Looks, with_head
from realtime.dashboard.live_seats import Seats
from realtime.dashboard.live_session import LiveSession
from realtime.dashboard.shared import Shared
from realtime.dashboard.shelf import KEPT
from realtime.errors import MerError, SourceError, UsageError
from realtime.records import UNSURE
from realtime.sources import open_source
from realtime.sources.packet_process import Packet
from realtime.sources.packets import MOST_BYTES, Packets

log = logging.getLogger(__name__)

PATH = "/mer/live/ws"
VERSION = 1
HEADER = struct.Struct("<BBBxIq")
TICK = 0.08  # seconds between two states
HEALTH_TICKS = 6  # states from one look at the figures to the next
VIEW_FPS, VIEW_WIDTH = 15, 960  # of what a page is shown of a server's source
MOST_OUT = 200  # messages that may wait for a page
MOST_TEXT = 2**16  # bytes of a wish
LIVE_QUEUE = 15  # frames that may wait for the pipeline: half a second, for no picture is shown later than that
DEMO = str(files("realtime").joinpath("assets/demo.mp4"))
SEATS = max(1, (os.cpu_count() or 1) // 2)  # live pages at a time: each takes most of a core


def routes(shared: Shared, app: FastAPI) -> None:
    seats = Seats(SEATS)
    shared.at_end(seats.empty)

    @app.websocket(PATH)
    async def live(socket: WebSocket):
        await Connection(socket, shared, seats).run()


class Connection:
    """One page, from its first message to its last."""

    def __init__(self, socket: WebSocket, shared: Shared, seats: Seats):
        self.socket, self.shared, self.seats = socket, shared, seats
        self.session: LiveSession | None = None
        self.choice = Choice.of(shared.settings)
        self._out: deque[dict | bytes] = deque(maxlen=MOST_OUT)
        self._news = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._looks = Looks(self.tell, self._post, lambda number: self.session.shelf.get(number) if self.session else None)

    async def run(self) -> None:
        await self.socket.accept()
        self.tell("hello", {"version": VERSION, "most_bytes": MOST_BYTES, "kept": KEPT, "seats": self.seats.most})
        sending = [asyncio.create_task(self._while_open(part)) for part in (self._send_on, self._tick_on, self._view_on)]
        try:
            await self._receive_on()
        except (WebSocketDisconnect, RuntimeError):
            pass  # the page has gone
        finally:
            for task in [*sending, *self._looks.tasks]:
                task.cancel()
            await asyncio.to_thread(self.end)

    async def _while_open(self, part: Callable) -> None:
        try:
            await part()
        except (WebSocketDisconnect, RuntimeError):
            pass  # the page has gone
        except Exception:  # a defect: the page notices that the connection is gone, and comes back
            log.exception("the live tab's connection failed")
            with suppress(RuntimeError):
                await self.socket.close(1011)

    def end(self) -> None:
        session, self.session = self.session, None
        self.seats.leave(self)
        if session is not None:
            session.stop()

    def put_out(self) -> None:
        """Another page has taken the place."""
        session, self.session = self.session, None
        self.tell("moved", {"text": "Live now runs in another tab or window."})
        if session is not None:
            session.stop()

    def tell(self, kind: str, content: dict) -> None:
        """From any thread."""
        self._post(content | {"kind": kind})

    def _post(self, message: dict | bytes) -> None:
        self._out.append(message)
        with suppress(RuntimeError):  # the program ends
            self._loop.call_soon_threadsafe(self._news.set)

    # --- out

    async def _send_on(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while self._out:
                message = self._out.popleft()
                if isinstance(message, bytes):
                    await self.socket.send_bytes(message)
                else:
                    await self.socket.send_text(json.dumps(message))

    async def _tick_on(self) -> None:
        ticks = 0
        while True:
            await asyncio.sleep(TICK)
            session = self.session
            if session is None or len(self._out) > MOST_OUT // 2:  # a page that is slow gets less, not later
                continue
            state = session.state()
            if ticks % HEALTH_TICKS == 0:
                state["health"] = session.health()
            ticks += 1
            self.tell("state", state)

    async def _view_on(self) -> None:
        """Pictures of a server's source; a browser's camera is shown by the browser itself."""
        shown = None
        while True:
            await asyncio.sleep(1 / VIEW_FPS)
            session = self.session
            step = session.watch.latest if session and session.watch else None
            if step is None or step is shown or isinstance(session.source, Packets) or len(self._out) > 8:
                continue
            shown = step
            height, width = step.frame.pixels.shape[:2]
            data = await asyncio.to_thread(_jpeg, step.frame.pixels)
            self._post(with_head({"kind": "frame", "width": width, "height": height}, data))

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
            self.tell("busy", {"text": "Live already runs in another tab or window, and this machine has room for "
                                       f"{self.seats.most} at full rate."})  # fmt: skip
            return
        before, self.session = self.session, None
        if before is not None:
            await asyncio.to_thread(before.stop)
        if "settings" in wish:
            self.choice = self.choice.changed(dict(wish["settings"]))
        source = self._browser(wish) if wish["source"] == "browser" else self._server(str(wish["spec"]))
        session = LiveSession(self.shared, self.choice, source, lambda *told: self._told(session, *told))
        self.session = session
        session.start()
        self.tell("started", {"source": wish["source"]})
        if wish.get("keep") is True:
            await self._on_keep({"on": True, "pictures": wish.get("keep_pictures")})

    def _browser(self, wish: dict) -> Packets:
        settings = replace(self.shared.settings.source, queue=min(LIVE_QUEUE, self.shared.settings.source.queue))
        return Packets(
            "browser camera", str(wish["codec"]), int(wish["width"]), int(wish["height"]), settings,
            want_key=lambda: self.tell("key", {}), trouble=lambda line: self.tell("problem", {"text": line, "brief": True}),
        )  # fmt: skip

    def _server(self, spec: str) -> Callable:
        spec = spec.strip()
        if not spec:
            raise UsageError("type a camera's number, a file or an address first")
        settings = self.shared.settings.source
        if spec == "demo":
            spec = DEMO
        return lambda: open_source(int(spec) if spec.isdecimal() else spec, as_live=True, settings=settings)

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
        if kind != "event":
            self.tell(kind, content)
            return
        event = content["event"]
        self.tell("event", {"event": event.as_dict(), "unsure": event.label == UNSURE})
        self._looks.thumbnails(event, content["keyframes"])

    async def _on_look(self, wish: dict) -> None:
        self._looks.look(int(wish["number"]), float(wish.get("factor", 8)), wish.get("dark") is True)

    async def _on_magnify(self, wish: dict) -> None:
        self._looks.magnify(int(wish["number"]), float(wish["factor"]))


def chunk(message: bytes) -> Packet:
    """Raises SourceError where `message` is none."""
    if len(message) < HEADER.size:
        raise SourceError("the browser sent a chunk without a header: reload the page")
    version, flags, layout, size, microseconds = HEADER.unpack_from(message)
    if version != VERSION or size != len(message) - HEADER.size:
        raise SourceError("the browser sent a chunk of another version or size than it said: reload the page")
    return Packet(microseconds, bool(flags & 1), message[HEADER.size :], time.monotonic(), layout, bool(flags & 2))


def _jpeg(pixels) -> bytes:
    height, width = pixels.shape[:2]
    if width > VIEW_WIDTH:
        pixels = cv2.resize(pixels, (VIEW_WIDTH, round(height * VIEW_WIDTH / width)), interpolation=cv2.INTER_AREA)
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 82])[1].tobytes()
