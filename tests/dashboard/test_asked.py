"""What is sent to the page's functions: no file of the owner's is read, moved or removed, and nothing sent ends in a traceback."""

from __future__ import annotations

import base64
import http.client
import json
import os
from functools import cached_property
from urllib.parse import quote, urlencode, urlsplit

import cv2
import numpy as np
import pytest

from realtime.output.log import Session, SqliteSink
from realtime.records import Event

SECRET = "what-only-the-owner-may-read"
PASSWORD = "correct horse battery"
PAGE = "page0"  # as Gradio's session hash


class Client:
    """Speaks to a page as no browser would."""

    def __init__(self, demo, password: str | None = None):
        self.netloc, self.cookie = urlsplit(demo.url).netloc, ""
        if password:
            form = urlencode({"password": password}).encode()
            _, headers, _ = self.ask("/mer/login", form, content_type="application/x-www-form-urlencoded")
            self.cookie = headers["set-cookie"].split(";")[0]

    def ask(self, path: str, body: bytes | dict | None = None, **headers):
        """(status, headers, text); a POST where there is a body."""
        connection = http.client.HTTPConnection(self.netloc, timeout=90)
        if isinstance(body, dict):
            body, headers = json.dumps(body).encode(), {"content_type": "application/json", **headers}
        headers = {name.replace("_", "-"): value for name, value in {"cookie": self.cookie, **headers}.items()}
        try:
            connection.request("GET" if body is None else "POST", path, body, headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read().decode("utf-8", "replace")
        finally:
            connection.close()

    @cached_property
    def config(self) -> dict:
        return json.loads(self.ask("/config")[2])

    def functions(self) -> list[dict]:
        return [one for one in self.config["dependencies"] if one["backend_fn"]]

    def run(self, function: dict, data: list, **more) -> tuple[int, str]:
        status, _, text = self.ask("/gradio_api/run/predict", {"fn_index": function["id"], "data": data, "session_hash": PAGE, **more})
        return status, text

    def join(self, function: dict, data: list, **more) -> tuple[int, str]:
        """Over the queue: what is answered there, and what comes of it."""
        status, _, text = self.ask("/gradio_api/queue/join", {"fn_index": function["id"], "data": data, "session_hash": PAGE, **more})
        return (status, text) if status != 200 else (status, self.ask(f"/gradio_api/queue/data?session_hash={PAGE}")[2])

    def review(self, what: str, writes: bool = False, **more) -> tuple[int, str]:
        """As tab Review asks."""
        asked = {"page": PAGE, "reviewer": "Ann", "session": None, "source": "", "key": "", **more}
        path = f"/mer/review/{what}"
        status, _, text = self.ask(path, asked) if writes else self.ask(f"{path}?{urlencode({'asked': json.dumps(asked)})}")
        return status, text

    def call(self, function: dict, data: list) -> tuple[int, str]:
        status, _, text = self.ask(f"/gradio_api/call/{quote(str(function['api_name']))}", {"data": data})
        if status != 200:
            return status, text
        return status, self.ask(f"/gradio_api/call/{function['api_name']}/{json.loads(text)['event_id']}")[2]


def file_data(path, is_stream: bool = False) -> dict:
    return {"path": str(path), "is_stream": is_stream, "meta": {"_type": "gradio.FileData"}}


def picture(side: int) -> str:
    """A black one, as a browser sends those of its camera."""
    return f"data:image/png;base64,{base64.b64encode(cv2.imencode('.png', np.zeros((side, side), np.uint8))[1]).decode()}"


def places(function: dict, value):
    """The value in the place of each input, alone, in a list, and nested; nothing in the others."""
    count = len(function["inputs"])
    for place in range(count):
        for one in (value, [value], {"value": value}):
            yield [one if number == place else None for number in range(count)]


def target_of(client: Client, function: dict) -> list[str]:
    """The names of the parts of the page at which it is called."""
    names = {one["id"]: one["props"].get("elem_id") for one in client.config["components"]}
    return [names.get(number) for number, _ in function["targets"]]


def usual(client: Client, function: dict) -> list:
    """What the page itself would send at first."""
    values = {one["id"]: one["props"].get("value") for one in client.config["components"]}
    return [values[number] for number in function["inputs"]]


@pytest.fixture(scope="module")
def secret(tmp_path_factory):
    path = tmp_path_factory.mktemp("owner") / "diary.mp4"
    path.write_text(SECRET)
    return path


@pytest.mark.parametrize("options, password", [((), None), (("--read-only",), PASSWORD)], ids=["open", "read-only"])
def test_no_function_reads_moves_or_removes_a_file_of_the_owner(start_demo, secret, options, password):
    demo = start_demo(*options, env={"MER_DEMO_PASSWORD": password} if password else {})
    client, before = Client(demo, password), secret.stat()
    functions = client.functions()
    assert len(functions) > 15
    for function in functions:
        for data in (one for is_stream in (True, False) for one in places(function, file_data(secret, is_stream))):
            for way in (client.run, client.join, client.call):
                status, text = way(function, data)
                assert SECRET not in text and 400 <= status < 500, (function["api_name"], data, status, text[:300])
                assert secret.stat().st_mtime_ns == before.st_mtime_ns and secret.stat().st_ino == before.st_ino
    assert secret.read_text() == SECRET
    for function in (one for one in functions if one["connection"] == "stream"):
        for data in places(function, file_data(secret)):
            assert '"success":false' in _streamed(client, function, data)
        large = [{"url": picture(8000)}, *usual(client, function)[1:]]  # a few kilobytes, and 64 megabytes once opened
        assert '"success":false' in _streamed(client, function, large)
    copies = [path for path in demo.temp.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]
    assert not copies and secret.read_text() == SECRET
    for path in (secret, *demo.temp.rglob("*")):
        assert client.ask(f"/gradio_api/file={path}")[0] == 403
    if password:
        stranger = Client(demo)
        assert stranger.run(functions[0], [file_data(secret)])[0] == 401
    assert not [line for line in demo.lines if "Traceback" in line], demo.lines
    sound = next(one for one in functions if not one["queue"] and one["inputs"])
    assert client.run(sound, usual(client, sound))[0] == 200


def _streamed(client: Client, function: dict, data: list) -> str:
    """What is answered where the data comes into a run that goes on, whose first was harmless."""
    who = {"fn_index": function["id"], "session_hash": "stream0"}
    client.ask("/gradio_api/queue/join", {"data": usual(client, function), **who})
    told = http.client.HTTPConnection(client.netloc, timeout=90)
    told.request("GET", "/gradio_api/queue/data?session_hash=stream0", headers={"cookie": client.cookie})
    answer, text = told.getresponse(), ""
    while "process_streaming" not in text:
        text += (line := answer.readline().decode())
        assert line, text
    event = json.loads(text.split("data: ")[1])["event_id"]
    assert client.ask(f"/gradio_api/stream/{event}", {"data": data, **who})[0] == 200
    text = answer.read().decode()
    told.close()
    return text


def test_what_is_no_file_is_refused_without_a_look_at_it(demo, secret, tmp_path):
    client = Client(demo)
    os.mkfifo(tmp_path / "fifo.mp4")
    (tmp_path / "link.mp4").symlink_to(secret)
    for path in ("/dev/zero", tmp_path / "fifo.mp4", tmp_path / "link.mp4", tmp_path, "http://127.0.0.1:9/x.mp4", "x\0y", "", "a" * 5000):
        for function in client.functions():
            for data in places(function, file_data(path)):
                assert client.run(function, data)[0] == 422, (path, function["api_name"])
    assert not [line for line in demo.lines if "Traceback" in line], demo.lines


ODD = (
    None,
    True,
    0,
    -1,
    1e14,
    1e16,
    "",
    "x" * 1000,
    "x" * 200_000,
    "\u202e<img src=x onerror=alert(1)>[/b]",
    "null\0",
    [],
    ["a"],
    [[1]],
    {},
    {"value": 1},
)


def test_whatever_is_sent_no_function_fails(start_demo, tmp_path):
    """With a session in the log whose recording has a name that is not UTF-8, so that Review has something before it."""
    log = tmp_path / "log.sqlite3"
    sink = SqliteSink(Session("kernel_ridge", ["caf\udce9.mp4", "second.mp4"], {}, files={"caf\udce9.mp4": "/nowhere/caf\udce9.mp4"}), log)
    sink.open()
    sink.write(Event(1, "second.mp4", 0, 1.0, 1.1, 1.3, "surprise", {"surprise": 0.9, "negative": 0.1}, "kernel_ridge", 40.0))
    sink.close()
    demo = start_demo(log=log)
    client = Client(demo)
    functions = [one for one in client.functions() if not one["queue"]]
    status, told = client.review("look")
    assert status == 200 and [pair[0] for pair in json.loads(told)["sources"]] == ["caf\\xe9.mp4", "second.mp4"]
    for source in ("caf\\xe9.mp4", "second.mp4"):
        status, told = client.review("look", session=1, source=source)
        assert status == 200 and json.loads(told)["source"] == source
    assert "Added" in client.review("add", True, session=1, source="caf\\xe9.mp4", apex_s=1.0, new="m1")[1]
    faults = []
    for function in functions:
        for odd in ODD:
            for place in range(max(1, len(function["inputs"]))):
                data = usual(client, function)
                data[place : place + 1] = [odd] if data else []
                status, text = client.run(function, data, event_data=odd)
                if status not in (200, 422) or (status == 422 and (text.count("\n") > 1 or len(text) > 300)):
                    faults.append(f"{function['api_name']} {target_of(client, function)} {str(data)[:100]}: {status} {text[:300]}")
    for what, writes in (
        ("look", False),
        ("pictures", False),
        ("training", False),
        ("corrected", False),
        ("judge", True),
        ("move", True),
        ("undo", True),
    ):
        for name in ("page", "session", "source", "key", "reviewer", "marks", "moment", "frames", "kind", "review", "shown", "by"):
            for odd in (one for one in ODD if not isinstance(one, str) or len(one) <= 1000 or writes):
                status, text = client.review(what, writes, **{"session": 1, "source": "second.mp4", "key": "e1", name: odd})
                if status not in (200, 422) or (status == 422 and (text.count("\n") > 1 or len(text) > 300)):
                    faults.append(f"{what} {name} {str(odd)[:100]}: {status} {text[:300]}")
    assert not faults, "\n".join([*faults, *demo.lines[-30:]])
    assert not [line for line in demo.lines if "Traceback" in line or "Error" in line], demo.lines[-20:]


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"data":' * 100_000,
        '{"data": [NaN]}',
        '{"data": [1e999]}',
        '{"data": ["\\ud800"]}',
        '{"data": [' + "9" * 5000 + "]}",
        "[]",
        "null",
        "{",
        "\xff",
        '{"data": [], "fn_index": 99999, "session_hash": "x"}',
        '{"data": [], "fn_index": "0", "session_hash": "x"}',
        '{"data": [], "session_hash": "x"}',
        '{"data": [], "fn_index": 0}',
        '{"data": {}, "fn_index": 0, "session_hash": "x"}',
        '{"data": [1, 2, 3], "fn_index": 0, "session_hash": ' + '"x"' + "}",
        '{"data": [], "fn_index": 0, "session_hash": "' + "x" * 1000 + '"}',
    ],
    ids=range(17),
)
def test_json_that_is_not_sound_gets_one_line(demo, text):
    client = Client(demo)
    for way in ("run/predict", "queue/join"):
        status, _, said = client.ask(f"/gradio_api/{way}", text.encode("latin-1"), content_type="application/json")
        assert status == 422 and said.startswith("Refused: ") and said.count("\n") == 1 and len(said) < 200
    assert not [line for line in demo.lines if "Traceback" in line], demo.lines
