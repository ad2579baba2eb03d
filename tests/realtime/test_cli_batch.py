"""Folders of recordings: whose results go where, what is not taken for one, what is not done twice, and the table at the end."""

import csv
import itertools
import json
import os
import shutil
import weakref
from pathlib import Path

import av
import numpy as np
import openpyxl
import pytest
from click.testing import CliRunner

from realtime.cli import replay_one
from realtime.cli.batch import Batch, Record, Wanted
from realtime.cli.clips import find_clips
from realtime.cli.replay import main as replay
from realtime.errors import UsageError


def touched(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"film")
    return folder


def names(words, **more):
    return {str(clip.relative_to(Path.cwd())): str(name) for clip, name in find_clips([str(word) for word in words], **more).jobs}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_every_clip_has_a_folder_of_its_own_whatever_the_order(tmp_path):
    touched(tmp_path, "a.mov", "a.mp4", "a-2.mp4", "b.mp4", "deep/a.mp4", "a.mov.mp4", "B.avi")
    whole = names([tmp_path])
    assert whole == {
        "a.mov": whole["a.mov"],
        "a.mp4": "a.mp4",
        "a-2.mp4": "a-2",
        "b.mp4": "b.mp4",
        "deep/a.mp4": "deep/a",
        "a.mov.mp4": "a.mov.mp4",
        "B.avi": "B.avi",
    }
    assert len({name.casefold() for name in whole.values()}) == 7 and whole["a.mov"].startswith(f"{tmp_path.name}/")
    for order in itertools.permutations([tmp_path / name for name in ("a.mov", "a.mp4", "a-2.mp4")]):
        assert names(order) == {"a.mov": "a.mov", "a.mp4": "a.mp4", "a-2.mp4": "a-2"}
    assert names([tmp_path / "a.mp4", tmp_path / "a.mp4"]) == {"a.mp4": "a"}  # twice the same


def test_clips_of_the_same_name_in_two_folders_are_told_apart_by_the_folder(tmp_path):
    touched(tmp_path, "p1/x.mp4", "p2/x.mp4", "p2/y.mp4")
    for words in ([tmp_path / "p1", tmp_path / "p2"], [tmp_path / "p2/x.mp4", tmp_path / "p1/x.mp4", tmp_path / "p2/y.mp4"]):
        assert names(words) == {"p1/x.mp4": "p1/x", "p2/x.mp4": "p2/x", "p2/y.mp4": "y"}


def test_what_is_hidden_and_what_is_ours_is_left_out_and_said(tmp_path):
    touched(tmp_path, "a.mp4", "._a.mp4", ".trash/b.mp4", "out/a/annotated.mp4", "out/a/events.jsonl", "theirs/annotated.mp4")
    with av.open(str(tmp_path / "a-annotated (1).mp4"), "w") as made:
        made.metadata["comment"] = "annotated by mer-live"
        stream = made.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        made.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="bgr24")) + stream.encode(None))
    given = find_clips([str(tmp_path)])
    assert sorted(str(name) for _, name in given.jobs) == ["a", "theirs/annotated"]
    assert {why: sorted(file.name for file in files) for why, files in given.left_out.items()} == {
        "hidden": ["._a.mp4", "b.mp4"],
        "annotated by mer-live": ["a-annotated (1).mp4", "annotated.mp4"],
    }
    with pytest.raises(UsageError, match=r"no clip in the folder .*left out \(hidden\): .*b\.mp4"):
        find_clips([str(touched(tmp_path / "h", "._b.mp4"))])


def test_results_of_one_clip_are_not_taken_over_by_another(tmp_path):
    touched(tmp_path, "p1/x.mp4", "p2/x.mp4")
    batch = Batch(tmp_path / "out", Wanted({}))
    Record.of(tmp_path / "p1/x.mp4", Path("x"), batch.wanted, judged={}).keep(batch.out)
    os.utime(tmp_path / "p2/x.mp4", (1, 1))
    assert names([tmp_path / "p2/x.mp4"], whose=batch.whose) == {"p2/x.mp4": "x.mp4"}
    assert names([tmp_path / "p1", tmp_path / "p2"], whose=batch.whose) == {"p1/x.mp4": "x", "p2/x.mp4": "x.mp4"}
    Record.of(tmp_path / "p2/x.mp4", Path("x.mp4"), batch.wanted, judged={}).keep(batch.out)
    shutil.rmtree(batch.out / "x")
    assert names([tmp_path / "p2/x.mp4"], whose=batch.whose) == {"p2/x.mp4": "x.mp4"}  # where its results are, there they stay


