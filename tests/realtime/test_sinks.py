import csv
import json
import os
import resource
import threading
import time
from contextlib import contextmanager

import pytest
from made_events import event

from realtime.errors import OutputError, UsageError
from realtime.output.log import Log, Session, SqliteSink
from realtime.output.sinks import CsvSink, JsonlSink, Sink, file_sink
from realtime.output.writer import Writer


class Slow(Sink):
    """Holds its first event until let go."""

    name = "slow"

    def __init__(self):
        self.let_go, self.holding, self.got, self.closed = threading.Event(), threading.Event(), [], False

    def write(self, event):
        self.holding.set()
        assert self.let_go.wait(60)
        self.got.append(event.event)

    def close(self):
        self.closed = True


class Broken(Sink):
    name = "broken"

    def __init__(self, at):
        self.at, self.calls = at, 0

    def write(self, event):
        self.calls += 1
        if event.event >= self.at:
            raise ValueError("no\nmore")


def test_each_event_is_on_disk_before_the_next(tmp_path):
    path = tmp_path / "new" / "e.jsonl"
    sink = file_sink(path)
    sink.write(event(1, source="Jürgen \udcff.mp4"))  # a file name that is not UTF-8
    assert json.loads(path.read_text("utf-8")) == event(1, source="Jürgen \udcff.mp4").as_dict()  # not closed yet
    sink.write(event(2))
    assert len(path.read_text("utf-8").splitlines()) == 2


def test_csv_has_one_column_for_each_class(tmp_path):
    path = tmp_path / "e.csv"
    sink = file_sink(path)
    sink.write(event(source='a,"b".mp4', units={"4": 0.914, "L12": 0.661}))
    sink.close()
    (row,) = csv.DictReader(path.open(encoding="utf-8-sig"))
    assert list(row) == [
        "event",
        "source",
        "face",
        "onset_s",
        "apex_s",
        "offset_s",
        "duration_s",
        "onset_time",
        "apex_time",
        "offset_time",
        "label",
        "kind",
        "certainty_movement",
        "certainty_label",
        "estimated_units",
        "certainty_units",
        "score_negative",
        "score_positive",
        "score_surprise",
        "model",
        "latency_ms",
    ]
    assert row["source"] == 'a,"b".mp4' and row["onset_s"] == "12.300" and row["score_surprise"] == "0.81"
    assert row["estimated_units"] == "4+L12" and row["certainty_units"] == "4 0.91, L12 0.66"


def test_what_is_told_at_its_apex_goes_to_those_alone_who_can_say_so(tmp_path):
    told = [event(1, provisional=True), event(1, provisional=False), event(2, provisional=True), event(2, provisional=True, withdrawn=True), event(3)]
    with Writer([file_sink(tmp_path / "a.jsonl"), file_sink(tmp_path / "a.csv", ["surprise"])]) as writer:
        for one in told:
            writer.write(one)
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert [(line["event"], line.get("provisional"), line.get("withdrawn")) for line in lines] == [
        (1, True, None), (1, False, None), (2, True, None), (2, True, True), (3, None, None),
    ]  # fmt: skip
    rows = (tmp_path / "a.csv").read_text("utf-8-sig").splitlines()[1:]
    assert [row.split(",")[0] for row in rows] == ["1", "3"] and not writer.faults


def test_csv_without_events_still_has_its_header(tmp_path):
    file_sink(tmp_path / "known.csv", ["negative", "positive"]).close()
    file_sink(tmp_path / "unknown.csv").close()
    assert "score_positive,model" in (tmp_path / "known.csv").read_text()
    assert (tmp_path / "unknown.csv").read_text("utf-8-sig").endswith("certainty_label,estimated_units,certainty_units,model,latency_ms\n")


def test_unknown_ending_names_the_two():
    with pytest.raises(UsageError, match=r"'e\.txt'.*\.jsonl or \.csv"):
        file_sink("e.txt")


def test_streams_take_lines_at_once_and_nothing_of_them_is_replaced(tmp_path):
    fifo, file = tmp_path / "fifo", tmp_path / "out"
    os.mkfifo(fifo)
    file.write_text("before\n")
    with open(os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)) as reader, open(file, "a") as appended:
        for place, read in ((fifo, reader.read), (f"/dev/fd/{appended.fileno()}", file.read_text)):
            sink = file_sink(place)
            sink.write(event(1))
            assert json.loads(read().splitlines()[-1])["event"] == 1  # not closed yet
            sink.close()
    assert file.read_text().startswith("before\n{") and fifo.is_fifo()


def test_a_file_with_something_in_it_is_refused_and_an_empty_one_is_taken(tmp_path):
    path = tmp_path / "e.csv"
    path.touch()
    file_sink(path, ["negative"]).close()
    held = path.read_bytes()
    with pytest.raises(OutputError, match="holds earlier events.*--events - >> "):
        file_sink(path, ["negative"])
    assert held and path.read_bytes() == held


def test_what_is_shown_is_kept_before(tmp_path):
    """Sinks take an event one after the other, in the order given."""
    kept, shown = Slow(), Slow()
    shown.let_go.set()
    with Writer([kept, shown]) as writer:
        writer.write(event(1))
        assert kept.holding.wait(60) and not shown.holding.wait(0.2)
        kept.let_go.set()
    assert shown.got == [1]


