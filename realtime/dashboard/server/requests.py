"""What comes to the page: so many connections at once, requests in time and of a bounded size, and for Gradio's functions what they take."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import time

from starlette.requests import ClientDisconnect, Request
from uvicorn.protocols.http.h11_impl import H11Protocol

from realtime.dashboard.server.browser_json import read
from realtime.dashboard.server.gradio_inputs import MOST_NAME, Page, refusals
from realtime.dashboard.server.guard import READING, answer
from realtime.dashboard.shared import Shared
from realtime.errors import MerError, UsageError

HEAD_SECONDS = 10.0  # for the head of a request, however it trickles; before it nobody has logged in
MOST_AT_ONCE = 400  # connections; a program may have 1024 files open


class Connection(H11Protocol):
    """uvicorn itself waits for a head for ever, and so for the rest of a body whose request is answered already."""

    _late: asyncio.TimerHandle | None = None
    since = 0.0  # monotonic seconds: when the wait for a request began

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._watch()
        if len(self.connections) > MOST_AT_ONCE:
            idle = [other for other in self.connections if getattr(other, "waiting", False)]  # this one at the latest
            min(idle, key=lambda other: other.since).transport.abort()

    @property
    def waiting(self) -> bool:
        """For a request, or for its end."""
        return self.cycle is None or self.cycle.response_complete

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch()

    def handle_websocket_upgrade(self, event) -> None:
        super().handle_websocket_upgrade(event)
        self._leave()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._leave()

    def _watch(self) -> None:
        if self not in self.connections:  # lost, or a WebSocket by now
            return
        if not self.waiting:
            self._leave()
        elif self._late is None:
            self.since = time.monotonic()
            self._late = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    def _leave(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


MOST_BODY, MOST_STREAMED = 2**20, 12 * 2**20  # bytes of a body that is no upload; of one with a camera's picture
MOST_UNREAD = 64  # presses of one page over Gradio's queue whose answers it has not fetched
BODY_SECONDS = 30.0  # for a body
UPLOAD = re.compile(r"/gradio_api/upload/?")
CHARSET = re.compile(rb"charset", re.IGNORECASE)  # no browser says one; Gradio would read names by whatever it is
ASKING = re.compile(r"/gradio_api/(run/predict|queue/join)/?")
STREAMED = re.compile(r"/gradio_api/(queue/join/?|stream/.*)")
BROWSER = "mer_browser"  # the cookie that says whose upload it is
GRADIO = re.compile(r"/gradio_api/")


class Bodies:
    """ASGI middleware."""

    def __init__(self, app, page: Page, shared: Shared):
        self.app, self._page, self._shared = app, page, shared

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http" or scope["method"] in READING:
            new = scope["type"] == "http" and scope["path"] == "/" and not browser_of(Request(scope))
            return await self.app(scope, receive, _with_cookie(send, scope) if new else send)
        if UPLOAD.fullmatch(scope["path"]):
            return await self._upload(scope, receive, send)
        most = MOST_STREAMED if STREAMED.fullmatch(scope["path"]) else MOST_BODY
        try:
            body = await asyncio.wait_for(_whole(receive, most), BODY_SECONDS)
        except TimeoutError:
            return await answer(scope, receive, send, 408, "That took too long.\n")
        if body is None:
            return await answer(scope, receive, send, 413, f"Refused: more than {most >> 20} MB.\n")
        try:
            if GRADIO.match(scope["path"]):
                asked = read(body) if body else {}
                if ASKING.fullmatch(scope["path"]):
                    self._page.check(asked)
                    await self._seen(asked["session_hash"])
        except MerError as error:
            return await answer(scope, receive, send, 422, f"Refused: {error}\n")
        refusals.set(refused := [])

        async def sending(message):  # Gradio's word for whatever it does not take is 500
            if refused and message["type"] == "http.response.start" and message["status"] == 500:
                message = message | {"status": 422}
            await send(message)

        await self.app(scope, _again(body, receive), sending)

    async def _seen(self, session: str) -> None:
        if len(self._page._queue.pending_event_ids_session.get(session, ())) > MOST_UNREAD:
            raise UsageError("too much is waiting for this page: reload it")
        for silent in self._shared.seen(session):
            await asyncio.to_thread(self._shared.end_session, silent)

    async def _upload(self, scope, receive, send):
        if CHARSET.search(dict(scope["headers"]).get(b"content-type", b"")):
            return await answer(scope, receive, send, 415, "Refused: names of files are UTF-8.\n")
        if not (size := _length(scope)):
            return await answer(scope, receive, send, 411, "Refused: say how long it is.\n")
        try:
            await asyncio.to_thread(self._shared.uploads.make_room, size)
        except MerError as error:
            return await answer(scope, receive, send, 507, f"{error}\n")
        begun = over = late = False
        browser, told = browser_of(Request(scope)), bytearray()

        async def receiving():
            nonlocal over, late
            if over:
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), BODY_SECONDS)
            except TimeoutError:
                late = True
                return {"type": "http.disconnect"}
            over = not message.get("more_body")
            return message

        async def sending(message):
            nonlocal begun, told
            begun = True
            if message["type"] == "http.response.start" and message["status"] != 200:
                told = None
            elif message["type"] == "http.response.body" and told is not None and browser:
                told += message.get("body", b"")
                if not message.get("more_body"):  # before the page knows it
                    self._shared.uploads.came(json.loads(told), browser)
            await send(message)

        try:
            await self.app(scope, receiving, sending)
        except ClientDisconnect:  # a page that was closed meanwhile is no fault
            if late and not begun:
                await answer(scope, receive, send, 408, "That took too long.\n")


def browser_of(request) -> str:
    """The name that a browser got with the page; "" where it has none."""
    return request.cookies.get(BROWSER, "")[:MOST_NAME]


def _with_cookie(send, scope):
    cookie = f"{BROWSER}={secrets.token_urlsafe(24)}; Path=/; HttpOnly; SameSite=Strict{'; Secure' if scope.get('scheme') == 'https' else ''}"

    async def sending(message):
        if message["type"] == "http.response.start" and message["status"] == 200:
            message = message | {"headers": [*message["headers"], (b"set-cookie", cookie.encode())]}
        await send(message)

    return sending


def _length(scope) -> int:
    """Bytes that are said to come; 0 where nothing is said."""
    said = dict(scope["headers"]).get(b"content-length", b"")
    return int(said) if said.isdigit() and len(said) < 20 else 0


async def _whole(receive, most: int) -> bytes | None:
    """None where there is too much."""
    body = bytearray()
    while len(body) <= most:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return bytes(body) if len(body) <= most else None
    return None


def _again(body: bytes, receive):
    given = False

    async def receiving():
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receiving
