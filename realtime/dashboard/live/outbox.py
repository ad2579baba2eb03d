"""What goes out to one live page: messages in their order, the state now and then, pictures of a server's source."""

from __future__ import annotations

import asyncio
import json
import logging
import struct
from collections import deque
from collections.abc import Callable
from contextlib import suppress

import cv2
import numpy as np
from fastapi import WebSocket, WebSocketDisconnect

from realtime.dashboard.live.session import LiveSession
from realtime.sources.browser import Packets

log = logging.getLogger(__name__)

TICK = 0.08  # seconds between two states
HEALTH_TICKS = 6  # states from one look at the figures to the next
VIEW_FPS = 15  # of what a page is shown of a server's source
MOST_OUT = 200  # messages that may wait for a page
FEW_OUT = 8  # beyond, no more pictures of a server's source
VIEW_WIDTH = 960  # pixels of what a page is shown of a server's source
QUALITY = 82  # of that JPEG


class Out:
    """`tell` and `post` from any thread; `tasks` send. session(): the one that is watched now, or None."""

    def __init__(self, socket: WebSocket, session: Callable[[], LiveSession | None]):
        self._socket, self._session = socket, session
        self._waiting: deque[dict | bytes] = deque(maxlen=MOST_OUT)
        self._news = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def tell(self, kind: str, content: dict) -> None:
        self.post(content | {"kind": kind})

    def post(self, message: dict | bytes) -> None:
        self._waiting.append(message)
        with suppress(RuntimeError):  # the program ends
            self._loop.call_soon_threadsafe(self._news.set)

    def tasks(self) -> list[asyncio.Task]:
        return [asyncio.create_task(self._while_open(part)) for part in (self._send_on, self._tick_on, self._view_on)]

    async def _while_open(self, part: Callable) -> None:
        try:
            await part()
        except (WebSocketDisconnect, RuntimeError):
            pass  # the page has gone
        except Exception:  # a defect: the page notices that the connection is gone, and comes back
            log.exception("the live tab's connection failed")
            with suppress(RuntimeError):
                await self._socket.close(1011)

    async def _send_on(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                message = self._waiting.popleft()
                if isinstance(message, bytes):
                    await self._socket.send_bytes(message)
                else:
                    await self._socket.send_text(json.dumps(message))

    async def _tick_on(self) -> None:
        ticks = 0
        while True:
            await asyncio.sleep(TICK)
            session = self._session()
            if session is None or len(self._waiting) > MOST_OUT // 2:  # a page that is slow gets less, not later
                continue
            state = session.state()
            if ticks % HEALTH_TICKS == 0:
                state["health"] = session.health()
            ticks += 1
            self.tell("state", state)

    async def _view_on(self) -> None:
        """A browser's camera is shown by the browser itself."""
        shown = None
        while True:
            await asyncio.sleep(1 / VIEW_FPS)
            session = self._session()
            step = session.watch.latest if session and session.watch else None
            if step is None or step is shown or isinstance(session.source, Packets) or len(self._waiting) > FEW_OUT:
                continue
            shown = step
            height, width = step.frame.pixels.shape[:2]
            data = await asyncio.to_thread(view_jpeg, step.frame.pixels)
            self.post(with_head({"kind": "frame", "width": width, "height": height}, data))


def with_head(head: dict, data: bytes) -> bytes:
    """Length of the JSON head (4 bytes), the head, one picture."""
    text = json.dumps(head).encode()
    return struct.pack("<I", len(text)) + text + data


def view_jpeg(pixels: np.ndarray) -> bytes:
    """H×W×3 uint8 BGR, at most VIEW_WIDTH wide."""
    height, width = pixels.shape[:2]
    if width > VIEW_WIDTH:
        pixels = cv2.resize(pixels, (VIEW_WIDTH, round(height * VIEW_WIDTH / width)), interpolation=cv2.INTER_AREA)
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()
