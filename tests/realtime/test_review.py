"""What people say of logged events: kept beside them, agreed on, exported to train on, and deleted for good."""

import csv
import multiprocessing
import sqlite3
from dataclasses import asdict

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from made_events import event
from places import DEMO

from realtime.cli.log import main
from realtime.errors import OutputError, UsageError
from realtime.output import stored_pictures
from realtime.output.log import Log, Session, SqliteSink
from realtime.output.log_schema import TABLES_1, VERSION, default_path
from realtime.output.stored_pictures import Keeper
from realtime.records import FaceView, Keyframes
from realtime.review import Reviews
from realtime.review.agreement import agreements, kappa
from realtime.review.data_set import export
from realtime.review.film import Reel, as_read
from realtime.review.item import LABELS


@pytest.fixture
def path():
    return default_path()  # the test's own


def record(*events, sources=("camera 0",), files=None, end=True):
    sink = SqliteSink(Session("kernel_ridge", list(sources), {}, files))
    sink.open()
    for one in events:
        sink.write(one)
    if end:
        sink.close()
    return sink


def replayed(*events):
    """A session of the demo clip: what was found in it, without looking for it."""
    moments = ((2.04, 2.18, 2.36, "surprise"), (4.42, 4.56, 4.76, "positive"), (6.82, 6.96, 7.14, "negative"))
    return record(
        *(event(n, onset=on, apex_s=apex, offset_s=off, label=label, source=str(DEMO)) for n, (on, apex, off, label) in enumerate(moments, 1)),
        sources=[str(DEMO)],
    )


