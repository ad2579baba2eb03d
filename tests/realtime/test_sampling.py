"""Whether a source is good enough, in words: made frames with a box where the face is, and the demo clip as it comes."""

from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner
from films import film
from places import DEMO

from realtime.cli.live import main
from realtime.face.tracker import FLICKER
from realtime.sampling import Sampling
from realtime.sources import SourceCounts, SourceInfo


def sampled(fps=200.0, announced=None, seconds=2.0, width=200, level=120, seen=1.0, counts=None, remarks=(), jitter=0.0):
    """{what: advice as one line} and the sampling. level: of the face, or its left and right half."""
    picture = np.full((480, 640, 3), 90, np.uint8)
    left, right = (level, level) if isinstance(level, int) else level
    picture[100 : 100 + width, 100 : 100 + width // 2] = left
    picture[100 : 100 + width, 100 + width // 2 : 100 + width] = right
    view = SimpleNamespace(box=(100, 100, 100 + width, 100 + width))
    sampling, count = Sampling(), round(seconds * fps)
    for n, late in zip(range(count), np.random.default_rng(1).uniform(-jitter, jitter, count)):
        sampling.add(SimpleNamespace(frame=SimpleNamespace(pts=(n + late) / fps, pixels=picture), views=[view] if n < seen * count else []))
    info = SourceInfo("camera 0", 640, 480, announced, True, None, True)
    found = sampling.findings(info, counts or SourceCounts(frames=count), remarks)
    return {one.what: "; ".join(one.advice) for one in found}, sampling


def test_what_is_good_needs_no_advice():
    advice, sampling = sampled(fps=200, announced=200)
    assert set(advice) == {"rate", "face", "light", "flicker"} and not any(advice.values())
    assert sampling.shortest_ms == 10 and sampling.seconds == pytest.approx(2, abs=0.01)


@pytest.mark.parametrize(("fps", "shortest"), [(200, 10), (60, 40), (49.8, 40), (30, 70), (29.97, 70), (25, 80), (15, 140)])
def test_what_a_rate_misses(fps, shortest):
    advice, sampling = sampled(fps=fps)
    assert sampling.shortest_ms == shortest
    assert advice["rate"] == ("" if shortest <= 40 else f"{fps:.0f} frames/s: movements under {shortest} ms will be missed")


@pytest.mark.parametrize(("how", "what", "said"), [
    ({"fps": 52, "announced": 60}, "rate", "52 frames/s come where 60 are announced: give it more light"),
    ({"fps": 60, "jitter": 0.45}, "rate", "its frames come unevenly"),
    ({"counts": SourceCounts(frames=400, drops={"queue full": 90})}, "rate", "this machine is too busy, 90 of 400 frames were dropped"),
    ({"width": 60}, "face", "the face is 60 pixels wide: come nearer, or use a larger picture"),
    ({"width": 30}, "face", "the face is 30 pixels wide: come much nearer: nothing can be judged"),
    ({"seen": 0.5}, "face", "the face is seen in 50 % of the frames"),
    ({"seen": 0}, "face", "no face was found"),
    ({"level": 20}, "light", "the face is dark (brightness 20 of 255)"),
    ({"level": 230}, "light", "the face is too bright (230 of 255)"),
    ({"level": (130, 255)}, "light", "50 % of the face is burnt out"),
    ({"level": (130, 3)}, "light", "50 % of the face is black"),
    ({"remarks": [FLICKER.format(10)]}, "flicker", "the light flickers at 10 Hz"),
])  # fmt: skip
def test_what_is_wrong_is_said_with_what_to_do(how, what, said):
    advice, _ = sampled(**{"fps": 100, **how})
    assert said in advice[what]
    assert not any(advice[other] for other in advice if other != what)


def test_drops_of_our_own_are_not_the_cameras_fault():
    advice, _ = sampled(fps=60, announced=100, jitter=0.45, counts=SourceCounts(frames=200, drops={"queue full": 80}))
    assert "too busy" in advice["rate"] and "announced" not in advice["rate"] and "unevenly" not in advice["rate"]


def test_the_command_says_it_and_keeps_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("MER_LIVE_LOG", str(tmp_path / "log.sqlite3"))
    said = CliRunner().invoke(main, ["--source", str(DEMO), "--fps", "30", "--check", "--seconds", "1"])
    lines = said.output.splitlines()
    assert said.exit_code == 0 and lines[1] == "demo.mp4, 640×480, 1.0 s", said.output
    assert [line.split()[0] for line in lines[2:6]] == ["rate", "face", "light", "flicker"]
    assert lines[6:] == ["not at its best: 30 frames/s: movements under 70 ms will be missed"]
    assert not (tmp_path / "log.sqlite3").exists()


def test_without_a_face_it_says_so(tmp_path):
    film(tmp_path / "a.mp4", [n / 30 for n in range(45)])
    said = CliRunner().invoke(main, ["--source", str(tmp_path / "a.mp4"), "--check"])
    assert (
        said.exit_code == 0 and "not at its best: no face was found" in said.output and "light" not in said.output.split("face", 1)[1].split("\n")[1]
    )
