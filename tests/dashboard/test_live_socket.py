"""The live tab's WebSocket without a browser: chunks in, the truth's events out, and every refusal in words."""

from __future__ import annotations

import csv
import json
import os
import struct
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import av
import pytest
from holding import remembered
from places import DEMO

pytest.importorskip("fastapi")
from fastapi import FastAPI
from starlette.testclient import TestClient

from realtime.dashboard.live import readings as words
from realtime.dashboard.live import session as live_seats
from realtime.dashboard.live import socket as live_socket
from realtime.dashboard.live.choices import Choice
from realtime.dashboard.live.session import LiveSession
from realtime.dashboard.shared import DemoSettings, Shared
from realtime.output.log import Log
from realtime.output.recorder import recordings
from realtime.output.stored_pictures import beside
from realtime.records import Event
from realtime.sources import SourceCounts

TRUTH = Path(DEMO).with_name("demo.csv")


@pytest.fixture
def connect(tmp_path):
    """`with connect(read_only=False) as page` → a Page; several on one server."""
    clients = []

    def shared_of(read_only: bool) -> Shared:
        if not clients:
            shared = Shared(DemoSettings(), tmp_path, tmp_path / "log.sqlite3", read_only)
            app = FastAPI()
            live_socket.routes(shared, app)
            clients.append((TestClient(app), shared))
        return clients[0]

    @contextmanager
    def open_one(read_only: bool = False):
        client, shared = shared_of(read_only)
        with client.websocket_connect(live_socket.PATH) as socket:
            page = Page(socket, shared)
            assert page.until("hello")["version"] == 1
            yield page

    yield open_one
    for _, shared in clients:
        shared.close()


class Page:
    """What a page would send and be told. events, provisional: in their order. states: all."""

    def __init__(self, socket, shared: Shared):
        self.socket, self.shared = socket, shared
        self.events: list[dict] = []
        self.provisional: list[dict] = []
        self.states: list[dict] = []
        self.health: dict = {}
        self.pictures: dict[tuple[int, str], bytes] = {}  # by (event, name)
        self.scores: list[int] = []

    def wish(self, kind: str, **content) -> None:
        self.socket.send_text(json.dumps({"kind": kind, **content}))

    def start(self, **content) -> None:
        self.wish("start", **{"source": "browser", "codec": "raw", "width": 320, "height": 240, "consent": True, **content})

    def chunk(self, microseconds: int, data: bytes, layout: int = 1, key: bool = True, size: int | None = None) -> None:
        size = len(data) if size is None else size
        self.socket.send_bytes(live_socket.HEADER.pack(1, int(key), layout, size, microseconds) + data)

    def hear(self) -> dict:
        message = self.socket.receive()
        if "text" not in message or message["text"] is None:
            length = struct.unpack_from("<I", message["bytes"])[0]
            told = json.loads(message["bytes"][4 : 4 + length]) | {"data": message["bytes"][4 + length :]}
            if told["kind"] == "picture":
                self.pictures[told["number"], told["name"]] = told["data"]
            return told
        told = json.loads(message["text"])
        if told["kind"] == "event":
            self.events.append(told["event"] | {"ended": told["ended"]})
        if told["kind"] == "provisional":
            assert told["event"]["event"] > len(self.events)  # before it is known for good
            self.provisional.append(told["event"])
        if told["kind"] == "scores":
            self.scores.append(told["number"])
        if told["kind"] == "state":
            self.states.append(told)
            self.health = told.get("health") or self.health
        return told

    def until(self, *kinds: str, seconds: float = 60) -> dict:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if (told := self.hear())["kind"] in kinds:
                return told
        raise AssertionError(f"nothing of {kinds} came; the last state was {self.states[-1:]}")

    def running(self) -> None:
        while not self.states or self.states[-1]["phase"] not in ("opening", "running"):
            self.until("state", "ended")


def play(page: Page, clip: Path = DEMO, seconds: float = 60) -> None:
    """The clip as raw chunks, at its own times, as fast as they are analysed."""
    with av.open(str(clip)) as film:
        for number, frame in enumerate(film.decode(video=0)):
            if frame.time > seconds:
                return
            planes = frame.reformat(format="yuv420p").to_ndarray()
            page.chunk(round(frame.time * 1e6) + 5_000_000_000, planes.tobytes())
            while number - page.states[-1]["frames"] > 12:
                page.until("state")