def test_done_is_what_was_worked_through_as_it_is_asked_for_now(tmp_path):
    clip, name, wanted = touched(tmp_path, "a.mp4") / "a.mp4", Path("a"), Wanted({"k": 1}, video=True, exports=("elan", "pdf"))
    batch = Batch(tmp_path / "out", wanted)
    assert not batch.done(clip, name)
    Record.of(clip, name, wanted, judged={}).keep(batch.out)
    assert not batch.done(clip, name)  # its results are gone
    touched(batch.out, "a/events.jsonl")
    assert batch.done(clip, name) and Batch(batch.out, Wanted({"k": 1}, exports=("elan",))).done(clip, name)
    for other in (Wanted({"k": 2}), Wanted({"k": 1}, exports=("webvtt",)), Wanted({"k": 1}, separator=";")):
        assert not Batch(batch.out, other).done(clip, name)
    os.utime(clip, (5, 5))
    assert not batch.done(clip, name)
    Record.of(clip, name, wanted, judged={}, failure="it broke off").keep(batch.out)
    assert not batch.done(clip, name)
    for damaged in ("", "[]", '{"clip": 1}', json.dumps({**json.loads((batch.out / "a/recording.json").read_text()), "wanted": 3})):
        (batch.out / "a/recording.json").write_text(damaged)
        assert not batch.done(clip, name) and batch.finish([(clip, name)]).startswith("0 of 1 recordings")


def wall(path, seconds=1.5):
    """Nobody's face."""
    with av.open(str(path), "w") as made:
        stream = made.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for number in range(int(25 * seconds)):
            frame = av.VideoFrame.from_ndarray(np.full((240, 320, 3), 100 + number % 2, np.uint8), format="bgr24")
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))


def run(*words):
    done = CliRunner().invoke(replay, [str(word) for word in words], prog_name="mer-replay")
    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    return done


def test_a_folder_twice_with_its_results_inside(tmp_path):
    clips = tmp_path / "in"
    clips.mkdir()
    wall(clips / "a.mp4")
    shutil.copy(clips / "a.mp4", clips / "a.mov")
    (clips / "bad.mp4").write_text("This is no video. " * 100)
    words = (clips, "--out", clips / "out", "--video", "--no-log", "--csv-separator", ";")
    first = run(*words)
    assert first.exit_code == 3
    assert "3 of 3 recordings, 0 events, nothing could be judged in 2, 1 failed (" in first.stdout and first.stdout.rstrip().endswith(
        f"results in {clips}/out"
    )
    rows = list(csv.DictReader((clips / "out/recordings.csv").open(encoding="utf-8-sig"), delimiter=";"))
    assert [(Path(row["clip"]).name, row["folder"], row["events"], row["judged"]) for row in rows] == [
        ("a.mov", "a.mov", "0", "0,00"),
        ("a.mp4", "a.mp4", "0", "0,00"),
        ("bad.mp4", "bad", "0", ""),
    ]
    assert "no face" in rows[0]["not_judged"] and rows[0]["failure"] == "" and "text, not a video" in rows[2]["failure"]
    book = openpyxl.load_workbook(clips / "out/events_all.xlsx")
    assert book.sheetnames == ["recordings", "events", "codebook"] and book["recordings"].max_row == 4
    assert (clips / "out/events_all.csv").read_text("utf-8-sig").startswith("event;source;")

    before = {path: path.stat().st_mtime_ns for path in (clips / "out").glob("a.*/*")}
    again = run(*words)
    assert "already done: 2; --again does them anew" in again.stdout and "left out (annotated by mer-live)" in again.stdout
    assert "3 of 3 recordings" in again.stdout and again.exit_code == 3
    assert {path: path.stat().st_mtime_ns for path in (clips / "out").glob("a.*/*")} == before

    anew = run(clips / "a.mp4", "--out", clips / "out", "--no-log", "spotter.max_duration=0.4")
    assert "with other settings or of an older file: 1; done anew" in anew.stdout and "1 of 1 recordings" in anew.stdout
    assert len(list(csv.DictReader((clips / "out/recordings.csv").open(encoding="utf-8-sig")))) == 3  # the others are still in it


def test_of_a_clip_that_is_done_nothing_stays_in_memory(tmp_path, monkeypatch):
    """An archive has thousands."""
    alive, others = weakref.WeakSet(), []

    class Seen(replay_one.Watch):
        def __init__(self, *more):
            others.append(len(alive))
            alive.add(self)
            super().__init__(*more)

    monkeypatch.setattr(replay_one, "Watch", Seen)
    clips = [tmp_path / f"{number}.mp4" for number in range(4)]
    for clip in clips:
        wall(clip, 0.2)
    run(*clips, "--out", tmp_path / "out", "--no-log")
    assert others == [0, 1, 1, 1]  # the one before is let go when the next is done


def test_an_address_is_told_where_it_goes_without_its_password(tmp_path):
    for word in ("rtsp://me:s3cret@host/x", "http://me:s3/cret@host/x?a=b"):
        said = CliRunner().invoke(replay, [word, "--out", str(tmp_path)], prog_name="mer-replay")
        assert said.exit_code == 2 and "takes files: mer-live --source" in said.output and "***@host" in said.output
        assert said.output.count("\n") == 1 and "cret" not in said.output
