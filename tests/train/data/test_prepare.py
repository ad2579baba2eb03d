"""Clips → a prepared set: what is kept, what is left out and why, and what a broken-off run leaves."""

import csv
import io
import json
import signal
import threading
import time
from dataclasses import replace
from multiprocessing import active_children
from pathlib import Path

import cv2
import made_faces
import numpy as np
import pytest
from rich.console import Console

from realtime.errors import SourceError, UsageError
from realtime.face.geometry import TEMPLATE, to_68
from realtime.face.tracker import FaceSettings
from realtime.naming.inputs.tim import interpolate
from realtime.parallel import each
from train.data import cache as store
from train.data import cut, prepare
from train.data.annotations import LeftOut
from train.synthesis.camera import VideoFile


def run(tmp_path, clips, workers=1, cache="cache", **more):
    console = Console(file=io.StringIO(), width=200)
    rows, left = prepare.prepare("made", tmp_path, clips, tmp_path / cache, workers, console, **more)
    prepare.report(rows, left, tmp_path / cache, console)
    return rows, left, console.file.getvalue()


def views(tmp_path, row, cache="cache"):
    with np.load(tmp_path / cache / "clips" / row.file) as arrays:
        return dict(arrays)


def test_a_clip_becomes_views_of_one_anchor(tmp_path):
    rows, left, _ = run(tmp_path, [made_faces.clip(made_faces.pictures(tmp_path / "a"))])
    made = views(tmp_path, rows[0])
    assert not left and rows[0].label == "happiness"
    assert {name: made[name].shape for name in made} == {
        **dict.fromkeys(("onset", "apex", "offset", "fifth", "extracted"), (224, 224, 3)),
        "course10": (10, 224, 224),
        "course11": (11, 224, 224),
        "points": (68, 2),
    }
    assert np.abs(made["points"][[36, 45]] - TEMPLATE[:2]).max() < 8  # eyes level, where they belong
    moved = cv2.absdiff(made["onset"], made["apex"]).sum(axis=2)
    mouth = made["points"][[48, 54]].astype(int)
    assert all(moved[y - 12 : y + 12, x - 12 : x + 12].mean() > 4 * moved[20:60].mean() for x, y in mouth)
    assert cv2.absdiff(made["onset"], made["offset"]).mean() < 1
    assert cv2.imread(str(tmp_path / "cache/sheet.png")) is not None


def test_the_extracted_apex_and_the_course_are_of_all_frames(tmp_path):
    """Forty frames, and what the sixteen kept of old would not show: one short jerk between two of them."""
    paths = made_faces.pictures(tmp_path / "a", 40)
    jerk = 11  # of 16 evenly spaced ones 10 and 13 are the nearest
    cv2.imwrite(str(paths[jerk]), made_faces.smile(6))
    pictures = [cv2.imread(str(path)) for path in paths]
    rows, _, _ = run(tmp_path, [made_faces.clip(paths, apex=20)])
    made = views(tmp_path, rows[0])
    _, every, points = made["onset"], all_views(pictures), made["points"]
    assert np.array_equal(made["extracted"], every[jerk]) and cut.apex_by_algorithm_1(every, points) == jerk
    grey = np.stack([cv2.cvtColor(view, cv2.COLOR_BGR2GRAY) for view in every])
    for length in (10, 11):
        wanted = np.clip(np.rint(interpolate(grey, length)), 0, 255)
        assert np.array_equal(made[f"course{length}"], wanted)
    six = np.clip(np.rint(interpolate(grey, 6)), 0, 255)
    assert np.abs(six - made["course11"][::2]).max() <= 1  # the frames of five fields are every second of those of ten
    assert np.abs(interpolate(made["course11"], 6) - made["course11"][::2]).max() < 1e-3  # and the inputs find exactly these


def all_views(pictures):
    """Every picture as the tracker gives it."""
    from realtime.face.tracker import FaceTracker
    from realtime.records import Frame

    tracker = FaceTracker(FaceSettings())
    try:
        return [tracker(Frame(picture, number, number * cut.PACE, 0.0))[0].pixels for number, picture in enumerate(pictures)]
    finally:
        tracker.close()


def test_a_clip_whose_apex_is_its_onset_is_kept_and_marked(tmp_path):
    paths = made_faces.pictures(tmp_path / "a", 4)
    clips = [
        made_faces.clip(paths, apex=0),
        made_faces.clip(paths[:1], apex=0),
        made_faces.clip(paths, apex=3),
        made_faces.clip(paths[:1], kind="image"),
    ]
    clips = [replace(clip, name=f"s1/{number}") for number, clip in enumerate(clips)]
    rows, left, said = run(tmp_path, clips)
    assert [row.still for row in rows] == ["yes", "yes", "", ""] and not left
    assert "2 clips have their apex at their onset: training leaves them out, data.still=keep takes them" in said
    for row, length in zip(rows, (4, 1, 4, 1), strict=True):
        made = views(tmp_path, row)
        assert np.array_equal(made["onset"], made["apex"]) == (row.name != "s1/2")
        assert made["course11"].shape == (11, 224, 224) and (length > 1 or np.ptp(made["course11"], axis=0).max() == 0)


