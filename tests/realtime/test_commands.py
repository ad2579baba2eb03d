"""The commands as people type them: mer-live, mer-replay, mer-bench, right and wrong."""

import csv
import json
import shutil
import time
from pathlib import Path

import av
import numpy as np
import pytest
from click.testing import CliRunner
from demo_clips import demo_start

from realtime.cli.bench import main as bench
from realtime.cli.live import main as live
from realtime.cli.log import main as mer_log
from realtime.cli.replay import main as replay
from realtime.cli.streams import search
from realtime.output.log import Log
from realtime.pipeline import Pipeline


def run(command, *words):
    """(exit code, stdout, stderr). A traceback fails the test."""
    result = CliRunner().invoke(command, [str(word) for word in words], prog_name=command.name)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def one_line(text: str) -> str:
    assert text.count("\n") == 1 and "Traceback" not in text, text
    return text


@pytest.fixture(scope="module")
def short(tmp_path_factory) -> Path:
    """The first three seconds of the demo clip: one event, at 2.16 s."""
    return demo_start(tmp_path_factory.mktemp("clips") / "short.mp4", 3.0)


def cut(path: Path, source: Path, share: float) -> Path:
    path.write_bytes(source.read_bytes()[: int(source.stat().st_size * share)])
    return path


def test_live_writes_its_events_to_files_and_to_the_log(short, tmp_path):
    code, out, _ = run(live, "--source", short, "--events", tmp_path / "found.jsonl")
    assert code == 0 and "surprise" in out and "recording: every frame is processed" in out
    (event,) = [json.loads(line) for line in (tmp_path / "found.jsonl").read_text().splitlines()]
    fields = "event source face onset_s apex_s offset_s label scores model latency_ms kind confidence estimated_units unit_confidences"
    assert list(event) == fields.split()
    (session,) = Log().sessions()
    assert session["events"] == 1 and session["frames"] == 150 and session["settings"]["network"] == "kernel_ridge"


def test_a_session_that_was_too_busy_says_that_it_is_incomplete(short, monkeypatch):
    pipeline = Pipeline.__call__

    def slow(*frames):
        time.sleep(0.1)
        return pipeline(*frames)

    monkeypatch.setattr(Pipeline, "__call__", slow)
    code, out, err = run(live, "--source", short, "--as-live", "source.queue=2")
    assert code == 0 and "results are incomplete; mer-replay sees every frame" in one_line(err)
    assert "too busy" in out and "results are incomplete; mer-replay" in out
    session = Log().session()
    assert session["incomplete"].startswith(f"too busy: {session['drops']['queue full']} of 150 frames")
    for words in (("list",), ("show",)):
        assert "too busy" in run(mer_log, *words)[1]


def test_events_to_standard_output_are_lines_of_json_alone(short, capfd):
    code, said, err = run(live, "--source", short, "--no-log", "--events", "-")
    out = capfd.readouterr().out
    assert code == 0 and [json.loads(line)["label"] for line in out.splitlines()] == ["surprise"] and "1 events" in err and not said


def test_earlier_events_are_not_overwritten(short, tmp_path):
    path = tmp_path / "found.jsonl"
    path.write_text("{}\n")
    code, _, err = run(live, "--source", short, "--no-log", "--events", path)
    assert code == 6 and f"--events - >> {path}" in one_line(err) and path.read_text() == "{}\n"


def test_two_sources_at_once(short, tmp_path):
    other = shutil.copy(short, tmp_path / "other.mp4")
    code, out, _ = run(live, "--source", short, "--source", other, "--events", tmp_path / "found.csv", "--no-log")
    with open(tmp_path / "found.csv", newline="") as file:
        assert {Path(row["source"]).name for row in csv.DictReader(file)} == {"short.mp4", "other.mp4"}
    assert code == 0 and out.count("1 events in") == 2


def test_a_setting_at_the_end_of_the_line_is_heard(short):
    code, out, _ = run(live, "--source", short, "--no-log", "spotter.max_duration=0.1")
    assert code == 0 and "0 events" in out and "1 too long for a micro-expression" in out and "judged " in out
    assert "1 events" in run(live, "--source", short, "--no-log")[1]


def test_replay_walks_a_folder_and_writes_everything(short, tmp_path):
    (tmp_path / "in/deep").mkdir(parents=True)
    shutil.copy(short, tmp_path / "in/deep/a.mp4")
    (tmp_path / "in/notes.txt").write_text("not a clip")
    code, out, _ = run(replay, tmp_path / "in", "--out", tmp_path / "out", "--video")
    folder = tmp_path / "out/deep/a"
    assert code == 0 and sorted(p.name for p in folder.iterdir()) == ["annotated.mp4", "events.csv", "events.jsonl", "recording.json", "timeline.png"]
    with av.open(str(folder / "annotated.mp4")) as film:
        assert film.duration / av.time_base == pytest.approx(3.0, abs=0.02)
    assert len((folder / "events.jsonl").read_text().splitlines()) == 1
    assert (folder / "timeline.png").read_bytes().startswith(b"\x89PNG")


def test_a_truncated_clip_keeps_what_was_found_before(tmp_path):
    # the index must stand in front, or nothing can be read of a file without its end
    path = demo_start(tmp_path / "whole.mp4", movflags="faststart")
    broken = cut(tmp_path / "broken.mp4", path, 0.5)
    code, _, err = run(replay, broken, "--out", tmp_path / "out")
    assert code == 4 and "broke off" in one_line(err)
    assert len((tmp_path / "out/broken/events.jsonl").read_text().splitlines()) >= 2
    assert (tmp_path / "out/broken/timeline.png").exists()
    assert Log().sessions()[0]["events"] >= 2


