"""What a client can make the server hold, wait for or do again has a bound, and is no other client's trouble."""

import asyncio
import os
import socket
import threading
import time
from pathlib import Path

import pytest

pytest.importorskip("gradio", reason="gradio is not installed (pip install 'mer-live[demo]')")
import uvicorn
from starlette.testclient import TestClient

from realtime.dashboard import shared
from realtime.dashboard.server import guard, requests, uploads
from realtime.dashboard.server.guard import Guard
from realtime.dashboard.shared import DemoSettings, Shared
from realtime.errors import OutputError, UsageError

PASSWORD = "correct horse battery"


async def answers(scope, receive, send):
    """A small app: /slow goes on for a second, whatever else is answered at once, without a look at its body."""
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if scope["path"] == "/slow":
        await asyncio.sleep(1.0)
    await send({"type": "http.response.body", "body": b"done"})


@pytest.fixture
def serve(monkeypatch):
    """`serve(app)` → (host, port) of a server with our connections, which wait 0.3 s for a head."""
    monkeypatch.setattr(requests, "HEAD_SECONDS", 0.3)
    started = []

    def start(app=answers) -> tuple[str, int]:
        listening = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, http=requests.Connection, log_level="critical", lifespan="off"))
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        started.append((server, thread))
        return listening.getsockname()

    yield start
    for server, thread in started:
        server.should_exit = True
        thread.join(30)


def closed(client: socket.socket, trickle: bytes = b"", seconds: float = 30.0) -> bool:
    """Whether the server hangs up, though a byte comes now and then."""
    end = time.monotonic() + seconds
    client.settimeout(0.05)
    while time.monotonic() < end:
        try:
            if trickle:
                client.send(trickle)
            if client.recv(4096) == b"":
                return True
        except TimeoutError:
            continue
        except OSError:
            return True
    return False