def test_a_set_of_an_older_version_is_cut_out_again_by_the_same_command(tmp_path, monkeypatch):
    clips = [made_faces.clip(made_faces.pictures(tmp_path / name, 3)) for name in "ab"]
    with monkeypatch.context() as patched:
        patched.setattr(store, "FORMAT", 1)
        old, _, _ = run(tmp_path, clips)
    (tmp_path / "cache/inputs").mkdir()
    made = json.loads((tmp_path / "cache/made.json").read_text())
    del made["format"]
    (tmp_path / "cache/made.json").write_text(json.dumps(made | {"alignment": "of old"}))
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(store, "write_tables", interrupted)
        run(tmp_path, clips)
    assert store.read_rows(tmp_path / "cache") == old  # until all is there, what was there stays whole
    assert all((tmp_path / "cache/clips" / row.file).exists() for row in old)
    rows, _, said = run(tmp_path, clips)
    assert "prepared by an older version" in said and "2 of 2 clips are there already" in said
    assert {path.name for path in (tmp_path / "cache/clips").iterdir()} == {row.file for row in rows}
    assert not {row.file for row in rows} & {row.file for row in old} and not (tmp_path / "cache/inputs").exists()
    _, _, said = run(tmp_path, clips)
    assert "older version" not in said
    with pytest.raises(UsageError, match="dataset is samm, was made"):
        prepare.prepare("samm", tmp_path, clips, tmp_path / "cache", 1, Console())


def interrupted(*_):
    raise KeyboardInterrupt


def test_an_image_is_onset_apex_and_offset_at_once(tmp_path):
    still = made_faces.clip(made_faces.pictures(tmp_path / "a")[:1], kind="image")
    rows, _, _ = run(tmp_path, [still])
    made = views(tmp_path, rows[0])
    assert all(np.array_equal(made["onset"], made[name]) for name in ("apex", "offset", "fifth"))


def test_a_crop_too_tight_for_the_face_finder_gets_a_border(tmp_path):
    points = to_68(made_faces._landmarks(made_faces.FACE))
    (left, top), (right, bottom) = points[17:].min(0).astype(int), points[17:].max(0).astype(int)
    tight = made_faces.FACE[top - 8 : bottom + 22, left - 5 : right + 5]
    paths = made_faces.pictures(tmp_path / "a")
    for path in paths:
        cv2.imwrite(str(path), cv2.resize(tight, (280, 340)))
    rows, left, _ = run(tmp_path, [made_faces.clip(paths)])
    assert rows and not left
    assert np.abs(views(tmp_path, rows[0])["points"][[36, 45]] - TEMPLATE[:2]).max() < 10


def test_whatever_cannot_be_used_is_listed_with_its_file_and_reason(tmp_path):
    names = ("good", "absent", "corrupt", "faceless", "jump", "sizes")
    paths = {name: made_faces.pictures(tmp_path / name, 4) for name in names}
    paths["absent"][2].unlink()
    paths["corrupt"][1].write_bytes(paths["corrupt"][1].read_bytes()[:5000])
    for path in paths["faceless"]:
        cv2.imwrite(str(path), np.full((300, 300, 3), 90, np.uint8))
    cv2.imwrite(str(paths["jump"][2]), made_faces.smile(0, shift=90))
    cv2.imwrite(str(paths["sizes"][3]), made_faces.FACE[:-10])
    clips = [made_faces.clip(paths[name]) for name in names]
    clips += [LeftOut("x/1", "table.csv row 99", "the apex is '/'"), replace(clips[0], row="table.csv row 7")]
    rows, left, said = run(tmp_path, clips)
    why = {one.name.split("/")[1]: one.why for one in left}
    assert [row.name for row in rows] == ["s1/good"]
    assert str(paths["absent"][2]) in why["absent"] and "absent" in why["absent"]
    assert str(paths["corrupt"][1]) in why["corrupt"] and "corrupt" in why["corrupt"]
    assert "no face was found (img1.png)" == why["faceless"]
    assert "img3.png" in why["jump"] and ("slipped" in why["jump"] or "lost" in why["jump"])
    assert "several sizes" in why["sizes"] and "twice" in why["good"] and why["1"] == "the apex is '/'"
    with open(tmp_path / "cache/left_out.csv", newline="") as file:
        assert [line["why"] for line in csv.DictReader(file)] == [one.why for one in left]
    assert "1 clips prepared" in said and "7 left out" in said and "a picture is corrupt" in said


