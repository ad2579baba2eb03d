"""`mer-bench soak`: nothing is lost and nothing grows in ten simulated minutes, and where it is so it is noticed."""

import socket
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("fastapi")
from realtime.output.log import Log, Session, SqliteSink
from realtime.output.sinks import json_line
from realtime.records import Event
from train.bench.soak.camera import IDLE_S, Camera
from train.bench.soak.cli import SECONDS, markdown
from train.bench.soak.faults import STRIKES
from train.bench.soak.films import Film, number_of, slate, truth
from train.bench.soak.growth import Sample, slopes
from train.bench.soak.judge import judge
from train.bench.soak.run import LEAD, Course, Soak
from train.bench.soak.schedule import FAULTS, VISIT_AT, schedule


@pytest.mark.live
def test_ten_minutes_with_a_fault_a_minute_lose_nothing_and_leave_nothing(tmp_path):
    soak = Soak(tmp_path, SECONDS)
    soak.run(10, schedule(10, 1.0, seed=0, visit=SECONDS))
    program, page = judge(soak, 10)
    assert not program.wrong + page.wrong
    assert program.ought == program.once >= 10 and page.ought == page.once >= 2
    assert len(soak.course.struck) == 10
    last = soak.lives[-1].samples[-1]
    assert last.children == 1 and last.temporary == 0 and last.threads < 20
    assert "| mer-live |" in markdown((program, page), {"mer-live": [], "the page's server": []})


def test_every_fault_comes_before_one_comes_again_and_a_seed_says_when():
    faults = schedule(60, 1.0, 3, SECONDS)
    assert faults == schedule(60, 1.0, 3, SECONDS) != schedule(60, 1.0, 4, SECONDS)
    assert {fault.kind for fault in faults[:14]} == FAULTS.keys() == STRIKES.keys()
    assert len(faults) == 60 and all(0 <= fault.at < 3600 for fault in faults)
    assert sum(0 <= fault.at % 60 - VISIT_AT <= SECONDS for fault in faults) > 20
    assert schedule(10, 0.0, 0, SECONDS) == []


@pytest.mark.parametrize("size", [(320, 240), (480, 360)])
def test_a_slate_is_read_and_nothing_else_is_one(size):
    for number in (0, 1, 1439, 2**20 - 1):
        noisy = slate(number, size).astype(int) + np.random.default_rng(0).integers(-20, 20, (*size[::-1], 3))
        assert number_of(noisy.clip(0, 255).astype(np.uint8)) == number
    assert number_of(np.full((*size[::-1], 3), 110, np.uint8)) is None
    assert number_of(np.random.default_rng(0).integers(0, 255, (*size[::-1], 3), np.uint8)) is None


def test_a_film_begins_with_a_key_picture_and_shows_the_clip():
    film = Film("rate", 1.2)
    assert film.shown[0][1].key and film.room.key and film.slate(3).key
    assert len(film.shown) == 24 and not film.shown[1][1].key
    assert len(truth(SECONDS)) == 2


def test_what_grows_is_told_from_what_is_noisy():
    random = np.random.default_rng(0)

    def life(hours: float, level: float, leak: float) -> list[Sample]:
        return [Sample(at, level + leak * at + random.normal(0, 2), 20, 10, 1, 0) for at in np.arange(0, hours, 1 / 60)]

    flat, leaking = slopes([life(5, 400, 0), life(3, 450, 0)]), slopes([life(5, 400, 10), life(3, 450, 10)])
    assert not any(slope.grows for slope in flat) and flat[0].low < 0.5 and flat[0].high > -0.5
    assert [slope.name for slope in leaking if slope.grows] == ["memory"] and leaking[0].low < 10 < leaking[0].high
    assert slopes([life(0.05, 400, 0)]) == []
    assert {(slope.low, slope.high) for slope in flat if slope.name == "threads"} == {(0.0, 0.0)}  # as many at every look


@pytest.fixture
def played(tmp_path):
    """Of two minutes in which nothing failed, what `judge` looks at; `played(rows)`: the log's, (minute, which movement)."""

    def made(rows, said=(), posted=None, spoilt=()):
        sink = SqliteSink(Session("kernel_ridge", ["camera"], {}), tmp_path / "log.sqlite3")
        sink.open()
        for number, (minute, which) in enumerate(rows):
            begin, move = 60.0 * minute + VISIT_AT, truth(SECONDS)[which]
            times = (begin + move.onset, begin + move.apex, begin + move.offset)
            sink.write(Event(number, "camera", 0, *times, "surprise", {"surprise": 1.0}, "kernel_ridge", 5.0))
        sink.close()
        written = Log(sink.path).events()
        (tmp_path / "found.jsonl").write_text("".join(map(json_line, written)))
        child = SimpleNamespace(folder=tmp_path, said=lambda: list(said))
        life = SimpleNamespace(child=child, code=143, slates={minute: 60.0 * minute + VISIT_AT - LEAD for minute in range(2)})
        receiver = SimpleNamespace(posted=written if posted is None else posted)
        soak = SimpleNamespace(
            log=sink.path,
            lives=[life],
            opened=[],
            seconds=SECONDS,
            receiver=receiver,
            course=Course(),
            camera=SimpleNamespace(held=[], spoilt=list(spoilt)),
        )
        return judge(soak, 2)[0]

    return made


ALL = [(minute, which) for minute in range(2) for which in range(2)]


def test_what_is_there_once_is_right(played):
    found = played(ALL)
    assert not found.wrong and found.ought == found.once == 4


def test_a_movement_whose_pictures_were_spoilt_is_not_asked_for(played):
    found = played(ALL[1:], spoilt=[VISIT_AT + 1.0])
    assert not found.wrong and found.ought == found.once == 2


@pytest.mark.parametrize("starved", [True, False])
def test_what_was_on_its_way_is_lost_with_a_starved_decoder_alone(starved):
    done, film = [0], Film("usual", 0.1)
    camera = Camera(film, lambda: done[0], lambda: None)
    program = socket.create_connection(("127.0.0.1", camera.port))
    try:
        camera.send(1.0, film.room)
        camera.starved, done[0] = starved, 1
        program.close()
        for second in range(2, 10):
            camera.send(second, film.room)
            if camera._reader is None:
                break
    finally:
        camera.close()
    assert (1.0 in camera.spoilt) == starved and camera._reader is None


def test_the_room_that_is_shown_while_something_else_takes_long_spoils_what_is_shown():
    film = Film("usual", 0.1)
    camera = Camera(film, lambda: 1, lambda: None)
    with socket.create_connection(("127.0.0.1", camera.port)):
        camera.send(1.0, film.room)
        camera.idle()  # at once: nothing is needed
        assert camera.spoilt == []
        camera._sent_at -= 2 * IDLE_S
        camera.idle()
    camera.close()
    assert camera.spoilt == [1.0]


@pytest.mark.parametrize(
    "rows, said, posted, wrong",
    [
        (ALL[:-1], (), None, "0 times in the log"),
        ([*ALL, ALL[0]], (), None, "2 times in the log"),
        (ALL, ["mer-live: too busy 1", "mer-live: too busy 2"], None, "said 2 times of 0 faults: mer-live: too busy N"),
        (ALL, (), [], "the webhook has 0 events that the log has not, and lacks 4"),
    ],
)
def test_what_is_lost_or_doubled_is_noticed(played, rows, said, posted, wrong):
    assert any(wrong in line for line in played(rows, said, posted).wrong)