@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_unwritable_paths_are_one_line_at_the_start(tmp_path, ending):
    (tmp_path / "file").touch()
    (tmp_path / f"folder.{ending}").mkdir()
    for path in (tmp_path / "file" / f"e.{ending}", tmp_path / "file" / "deeper" / f"e.{ending}"):
        with pytest.raises(OutputError, match="a file stands where its folder should be"):
            file_sink(path)
    with pytest.raises(OutputError, match="is a directory"):
        file_sink(tmp_path / f"folder.{ending}")


def test_full_disk_costs_that_sink_only(tmp_path):
    said, good = [], JsonlSink(tmp_path / "good.jsonl")
    with Writer([JsonlSink("/dev/full"), CsvSink("/dev/full"), good], said.append) as writer:
        for number in (1, 2, 3):
            writer.write(event(number))
    assert len((tmp_path / "good.jsonl").read_text().splitlines()) == 3
    assert [(fault.sink, fault.lost) for fault in writer.faults] == [("/dev/full", 3), ("/dev/full", 3)]
    assert len(said) == 2 and all("no space left on device" in line and "\n" not in line for line in said)
    assert writer.exit_code == OutputError.exit_code


def test_what_finds_no_room_is_written_once_there_is_some(tmp_path, monkeypatch):
    """In the log and in both kinds of file that are kept; said once, and nothing is lost."""
    monkeypatch.setattr("realtime.output.writer.BEAT_S", 0.05)
    log, said = SqliteSink(Session("dual_atme", ["0"], {}), tmp_path / "log.sqlite3"), []
    with Writer([file_sink(tmp_path / "e.jsonl"), file_sink(tmp_path / "e.csv", ["negative"]), log], said.append) as writer:
        writer.write(event(1))
        wait_until(lambda: log.id and len(Log(log.path).events()) == 1)
        with full_disk():
            writer.write(event(2))
            writer.write(event(3))
            wait_until(lambda: len(said) == 3)
            time.sleep(0.2)
        wait_until(lambda: len(Log(log.path).events()) == 3)
        writer.write(event(4))
    assert [row["event"] for row in Log(log.path).events()] == [1, 2, 3, 4] and Log(log.path).session()["ended_at"]
    assert [json.loads(line)["event"] for line in (tmp_path / "e.jsonl").read_text().splitlines()] == [1, 2, 3, 4]
    assert len((tmp_path / "e.csv").read_text().splitlines()) == 5
    assert len(said) == 3 and all("events wait" in line for line in said) and not writer.faults


def test_what_never_finds_room_is_counted_at_the_end(tmp_path):
    log, said = SqliteSink(Session("dual_atme", ["0"], {}), tmp_path / "log.sqlite3"), []
    writer = Writer([file_sink(tmp_path / "e.jsonl"), log], said.append)
    wait_until(lambda: log.id)
    with full_disk():
        writer.write(event(1))
        writer.write(event(2))
        writer.close()
    assert [fault.lost for fault in writer.faults] == [2, 2] and all("found no room" in fault.message for fault in writer.faults)


@contextmanager
def full_disk():
    """No file of this process may grow."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def wait_until(so, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_half_a_line_on_a_full_disk_is_taken_back(tmp_path):
    class Filling:
        """A disk with room for ten more bytes."""

        def __init__(self, file):
            self.file, self.room = file, 10

        def write(self, data):
            if not self.room:
                raise OSError(28, "No space left on device")
            self.room, part = 0, data[: self.room]
            return self.file.write(part)

        def __getattr__(self, name):
            return getattr(self.file, name)

    sink = JsonlSink(tmp_path / "e.jsonl")
    sink.write(event(1))
    sink.file.file = Filling(sink.file.file)
    with pytest.raises(OutputError, match="no space left"):
        sink.write(event(2))
    assert json.loads((tmp_path / "e.jsonl").read_text())["event"] == 1


def test_a_sink_that_fails_midway_is_retired_and_counted():
    broken, said = Broken(at=2), []
    with Writer([broken], said.append) as writer:
        for number in (1, 2, 3, 4):
            writer.write(event(number))
    assert broken.calls == 2 and writer.faults[0].lost == 3
    assert said == ["broken: ValueError: no more"]


def test_a_slow_sink_never_holds_up_the_stream_and_drops_are_counted():
    slow = Slow()
    writer = Writer([slow], capacity=2)
    writer.write(event(1))
    assert slow.holding.wait(60)  # one in hand, then two in the queue, then no room
    for number in (2, 3, 4, 5):
        writer.write(event(number))
    assert [(fault.sink, fault.lost) for fault in writer.faults] == [("events", 2)]
    slow.let_go.set()
    writer.close()
    assert slow.got == [1, 2, 3] and slow.closed


def test_a_recording_waits_for_room():
    slow = Slow()
    with Writer([slow], capacity=1, patience_s=30) as writer:
        threading.Timer(0.05, slow.let_go.set).start()
        for number in range(20):
            writer.write(event(number))
    assert slow.got == list(range(20)) and not writer.faults


def test_close_gives_up_on_a_stuck_sink():
    slow = Slow()
    writer = Writer([slow], capacity=1)
    for number in (1, 2, 3, 4):
        writer.write(event(number))
    writer.close(timeout_s=0.1)
    assert "did not end" in writer.faults[-1].message and writer.exit_code == 6
    writer.write(event(5))  # after the end: counted, no error
    slow.let_go.set()
