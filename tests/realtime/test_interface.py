"""The three functions that an engineer finds first, and the notebooks that show them."""

import json

import pytest
from demo_clips import demo_start
from films import film
from places import ROOT

import realtime as mer
from realtime.errors import SourceError, UsageError
from realtime.output.event_table import columns
from realtime.output.frame_table import COLUMNS

NOTEBOOKS = sorted((ROOT / "realtime/notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    return demo_start(tmp_path_factory.mktemp("clip") / "short.mp4", 3)


def test_a_loop_sees_every_frame_and_what_became_known(short):
    steps = list(mer.watch(short))
    events = [known.event for step in steps for known in step.events]
    assert [step.frame.index for step in steps[:150]] == list(range(150)) and [event.label for event in events] == ["surprise"]
    assert [event.onset_s for event in mer.replay(short)] == [events[0].onset_s]


def test_who_leaves_the_loop_leaves_no_process_behind(short):
    import psutil

    before = set(psutil.Process().children(recursive=True))
    for step in mer.watch(short):
        if step.frame.index == 3:
            break
    assert not {child for child in psutil.Process().children(recursive=True) if child.status() != "zombie"} - before


def test_tables_of_a_recording(short, tmp_path):
    pytest.importorskip("pandas")
    events, frames = mer.analyse(short), mer.measure(short)
    assert events["label"].tolist() == ["surprise"] and events.columns.tolist() == columns(["negative", "positive", "surprise"])
    assert 0 < events.attrs["judged"]["share"] < 1
    assert frames.columns.tolist() == list(COLUMNS) and len(frames) == 150 and frames["pose_Rx"].between(-0.5, 0.5).all()
    film(tmp_path / "nobody.mp4", [k / 30 for k in range(12)])
    nobody = mer.analyse(tmp_path / "nobody.mp4")
    assert nobody.empty and nobody.columns.tolist() == events.columns.tolist() and nobody.attrs["judged"]["share"] == 0


def test_what_cannot_be_used_is_said(short, tmp_path):
    with pytest.raises(SourceError):
        list(mer.watch(tmp_path / "absent.mp4"))
    with pytest.raises(UsageError, match="faces.mots"):
        list(mer.watch(short, "faces.mots=2"))


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_a_notebook_runs(file, tmp_path, monkeypatch):
    pytest.importorskip("pandas")
    monkeypatch.chdir(tmp_path)
    names: dict = {"__name__": "__main__"}
    for cell in json.loads(file.read_text("utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            assert not cell["outputs"]  # nothing that was seen on somebody's machine
            exec(compile("".join(cell["source"]), f"{file.name}", "exec"), names)


def test_there_are_two_notebooks():
    assert len(NOTEBOOKS) == 2
