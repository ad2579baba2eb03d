"""A network camera that stalls, dies and comes back: nothing hangs, each gap is logged, time goes on."""

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from made_clips import film, steady

from realtime.errors import BrokenSourceError
from realtime.sources import SourceSettings, open_source


class Server:
    """`mjpeg_server.py` as a program of its own, on a port that it keeps when it comes back."""

    def __init__(self):
        self.port, self.process = 0, None

    def start(self, *size: str) -> None:
        program = Path(__file__).with_name("mjpeg_server.py")
        command = [sys.executable, str(program), str(self.port), *size]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture
def server():
    server = Server()
    server.start()
    yield server
    server.stop()


def read_until(source, done, seconds=60.0):
    """Frames until `done()`; fails rather than hang."""
    frames, deadline = [], time.monotonic() + seconds
    watchdog = threading.Timer(seconds, source.close)
    watchdog.start()
    for frame in source:
        frames.append(frame)
        if done():
            break
    watchdog.cancel()
    assert time.monotonic() < deadline, f"no end after {len(frames)} frames, state {source.state}, {source.counts}"
    return frames


def test_it_stalls_dies_and_comes_back(server):
    settings = SourceSettings(stall_seconds=0.9, max_backoff=0.5)
    with open_source(f"http://127.0.0.1:{server.port}/video", settings=settings) as source:
        assert (source.info.width, source.info.height, source.info.live) == (160, 120, True)
        frames = read_until(source, lambda: source.counts.frames >= 20)

        server.process.send_signal(signal.SIGSTOP)  # it stalls: the connection stands, nothing comes
        resume = threading.Timer(2.0, server.process.send_signal, [signal.SIGCONT])
        resume.start()
        frames += read_until(source, lambda: source.counts.gaps)
        frames += read_until(source, lambda: source.counts.frames >= frames[-1].index + 20)

        server.stop()  # it dies, and comes back with another picture size
        resume = threading.Timer(1.0, server.start, ["320", "240"])
        resume.start()
        frames += read_until(source, lambda: len(source.counts.gaps) == 2)
        frames += read_until(source, lambda: source.counts.frames >= frames[-1].index + 20)
        counts = source.counts
    assert source.state == "ended"

    pts = [frame.pts for frame in frames]
    assert all(before < after for before, after in zip(pts, pts[1:]))
    assert {frame.pixels.shape for frame in frames} == {(120, 160, 3)}
    stall, death = counts.gaps
    assert "stalled" in stall.cause and stall.seconds > 0.9
    assert "broke off" in death.cause or "ended" in death.cause
    assert counts.reopenings >= 2
    for gap in counts.gaps:  # pts went on by as much as the gap was long
        after = next(time for time in pts if time > gap.pts)
        assert gap.pts in pts and after - gap.pts == pytest.approx(gap.seconds)
    assert any("scaled to 160×120" in cause for cause in counts.warnings)


def test_it_stays_away_and_is_given_up(server):
    settings = SourceSettings(stall_seconds=0.9, max_backoff=0.5, give_up_seconds=1.0)
    with open_source(f"http://127.0.0.1:{server.port}/video", settings=settings) as source:
        next(source)
        server.process.kill()
        with pytest.raises(BrokenSourceError, match="did not come back within 1 s"):
            read_until(source, lambda: False)
        assert len(source.counts.gaps) == 1 and source.counts.gaps[0].seconds >= 1.0


def test_closing_does_not_wait_for_the_pause_between_attempts(server):
    settings = SourceSettings(stall_seconds=0.9, max_backoff=600.0)
    source = open_source(f"http://127.0.0.1:{server.port}/video", settings=settings)
    next(source)
    server.process.kill()
    deadline = time.monotonic() + 60
    while source.state != "reopening":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    source.close()
    assert not source._thread.is_alive() and list(source) == []


def test_a_slow_reader_of_a_stream_loses_the_oldest(server):
    with open_source(f"http://127.0.0.1:{server.port}/video", settings=SourceSettings(queue=3)) as source:
        next(source)
        time.sleep(0.5)
        late = next(source)
        counts = source.counts
    assert late.index > 5 and counts.drops["queue full"] == counts.dropped > 0 and counts.gaps == []


def test_a_film_on_a_web_server_is_played_to_its_end(tmp_path):
    film(tmp_path / "a.mp4", steady(1, 30), options={"movflags": "faststart"})
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        port = process.stdout.readline().split("port ")[1].split()[0]
        with open_source(f"http://127.0.0.1:{port}/a.mp4") as source:
            frames = list(source)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert [frame.pts for frame in frames] == pytest.approx(steady(1, 30), abs=1e-3)
    assert source.counts.drops == {} and source.info.duration == pytest.approx(1, abs=0.1)