def of_version_1(path):
    """A log as version 1 of this program wrote it."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(TABLES_1 + "PRAGMA user_version = 1; PRAGMA journal_mode = WAL;")
    connection.execute(
        "INSERT INTO sessions VALUES (3, '2026-01-02T03:04:05+00:00', '2026-01-02T03:05:05+00:00', '0.1.0',"
        " 'dual_atme', '[\"clip.mp4\"]', '{\"a\": 1}', 250, '{\"queue full\": 7}', '{}')"
    )
    connection.execute(
        "INSERT INTO events VALUES (9, 3, 1, 'clip.mp4', 0, 1.0, 1.1, 1.25, 'surprise', '{\"surprise\": 0.8}', 'dual_atme', 41.0, 'micro', 0.9)"
    )
    connection.close()


def test_a_log_of_version_1_is_read_and_brought_up_to_date_in_place(path):
    of_version_1(path)
    before, events = Log().sessions(), Log().events()
    assert before[0]["drops"] == {"queue full": 7} and before[0]["files"] == {"clip.mp4": "clip.mp4"} and events[0]["label"] == "surprise"
    looked = Reviews(read_only=True)
    assert [item.key for item in looked.items(3)] == ["e9"] and looked.people(3) == {}
    assert sqlite3.connect(path).execute("PRAGMA user_version").fetchone() == (1,)  # looking changes nothing

    Reviews().judge(3, "e9", "Ann", label="positive")
    assert sqlite3.connect(path).execute("PRAGMA user_version").fetchone() == (VERSION,)
    assert Log().events() == events
    assert Log().sessions() == before
    record(event())  # and today's program goes on in it
    assert [session["id"] for session in Log().sessions()] == [4, 3]


def test_a_review_stands_beside_the_event_and_its_history_is_kept(path):
    record(event(1), event(2, onset=20.0))
    reviews, found = Reviews(), Log().events()
    assert reviews.judge(1, "e1", " Ann ").verdict == "accepted"
    assert reviews.judge(1, "e1", "Ann", action_units="au1, 2", note="brows").verdict == "accepted"
    assert reviews.judge(1, "e1", "Ann", label="Happiness", onset_s=12.2804).verdict == "corrected"
    assert reviews.judge(1, "e1", "Ben", reject=True).verdict == "rejected"
    item = reviews.item(1, "e1")
    assert (item.marks("Ann").label, item.marks("Ann").onset_s, item.marks("Ann").action_units) == ("happiness", 12.28, "1+2")
    assert item.found.label == "surprise" and item.verdict("Ben") == "rejected" and item.marks("Cem") == item.found

    assert reviews.undo(1, "Ann") == "e1" and reviews.item(1, "e1").marks("Ann").label == "surprise"
    assert reviews.undo(1, "Ann") == "e1" and reviews.undo(1, "Ann") == "e1" and reviews.undo(1, "Ann") is None
    assert reviews.item(1, "e1").verdict("Ann") == "" and reviews.item(1, "e1").verdict("Ben") == "rejected"
    said = [(one.reviewer, one.verdict, bool(one.undone_at)) for one in reviews.history(1, "e1")]
    assert said == [("Ann", "accepted", True), ("Ann", "accepted", True), ("Ann", "corrected", True), ("Ben", "rejected", False)]
    assert Log().events() == found


def test_an_estimate_of_action_units_is_nobodys_word(path):
    record(event(1, units={"4": 0.9}))
    reviews = Reviews()
    assert reviews.judge(1, "e1", "Ann").marks.action_units == "" and reviews.item(1, "e1").suggested == "4"
    assert reviews.judge(1, "e1", "Ann", action_units=reviews.item(1, "e1").suggested).marks.action_units == "4"
    assert reviews.judge(1, "e1", "Ann", action_units="7").verdict == "accepted" and reviews.item(1, "e1").suggested == "4"


def test_a_missed_event_is_added_judged_by_others_and_taken_back(path):
    record(event(1))
    reviews = Reviews()
    item = reviews.add(1, "Ann", "camera 0", 3.0)
    assert (item.key, item.event, item.verdict("Ann"), item.marks("Ann").label) == ("m1", None, "added", "unsure")
    assert reviews.judge(1, "m1", "Ann", label="fear").verdict == "added"
    assert reviews.judge(1, "m1", "Ben", label="sadness").verdict == "corrected"
    assert reviews.add(1, "Ann", "camera 0", 5.0).key == "m2"
    assert reviews.undo(1, "Ann") == "m2"
    assert [one.key for one in reviews.items(1)] == ["m1", "e1"]
    with pytest.raises(UsageError, match="no event m2 any more"):
        reviews.add(1, "Ann", "camera 0", 5.0, key="m2")  # that was asked for before it was taken back, and comes again
    assert [reviews.add(1, "Ann", "camera 0", 7.0, key="m3").key for _ in range(2)] == ["m3", "m3"]
    assert reviews.add(1, "Ben", "camera 0", 7.0, key="m3").key == "m4" and reviews.add(1, "Ann", "camera 0", 8.0, key="m3").key == "m5"


def test_what_comes_twice_or_late_does_no_harm(path):
    record(event(1))
    reviews = Reviews()
    whole = asdict(reviews.item(1, "e1").found)
    first = {"seen": 0} | whole | {"label": "fear"}
    word = reviews.judge(1, "e1", "Ann", **first)
    assert reviews.judge(1, "e1", "Ann", **first) == word
    assert reviews.judge(1, "e1", "Ann", seen=word.id, reject=True).verdict == "rejected"
    with pytest.raises(UsageError, match="another window"):
        reviews.judge(1, "e1", "Ann", **first)
    assert reviews.newest(1) == {("e1", "Ann"): 2}
    assert [reviews.undo(1, "Ann", 2) for _ in range(2)] == ["e1", "e1"] and reviews.undo(1, "Ben", 1) is None
    assert reviews.item(1, "e1").reviews["Ann"] == word
    reviews.undo(1, "Ann", 1)
    with pytest.raises(UsageError, match="another window"):
        reviews.judge(1, "e1", "Ann", **first)  # it was taken back
    assert reviews.judge(1, "e1", "Ann", seen=2).verdict == "accepted"


def test_one_name_in_two_windows_loses_no_word(path):
    record(event(1), event(2, onset=20.0))
    reviews = Reviews()
    seen = 0  # both windows show the event as it was found
    reviews.judge(1, "e1", "Ann", seen=seen, label="fear")
    reviews.judge(1, "e1", "Ben", seen=seen, reject=True)  # another person's word does not hinder
    with pytest.raises(UsageError, match="another window"):
        reviews.judge(1, "e1", "Ann", seen=seen)
    assert reviews.item(1, "e1").marks("Ann").label == "fear"
    reviews.judge(1, "e1", "Ann", seen=reviews.newest(1)["e1", "Ann"], label="anger")
    assert len(reviews.history(1, "e1")) == 3
    reviews.delete(1)
    with pytest.raises(UsageError, match="no session|holds no session"):
        reviews.name(1, "camera 0", "P01")


@pytest.mark.parametrize(
    "changes, word",
    [
        ({"onset_s": 99.0}, "begins, peaks, then ends"),
        ({"action_units": "brows"}, "action units"),
        ({"label": " "}, "label is empty"),
        ({"kind": "huge"}, "neither micro nor macro"),
    ],
)
def test_what_makes_no_sense_is_refused(path, changes, word):
    record(event(1))
    with pytest.raises(UsageError, match=word):
        Reviews().judge(1, "e1", "Ann", **changes)
    with pytest.raises(UsageError, match="your name is missing"):
        Reviews().judge(1, "e1", " ")
    with pytest.raises(UsageError, match="--read-only"):
        Reviews(read_only=True).judge(1, "e1", "Ann")
    assert Reviews().history(1, "e1") == []


def test_kappa_is_what_cohen_and_scikit_learn_say():
    # Cohen's own form: 45 + 15 alike and 25 + 15 not, of 100: p_o = 0.6, p_e = 0.7·0.6 + 0.3·0.4 = 0.54
    first = ["yes"] * 45 + ["yes"] * 25 + ["no"] * 15 + ["no"] * 15
    second = ["yes"] * 45 + ["no"] * 25 + ["yes"] * 15 + ["no"] * 15
    assert kappa(first, second) == pytest.approx(0.06 / 0.46)
    assert kappa([], []) is None and kappa(["a"] * 3, ["a"] * 3) is None
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(1)
    for _ in range(20):
        a, b = rng.choice(list("abcd"), (2, 30))
        assert kappa(list(a), list(b)) == pytest.approx(metrics.cohen_kappa_score(a, b))


def test_agreement_is_over_events_that_both_judged(path):
    record(*(event(n, onset=float(n)) for n in range(1, 5)))
    reviews = Reviews()
    for key in ("e1", "e2", "e3"):
        reviews.judge(1, key, "Ann")
    reviews.judge(1, "e1", "Ben", onset_s=0.9)  # another onset, the same label
    reviews.judge(1, "e2", "Ben", reject=True)
    (one,) = agreements(reviews.items(1))
    assert (one.first, one.second, one.n, one.plain, one.kappa) == ("Ann", "Ben", 2, 0.5, 0.0)
    reviews.judge(1, "e4", "Cem")
    assert {(a.first, a.second): a.n for a in agreements(reviews.items(1))} == {("Ann", "Ben"): 2, ("Ann", "Cem"): 0, ("Ben", "Cem"): 0}
    reviews.undo(1, "Ben")
    (one, *_) = agreements(reviews.items(1))
    assert (one.n, one.plain, one.kappa) == (1, 1.0, None)


def pictures(times=(12.3, 12.35, 12.412, 12.5, 12.56), shade=100):
    views = [
        FaceView(0, 1, n, pts, 0.0, np.full((224, 224, 3), shade + n, np.uint8), np.ones((478, 2), np.float32), (0, 0, 9, 9), 0.0, 0.3)
        for n, pts in enumerate(times)
    ]
    return Keyframes(views[0], views[2], views[4], 3.0, 2.0, between=(views[0], views[1], views[3]))


def test_pictures_are_kept_privately_only_where_asked_and_found_again(path):
    one = event(1, source="camera 0")
    sink = record(one, event(1, source="camera 1"), sources=("camera 0", "camera 1"))
    folder = Keeper(stored_pictures.beside(path)).keep(sink.id, one, pictures())
    assert folder.stat().st_mode & 0o077 == 0 and stored_pictures.beside(path).stat().st_mode & 0o077 == 0
    assert stored_pictures.find(stored_pictures.beside(path), 1, "camera 1", 1) is None  # the other camera's event 1
    views = stored_pictures.find(stored_pictures.beside(path), 1, "camera 0", 1).views()
    assert [view.pts for view in views] == [12.3, 12.35, 12.412, 12.5, 12.56]
    assert [int(view.pixels[0, 0, 0]) for view in views] == [100, 101, 102, 103, 104]


def test_deleting_leaves_nothing(path):
    secret = "contemptuous-zebra"
    sink = record(event(1, label=secret), end=False)  # still running
    other = record(event(1, label="stays"))
    reviews, keeper = Reviews(), Keeper(stored_pictures.beside(path))
    keeper.keep(sink.id, event(1), pictures())
    reviews.judge(sink.id, "e1", "Ann", note=f"{secret} note")
    reviews.add(sink.id, "Ann", "camera 0", 3.0, note=secret)
    reviews.name(sink.id, "camera 0", secret)

    def held():
        return [file.name for file in path.parent.rglob("*") if file.is_file() and secret.encode() in file.read_bytes()]

    assert held()  # the search can find it
    reviews.delete(sink.id)
    assert held() == []
    assert not (stored_pictures.beside(path) / str(sink.id)).exists()
    assert [session["id"] for session in Log().sessions()] == [other.id]
    assert sqlite3.connect(path).execute("SELECT count(*) FROM reviews").fetchone() == (0,)
    with pytest.raises(OutputError, match="was deleted"):
        sink.write(event(2, label=secret))
    assert keeper.keep(sink.id, event(2), pictures()) is None
    reviews.delete(other.id)
    assert record(event()).id == 3  # a number is never given twice


def stream(path, count):
    sink = SqliteSink(Session("m", ["0"], {}), path)
    sink.open()
    for number in range(count):
        sink.write(event(number))
    sink.close()


def test_reviewing_beside_a_running_program(path):
    record(event(1), event(2))
    fork = multiprocessing.get_context("fork")
    writer = fork.Process(target=stream, args=(path, 150))
    writer.start()
    reviews = Reviews()
    for turn in range(30):
        reviews.judge(1, "e1", "Ann", note=str(turn))
        reviews.items(1)
    reviews.delete(1)
    writer.join(60)
    assert writer.exitcode == 0
    (session,) = Log().sessions()
    assert session["events"] == 150 and session["ended_at"]


def test_export_takes_what_can_be_trained_on_and_says_what_cannot(path, tmp_path):
    replayed()
    record(event(1), event(2, onset=30.0), event(3, onset=40.0))
    reviews = Reviews()
    reviews.judge(1, "e1", "Ann", onset_s=2.02, action_units="1+2")
    reviews.judge(1, "e2", "Ann", reject=True)
    reviews.judge(1, "e3", "Ann")
    reviews.judge(1, "e3", "Ben", label="disgust")
    reviews.add(1, "Ann", str(DEMO), 9.2)
    reviews.name(1, str(DEMO), "P01")
    Keeper(stored_pictures.beside(path)).keep(2, event(1), pictures())
    Keeper(stored_pictures.beside(path)).keep(2, event(2), pictures((30.0, 30.05, 30.112, 30.2, 30.26)))
    for key in ("e4", "e5", "e6"):
        reviews.judge(2, key, "Ann")
    reviews.judge(2, "e6", "Ann", label="bewildered")

    done = export(reviews, tmp_path / "set", reviewer="Ann")
    rows = list(csv.DictReader((tmp_path / "set/events.csv").open()))
    assert rows == [{name: str(value) for name, value in row.items()} for row in done.rows]
    first = {
        "path": str(DEMO),
        "subject": "P01",
        "onset": "2.020",
        "apex": "2.180",
        "offset": "2.360",
        "label": "surprise",
        "kind": "micro",
        "action_units": "1+2",
    }
    assert rows[0] == first and [row["label"] for row in rows] == ["surprise", "negative", "surprise", "surprise"]
    assert (rows[3]["path"], rows[3]["onset"], rows[3]["apex"], rows[3]["offset"]) == ("frames/2-e5", "1", "3", "5")
    assert cv2.imread(str(tmp_path / "set/frames/2-e5/000003.png"))[0, 0, 0] == 102
    assert done.stand_ins == ["session-2-clip"]
    whys = " | ".join(why for _, why in done.left_out)
    assert "accepted without a label" in whys and "no label 'bewildered'" in whys

    everybody = export(reviews, tmp_path / "set")  # into the same folder again
    assert "reviewers disagree (disgust, negative)" in " | ".join(why for _, why in everybody.left_out)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").touch()
    with pytest.raises(UsageError, match="thesis.txt"):
        export(reviews, tmp_path / "mine")


def test_what_no_picture_is_left_of_is_said(path, tmp_path):
    record(event(1, source="camera 0"))
    record(event(1, source="/nowhere/clip.mp4"), sources=["/nowhere/clip.mp4"], files={"/nowhere/clip.mp4": "/nowhere/clip.mp4"})
    reviews = Reviews()
    reviews.judge(1, "e1", "Ann")
    reviews.judge(2, "e2", "Ann")
    whys = [why for _, why in export(reviews, tmp_path / "set").left_out]
    assert whys == [
        "it was a camera, a stream or a file dropped into the page, and no pictures were kept",
        "the recording is no longer at /nowhere/clip.mp4, and no pictures were kept",
    ]


def test_what_was_corrected_is_prepared_for_training_as_it_is(path, tmp_path):
    pytest.importorskip("torch", reason="the trainer is not installed")
    from rich.console import Console

    from train.data import grouping
    from train.data.loaders.generic import generic
    from train.data.prepare import prepare

    assert set(LABELS) == set(grouping.KNOWN)
    replayed()
    reviews = Reviews()
    reviews.judge(1, "e1", "Ann", onset_s=2.02)
    reviews.judge(1, "e2", "Ann", label="happiness", action_units="6+12")
    reviews.judge(1, "e3", "Ann", apex_s=6.98)
    reviews.name(1, str(DEMO), "P01")
    alone = ["review", "export", str(tmp_path / "alone"), "--frames"]
    ran = [CliRunner().invoke(main, words) for words in (["review", "export", str(tmp_path / "set")], alone)]
    assert all("3 events" in one.output for one in ran)
    clips = generic(tmp_path / "set")
    rows, left = prepare("generic", tmp_path / "set", clips, tmp_path / "prepared", 1, Console(quiet=True))
    assert left == [] and [(row.label, row.subject, row.action_units) for row in rows] == [
        ("surprise", "P01", ""),
        ("happiness", "P01", "6+12"),
        ("negative", "P01", ""),
    ]
    # the same from pictures that lie in the folder itself: 2.02 to 2.36 s at 50 frames/s
    assert [(len(clip.pictures), clip.apex, clip.label) for clip in generic(tmp_path / "alone")] == [
        (18, 8, "surprise"),
        (18, 7, "happiness"),
        (17, 8, "negative"),
    ]
    assert cv2.imread(str(generic(tmp_path / "alone")[0].pictures[0])).shape == (480, 640, 3)


def test_the_command_line_shows_and_deletes(path):
    record(event(1))
    Reviews().judge(1, "e1", "Ann")
    Reviews().judge(1, "e1", "Ben", label="fear")
    run = CliRunner()
    shown = run.invoke(main, ["review", "show"]).output
    assert "Ben" in shown and "corrected" in shown and "Ann and Ben: Cohen's kappa 0.00, the same label for 0% of 1 event" in shown
    assert run.invoke(main, ["delete", "1"], input="n\n").exit_code != 0 and Log().sessions()
    assert run.invoke(main, ["delete", "1", "--yes"]).output == "session 1 is deleted\n"
    assert Log().sessions() == [] and run.invoke(main, ["delete", "1", "--yes"]).exit_code == 2


def test_a_recording_is_read_as_its_session_read_it(tmp_path):
    settings = as_read({"settings": {"source": {"fps": 50.0, "stream": None}}})
    pictures = np.random.default_rng(0).integers(0, 255, (5, 48, 64, 3), np.uint8)
    (tmp_path / "a.mjpeg").write_bytes(b"".join(cv2.imencode(".jpg", picture)[1].tobytes() for picture in pictures))
    reel = Reel(tmp_path / "a.mjpeg", settings)
    for _ in range(5):
        reel.read()
    assert reel.position == pytest.approx(4 / 50, abs=1e-3)  # a raw stream says no rate: 25 by itself
    reel.close()
    assert as_read({"settings": {}}).fps is as_read({"settings": {"source": {"fps": "soon"}}}).fps is None
