"""Recordings of a live stream: its own packets, the same events at the same seconds, and nothing but two seconds lost to a kill."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
from click.testing import CliRunner
from places import DEMO
from rich.console import Console

from realtime.cli import live, window
from realtime.cli.record import Recording
from realtime.errors import BrokenSourceError
from realtime.output import line_file
from realtime.output.fragmented import FragmentedFilm
from realtime.output.recorder import Recorder
from realtime.pipeline import Pipeline, PipelineSettings, replay
from realtime.records import Event
from realtime.sources import SourceInfo, SourceSettings, open_source
from realtime.sources.decoder.kept import Packets
from realtime.sources.decoder.parent import Picture
from realtime.sources.encoded import Encoded, Keeping, received

SERVERS = Path(__file__).parent / "sources"


def run(*words):
    result = CliRunner().invoke(live.main, [*map(str, words), "--no-log"])
    return result.exit_code, result.output


def times(path):
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        return stream.codec_context.name, [frame.time for frame in film.decode(stream)]


@pytest.fixture
def camera(tmp_path):
    """A part of the demo clip as a network camera that sends a key picture every half second; gives its address and the film."""
    sent = tmp_path / "sent.mp4"
    with av.open(str(DEMO)) as clip, av.open(str(sent), "w") as made:
        shown = clip.streams.video[0]
        stream = made.add_stream("libx264", rate=50, options={"crf": "16", "preset": "ultrafast", "g": "25", "bf": "2"})
        stream.width, stream.height, stream.pix_fmt = shown.width, shown.height, "yuv420p"
        for frame in clip.decode(shown):
            if 5.5 <= frame.time < 9.0:
                made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    server = subprocess.Popen([sys.executable, str(SERVERS / "stream_server.py"), str(sent), "0"], stdout=subprocess.PIPE, text=True)
    yield f"tcp://127.0.0.1:{int(server.stdout.readline())}", sent
    server.kill()
    server.wait()
    server.stdout.close()


def test_a_recording_replays_to_the_same_events_at_the_same_seconds(camera, tmp_path):
    address, sent = camera
    path, frames = tmp_path / "kept.mp4", []
    with open_source(address, settings=SourceSettings(give_up_seconds=0.2)) as source, pytest.raises(BrokenSourceError):
        recorder = Recorder(source, address, path)
        recorder.start()
        for frame in source:
            frames.append(frame)
    recorder.stop()
    codec, shown = times(path)
    with av.open(str(sent)) as film, av.open(str(path)) as kept:
        ours = [frame.to_ndarray(format="bgr24") for frame in kept.decode(video=0)]
        theirs = [frame.to_ndarray(format="bgr24") for frame in film.decode(video=0)][-len(ours) :]
    assert codec == "h264" and len(ours) > 100 and all((a == b).all() for a, b in zip(ours, theirs))  # remuxed: the same to the bit
    assert np.diff(shown) == pytest.approx(0.02, abs=2e-4)  # and to the time

    for known in Pipeline(address, PipelineSettings(), wait=True).follow(frames[-len(ours) :]):  # from the recording's first picture on
        recorder.write(known.event)
    recorder.close()
    beside = [json.loads(line) for line in path.with_suffix(".jsonl").read_text("utf-8").splitlines()]
    replayed = [event.as_dict() for event in replay(path)]
    assert beside and [told(event) for event in beside] == [told(event) for event in replayed]


def told(event):
    """Of an event line; the face's points are looked for every 40 ms from the first picture on, so that an end may lie a frame apart."""
    return event["label"], event["kind"], *(pytest.approx(event[name], abs=0.0205) for name in ("onset_s", "apex_s", "offset_s"))


KILLED = """
import sys
from pathlib import Path
from realtime.output.fragmented import FragmentedFilm
from realtime.output.recorder import Recorder
from realtime.sources import open_source
source = open_source(sys.argv[1])
recorder = Recorder(source, "camera", Path(sys.argv[2]))
recorder.start()
for frame in source:
    print(frame.pts, flush=True)
"""


@pytest.mark.parametrize("encoded", [True, False])
def test_a_kill_loses_two_seconds_at_most(encoded, tmp_path):
    path = tmp_path / "kept.mp4"
    server = subprocess.Popen([sys.executable, str(SERVERS / "mjpeg_server.py"), "0"], stdout=subprocess.PIPE, text=True)
    address = f"http://127.0.0.1:{int(server.stdout.readline())}/video"
    program = KILLED if encoded else KILLED.replace("recorder.start()", "type(source).codec = None; recorder.start()")
    child = subprocess.Popen([sys.executable, "-c", program, address, str(path)], stdout=subprocess.PIPE, text=True)
    try:
        last = 0.0
        while last < 3.5:
            last = float(child.stdout.readline())
    finally:
        child.kill()  # SIGKILL
        child.wait()
        child.stdout.close()
        server.kill()
        server.wait()
        server.stdout.close()
    codec, shown = times(path)
    assert codec == ("mjpeg" if encoded else "h264") and shown[0] == 0
    assert last - 2.0 <= shown[-1] <= last + 0.5 and np.all(np.diff(shown) > 0)