def truth() -> list[dict]:
    with open(TRUTH) as file:
        return list(csv.DictReader(file))


def size_of(clip: Path) -> dict:
    with av.open(str(clip)) as film:
        return {"width": film.streams.video[0].width, "height": film.streams.video[0].height}


@pytest.mark.live
def test_the_events_of_a_clip_are_those_of_its_truth(connect, monkeypatch):
    made = remembered(monkeypatch, live_seats, "Pipeline")
    with connect() as page:
        page.start(**size_of(DEMO))
        page.running()
        play(page)
        while len(page.events) < len(truth()):
            page.until("event")
        for expected, event in zip(truth(), page.events, strict=True):
            assert event["label"] in (expected["label"], "unsure")
            assert event["onset_s"] < float(expected["apex_s"]) < event["offset_s"]
        assert [event["label"] for event in page.events].count("unsure") <= 1
        assert page.health["drops"] == {}
        told = {event["event"]: event for event in page.provisional if not event.get("withdrawn")}
        assert len(told) >= 4 and all(told[event["event"]]["kind"] == event["kind"] for event in page.events if event.get("provisional") is False)
        assert any(state["face"] and len(state["face"]["regions"]) == 3 for state in page.states)
        taken = [state["taken"] for state in page.states if state["taken"]]
        assert taken == sorted(taken) and taken[-1] > 5_010_000_000  # the browser's own times come back

        assert all(event["ended"] - 5_000_000_000 == pytest.approx(event["offset_s"] * 1e6, abs=2) for event in page.events)
        # onset, apex and flow came with each event, nothing else did
        assert sorted(name for number, name in page.pictures if number == 1) == ["apex", "flow", "onset"]

        page.wish("look", number=1, what=["strain", "scores", "magnified", "looked"], factor=8)
        while len([1 for number, _ in page.pictures if number == 1]) < 6:
            assert page.until("picture", "missing")["kind"] == "picture"
        assert page.pictures[1, "magnified"][:4] == b"RIFF" and page.pictures[1, "flow"][:2] == b"\xff\xd8"
        assert page.scores == [1]
        page.wish("stop")
        page.until("ended")
        assert [one() for one in made] == [None]  # its networks are not kept for as long as the page is
    assert not page.shared.log.exists()  # nothing is stored unless a person wants it


def test_events_are_stored_only_while_that_is_wanted(connect):
    with connect() as page:
        page.start(**size_of(DEMO))
        page.running()
        page.wish("keep", on=True, pictures=True)
        page.wish("record", on=True)
        while not page.states[-1]["films"]:
            page.until("state")
        assert page.states[-1]["recording"] == "events and their pictures and video frames"
        play(page, seconds=5.6)
        while len(page.events) < 2:
            page.until("event")
        page.wish("record", on=False)
        assert "Recorded" in page.until("word")["text"]
        page.wish("keep", on=False)
        while page.states[-1]["recording"]:
            page.until("state")
    log = Log(page.shared.log)
    assert len(log.events()) == 2
    assert len(list(beside(page.shared.log).glob("*/*/*.png"))) > 10
    session = log.session()
    assert session["ended_at"] and session["sources"] == ["browser camera"]
    (film,) = recordings(page.shared.log).glob("*.mp4")
    with av.open(str(film)) as kept:
        assert len([frame for frame in kept.decode(video=0)]) > 200  # what it could not pack in time is left out
    beside_it = [json.loads(line) for line in film.with_suffix(".jsonl").read_text("utf-8").splitlines()]
    assert [one["label"] for one in beside_it] == [one["label"] for one in page.events]
    judged = session["judged"]["browser camera"]  # of the time that was kept, not of the rest
    assert 4 < judged["seconds"] < 5.8 and 0.6 < judged["share"] < 1 and "rest not yet known" in judged["not_judged"]


