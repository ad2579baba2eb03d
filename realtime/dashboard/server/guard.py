"""Stands before every route of the page, WebSockets too: which site asks, and whether it has logged in."""

from __future__ import annotations

import asyncio
import hmac
import html
import ipaddress
import re
import secrets
import time
from collections import OrderedDict
from contextlib import suppress
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

from realtime.dashboard.server.access import is_local
from realtime.dashboard.server.languages import catalogue, spoken

PAUSE = 1.0  # seconds after a wrong password
MOST = 4096  # clients that are remembered
NETWORK = 64  # bits: so much of an IPv6 address is a network, whose owner has all the addresses in it


class Tries:
    """By the address that tries. The oldest are forgotten first: a password of eight characters bears a few more tries."""

    def __init__(self):
        self._again: OrderedDict[str, float] = OrderedDict()  # client → when it may try again, monotonic seconds

    def may(self, address: str) -> bool:
        return time.monotonic() >= self._again.get(_client(address), 0.0)

    def failed(self, address: str) -> None:
        client = _client(address)
        self._again[client] = time.monotonic() + PAUSE
        self._again.move_to_end(client)
        while len(self._again) > MOST:
            self._again.popitem(last=False)


def _client(address: str) -> str:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if found.version == 4:
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, NETWORK), strict=False))


COOKIE = "mer_demo"
SESSION_SECONDS = 12 * 3600
FORM_SECONDS = 10.0  # for the form with the password
MOST_LOGGED_IN = 200  # browsers; the one that logged in longest ago has to do so again
HTML = {"content-type": "text/html; charset=utf-8"}
READING = ("GET", "HEAD", "OPTIONS")
# Gradio's own ways out of this machine, into its files and past its page, none of which this page uses
CLOSED = re.compile(
    r"/(gradio_api/)?(proxy=|file[=/]|api/|call/|run/(?!predict$)|component_server|process_recording|custom_component|dev/|"
    r"stream/[^/]+/[^/]+/|deep_link|runs\b|run-history|vibe|undo-vibe|monitoring|profiling)",
    re.IGNORECASE,
)
# the browser itself refuses whatever would leave this machine; Gradio's own scripts stand in the page and use eval
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' data: blob: mediastream:; font-src 'self' data:; "
    "worker-src 'self' blob:; connect-src 'self' ws://{host} wss://{host} data: blob:; "
    "frame-src 'self' blob: data:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)


