"""The copy from which single frames are shown, and the queue, without a browser."""

import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
from films import film
from holding import remembered

from realtime.dashboard.replay import queue as replay_queue
from realtime.dashboard.replay.queue import Queue, settings_of
from realtime.dashboard.replay.queued_recording import CANCELLED, DONE, FAILED, WAITING, WORKING, Job
from realtime.dashboard.replay.seekable_copy import Copy
from realtime.dashboard.shared import DemoSettings, Limits, Shared
from realtime.errors import BrokenSourceError, OutputError

TIMES = [0.0, 0.04, 0.05, 0.2, *np.arange(0.3, 2.0, 1 / 30)]  # a variable rate


def test_every_frame_of_a_copy_is_the_one_that_was_written(tmp_path):
    levels = [30 + (37 * i) % 200 for i in range(len(TIMES))]
    with Copy(tmp_path / "copy.mp4", 1441, 1081) as copy:
        for level, pts in zip(levels, TIMES, strict=True):
            copy.write(np.full((1081, 1441, 3), level, np.uint8), pts)
        with pytest.raises(IndexError):
            copy.frame(0)  # not before it is whole
    assert copy.width == 720 and copy.height % 2 == 0
    for number in (0, 1, 2, 3, 30, 11, 12, 13, len(TIMES) - 1):
        assert copy.frame(number).mean() == pytest.approx(levels[number], abs=4), number
    for number in (-1, len(TIMES)):
        with pytest.raises(IndexError):
            copy.frame(number)


@pytest.fixture
def line(monkeypatch, tmp_path):
    """A queue whose work is a wait; `line.go.set()` lets all of it end."""
    ends, go, begun = [], threading.Event(), []

    def work(job, shared):
        begun.append(job.name)
        if job.name == "bad":
            raise BrokenSourceError(f"{job.clip} broke off\nin {job.folder}")
        while not go.wait(0.01) and not job.stopped.is_set():
            pass
        if job.name == "no frame" and job.stopped.is_set():
            raise OutputError("stopped before its first frame")

    monkeypatch.setattr(replay_queue, "work", work)
    shared = SimpleNamespace(at_session_end=ends.append, at_end=lambda call: None, end_session=lambda key: None)
    queue = Queue(shared)

    def add(name, owner="s"):
        folder = tmp_path / f"{owner}-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        return queue.add(Job(owner, tmp_path / "secret" / name, name, "m", "auto", folder))

    yield SimpleNamespace(queue=queue, add=add, go=go, begun=begun, leave=lambda page: [call(page) for call in ends])
    go.set()
    queue.close()


def until(condition):
    for _ in range(6000):  # a minute
        if condition():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it did not happen")


def test_one_at_a_time_and_each_can_be_cancelled(line):
    first, second, third = (line.add(name) for name in "abc")
    until(lambda: first.state == WORKING)
    assert second.state == third.state == WAITING
    line.queue.cancel(second.token)
    line.queue.cancel(first.token)
    until(lambda: third.state == WORKING)
    assert first.state == second.state == CANCELLED
    line.go.set()
    until(lambda: third.state == DONE)
    line.queue.cancel(third.token)
    assert third.state == DONE and line.begun == ["a", "c"]


def test_one_that_is_cancelled_before_its_first_frame_did_not_fail(line):
    job = line.add("no frame")
    until(lambda: job.state == WORKING)
    line.queue.cancel(job.token)
    until(lambda: job.state == CANCELLED)
    assert job.message == ""


def test_a_broken_recording_costs_the_others_nothing_and_its_line_shows_no_folder(line, tmp_path):
    bad, good = line.add("bad"), line.add("good")
    line.go.set()
    until(lambda: good.state == DONE)
    assert bad.state == FAILED and bad.message.startswith("bad broke off in") and str(tmp_path) not in bad.message