def test_a_movement_that_is_still_being_named_when_live_stops_is_stored(tmp_path):
    shared = Shared(DemoSettings(), tmp_path, tmp_path / "log.sqlite3")
    source = SimpleNamespace(info=SimpleNamespace(name="browser camera"), counts=SourceCounts())
    session = LiveSession(shared, Choice.of(shared.settings), source, lambda kind, content: None)
    told = threading.Event()
    session.watch = SimpleNamespace(stop=told.set)

    def name() -> None:
        told.wait(60)
        time.sleep(0.2)
        session.keeping.write(Event(1, "browser camera", 0, 1.0, 1.1, 1.2, "surprise", {"surprise": 1.0}, "kernel_ridge", 5.0))

    session._thread = threading.Thread(target=name)
    session.start()
    session.keep(True)
    session.stop()
    assert [row["event"] for row in Log(shared.log).events()] == [1]
    shared.close()


def test_what_is_counted_is_told_in_peoples_words():
    counts = {"spotted": 3, "macro": 1, "motion": 1, "head": 2, "too small": 4}
    assert words.listed(words.set_aside(counts)) == "4 too small, 3 head moved"
    drops = {"queue full": 1, "decoder behind": 5, "no key frame yet": 2, "damaged chunk": 1}
    assert words.listed(words.missed(drops)) == "6 too busy, 2 waited for a whole picture, 1 arrived damaged"


def test_the_model_changes_while_the_source_stays(connect):
    with connect() as page:
        page.start(**size_of(DEMO))
        page.running()
        page.wish("change", settings={"model": "skd_tstsan", "threshold": 6.0})
        with av.open(str(DEMO)) as film:
            picture = next(film.decode(video=0)).reformat(format="yuv420p").to_ndarray().tobytes()
        number = 0
        while page.health.get("model") != "skd_tstsan":
            page.chunk(number * 33_000, picture)
            number += 1
            page.until("state")
        frames = page.health["frames"]
        page.chunk(number * 33_000, picture)
        while page.health["frames"] <= frames:
            page.until("state")
        page.wish("change", settings={"model": "no_such_network"})
        while "no_such_network" not in (told := page.until("problem", "state")).get("text", ""):
            number += 1
            page.chunk(number * 33_000, picture)
        assert "goes on as it was" in told["text"]
        assert page.health["model"] == "skd_tstsan"


def test_every_wrong_wish_is_refused_in_words(connect):
    with connect(read_only=True) as page:
        for wrong, word in (
            ({"kind": "start", "source": "browser"}, "tick the box"),
            ({"kind": "start", "source": "server", "spec": " ", "consent": True}, "type a camera's number"),
            ({"kind": "run", "what": "rm"}, "does not know"),
            ({"kind": "change", "settings": {"threshold": 1e9}}, "expected 2 to 30"),
            ({"kind": "change", "settings": {"threshold": "low"}}, "must be numbers"),
            ({"kind": "keep", "on": True}, "--read-only"),
            ({"kind": "record", "on": True}, "--read-only"),
            ({"kind": "look"}, "does not understand"),
            ({"kind": "download", "what": "exe"}, "expected one of csv"),
            ({"kind": "download", "what": {"path": "/etc/passwd"}}, "expected one of csv"),
            ({"kind": "download", "what": "csv"}, "there are no events yet"),
            ({"kind": "look", "number": 1, "what": ["passwords"]}, "there is no picture 'passwords'"),
            ({"kind": "start", "source": "browser", "codec": "exe", "width": 64, "height": 64, "consent": True}, "expected one of raw"),
        ):
            page.socket.send_text(json.dumps(wrong))
            assert word in page.until("problem")["text"], wrong
        for text in (
            "{" * 10,
            "[" * 60_000,
            '{"kind":' * 8000,
            '{"kind": "ping", "at": Infinity}',
            '{"kind": "ping", "at": "x"}',
            '{"kind": "ping"}',
            '{"kind": "look", "number": 1e400, "what": []}',
            '{"kind": "look", "number": NaN, "what": []}',
            "[1]",
            '"start"',
            "\\ud800",
            "",
            '{"kind": "start", "consent": true, "source": "browser", "codec": "raw", "width": 1e300, "height": 64}',
            '{"kind": "start", "consent": true, "source": "browser", "codec": "raw", "width": 64, "height": 64, "fps": "nan"}',
            '{"kind": "start", "consent": true, "source": "browser", "codec": "raw", "width": [], "height": 64}',
            '{"kind": "start", "consent": true, "source": "browser"}',
            '{"kind": "start", "consent": true}',
            '{"kind": "start", "consent": true, "source": "server", "spec": "' + "9" * 5000 + '"}',
            '{"kind": "change", "settings": 5}',
            '{"kind": "change"}',
            '{"kind": "keep"}',
            '{"kind": "download"}',
            '{"kind": ' + "9" * 5000 + "}",
            '{"kind": "start\\u0000"}',
            "x" * 70_000,
            '{"kind": {"kind": "start"}}',
        ):
            page.socket.send_text(text)
            told = page.until("problem", "pong")
            assert told["kind"] == "problem" and "\n" not in told["text"] and len(told["text"]) < 300, (text[:80], told)
        page.socket.send_bytes(b"\0" * 50)  # no camera is on: nothing happens
        page.start(width=64, height=64)
        page.until("started")
        page.socket.send_bytes(b"\xff" * 50)
        assert "another version" in page.until("problem")["text"]