class Guard:
    """ASGI middleware.

    Args:
        host: what the server listens on.
        password: None asks for none.
        read_only: nothing is written.
    """

    def __init__(self, app, host: str, password: str | None, read_only: bool):
        self.app, self._host, self._password, self._read_only = app, host, password, read_only
        self._logged_in: dict[str, float] = {}  # cookie → until when, monotonic seconds
        self._tries = Tries()

    async def __call__(self, scope, receive, send):
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self._refusal(scope, headers)
        if refusal:
            return await answer(scope, receive, send, 403, f"Refused: {refusal}\n")
        if scope["path"] == "/mer/login" and scope["type"] == "http" and self._password is not None:
            return await self._login(scope, receive, send, spoken(headers.get("accept-language", "")))
        if self._password is not None and not self._known(headers):
            if scope["type"] == "http" and scope["method"] == "GET" and scope["path"] == "/":
                return await answer(scope, receive, send, 303, "", {"location": "/mer/login"})
            return await answer(scope, receive, send, 401, "Log in first.\n")
        sending = _with_headers(send, headers.get("host", "")) if scope["type"] == "http" else send
        await self.app(scope, receive, sending)

    def _refusal(self, scope, headers) -> str:
        """Why this request is not answered, in words; empty where it is."""
        host, origin = headers.get("host", ""), headers.get("origin")
        if is_local(self._host) and not is_local(_name(host)):  # a foreign name that points here: DNS rebinding
            return "this page is reached as 127.0.0.1 or localhost only."
        if origin is not None and _netloc(origin) != host.lower():
            return "another site may not use this page."
        reading = scope["type"] == "http" and scope["method"] in READING
        if headers.get("sec-fetch-site") in ("cross-site", "same-site"):
            followed = (headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")) == ("navigate", "document")
            if not (reading and followed and scope["path"] == "/"):  # a link to the page is fine, anything else is not
                return "another site may not use this page."
        if CLOSED.match(scope["path"]):
            return "not part of this page."
        written = scope["path"].startswith("/mer/") and scope["path"] != "/mer/login"
        if self._read_only and written and scope["type"] == "http" and not reading:
            return "mer-demo was started with --read-only."
        return ""

    def _known(self, headers) -> bool:
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            return False
        if cookie is None:
            return False
        now, given = time.monotonic(), cookie.value.encode()  # as bytes: text that is not ASCII is compared by nobody
        self._logged_in = {token: until for token, until in self._logged_in.items() if until > now}
        return any(hmac.compare_digest(given, token.encode()) for token in self._logged_in)

    async def _login(self, scope, receive, send, language: str):
        if scope["method"] != "POST":
            return await answer(scope, receive, send, 200, _login_page("", language), HTML)
        try:
            given = await asyncio.wait_for(_typed(receive), FORM_SECONDS)
        except TimeoutError:
            return await answer(scope, receive, send, 408, "That took too long.\n")
        who = (scope.get("client") or ("", 0))[0]
        if not self._tries.may(who):
            page = _login_page("One try a second: please wait a moment.", language)
            return await answer(scope, receive, send, 429, page, HTML)
        if not hmac.compare_digest(given.encode("utf-8", "replace"), self._password.encode()):
            self._tries.failed(who)
            page = _login_page("That is not the password.", language)
            return await answer(scope, receive, send, 401, page, HTML)
        token = secrets.token_urlsafe(32)
        self._logged_in[token] = time.monotonic() + SESSION_SECONDS
        while len(self._logged_in) > MOST_LOGGED_IN:
            self._logged_in.pop(next(iter(self._logged_in)))
        secure = "; Secure" if scope.get("scheme") == "https" else ""
        cookie = f"{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={SESSION_SECONDS}{secure}"
        await answer(scope, receive, send, 303, "", {"location": "/", "set-cookie": cookie})


async def _typed(receive) -> str:
    """The password in the form that is sent."""
    body = b""
    while len(body) < 4096:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    return parse_qs(body.decode("utf-8", "replace")).get("password", [""])[0]


def _name(host: str) -> str:
    """The name in a Host header: "127.0.0.1:7860" → "127.0.0.1", "[::1]:7860" → "::1"; "" where it is none."""
    with suppress(ValueError):
        return urlsplit(f"//{host}").hostname or "" if not re.search(r"[\s/@]", host) else ""
    return ""


def _netloc(origin: str) -> str | None:
    with suppress(ValueError):
        return urlsplit(origin).netloc.lower()
    return None


def _with_headers(send, host: str):
    policy = POLICY.format(host=re.sub(r"[^\w.:\[\]-]", "", host, flags=re.ASCII) or "localhost")

    async def sending(message):
        if message["type"] == "http.response.start":
            mine = {
                "content-security-policy": policy,
                "x-content-type-options": "nosniff",
                "referrer-policy": "same-origin",  # with none at all, the log-in form has no origin
                "cross-origin-resource-policy": "same-origin",
                "permissions-policy": "camera=(self), microphone=(), geolocation=()",
            }
            kept = [(name, value) for name, value in message["headers"] if name.decode().lower() not in mine]
            message = message | {"headers": kept + [(name.encode(), value.encode()) for name, value in mine.items()]}
        await send(message)

    return sending


async def answer(scope, receive, send, status: int, text: str, headers: dict[str, str] | None = None):
    """One short answer. A WebSocket that is refused before it is accepted ends with 403 on its own."""
    if scope["type"] == "websocket":
        await receive()
        return await send({"type": "websocket.close", "code": 1008})
    headers = {"content-type": "text/plain; charset=utf-8", "cache-control": "no-store"} | (headers or {})
    host = next((value.decode("latin-1") for name, value in scope["headers"] if name.lower() == b"host"), "")
    sending = _with_headers(send, host)
    pairs = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    await sending({"type": "http.response.start", "status": status, "headers": pairs})
    await sending({"type": "http.response.body", "body": text.encode()})


def _login_page(said: str, language: str) -> str:
    def say(english: str) -> str:
        return html.escape(catalogue(language).get(english, english))

    return f"""<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>mer-live</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>
:root {{ color-scheme: light dark }}
body {{ font: 16px/1.5 system-ui, sans-serif; display: grid; place-content: center; min-height: 90vh }}
form {{ display: grid; gap: .75rem; width: 18rem }} input, button {{ font: inherit; padding: .5rem }} p {{ margin: 0 }}
</style></head><body><main><form method="post" action="/mer/login"><h1>mer-live</h1>
<label for="password">{say("Password")}</label>
<input id="password" name="password" type="password" required autofocus autocomplete="current-password">
<button>{say("Log in")}</button><p role="alert">{say(said)}</p></form></main></body></html>"""