def test_a_queue_outlives_its_page_but_not_long_neglect(line, monkeypatch):
    owners = line.queue.owners
    key = owners.enter("page", "")
    other = owners.enter("elsewhere", "guessed")  # a key that is none of ours is not taken
    assert other not in ("guessed", key) and owners.enter("elsewhere", {"a": 1}) == other
    first, second = line.add("a", key), line.add("b", key)
    until(lambda: first.state == WORKING)
    line.leave("page")
    assert owners.enter("reloaded", key) == key and line.queue.of(key) == [first, second]
    monkeypatch.setattr(replay_queue, "IDLE_S", -1.0)
    line.queue.tidy()
    assert line.queue.of(key) == [first, second]  # work under way is no neglect
    line.go.set()
    until(lambda: second.over)
    line.queue.tidy()
    assert line.queue.of(key) == [] and not first.folder.exists() and owners.enter("late", key) != key


def test_a_page_without_recordings_leaves_no_key(line):
    key = line.queue.owners.enter("page", "")
    line.leave("page")
    assert not line.queue.owners.seen(key)


def test_what_is_removed_is_gone_with_its_files_and_names_stay_apart(line):
    one, two, three = (line.add("clip.mp4") for _ in range(3))
    assert [job.name for job in (one, two, three)] == ["clip.mp4", "clip (2).mp4", "clip (3).mp4"]
    until(lambda: one.state == WORKING)
    line.queue.remove(two)
    line.queue.remove(one)
    assert not one.folder.exists() and line.queue.of("s") == [three]
    until(lambda: three.state == WORKING)
    assert line.begun == ["clip.mp4", "clip (3).mp4"]


def test_fewer_and_more_set_the_threshold_and_how_sure_it_must_be(tmp_path):
    shared = SimpleNamespace(settings=DemoSettings())
    fewer, usual, more = (
        settings_of(Job("s", tmp_path, "a", "m", "auto", tmp_path, sensitivity=word), shared).spotter for word in ("fewer", "usual", "more")
    )
    assert usual == shared.settings.spotter
    assert fewer.sensitivity > usual.sensitivity > more.sensitivity and fewer.confidence > usual.confidence > more.confidence


@pytest.mark.parametrize(
    "rate, limits, words, frames",
    [
        (20, {}, "has more than 20 pictures a second", (58, 60)),
        (1000, {"work_hours": 0.0}, "has been worked on for 0 hours", (1, 1)),
        (1000, {"hours": 1 / 3600}, "is longer than 0.000277778 hours", (32, 32)),
    ],
    ids=["too many pictures", "too long at work", "too long"],
)
def test_what_would_never_end_is_cut_off_and_what_was_found_is_kept(tmp_path, monkeypatch, rate, limits, words, frames):
    film(tmp_path / "film.mp4", [number / 30 for number in range(90)])
    monkeypatch.setattr(replay_queue, "MOST_RATE", rate)
    shared = Shared(DemoSettings(limits=Limits(**limits)), tmp_path, tmp_path / "log.sqlite3")
    job = Job("s", tmp_path / "film.mp4", "film.mp4", "kernel_ridge", "auto", tmp_path, began=time.monotonic())
    made = remembered(monkeypatch, replay_queue, "Pipeline")
    replay_queue.work(job, shared)
    assert [one() for one in made] == [None]  # its networks are not kept for as long as the job is
    shared.close()
    assert job.message.startswith(f"film.mp4 {words}") and "what comes after 00:0" in job.message and "\n" not in job.message
    assert frames[0] <= len(job.copy.times) <= frames[1] and len(job.found.trace.t) == len(job.copy.times)
    assert job.copy.frame(0) is not None


def test_nothing_is_kept_where_it_was_started_read_only(tmp_path):
    from realtime.dashboard.replay.downloads import store
    from realtime.errors import UsageError

    shared = Shared(DemoSettings(), tmp_path, tmp_path / "log.sqlite3", read_only=True)
    with pytest.raises(UsageError, match="read-only"):
        store([Job("s", tmp_path / "clip.mp4", "clip.mp4", "m", "auto", tmp_path)], shared)
    assert not list(tmp_path.iterdir())