@pytest.mark.parametrize(
    "words, code, said",
    [
        ((), 2, "nothing to watch"),
        (("--camra", "0"), 2, "--camera"),
        (("--demo", "clip.mp4"), 2, "--source"),
        (("--demo", "spotter.max_durration=1"), 2, "did you mean 'spotter.max_duration'"),
        (("--demo", "spotter.max_duration=soon"), 2, "could not be converted"),
        (("--demo", "--events", "found.txt"), 2, ".jsonl or .csv"),
        (("--camera", "97"), 3, "camera"),
        (("--source", "nowhere.mp4"), 3, "no such file"),
        (("--source", "ftp://host/clip"), 3, "expected one of"),
        (("--demo", "--model", "dual_atm"), 5, "dual_atme"),
        (("--demo", "--events", "/dev/null/found.csv"), 6, "cannot write"),
    ],
)
def test_a_mistake_is_one_line_and_an_exit_code(words, code, said):
    got, _, err = run(live, *words)
    assert (got, said in one_line(err)) == (code, True), err


def test_no_screen_for_the_window_is_one_line(short, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    code, _, err = run(live, "--source", short, "--window", "--no-log")
    assert code == 7 and "no screen" in one_line(err)


def test_bad_clips_do_not_cost_the_good_one_its_results(short, tmp_path):
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("This is no video. " * 100)
    cut(tmp_path / "headless.mp4", short, 0.6)  # its index was at the end
    code, out, err = run(replay, *(tmp_path / f"{n}.mp4" for n in ("empty", "text", "headless")), short, "--out", tmp_path / "out")
    assert code == 3 and len(err.splitlines()) == 3 and "Traceback" not in err
    assert (tmp_path / "out/short/events.csv").exists() and "1 events" in out


def test_a_clip_without_a_face_says_so(tmp_path):
    path = tmp_path / "wall.mp4"
    with av.open(str(path), "w") as made:
        stream = made.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for _ in range(25):
            made.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((240, 320, 3), 120, np.uint8), format="bgr24")))
        made.mux(stream.encode())
    code, out, _ = run(replay, path, "--out", tmp_path / "out", "--no-log")
    assert code == 0 and "nothing could be judged" in out and "0 events" not in out
    assert "judged 0 %" in out and "no face 1.0 s" in out and "no face was found" in out
    assert (tmp_path / "out/wall/events.csv").read_text("utf-8-sig").startswith("event,source")


def test_a_damaged_network_is_one_line(tmp_path):
    zoo = Path(__file__).parents[2] / "engines/zoo"
    for ending in (".json", ".onnx"):
        shutil.copy(zoo / f"dual_atme{ending}", tmp_path / f"copy{ending}")
    with open(tmp_path / "copy.onnx", "r+b") as file:
        file.seek(1000)
        file.write(b"\0" * 16)
    code, _, err = run(live, "--demo", "--model", tmp_path / "copy.onnx")
    assert code == 5 and "SHA-256" in one_line(err)


def test_a_full_disk_is_reported_and_the_rest_goes_on(short, tmp_path):
    full = tmp_path / "full.jsonl"
    full.symlink_to("/dev/full")
    code, out, err = run(live, "--source", short, "--events", full)
    assert code == 6 and "space" in one_line(err) and "1 events" in out
    assert Log().sessions()[0]["events"] == 1  # the log has its own disk here, and has it


def test_bench_prints_rates_stages_and_memory(short):
    code, out, _ = run(bench, "live", "--source", short)
    assert code == 0
    for word in (
        "cores",
        "frames/s",
        "p50",
        "p95",
        "p99",
        "landmarks",
        "spotting",
        "naming",
        "known to label",
        "offset to label",
        "memory",
        "150 frames",
    ):
        assert word in out


def test_bench_of_streams_prints_a_row_for_each_number_of_them(short):
    code, out, _ = run(bench, "live", "--source", short, "--streams", 2, "--seconds", 1)
    assert code == 0 and "30 frames/s, as live" in out and "its offset frame, to the label" in out
    rows = [line.split() for line in out.splitlines() if line[:8].strip() in ("1", "2")]
    assert rows and all(len(row) == 11 for row in rows)
    assert "this machine holds" in out or "all 2 streams" in out


@pytest.mark.parametrize(
    "words, code, said",
    [
        (("--streams", "0"), 2, "--streams"),
        (("--streams", "many"), 2, "--streams"),
        (("--streams", "2", "--seconds", "0"), 2, "--seconds"),
        (("--streams", "2", "--as-live"), 2, "--streams"),
        (("--source", "nowhere.mp4", "--streams", "2"), 3, "no such file"),
    ],
)
def test_a_mistake_at_the_bench_is_one_line(short, words, code, said):
    got, _, err = run(bench, "live", "--source", short, *words)
    assert (got, said in one_line(err)) == (code, True), err


def test_streams_are_tried_by_doubling_and_then_in_between():
    for holds in range(14):
        tried = list(search(12, lambda count: count <= holds))
        good, bad = [n for n in tried if n <= holds], [n for n in tried if n > holds]
        assert max(good, default=0) == min(holds, 12) and (holds >= 12 or min(bad) == holds + 1)
        assert len(tried) == len(set(tried)) <= 8