def test_a_server_source_is_shown_and_its_password_is_not(connect):
    with connect() as page:
        page.wish("start", source="server", spec="rtsp://me:secret@127.0.0.1:9/x", consent=True)
        text = page.until("problem")["text"]
        assert "secret" not in text and "me:***@127.0.0.1" in text
        page.until("ended")
        page.wish("start", source="server", spec="demo", consent=True)
        told = page.until("frame")
        assert told["data"][:2] == b"\xff\xd8" and told["width"] >= 320
        page.wish("stop")


def test_a_second_page_may_take_over(connect, monkeypatch):
    monkeypatch.setattr(live_seats, "SEATS", 1)
    with connect() as first:
        first.start()
        first.until("started")
        with connect() as second:
            second.start()
            assert "another tab" in second.until("busy")["text"]
            second.start(take_over=True)
            second.until("started")
            assert "another tab" in first.until("moved")["text"]
            second.wish("stop")
            second.until("ended")


def test_garbage_ends_in_words_and_the_camera_can_start_again(connect):
    with connect() as page:
        page.start(codec="vp8", width=64, height=64)
        page.running()
        told = {"text": ""}
        while "could be decoded" not in told["text"]:
            page.chunk(1, b"\x91\x07" * 400, layout=0)
            told = page.until("problem", "state")
            told.setdefault("text", "")
        page.until("ended")
        page.start(**size_of(DEMO))
        page.running()


def test_what_is_no_file_is_not_read_as_one(connect, tmp_path):
    os.mkfifo(tmp_path / "fifo.mp4")
    with connect() as page:
        for spec in (
            "/dev/zero",
            str(tmp_path / "fifo.mp4"),
            str(tmp_path),
            "999",
            "x" * 5000,
            "http://[",
            "file:///etc/passwd",
            "concat:/etc/passwd",
        ):
            page.wish("start", source="server", spec=spec, consent=True)
            told = page.until("problem", "frame")
            assert told["kind"] == "problem" and "defect" not in told["text"] and "\n" not in told["text"], (spec[:80], told)


def test_starts_and_changes_that_come_fast_are_bounded(connect, monkeypatch):
    load, most = Shared.recognizer, {"live": 0, "rebuild": 0}

    def slowly(self, *what):
        for name in most:
            most[name] = max(most[name], sum(thread.name == name for thread in threading.enumerate()))
        time.sleep(0.3)
        return load(self, *what)

    monkeypatch.setattr(Shared, "recognizer", slowly)
    with connect() as page:
        for _ in range(8):
            page.start(width=64, height=64)
        for _ in range(8):
            page.until("started")
        for threshold in range(40):
            page.wish("change", settings={"threshold": 3 + threshold / 2})
        page.wish("ping", at=1)
        page.until("pong")
        time.sleep(1)
    assert most == {"live": 1, "rebuild": 1}
