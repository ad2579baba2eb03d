"""`mer-bench spotting data=…`: long recordings through a stand-in for the live loop, by the grand challenges' protocol."""

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parents[1] / "data"))
import made_sets

pytest.importorskip("torch")

from realtime.errors import SourceError
from train.bench.cli import main
from train.bench.spotting import (
    long,
    report,
)
from train.data.long_recordings import Expression, LongRecording


def said(kind, onset, offset, label="negative"):
    return {"kind": kind, "onset": onset, "apex": (onset + offset) / 2, "offset": offset, "label": label, "confidence": 0.9}


def recording(name, *expressions):
    return LongRecording(name, name, 100.0, expressions=[Expression(kind, a, (a + b) / 2, b, label) for kind, a, b, label in expressions])


def test_kinds_are_counted_apart_and_together_and_emotions_of_those_found():
    those = [
        recording("a", ("micro", 1.0, 1.3, "disgust"), ("macro", 5.0, 7.0, "happiness")),
        recording("b", ("micro", 2.0, 2.4, "surprise"), ("micro", 8.0, 8.3, "others")),
        recording("c", ("micro", 2.0, 2.4, "surprise")),
    ]
    watched = [
        long.Watched("a", 60.0, 100.0, [said("micro", 1.0, 1.3), said("micro", 5.0, 7.0), said("macro", 1.0, 1.3)]),
        long.Watched("b", 60.0, 100.0, [said("micro", 2.1, 2.4, "unsure")]),
        long.Watched("c", 0.0, 0.0, [], "it cannot be read"),
    ]
    result = long.results(those, watched, 0.25)
    micro, macro, overall = (result["kinds"][kind] for kind in ("micro", "macro", "overall"))
    assert (micro["annotated"], micro["true"], micro["false"]) == (3, 2, 1) and micro["f1"] == pytest.approx(2 / 3)
    assert (macro["annotated"], macro["true"], macro["false"]) == (1, 0, 1)
    assert (overall["annotated"], overall["true"], overall["false"]) == (4, 2, 2) and overall["f1"] == pytest.approx(0.5)
    assert result["named"] == {"number": 2, "right": 1, "uf1": 0.5} and result["strs"] == pytest.approx(1 / 3)
    assert result["recordings"] == 2 and result["minutes"] == 2
    words = report.of_recordings(result, "SAMM Long Videos", "kernel_ridge")
    assert "| micro | 3 | 2 | 1 | 0.67 | 0.67 | 0.667" in words and "STRS 0.333" in words and "of ten alarms are true" in words


def test_an_interval_lasts_to_the_end_of_its_last_frame():
    one = recording("a", ("micro", 0.0, 0.1, ""))  # frames 0 to 3 of 30 a second: four; two of them found: a half, where 1/3 of the seconds are
    watched = long.Watched("a", 10.0, 30.0, [said("micro", 0.0, 1 / 30)])
    assert long.results([one], [watched], 0.25)["kinds"]["micro"]["true"] == 1


def command(*words):
    return CliRunner().invoke(main, ["spotting", "--jobs", "1", *map(str, words)])


def test_the_command_measures_a_set_and_does_not_watch_twice(tmp_path, monkeypatch):
    made_sets.samm_lv(tmp_path / "set")
    times = []

    def watch(one, settings):
        times.append(one.name)
        if one.name == "020_6":
            raise SourceError("it is damaged")
        return long.Watched(one.name, 0.3, 200.0, [said("micro", 10 / 200, 19 / 200)])

    monkeypatch.setattr(long, "watch", watch)
    words = ("data=samm_lv", f"data.root={tmp_path / 'set'}", "spotter.confidence=0.5", "--out", tmp_path / "out", "--rate", "2")
    done = command(*words)
    assert done.exit_code == 0, done.output
    assert "2 recordings, 2 micro- and 2 macro-expressions; 2 rows left out, 3 mended" in done.output
    assert "not measured: 020_6: it is damaged" in done.output and "With 2 micro-expressions a minute" in done.output
    result = json.loads((tmp_path / "out/samm_lv/results.json").read_text())
    assert result["kinds"]["micro"]["f1"] == 1 and result["named"]["right"] == 1
    assert "no frames" in (tmp_path / "out/samm_lv/left_out.csv").read_text()
    assert (tmp_path / "out/samm_lv/predictions.csv").read_text().splitlines()[1:] == ["006_1,11,20,me,negative"]
    assert command(*words).exit_code == 0 and times == ["006_1", "020_6", "020_6"]  # what failed is tried again
    assert command(*words, "spotter.confidence=0.6").exit_code == 0 and len(times) == 5


def test_what_is_found_in_the_challenges_test_set_is_a_submission(tmp_path, monkeypatch):
    made_sets.megc(tmp_path / "set")

    def watch(one, settings):
        return long.Watched(one.name, 1.0, one.fps, [said("micro", 10 / one.fps, 19 / one.fps), said("macro", 20 / one.fps, 30 / one.fps, "unsure")])

    monkeypatch.setattr(long, "watch", watch)
    done = command("data=megc", f"data.root={tmp_path / 'set'}", "--out", tmp_path / "out")
    assert done.exit_code == 0 and "4 expressions found: samm_pred.csv, cas_pred.csv" in done.output.replace("\n", " "), done.output
    place = tmp_path / "out/megc"
    head = "vid,pred_onset,pred_offset,type,emotion\n"
    assert (place / "samm_pred.csv").read_text() == head + "001_1,11,20,me,negative\n001_1,21,31,mae,unsure\n"
    assert (place / "cas_pred.csv").read_text() == head + "b,10,19,me,negative\nb,20,30,mae,unsure\n"
    assert not (place / "results.json").exists()


@pytest.mark.parametrize(
    "words, why",
    [
        (["data=casme2", "data.root=."], "has no long recordings"),
        (["data=samm_lv"], "data.root=DIR"),
        (["data.root=."], "data.root of which set"),
        (["data=sammlv"], "unknown data 'sammlv'"),
        (["data=samm_lv", "data.root=nowhere"], "no folder"),
    ],
)
def test_a_mistake_is_one_line(words, why, tmp_path):
    done = command(*words, "--out", tmp_path / "out")
    assert done.exit_code == 2 and why in done.stderr and "Traceback" not in done.stderr and not (tmp_path / "out").exists()


def test_the_live_loop_itself_watches_a_folder_of_frames(tmp_path):
    import cv2
    from places import ROOT

    face = cv2.resize(cv2.imread(str(ROOT / "realtime/assets/astronaut.jpg")), None, fx=0.5, fy=0.5)
    for n in (1, 2, 3):
        cv2.imwrite(str(tmp_path / f"{n}.png"), face)
    from realtime.pipeline import PipelineSettings

    frames = {n: tmp_path / f"{n}.png" for n in (1, 2, 3)}
    watched = long.watch(LongRecording("a", "p", 200.0, frames), PipelineSettings())
    assert watched.seconds == pytest.approx(0.01) and watched.fps == pytest.approx(200) and watched.events == []