class Source:
    """Pictures that a test hands over."""

    def __init__(self, codec=None):
        self.codec, self.info, self.taker = codec, SourceInfo("camera 0", 64, 48, 30, True, None, True), None

    def tap(self, taker):
        self.taker = taker

    def send(self, pts, encoded=()):
        if self.taker:
            self.taker(Picture(pts, 0.0, np.full((48, 64, 3), 90, np.uint8), encoded), pts)
            time.sleep(0.005)


def jpeg(pts, key=True):
    import cv2

    return [Encoded("mjpeg", key, pts, pts, cv2.imencode(".jpg", np.full((48, 64, 3), 90, np.uint8))[1].tobytes())]


def event(number, onset, source="camera"):
    return Event(number, source, 0, onset, onset + 0.1, onset + 0.2, "surprise", {"surprise": 1.0}, "m", 1.0)


def test_it_begins_and_ends_when_told_with_a_key_picture_and_its_own_events(tmp_path):
    source = Source("mjpeg")
    recorder = Recorder(source, "camera", tmp_path)
    source.send(0.0, jpeg(0.0))
    assert not list(tmp_path.iterdir())  # nothing is kept unasked
    recorder.start()
    for n in range(10, 40):
        source.send(n / 10, jpeg(n / 10, key=n >= 15))
    recorder.write(event(1, 1.2))  # before its first picture
    recorder.write(event(2, 2.0))
    recorder.write(event(3, 2.0, "another"))
    assert recorder.stop().endswith("2.4 s") and not recorder.on
    recorder.write(event(4, 3.0))  # known a little later
    recorder.write(event(5, 3.8))  # ended after it
    source.send(4.0, jpeg(4.0))
    first = recorder.path
    assert times(first) == ("mjpeg", pytest.approx([n / 10 for n in range(25)], abs=1e-4))
    rows = [json.loads(line) for line in first.with_suffix(".jsonl").read_text("utf-8").splitlines()]
    assert [(row["event"], row["onset_s"], row["apex_s"]) for row in rows] == [(2, 0.5, 0.6), (4, 1.5, 1.6)]
    recorder.start()
    for n in range(5):
        source.send(5 + n / 10, jpeg(5 + n / 10))
    recorder.close()
    assert recorder.path != first and len(times(recorder.path)[1]) == 5 and len(times(first)[1]) == 25
    assert oct(first.stat().st_mode)[-3:] == "600"


def test_what_promised_more_than_pictures_and_kept_it_back_is_encoded(tmp_path):
    source = Source("mjpeg")
    recorder = Recorder(source, "camera", tmp_path / "a.mp4")
    recorder.start()
    for n in range(60):
        source.send(n / 20)
    recorder.close()
    assert times(tmp_path / "a.mp4")[0] == "h264" and len(times(tmp_path / "a.mp4")[1]) > 30


def test_a_disk_that_fills_up_ends_it_in_one_line_and_not_the_stream(tmp_path, monkeypatch):
    said, source = [], Source("mjpeg")
    recorder = Recorder(source, "camera", tmp_path / "a.mp4", said.append)
    recorder.start()
    for n in range(40):
        source.send(n / 10, jpeg(n / 10))
        if n == 25:
            time.sleep(0.2)
            monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=line_file.LEAST_FREE - 1))
    recorder.stop()
    assert len(said) == 1 and "500 MiB" in said[0] and recorder.exit_code == 6 and source.taker is None
    assert 20 <= len(times(tmp_path / "a.mp4")[1]) < 40  # what was kept can be read
    code, words = run("--demo", "--record", tmp_path / "b.mp4")
    assert code == 6 and "500 MiB" in words and "Traceback" not in words and not (tmp_path / "b.mp4").exists()


def test_wrong_words_are_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    for words, code, named in (
        (("--camera", 977, "--record", tmp_path / "a.avi"), 2, ".mp4"),  # before the camera is asked for
        (("--source", DEMO, "--record", tmp_path), 2, "--as-live"),
        (("--demo", "--demo", "--source", DEMO, "--as-live", "--record", tmp_path / "a.mp4"), 2, "one file each"),
        (("--demo", "--seconds", 1.5, "--record", tmp_path / "file/a.mp4"), 6, "file stands"),
    ):
        got, said = run(*words)
        assert got == code and named in said and "Traceback" not in said, said


