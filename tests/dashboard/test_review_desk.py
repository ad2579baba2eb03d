"""The desk behind tab Review, without a page: pictures that were kept, frames, and what is shown of others."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("gradio", reason="the demo extra is not installed")

from realtime.dashboard.review import film_cache, pictures, view
from realtime.dashboard.review.actions import Actions
from realtime.dashboard.review.film_cache import Films
from realtime.dashboard.review.reviewer import Desk
from realtime.dashboard.shared import DemoSettings, Shared
from realtime.errors import UsageError
from realtime.output import stored_pictures
from realtime.output.log import Session, SqliteSink
from realtime.output.log_schema import default_path
from realtime.records import Event, FaceView, Keyframes
from realtime.review import Reviews
from realtime.review.film import Film
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
    return laid()


def laid(name="Ann"):
    desk = Desk(default_path(), Films(default_path()), False, name)
    desk.open(None)
    return desk


def asked(key="e1", **more):
    """As a page asks that shows the first session."""
    return {"page": "page", "reviewer": "Ann", "session": 1, "source": SOURCE, "key": key, "slow": True, **more}


def test_kept_pictures_are_shown_and_marks_move_by_their_frames(desk):
    assert desk.move("apex", 1) == "Corrected: event 1, apex 1.120 s."
    found = desk.films.known(desk.chosen.item, desk.chosen.item.marks("Ann"))
    assert [view.pts for view in found.views] == list(TIMES) and found.at(1.121).pts == 1.12
    marks = desk.chosen.item.marks("Ann")
    assert pictures.motion(found, marks, None, SourceSettings(), wait=False) is None  # a key does not wait for what takes long
    made = pictures.motion(found, marks, None, SourceSettings(), wait=True)
    assert pictures.motion(found, marks, None, SourceSettings(), wait=False) is made and "recording itself" in made.around
    above, below = pictures.shown(found, marks, True, made)
    assert above.count("<img") == 5 and "image/webp" in above and below.count("<img") == 1 + len(TIMES)
    assert desk.move("offset", 2) == "Corrected: event 1, offset 1.240 s."  # beyond the pictures, by their pace
    with pytest.raises(UsageError, match="begins, peaks, then ends"):
        desk.move("onset", 4)


def test_a_log_that_cannot_be_read_is_a_line_on_the_page(desk, tmp_path):
    actions, good = Actions(Shared(DemoSettings(), tmp_path, default_path())), default_path().read_bytes()
    assert "Accepted" in actions.tell(asked(), "judge")["said"]
    default_path().write_bytes(b"not a log")
    assert 'role="alert"' in (told := actions.tell(asked()))["said"] and "table" not in told
    default_path().write_bytes(good)
    assert actions.tell(asked())["said"] == ""


def test_a_request_says_all_itself_and_may_come_late_and_twice(desk, tmp_path):
    """Of a page that is older than the program, too: nothing is known of the one before."""
    actions = Actions(Shared(DemoSettings(), tmp_path, default_path()))
    marks = actions.tell(asked())["events"]["e2"]
    seen, words = marks.pop("seen"), "Corrected: event 2, fear."
    label = asked("e2", marks=marks | {"label": "fear"}, seen=seen, shown={"session": 1, "source": SOURCE, "key": "e1"})
    first, again = (actions.tell(label, "judge") for _ in range(2))
    assert words in first["said"] and words in again["said"] and first["key"] == "e1" and first["events"] == again["events"]
    later = asked("e2", marks=marks, seen=first["events"]["e2"]["seen"], reject=True)
    back = asked("e2", review=actions.tell(later, "judge")["undo"])
    for what, late in ((None, None), ("judge", label), ("undo", back), ("undo", back), ("judge", later), ("judge", label)):
        told = actions.tell(late, what) if what else None
    assert told["events"]["e2"]["label"] == "fear" and told["undo"] == first["undo"]
    assert [(one.verdict, bool(one.undone_at)) for one in Reviews().history(1, "e2")] == [("corrected", False), ("rejected", True)]
    moved = asked("e1", moment="apex", frames=1, marks=_marks(told, "e1"), seen=0)
    assert [actions.tell(moved, "move")["events"]["e1"]["apex_s"] for _ in range(2)] == [1.12, 1.12]
    added = asked(apex_s=9.0, new=told["new"])
    assert [actions.tell(added, "add")["key"] for _ in range(2)] == ["m1", "m1"] and len(Reviews().items(1)) == 3
    named = asked(subject="P01", before="")
    assert [actions.tell(named, "name")["person"] for _ in range(2)] == ["P01", "P01"]
    assert "named in another window" in actions.tell(named | {"subject": "P02"}, "name")["said"]
    assert ["are deleted" in actions.tell(asked(), "delete")["said"] for _ in range(2)] == [True, True]
    assert "was deleted in another window" in actions.tell(asked(), "judge")["said"]


def _marks(told, key):
    return {name: value for name, value in told["events"][key].items() if name != "seen"}


def test_what_makes_no_sense_is_refused_and_changes_nothing(desk, tmp_path):
    actions = Actions(Shared(DemoSettings(), tmp_path, default_path()))
    odd = (None, True, 7, -1, 1e16, "x", "x" * 1000, [], {}, {"value": 1}, [[1]])
    for what, names in {
        "judge": ("session", "source", "key", "reviewer", "seen", "marks", "reject", "shown"),
        "move": ("moment", "frames", "marks"),
        "add": ("apex_s", "new"),
        "undo": ("review",),
        "name": ("before",),
    }.items():
        for name in names:
            for value in odd:
                if (what, name) == ("add", "new") or (name, value) in (("seen", True), ("reject", True), ("apex_s", 7)):
                    continue  # sound
                with suppress(UsageError):
                    actions.tell(asked("gone") | {name: value}, what)
    for name in ("onset_s", "label", "kind", "note", "action_units", "id", "found"):
        for value in odd:
            with suppress(UsageError):
                actions.tell(asked("e1", reviewer="", marks={name: value}), "judge")
    assert not any(item.reviews for item in Reviews().items(1))


def test_one_request_of_a_page_waits_for_pictures_the_latest(desk, tmp_path):
    actions = Actions(Shared(DemoSettings(), tmp_path, default_path()))
    waiting, read = threading.Semaphore(0), threading.Event()

    def get(session, several, wanted):  # a recording that takes its time
        waiting.release()
        while wanted() and not read.wait(0.01):
            pass

    actions.films.get = get
    with ThreadPoolExecutor() as pool:
        first = pool.submit(actions.pictures, asked("e2"))
        waiting.acquire()
        second = pool.submit(actions.pictures, asked("e2"))
        assert first.result(60) == {} and not second.done()
        read.set()
        assert "Reading the recording" in second.result(60)["pictures"][0]


def test_the_log_stays_open_while_the_page_writes_it(desk, tmp_path):
    """Else each key waits for the disk more than twice as long."""
    shared, journal = Shared(DemoSettings(), tmp_path, default_path()), default_path().with_name(default_path().name + "-wal")
    actions = Actions(shared)
    for what, more in (("judge", {}), ("undo", {"review": 1})):
        actions.tell(asked(**more), what)
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
    desk.judge()
    assert "Ben: rejected" in view.table(desk.chosen, "Ann", blind=True)


def test_text_of_logs_and_people_is_escaped(desk):
    desk.judge(label="<i>x</i>")
    laid("<u>Bob</u>").judge()
    desk.refresh()
    everything = view.table(desk.chosen, "Ann", blind=False) + view.progress(desk.chosen, list(desk.chosen.items), "<u>Bob</u>")
    everything += view.said("<s>no</s>", wrong=True)
    assert "&lt;i&gt;x" in everything and not any(tag in everything for tag in ("<i>", "<u>", "<s>", "<script"))


def test_a_deleted_session_leaves_the_desk(desk):
    assert desk.delete() == "Session 1 and everything derived from it are deleted."
    assert desk.chosen.session is None and desk.sessions() == [] and not list(stored_pictures.beside(default_path()).iterdir())
    with pytest.raises(UsageError, match="choose an event"):
        desk.judge()


def test_the_arrows_go_on_into_the_next_recording():
    sink = SqliteSink(Session("kernel_ridge", ["a", "none", "b"], {}))
    sink.open()
    for number, source in ((1, "a"), (2, "a"), (1, "b")):
        sink.write(Event(number, source, 0, number, number + 0.1, number + 0.2, "surprise", {"surprise": 1.0}, "kernel_ridge", 40.0))
    sink.close()
    desk, seen = laid(), []
    for by in (1, 1, 1, -1, -1, -1):
        desk.step(by)
        seen.append((desk.chosen.source, desk.number()))
    assert seen == [("a", "2"), ("b", "1"), ("b", "1"), ("a", "2"), ("a", "1"), ("a", "1")]


def test_action_units_in_words():
    assert in_words("1+L12C+99") == "inner brow raised, left lip corner pulled up, unit 99" and in_words("") == ""


def test_films_of_a_fast_camera_are_fewer_and_the_last_one_stays(monkeypatch):
    monkeypatch.setattr(film_cache, "MOST_BYTES", 3 * 224 * 224 * 3)
    view = FaceView(0, 1, 0, 0.0, 0.0, np.zeros((224, 224, 3), np.uint8), np.ones((478, 2), np.float32), (0, 0, 9, 9), 0.0, 0.3)
    films = Films(default_path())
    items = [SimpleNamespace(session=1, key=f"e{number}") for number in range(4)]
    kept = lambda: [number for number, item in enumerate(items) if films.known(item, SimpleNamespace(onset_s=0.0, offset_s=0.1))]
    for number, length in enumerate((1, 1, 1, 2)):
        films.keep({(1, f"e{number}"): Film([view] * length, 0.005, None)})
    assert kept() == [2, 3]
    films.keep({(1, "e0"): Film([view] * 9, 0.005, None)})
    assert kept() == [0]
