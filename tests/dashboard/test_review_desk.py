"""The desk behind tab Review, without a page: pictures that were kept, frames, and what is shown of others."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

pytest.importorskip("gradio", reason="the demo extra is not installed")

import gradio as gr

from realtime.dashboard.review import pictures, view
from realtime.dashboard.review.actions import Steps
from realtime.dashboard.review.film_cache import Films
from realtime.dashboard.review.reviewer import Desk
from realtime.dashboard.shared import DemoSettings, Shared
from realtime.errors import UsageError
from realtime.output import stored_pictures
from realtime.output.log import Session, SqliteSink
from realtime.output.log_schema import default_path
from realtime.records import Event, FaceView, Keyframes
from realtime.review import Reviews
from realtime.review.item import in_words
from realtime.sources import SourceSettings

SOURCE = "<script>camera</script>"
TIMES = (1.0, 1.04, 1.08, 1.12, 1.16)


@pytest.fixture
def desk():
    """A live session with two events; pictures of the first were kept."""
    sink = SqliteSink(Session("kernel_ridge", [SOURCE], {}))
    sink.open()
    events = [
        Event(n, SOURCE, 0, n + 0.0, n + 0.08, n + 0.16, "surprise", {"<b>odd</b>": 0.3, "surprise": 0.7}, "kernel_ridge", 40.0) for n in (1, 2)
    ]
    for event in events:
        sink.write(event)
    sink.close()
    views = [
        FaceView(0, 1, n, pts, 0.0, np.full((224, 224, 3), 40 * n, np.uint8), np.ones((478, 2), np.float32), (0, 0, 9, 9), 0.0, 0.3)
        for n, pts in enumerate(TIMES)
    ]
    stored_pictures.Keeper(stored_pictures.beside(default_path())).keep(
        sink.id, events[0], Keyframes(views[0], views[2], views[4], 3.0, 2.0, between=tuple(views))
    )
    desk = Desk(default_path(), Films(default_path()), read_only=False)
    desk.open(None)
    desk.reviewer = "Ann"
    return desk


def begun(shared):
    steps = Steps(shared)
    steps.step("page", "Ann", None)
    return steps


def test_kept_pictures_are_shown_and_marks_move_by_their_frames(desk):
    assert desk.move("Ann", "apex", 1) == "Corrected: event 1, apex 1.120 s."
    found = desk.films.known(desk.chosen.item, desk.chosen.item.marks("Ann"))
    assert [view.pts for view in found.views] == list(TIMES) and found.at(1.121).pts == 1.12
    marks = desk.chosen.item.marks("Ann")
    assert pictures.motion(found, marks, None, SourceSettings(), wait=False) is None  # a key does not wait for what takes long
    made = pictures.motion(found, marks, None, SourceSettings(), wait=True)
    assert pictures.motion(found, marks, None, SourceSettings(), wait=False) is made and "recording itself" in made.around
    above, below = pictures.shown(found, marks, True, made)
    assert above.count("<img") == 5 and "image/webp" in above and below.count("<img") == 1 + len(TIMES)
    assert desk.move("Ann", "offset", 2) == "Corrected: event 1, offset 1.240 s."  # beyond the pictures, by their pace
    with pytest.raises(UsageError, match="begins, peaks, then ends"):
        desk.move("Ann", "onset", 4)


def test_what_was_said_stays_but_not_that_the_log_cannot_be_read(desk, tmp_path):
    steps = begun(Shared(DemoSettings(), tmp_path, default_path()))
    place, good = steps.outputs.index("said"), default_path().read_bytes()

    def refreshed():
        return steps.step("page", "Ann", lambda desk, name: desk.refresh())[place]

    assert "Accepted" in steps.step("page", "Ann", lambda desk, name: desk.judge(name))[place]
    assert refreshed() == gr.skip()
    default_path().write_bytes(b"not a log")
    assert 'role="alert"' in refreshed()
    default_path().write_bytes(good)
    assert refreshed() == ""
    assert refreshed() == gr.skip()


def test_a_page_that_lost_touch_judges_nothing(desk, tmp_path):
    steps = Steps(Shared(DemoSettings(), tmp_path, default_path()))
    place, judge = steps.outputs.index("said"), lambda desk, name: desk.judge(name)
    assert "Nothing was done" in steps.export("page", "Ann", many=False, own=False, frames=True)
    assert steps.pictures("page") == [gr.skip()] * 2
    assert "Nothing was done" in steps.step("page", "Ann", judge)[place]
    assert Reviews().item(1, "e1").reviews == {}
    assert "Accepted" in steps.step("page", "Ann", judge)[place]


def test_one_request_of_a_page_waits_for_pictures_the_latest(desk, tmp_path):
    steps = begun(Shared(DemoSettings(), tmp_path, default_path()))
    steps.step("page", "Ann", lambda desk, name: desk.step(1))
    waiting, read = threading.Semaphore(0), threading.Event()

    def get(session, several, wanted):  # a recording that takes its time
        waiting.release()
        while wanted() and not read.wait(0.01):
            pass

    steps.films.get = get
    with ThreadPoolExecutor() as pool:
        first = pool.submit(steps.pictures, "page")
        waiting.acquire()
        second = pool.submit(steps.pictures, "page")
        assert first.result(60) == [gr.skip()] * 2 and not second.done()
        read.set()
        assert "Reading the recording" in second.result(60)[0]


def test_the_log_stays_open_while_the_page_writes_it(desk, tmp_path):
    """Else each key waits for the disk more than twice as long."""
    shared, journal = Shared(DemoSettings(), tmp_path, default_path()), default_path().with_name(default_path().name + "-wal")
    steps = begun(shared)
    for do in (lambda desk, name: desk.judge(name), lambda desk, name: desk.undo(name)):
        steps.step("page", "Ann", do)
        assert journal.stat().st_size > 0
    shared.close()
    assert not journal.exists()


def test_without_pictures_a_word_says_why(desk):
    desk.step(1)
    desk.fetch()
    assert "It was a camera" in desk.films.known(desk.chosen.item, desk.chosen.item.marks("Ann"))
    desk.step(1)  # the end holds
    assert desk.number() == "2"


def test_what_others_said_is_shown_once_oneself_has_judged(desk):
    Reviews().judge(1, "e1", "Ben", reject=True)
    desk.refresh()
    assert "Ben" not in view.table(desk.chosen, "Ann", blind=True) and "Ben" in view.table(desk.chosen, "Ann", blind=False)
    desk.judge("Ann")
    assert "Ben: rejected" in view.table(desk.chosen, "Ann", blind=True)


def test_text_of_logs_and_people_is_escaped(desk):
    desk.judge("Ann", label="<i>x</i>")
    desk.judge("<u>Bob</u>")
    everything = view.table(desk.chosen, "Ann", blind=False) + view.progress(desk.chosen, list(desk.chosen.items), "<u>Bob</u>")
    everything += view.said("<s>no</s>", wrong=True)
    assert "&lt;i&gt;x" in everything and not any(tag in everything for tag in ("<i>", "<u>", "<s>", "<script"))


def test_a_deleted_session_leaves_the_desk(desk):
    assert desk.delete() == "Session 1 and everything derived from it are deleted."
    assert desk.chosen.session is None and desk.sessions() == [] and not list(stored_pictures.beside(default_path()).iterdir())
    with pytest.raises(UsageError, match="choose an event"):
        desk.judge("Ann")


def test_the_arrows_go_on_into_the_next_recording():
    sink = SqliteSink(Session("kernel_ridge", ["a", "none", "b"], {}))
    sink.open()
    for number, source in ((1, "a"), (2, "a"), (1, "b")):
        sink.write(Event(number, source, 0, number, number + 0.1, number + 0.2, "surprise", {"surprise": 1.0}, "kernel_ridge", 40.0))
    sink.close()
    desk = Desk(default_path(), Films(default_path()), read_only=False)
    desk.open(None)
    seen = []
    for by in (1, 1, 1, -1, -1, -1):
        desk.step(by)
        seen.append((desk.chosen.source, desk.number()))
    assert seen == [("a", "2"), ("b", "1"), ("b", "1"), ("a", "2"), ("a", "1"), ("a", "1")]


def test_action_units_in_words():
    assert in_words("1+L12C+99") == "inner brow raised, left lip corner pulled up, unit 99" and in_words("") == ""