@pytest.mark.parametrize(
    "begun, trickle",
    [
        (b"", b""),
        (b"", b"G"),
        (b"GET / HTTP/1.1\r\nhost: x\r\n", b"x"),
        (b"GET / HTTP/1.1\r\nhost: x\r\n\r\nGET /", b"x"),
        (b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n", b"x"),
    ],
    ids=["silent", "trickle", "head", "second head", "body of an answered request"],
)
def test_a_connection_that_asks_for_nothing_is_closed(serve, begun, trickle):
    with socket.create_connection(serve()) as client:
        client.send(begun)
        assert closed(client, trickle)


def test_what_is_under_way_is_not_cut_off(serve):
    with socket.create_connection(serve()) as client:
        client.sendall(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n")  # three times as long as a head may take
        client.settimeout(30)
        assert b"done" in b"".join(iter(lambda: client.recv(4096), b""))


def test_of_too_many_connections_the_one_that_waits_longest_goes(serve, monkeypatch):
    monkeypatch.setattr(requests, "MOST_AT_ONCE", 5)
    monkeypatch.setattr(requests, "HEAD_SECONDS", 60)
    where = serve()
    idle = []
    for _ in range(9):
        idle.append(socket.create_connection(where))
        time.sleep(0.02)
    with socket.create_connection(where) as client:
        client.sendall(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        client.settimeout(30)
        assert client.recv(4096).startswith(b"HTTP/1.1 200")
    assert closed(idle[0]) and not closed(idle[-1], seconds=0.3)
    for one in idle:
        one.close()


def guarded(address: str, guard=None):
    guard = guard or Guard(answers, "0.0.0.0", PASSWORD, False)
    return TestClient(guard, base_url="http://page", client=(address, 1), follow_redirects=False), guard


def test_a_wrong_password_holds_up_only_who_gave_it():
    stranger, guard = guarded("10.0.0.66")
    owner, _ = guarded("10.0.0.1", guard)
    assert stranger.post("/mer/login", data={"password": "wrong"}).status_code == 401
    assert stranger.post("/mer/login", data={"password": PASSWORD}).status_code == 429
    assert owner.post("/mer/login", data={"password": PASSWORD}).status_code == 303
    assert owner.get("/config").status_code == 200


def test_tries_are_remembered_by_network_and_not_without_end(monkeypatch):
    table = guard.Tries()
    table.failed("2001:db8::1")
    assert not table.may("2001:db8::ffff:1") and table.may("2001:db8:0:1::1") and not table.may("2001:db8::2%eth0")
    table.failed("::ffff:10.0.0.1")
    assert not table.may("10.0.0.1") and table.may("10.0.0.2")
    for number in range(3 * guard.MOST):
        table.failed(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert len(table._again) == guard.MOST
    monkeypatch.setattr(guard.time, "monotonic", lambda now=time.monotonic() + 2: now)
    assert table.may("10.0.0.1")


@pytest.mark.parametrize(
    "cookie",
    [
        b"mer_demo=\xe4\xf6\xfc",
        b"mer_demo=\xd0\x9a\xd0\xb8",
        b'mer_demo="\\303\\244"',
        b"\xff\xfe",
        b'mer_demo="',
        b"mer_demo=x; mer_demo=" + b"y" * 5000,
    ],
)
def test_a_cookie_of_any_text_is_a_stranger(cookie):
    assert guarded("10.0.0.66")[0].get("/config", headers={b"cookie": cookie}).status_code == 401


@pytest.mark.parametrize("name", [b"host", b"origin", b"sec-fetch-site", b"x-mer-any"])
@pytest.mark.parametrize("value", [b"[", b"[::1", b"a]b", b"http://[", b"\xe2\x84\x80.example", b"//@:", b"\xff", b"x:99999999"])
def test_no_header_breaks_the_guard(name, value):
    guard = Guard(answers, "127.0.0.1", None, False)
    headers = {b"host": b"127.0.0.1", name: value}
    assert TestClient(guard).get("/config", headers=headers).status_code == (200 if name.startswith((b"x-", b"sec-")) else 403)


@pytest.fixture
def here(tmp_path):
    made = Shared(DemoSettings(), tmp_path, tmp_path / "log.sqlite3")
    made.uploads.folder.mkdir()
    yield made
    made.close()


def test_only_the_networks_of_the_page_are_loaded(here, monkeypatch, tmp_path):
    monkeypatch.setattr(shared, "Recognizer", lambda model, engine: (model, engine))
    own = tmp_path / "own.onnx"
    own.touch()
    for spelled in ("KERNEL_RIDGE", "./kernel_ridge", "kernel_ridge.onnx", str(own), "verifier", "", "../zoo/kernel_ridge", "x" * 5000):
        with pytest.raises(UsageError, match="expected one of .*kernel_ridge") as refused:
            here.recognizer(spelled)
        assert len(str(refused.value)) < 300
    with pytest.raises(UsageError, match="no engine 'Auto'"):
        here.recognizer("kernel_ridge", "Auto")
    assert here.recognizer("kernel_ridge") is here.recognizer("kernel_ridge") and len(here._networks) == 1


def test_pages_are_forgotten_where_there_are_too_many(here):
    first = here.folder("page 0")
    assert [one for number in range(shared.MOST_PAGES) for one in here.seen(f"page {number}")] == []
    here.seen("page 1")
    assert here.seen("another") == ["page 0"] and here.seen("third") == ["page 2"]
    here.end_session("page 0")
    assert not first.exists()


def test_a_file_is_offered_once(here):
    path = here.folder("page") / "events.csv"
    path.touch()
    assert here.offer(path, "page") == here.offer(path, "page") and len(here._offers) == 1


def test_uploads_that_nobody_took_make_room(here, monkeypatch):
    lain, fresh = (here.uploads.folder / name / "clip.mp4" for name in ("old", "new"))
    owner = Path(here.temp / "diary")
    owner.write_text("mine")
    for path in (lain, fresh):
        path.parent.mkdir()
        path.write_bytes(b"film")
    (lain.parent / "link").symlink_to(owner)
    os.utime(lain, (0, 0))
    os.utime(owner, (0, 0))
    here.uploads.make_room(1000)
    assert not lain.exists() and fresh.exists() and owner.exists()
    monkeypatch.setattr(uploads, "SPARE", 10**18)
    with pytest.raises(OutputError, match="the disk is too full"):
        here.uploads.make_room(1)
