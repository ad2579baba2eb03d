"""What a browser sends to `mer-demo`, without a browser: controls over Gradio's own addresses, the tabs' routes, the live tab's WebSocket."""

from __future__ import annotations

import json
import secrets
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Origin

from realtime.dashboard.live.socket import HEADER, KEY, PATH, VERSION
from realtime.errors import BrokenSourceError

PATIENCE = 120.0  # seconds for one answer
GRADIO = "/gradio_api/"


class Browser:
    """One page, from its loading to its closing. presses: how many answers it has asked for, pictures left out.

    Args:
        url: of the server, it ends with "/".

    Raises:
        BrokenSourceError: from every method, where the server refuses, fails or does not answer.
    """

    def __init__(self, url: str):
        self._url, self.page, self.presses = url, secrets.token_hex(6), 0
        self.http = httpx.Client(base_url=url, timeout=PATIENCE)
        self.get("/")
        self._config = self.get("/config").json()
        self._functions = {one["api_name"]: one for one in self._config["dependencies"] if one["backend_fn"]}
        self._alive = self.http.stream("GET", f"{GRADIO}heartbeat/{self.page}")  # its end is the page's
        self._alive.__enter__()
        self.queue = self.press("arrive", "").split('data-key="')[1].split('"')[0]

    def close(self) -> None:
        self._alive.__exit__(None, None, None)
        self.http.close()

    def get(self, path: str, **query) -> httpx.Response:
        return self._answer("GET", path, params=query)

    def press(self, name: str, *data, **told):
        """A control of Gradio's: its first output. told: what its event holds, such as the token of a row."""
        self.presses += 1
        function = self._functions[name]
        asked = {"fn_index": function["id"], "data": list(data), "session_hash": self.page, "event_data": told or None}
        if not function["queue"]:
            return self._answer("POST", f"{GRADIO}run/predict", json=asked).json()["data"][0]
        self._answer("POST", f"{GRADIO}queue/join", json=asked)
        with self.http.stream("GET", f"{GRADIO}queue/data", params={"session_hash": self.page}) as answers:
            for line in answers.iter_lines():
                told = json.loads(line.removeprefix("data:")) if line.startswith("data:") else {}
                if told.get("msg") == "process_completed":
                    if not told["success"]:
                        raise BrokenSourceError(f"the page's '{name}' failed: {told['output']}")
                    return told["output"]["data"][0]
        raise BrokenSourceError(f"the page's '{name}' gave no answer")

    def upload(self, recording: Path, name: str) -> dict:
        """The file as its control takes it."""
        (path,) = self._answer("POST", f"{GRADIO}upload", files={"files": (name, recording.read_bytes())}).json()
        return {"path": path, "orig_name": name, "meta": {"_type": "gradio.FileData"}}

    def review(self, what: str, writes: bool = False, **more) -> dict:
        """As tab Review asks."""
        self.presses += 1
        asked = {"page": self.page, "reviewer": "Ann", "session": None, "source": "", "key": "", "slow": True, **more}
        if writes:
            return self._answer("POST", f"/mer/review/{what}", json=asked).json()
        return self.get(f"/mer/review/{what}", asked=json.dumps(asked)).json()

    def _answer(self, method: str, path: str, **more) -> httpx.Response:
        try:
            answer = self.http.request(method, path, **more)
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise BrokenSourceError(f"the page's server did not answer {path}: {error}") from error
        return answer

    @contextmanager
    def live(self) -> Iterator[Live]:
        """The WebSocket of tab Live."""
        try:
            with connect(self._url.replace("http", "ws", 1) + PATH[1:], origin=Origin(self._url[:-1]), max_size=None, compression=None) as socket:
                yield Live(socket, self)
        except (OSError, ConnectionClosed, TimeoutError) as error:
            raise BrokenSourceError(f"the live tab's connection broke: {error}") from error


class Live:
    """Its camera shows a clip as fast as it is analysed. events: numbers, in their order."""

    def __init__(self, socket, browser: Browser):
        self._socket, self._browser = socket, browser
        self.events: list[int] = []
        self.frames = 0
        self._pictures = 0

    def wish(self, kind: str, **content) -> None:
        self._browser.presses += 1
        self._socket.send(json.dumps({"kind": kind, **content}))

    def hear(self) -> dict:
        """The next that the server says; a picture without its bytes."""
        message = self._socket.recv(PATIENCE)
        if isinstance(message, bytes):
            length = struct.unpack_from("<I", message)[0]
            self._pictures += 1
            return json.loads(message[4 : 4 + length])
        told = json.loads(message)
        if told["kind"] == "event":
            self.events.append(told["event"]["event"])
        if told["kind"] == "state":
            self.frames = told["frames"]
        if told["kind"] == "problem":
            raise BrokenSourceError(f"the live tab says: {told['text']}")
        return told

    def until(self, *kinds: str) -> dict:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if (told := self.hear())["kind"] in kinds:
                return told
        raise BrokenSourceError(f"the live tab said nothing of {' or '.join(kinds)}")

    def play(self, clip: Path) -> None:
        """H.264 as it lies in the file."""
        for number, (microseconds, key, data) in enumerate(chunks(clip)):
            self._socket.send(HEADER.pack(VERSION, KEY * key, 0, len(data), microseconds) + data)
            while number - self.frames > WINDOW:
                self.until("state", "ended")


WINDOW = 12  # pictures on their way: fewer than wait anywhere before one is dropped


def chunks(clip: Path) -> Iterator[tuple[int, bool, bytes]]:
    """(microseconds, whether it is a key picture, Annex B) of each picture of an H.264 clip."""
    with av.open(str(clip)) as film:
        stream = film.streams.video[0]
        way = av.BitStreamFilterContext("h264_mp4toannexb", stream)
        for packet in film.demux(stream):
            for one in way.filter(packet if packet.size else None):
                yield round(float(one.pts * one.time_base) * 1e6), one.is_keyframe, bytes(one)
