"""`mer-bench spotting` from portraits to tables, on one person and two short clips."""

import json
import shutil
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from places import ROOT

pytest.importorskip("torch")

from train.bench.cli import main
from train.bench.spotting import (
    report,
    standard,
)
from train.bench.spotting.detect import Truth, read_truth
from train.bench.spotting.score import Clip, Interval


def test_the_command_makes_clips_and_writes_tables(tmp_path, monkeypatch):
    (tmp_path / "portraits").mkdir()
    shutil.copy(ROOT / "realtime/assets/astronaut.jpg", tmp_path / "portraits")
    parts = standard.Part("micro at 30", 30, 5, "all", 1, people=1), standard.Part("speaking at 30", 30, 3, "speaking", 2, people=1)
    for name, value in (("PARTS", parts), ("FIRST", 0)):
        monkeypatch.setattr(standard, name, value)
    words = ["spotting", "--portraits", tmp_path / "portraits", "--clips", tmp_path / "clips", "--out", tmp_path / "out", "--jobs", "1"]
    done = CliRunner().invoke(main, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    assert "all of them while speaking" in done.output
    result = json.loads((tmp_path / "out/results.json").read_text())["spotter"]
    assert set(result["parts"]) == {"micro at 30", "speaking at 30"}
    assert result["parts"]["speaking at 30"]["true"] + result["parts"]["speaking at 30"]["missed"] == 0
    assert (tmp_path / "out/precision-recall.png").exists() and "ms a frame" in (tmp_path / "out/results.md").read_text()


def test_no_portraits_is_one_line(tmp_path):
    done = CliRunner().invoke(main, ["spotting", "--portraits", str(tmp_path / "none"), "--clips", str(tmp_path / "c"), "--out", str(tmp_path / "o")])
    assert done.exit_code == 2 and "--portraits" in done.stderr


def test_the_people_of_the_benchmark_are_nobody_elses():
    from train.verifier.training import CALIBRATION, TRAINING

    tested = {standard.FIRST + part.skipped + n for part in standard.PARTS for n in range(part.people)}
    assert not tested & {*TRAINING, *CALIBRATION} and not set(TRAINING) & set(CALIBRATION)


def test_the_tables_say_what_was_counted():
    real = Interval(1, 1.1, 1.3, intensity="B", motion="real", returned=0.1, blink_inside=True)
    units = Interval(9, 9.1, 9.3, intensity="A", motion="action units", returned=1.0)
    one = Clip("c", "p", 100.0, 30.0, "all", (real, units), (Interval(1, 1.1, 1.3, 0.9, 1.4), Interval(5, 5.1, 5.2, 0.8, 5.3)))
    none = Clip("n", "p", 100.0, 60.0, "no-micro", (), (Interval(5, 5.1, 5.2, 0.8, 5.3),))
    result = report.results({"micro at 100": [one], "none at 100": [none]}, 0.8, 0.25)
    assert result["goals"]["micro at 100–200"]["f1"] == pytest.approx(0.5)
    assert result["recall_by_intensity"] == {"A": 0.0, "B": 1.0}
    assert set(result["like"]) == {
        "real motion",
        "action units",
        "returns fully",
        "does not return",
        "real motion, does not return",
        "with a blink inside",
    }
    assert result["like"]["does not return"]["fast"]["f1"] == pytest.approx(0.8)
    table = report.markdown(result)
    assert "| micro at 100 | 0.50 | 0.50 | 0.50" in table and "nothing" in table
    assert "| returns fully | 1 | 0.00 | 0.00 |" in table
    assert "With 0.25 micro-expressions a minute, 1.1 of ten alarms are true" in table  # 0.125 found, 1 false


def test_the_truth_of_a_set_is_read_with_what_each_movement_is_like(tmp_path):
    columns = "Filename,Subject,kind,onset_s,apex_s,offset_s,intensity,motion,returned,on_expression,blink_inside"
    (tmp_path / "truth.csv").write_text(f"{columns}\nc.mp4,p,micro,1,1.1,1.4,A,real,0.25,1,0\n")
    (tmp_path / "nuisances.csv").write_text("Filename,Subject,kind,start_s,end_s\n")
    (tmp_path / "clips.csv").write_text("Filename,Subject,fps,duration_s,conditions\nc.mp4,p,100,5,all\n")
    (truth,) = read_truth(tmp_path)
    (micro,) = truth.micro
    assert (micro.motion, micro.returned, micro.on_expression, micro.blink_inside) == ("real", 0.25, True, False)


def test_what_rises_quickly_and_returns_slowly_is_neither_asked_for_nor_false():
    def found(onset, apex, offset):
        moments = [SimpleNamespace(pts=pts) for pts in (onset, apex, offset)]
        return SimpleNamespace(onset=moments[0], apex=moments[1], offset=moments[2], kind="micro", confidence=0.9), offset

    truth = Truth("c.mp4", "p", 100.0, 20.0, "all", (), (), (("long", 10.0, 12.0),))
    assert [d.apex for d in truth.clip([found(10, 10.2, 10.4), found(3, 3.1, 3.2)]).detected] == [3.1]