def test_a_run_that_was_broken_off_goes_on_and_repeats_nothing(tmp_path, monkeypatch):
    clips = [made_faces.clip(made_faces.pictures(tmp_path / name, 3)) for name in "abc"]
    broken = clips[2].pictures[1].read_bytes()
    clips[2].pictures[1].write_bytes(b"")
    write, written = store.write_arrays, []

    def interrupted(path, arrays):
        if written:
            raise KeyboardInterrupt
        written.append(path)
        write(path, arrays)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(store, "write_arrays", interrupted)
        run(tmp_path, clips)
    with pytest.raises(UsageError, match="broken off"):
        store.read_rows(tmp_path / "cache")
    before = written[0].stat().st_mtime_ns
    rows, left, said = run(tmp_path, clips)
    assert "1 of 3 clips are there already" in said and len(rows) == 2 and "corrupt" in left[0].why
    clips[2].pictures[1].write_bytes(broken)  # repaired: it is tried again, the others are not
    rows, left, _ = run(tmp_path, clips)
    assert len(rows) == 3 and not left and written[0].stat().st_mtime_ns == before
    rows, _, _ = run(tmp_path, [replace(clips[0], apex=0)])  # a corrected annotation is another file
    assert rows[0].file != written[0].name and np.array_equal(*(views(tmp_path, rows[0])[k] for k in ("onset", "apex")))


def test_other_settings_or_another_set_are_refused_and_nothing_is_touched(tmp_path):
    clips = [made_faces.clip(made_faces.pictures(tmp_path / "a", 3))]
    run(tmp_path, clips)
    before = {path: path.read_bytes() for path in (tmp_path / "cache").rglob("*") if path.is_file()}
    with pytest.raises(UsageError, match="other settings.*landmark_interval.*data.cache"):
        run(tmp_path, clips, settings=FaceSettings(landmark_interval=0.2))
    with pytest.raises(UsageError, match="dataset is samm, was made"):
        prepare.prepare("samm", tmp_path, clips, tmp_path / "cache", 1, Console())
    with pytest.raises(UsageError, match="neither empty nor"):
        run(tmp_path, clips, cache="a")
    assert before == {path: path.read_bytes() for path in (tmp_path / "cache").rglob("*") if path.is_file()}


def test_clips_of_one_recording(tmp_path):
    video = tmp_path / "v.mp4"
    with VideoFile(video, made_faces.FACE.shape[1::-1], 30, 14) as file:
        for number in range(24):
            file.write(made_faces.smile(3 * max(0, np.sin(np.pi * (number - 6) / 12))), number / 30)

    def part(*frames):
        return made_faces.clip((), video=video, times=tuple(f / 30 for f in frames))

    rows, left, _ = run(tmp_path, [part(6, 12, 18), part(10, 11, 14), part(15, 20, 90)])
    long, short = (views(tmp_path, row) for row in rows)
    assert np.array_equal(short["apex"], short["fifth"])
    assert cv2.absdiff(long["onset"], long["apex"]).max() > 30
    assert [one.why.split(" (")[0] for one in left] == ["the recording ends before the clip does"]
    video.write_bytes(b"no video")
    with pytest.raises(SourceError, match="none of the 1 clips"):
        run(tmp_path, [part(1, 2, 3)], cache="other")


def test_two_processes_do_what_one_does(tmp_path):
    clips = [made_faces.clip(made_faces.pictures(tmp_path / name, 3)) for name in "ab"]
    one, two = (run(tmp_path, clips, workers, f"cache{workers}")[0] for workers in (1, 2))
    assert one == two
    for row in one:
        alone, beside = views(tmp_path, row, "cache1"), views(tmp_path, row, "cache2")
        assert all(np.array_equal(alone[name], beside[name]) for name in alone)


def slow(shared: None, path: str) -> None:
    Path(path).touch()
    time.sleep(20)


def test_an_interrupted_loop_ends_its_processes(tmp_path):
    def loop():
        for _ in each(slow, None, [str(tmp_path / "1"), str(tmp_path / "2")], workers=2):
            pass

    def interrupt(*_):
        raise KeyboardInterrupt

    def when_they_work():
        while not ((tmp_path / "1").exists() and (tmp_path / "2").exists()):
            time.sleep(0.01)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    others = set(active_children())  # of tests before this one
    before, begun = signal.signal(signal.SIGINT, interrupt), time.monotonic()
    try:
        threading.Thread(target=when_they_work).start()
        with pytest.raises(KeyboardInterrupt):
            loop()
        assert time.monotonic() < begun + 15  # nobody has waited for the work
    finally:
        signal.signal(signal.SIGINT, before)
    assert not set(active_children()) - others