def test_the_command_keeps_what_it_sees(tmp_path):
    code, said = run("--demo", "--seconds", 2, "--record", tmp_path)
    (film,) = tmp_path.glob("*.mp4")
    assert code == 0 and "recording to" in said and "agreed" in said and "recorded" in said
    codec, shown = times(film)
    assert codec == "h264" and len(shown) > 20 and film.with_suffix(".jsonl").exists()  # a played file's pictures are encoded


def test_two_sources_of_one_name_have_a_file_each_and_what_never_came_leaves_none(tmp_path):
    one, other = Source(), Source()
    recorders = [Recorder(source, f"rtsp://{number}/stream", tmp_path) for number, source in enumerate((one, other))]
    for recorder in recorders:
        recorder.start()
    assert recorders[0].path != recorders[1].path
    for n in range(5):
        one.send(n / 10)
    for recorder in recorders:
        recorder.close()
    assert [path.name for path in sorted(tmp_path.glob("*.mp4"))] == [recorders[0].path.name]


def test_the_key_r_of_the_window_begins_and_ends_and_a_sign_stands_in_the_picture(tmp_path, monkeypatch):
    source, shown, keys = Source(), [], [ord("r"), 255, ord("r"), ord("q")]
    recording = Recording(str(tmp_path), [source], ["camera"], Console(quiet=True), asked=False)
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(window, "paint", lambda step, status: np.full((480, 640, 3), 90, np.uint8))
    for name, stand_in in {
        "imshow": lambda title, picture: shown.append(picture),
        "namedWindow": lambda *_: None,
        "getWindowProperty": lambda *_: 1.0,
        "waitKey": lambda _: keys.pop(0),
    }.items():
        monkeypatch.setattr(window.cv2, name, stand_in)
    watch = SimpleNamespace(source=source, latest=None, status=None)
    view = window.Window([watch], recording)
    on = []
    while True:
        watch.latest = SimpleNamespace()
        going = view.show()
        on.append(recording.on)
        source.send(len(on) / 10)
        if not going:
            break
    assert on == [True, True, False, False] and len(list(tmp_path.glob("*.mp4"))) == 1
    red = [(picture[..., 2].astype(int) - picture[..., 1] > 80).sum() for picture in shown]
    assert red[0] == red[3] == 0 and red[1] > 50 and red[2] > 50


@pytest.mark.parametrize("codec", ["avc", "libx265", "mpeg4", "mjpeg"])
def test_each_codec_goes_from_any_key_picture_on_into_mp4_as_it_is(codec, tmp_path):
    """Also where what a decoder has to know stands in the container alone, as in MP4 and FLV."""
    if codec not in ("avc", *av.codecs_available):
        pytest.skip(f"no {codec} here")
    path = DEMO
    if codec != "avc":
        path = tmp_path / "given.mp4"
        with av.open(str(path), "w") as given:
            stream = given.add_stream(codec, rate=25, options={"x265-params": "keyint=8:log-level=none"} if codec == "libx265" else {"g": "8"})
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p" if codec == "mjpeg" else "yuv420p"
            for n in range(40):
                given.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((48, 64, 3), 6 * n, np.uint8), format="bgr24")))
            given.mux(stream.encode(None))
    sent = []
    with av.open(str(path)) as given:
        stream = given.streams.video[0]
        packets = Packets(stream, Keeping(lambda message: sent.append(received(message)), True))
        for packet in given.demux(stream):
            packets(packet, 0.0)
    first = [number for number, one in enumerate(sent) if one.key][1]  # not from the beginning
    film = FragmentedFilm(tmp_path / "kept.mp4", stream.width, stream.height, packets.codec)
    for one in sent[first : first + 30]:
        film.packet(one.data, one.key, one.pts, one.dts)
    film.close()
    with av.open(str(path)) as given, av.open(str(tmp_path / "kept.mp4")) as kept:
        theirs = [frame for frame in given.decode(video=0) if frame.time >= sent[first].pts - 1e-6][:20]
        ours = list(kept.decode(video=0))[:20]
    assert [frame.time for frame in ours] == pytest.approx([frame.time - theirs[0].time for frame in theirs], abs=1e-3)
    assert all((a.to_ndarray() == b.to_ndarray()).all() for a, b in zip(ours, theirs, strict=True))
