"""Events in other programs: posted to an address, published to a broker, in time with other instruments (LSL)."""

import json
import math
import socket
import struct
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import urllib3
from click.testing import CliRunner
from demo_clips import demo_start
from made_events import event

from realtime.cli import live
from realtime.errors import OutputError, UsageError
from realtime.output import webhook
from realtime.output.frame_table import COLUMNS
from realtime.output.lsl import NUMBERS, Clock
from realtime.output.webhook import WebhookSink
from realtime.output.writer import Writer

NO_DROPS = "source.queue=600"  # of a machine with other things to do


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """Three seconds of the demo clip, with one event."""
    return demo_start(tmp_path_factory.mktemp("clip") / "short.mp4", 3)


@contextmanager
def address(answers=()):
    """A server that answers so, one after the other, then 200; yields its URL and what it was sent."""
    got, left = [], list(answers)

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self):
            status = left.pop(0) if left else 200
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if status == 200:
                got.append((self.path, self.headers["Content-Type"], json.loads(body)))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_): ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/events?key=secret", got
    finally:
        server.shutdown()
        server.server_close()


def posted(url, count):
    said = []
    with Writer([WebhookSink(url)], said.append) as writer:
        for number in range(1, count + 1):
            writer.write(event(number))
    return writer, said


def test_every_event_line_is_posted_and_a_busy_server_is_asked_again():
    with address([503, 429]) as (url, got):
        writer, said = posted(url, 3)
    assert [body["event"] for _, _, body in got] == [1, 2, 3] and got[0] == ("/events?key=secret", "application/json", event(1).as_dict())
    assert writer.exit_code == 0 and not said


def test_an_address_that_refuses_or_is_gone_is_said_once_and_counted(monkeypatch):
    monkeypatch.setattr(webhook, "RETRIES", urllib3.Retry(total=1, backoff_factor=0, redirect=0))
    with address([404, 404]) as (url, got):
        writer, said = posted(url, 3)
    assert len(got) == 1 and [line for line in said if "404" in line] == [
        "webhook 127.0.0.1 answers 404: an event was not delivered; the next ones are tried"
    ]
    assert writer.exit_code == 6 and writer.faults[0].lost == 2 and "secret" not in "".join(said)
    writer, said = posted(url, 2)  # nobody listens there any more
    assert writer.faults[0].lost == 2 and sum("does not answer" in line for line in said) == 1


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://host/x", "http://", "file:///etc/passwd"])
def test_what_is_no_address_is_one_line(url):
    with pytest.raises(UsageError, match="expected an address"):
        WebhookSink(url)


@contextmanager
def broker():
    """The least of MQTT 3.1.1: takes one client, acknowledges what it publishes; yields the port and what was published."""
    got, server = [], socket.create_server(("127.0.0.1", 0))

    def serve():
        client, _ = server.accept()
        file = client.makefile("rb")
        while head := file.read(1):
            size = shift = 0
            while True:
                (byte,) = file.read(1)
                size |= (byte & 127) << shift
                shift += 7
                if byte < 128:
                    break
            body, kind = file.read(size), head[0] >> 4
            if kind == 1:
                client.sendall(b"\x20\x02\x00\x00")
            elif kind == 3:
                (length,) = struct.unpack("!H", body[:2])
                got.append((body[2 : 2 + length].decode(), json.loads(body[4 + length :])))
                client.sendall(b"\x40\x02" + body[2 + length : 4 + length])
            elif kind == 12:
                client.sendall(b"\xd0\x00")
            elif kind == 14:
                break

    threading.Thread(target=serve, daemon=True).start()
    with server:
        yield server.getsockname()[1], got


def test_events_are_published_to_a_broker():
    pytest.importorskip("paho.mqtt")
    from realtime.output.mqtt import MqttSink

    with broker() as (port, got), Writer([MqttSink(f"mqtt://127.0.0.1:{port}/lab/events")]) as writer:
        writer.write(event(1))
        writer.write(event(2))
    assert got == [("lab/events", event(1).as_dict()), ("lab/events", event(2).as_dict())] and writer.exit_code == 0
    with pytest.raises(OutputError, match="does not answer"):
        MqttSink(f"mqtt://127.0.0.1:{port}/lab/events")
    with pytest.raises(UsageError, match="with a topic"):
        MqttSink("mqtt://localhost")


def test_the_clock_of_a_source_is_found_among_late_arrivals():
    clock = Clock(now=1000.0)
    assert math.isnan(clock.at(1.0))
    for frame in range(400):
        clock.note(frame / 100, 50 + frame / 100 + (0.2 if frame % 10 == 0 else 0.004))
    assert clock.at(2.5) == pytest.approx(1000 + 50 + 2.5 + 0.004, abs=1e-6) and clock.spread < 0.001


def test_a_live_source_tells_other_programs_while_it_runs(short):
    pylsl = pytest.importorskip("pylsl", exc_type=(ImportError, RuntimeError))
    pytest.importorskip("paho.mqtt")
    seen, heard, done = {}, {}, threading.Event()

    def listen(kind):
        for found in pylsl.resolve_byprop("name", f"mer-live {kind} short.mp4", timeout=60):
            inlet = pylsl.StreamInlet(found)
            inlet.open_stream(10)
            seen[kind] = inlet.info(10)
            while not done.is_set() or inlet.samples_available():
                sample, stamp = inlet.pull_sample(0.2)
                if sample:
                    heard.setdefault(kind, []).append((sample, stamp))

    listeners = [threading.Thread(target=listen, args=(kind,)) for kind in ("events", "markers", "frames")]
    for one in listeners:
        one.start()
    begun = pylsl.local_clock()
    with address() as (url, got), broker() as (port, published):
        words = ["--source", str(short), "--as-live", "--lsl", "--webhook", url, "--mqtt", f"mqtt://127.0.0.1:{port}/e", "--no-log", NO_DROPS]
        result = CliRunner().invoke(live.main, words)
        time.sleep(0.5)
    done.set()
    for one in listeners:
        one.join(20)
    assert result.exit_code == 0, result.output
    assert "its clock + " in result.output and len(got) == len(published) == 2
    lines = [json.loads(line[0]) for line, _ in heard["events"]]
    assert lines == [body for _, _, body in got] == [body for _, body in published]
    (told, found), (early_stamp, stamp) = lines, [when for _, when in heard["events"]]
    assert (told["provisional"], found["provisional"]) == (True, False) and told["event"] == found["event"] and found["label"] == "surprise"
    (early, *words), (early_when, *stamps) = zip(*heard["markers"])
    assert early == [f"provisional micro {told['label']} apex"] and early_when == early_stamp
    assert [one[0] for one in words] == [f"micro surprise {moment}" for moment in ("onset", "apex", "offset")]
    apart = [found[f"{moment}_s"] - found["apex_s"] for moment in ("onset", "apex", "offset")]
    assert [one - stamp for one in stamps] == pytest.approx(apart, abs=2e-3)
    assert begun < stamp < pylsl.local_clock()
    frames = heard["frames"]
    assert len(frames) > 20 and len(frames[0][0]) == len(NUMBERS) == len(COLUMNS) - 1
    by_time = {round(sample[NUMBERS.index("timestamp")], 2): (sample, when) for sample, when in frames}
    sample, when = by_time[max(by_time)]
    assert when - stamp == pytest.approx(max(by_time) - found["apex_s"], abs=0.05)  # both clocks, one offset
    assert 0.1 < sample[NUMBERS.index("eye_opening")] < 0.6
    assert seen["frames"].desc().child("channels").first_child().child_value("label") == "frame"
