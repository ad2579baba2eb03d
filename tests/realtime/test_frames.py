"""What is measured in every frame: frames.csv beside the events."""

import csv
import json

import pytest
from click.testing import CliRunner
from demo_clips import demo_start
from films import film

from realtime.cli import live, replay
from realtime.face.facemesh.blendshapes import NAMES
from realtime.output import lanes
from realtime.output.frame_table import COLUMNS


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """Three seconds of the demo clip, with one event."""
    return demo_start(tmp_path_factory.mktemp("clip") / "short.mp4", 3)


def table(path, separator=","):
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=separator))


def run(main, *words):
    result = CliRunner().invoke(main, [*map(str, words), "--no-log"])
    return result.exit_code, result.output


def test_a_row_a_frame_and_the_events_are_the_same_without(short, tmp_path):
    code, said = run(replay.main, short, "--out", tmp_path / "with", "--frames")
    assert code == 0, said
    assert run(replay.main, short, "--out", tmp_path / "without")[0] == 0
    events = [[json.loads(line) | {"latency_ms": 0} for line in (tmp_path / name / "short/events.jsonl").open()] for name in ("with", "without")]
    assert events[0] == events[1] and events[0]
    assert not (tmp_path / "without/short/frames.csv").exists()
    rows = table(tmp_path / "with/short/frames.csv")
    assert tuple(rows[0]) == COLUMNS and [int(row["frame"]) for row in rows] == list(range(len(rows)))
    assert all(row["success"] == "1" and row["face_id"] == "0" and float(row["confidence"]) > 0.9 for row in rows)
    assert all(abs(float(row[f"pose_R{axis}"])) < 0.5 for row in rows for axis in "xyz")
    # between two landmark runs values are repeated, and the column says of when they are
    for before, row in zip(rows, rows[1:]):
        assert 0 <= float(row["timestamp"]) - float(row["measured_at"]) < 0.08
        if row["measured_at"] == before["measured_at"]:
            assert all(row[name] == before[name] for name in ("pose_Rx", "gaze_yaw", *NAMES))
    apex, onset = (min(rows, key=lambda row: abs(float(row["timestamp"]) - events[0][0][f"{when}_s"])) for when in ("apex", "onset"))
    assert float(apex["difference"]) > float(apex["threshold"]) > float(onset["difference"])
    code, said = run(replay.main, short, "--out", tmp_path / "without", "--frames")  # what was not asked for before is done now
    assert code == 0 and (tmp_path / "without/short/frames.csv").exists()


def test_frames_without_a_face_have_a_row_and_a_spreadsheet_its_commas(tmp_path):
    clip = tmp_path / "nobody.mp4"
    film(clip, [k / 30 for k in range(12)])
    assert run(replay.main, clip, "--out", tmp_path, "--frames", "--csv-separator", ";")[0] == 0
    rows = table(tmp_path / "nobody/frames.csv", ";")
    assert rows and all(row["success"] == "0" and row["gate"] == "lost" and not row["face_id"] and not row["pose_Rx"] for row in rows)
    assert "," in rows[1]["timestamp"]


def test_parquet_holds_the_same(short, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    code, said = run(replay.main, short, "--out", tmp_path, "--frames", "--export", "parquet")
    assert code == 0, said
    found = parquet.read_table(tmp_path / "short/frames.parquet")
    rows = table(tmp_path / "short/frames.csv")
    assert tuple(found.column_names) == COLUMNS and found.num_rows == len(rows)
    assert found["pose_Ry"].to_pylist() == [float(row["pose_Ry"]) for row in rows]


def test_a_live_source_writes_them_too_and_overwrites_nothing(short, tmp_path):
    words = "--source", short, "--frames", tmp_path / "found.csv", "--quiet"
    assert run(live.main, *words)[0] == 0
    rows = table(tmp_path / "found.csv")
    assert len(rows) > 100 and rows[-1]["success"] == "1"
    code, said = run(live.main, *words)
    assert code == 6 and "found.csv" in said and len(table(tmp_path / "found.csv")) == len(rows)
    for wrong in (["--frames", "found.txt"], ["--source", short, "--frames", "both.csv"]):
        code, said = run(live.main, "--source", short, *wrong)
        assert code == 2 and "--frames" in said


def test_chosen_columns_are_drawn_and_go_into_the_report(short, tmp_path):
    code, said = run(replay.main, short, "--out", tmp_path, "--plot", "pose_Ry,browInnerUp", "--export", "report")
    assert code == 0, said
    picture = (tmp_path / "short/measures.png").read_bytes()
    assert picture.startswith(b"\x89PNG") and (tmp_path / "short/frames.csv").exists()
    assert "Measured in every frame" in (tmp_path / "short/short.html").read_text("utf-8")
    t, curves = lanes.read(tmp_path / "short/frames.csv", ("pose_Ry",))
    assert len(t) == len(curves["pose_Ry"]) == len(table(tmp_path / "short/frames.csv"))
    for wrong in ("gate", "pose_Rq"):
        code, said = run(replay.main, short, "--out", tmp_path, "--plot", wrong)
        assert code == 2 and "pose_Rx" in said
