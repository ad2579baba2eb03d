import csv
import json
import multiprocessing
import os
import sqlite3
import sys
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from made_events import event

from realtime.cli.log import main
from realtime.errors import OutputError, UsageError
from realtime.output.log import Log, Session, SqliteSink, left_unfinished
from realtime.output.log_health import myself, runs
from realtime.output.writer import Writer
from realtime.review import Reviews


@pytest.fixture
def path(tmp_path, monkeypatch):
    path = tmp_path / "data" / "events.sqlite3"
    monkeypatch.setenv("MER_LIVE_LOG", str(path))
    return path


def record(events, sources=("clip.mp4",), drops=None):
    sink = SqliteSink(Session("dual_atme", list(sources), {"spotter": {"max_duration": 0.5}}))
    with Writer([sink]) as writer:
        for one in events:
            writer.write(one)
        sink.finish(frames=300, drops=drops or {}, faults={"reopened": 1})
    return writer


def mer_log(capsys, *args):
    with pytest.raises(SystemExit) as end:
        main.main(list(args), prog_name="mer-log")
    return end.value.code, *capsys.readouterr()


def test_what_is_logged_is_read_back(path):
    record([event(1), event(2, label="negative")], drops={"queue full": 7})
    record([], sources=["rtsp://user:secret@host/1"])
    second, first = Log().sessions()
    assert (first["events"], first["frames"]) == (2, 300)
    assert (first["drops"], first["faults"]) == ({"queue full": 7}, {"reopened": 1})
    assert first["settings"] == {"spotter": {"max_duration": 0.5}} and first["ended_at"] >= first["started_at"]
    assert second["sources"] == ["rtsp://host/1"]  # no password is kept
    assert b"secret" not in path.read_bytes()
    assert Log().events() == [{"session": 1} | event(1).as_dict(), {"session": 1} | event(2, label="negative").as_dict()]
    assert sqlite3.connect(path).execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert path.parent.stat().st_mode & 0o077 == 0


def test_the_time_of_day_is_kept_and_logs_without_it_are_read(path):
    utc = "2026-03-01T09:30:12.412+00:00"
    record([event(1, utc=utc), event(2)], sources=["camera 0"])
    assert [row.get("utc") for row in Log().events()] == [utc, None]
    connection = sqlite3.connect(path)
    older = "".join(f"ALTER TABLE events DROP COLUMN {name};" for name in ("utc", "estimated_units", "unit_confidences"))
    connection.executescript(f"{older} DROP TABLE markers; DROP TABLE provisional; PRAGMA user_version = 3")
    connection.close()
    assert Log().events()[0] == {"session": 1} | event(1).as_dict() and len(Reviews().items(1)) == 2
    record([event(1, utc=utc)])
    assert [row.get("utc") for row in Log().events()] == [None, None, utc]


def test_estimated_action_units_are_kept_and_logs_without_them_are_read(path, capsys):
    several = [event(1, units={"4": 0.914, "L12": 0.661}), event(2, units={}), event(3)]
    record(several)
    assert Log().events() == [{"session": 1} | one.as_dict() for one in several]
    assert [row.get("estimated_units") for row in Log().events()] == ["4+L12", "", None]
    assert [item.suggested for item in Reviews().items(1)] == ["4+L12", "", ""]
    assert "4+L12" in mer_log(capsys, "show")[1]
    connection = sqlite3.connect(path)
    connection.executescript('UPDATE events SET unit_confidences = \'{"4": "high"}\' WHERE event = 1')
    assert Log().events()[0] == {"session": 1} | event(1, units={}).as_dict()  # a damaged row is shown in part
    older = "".join(f"ALTER TABLE events DROP COLUMN {name};" for name in ("estimated_units", "unit_confidences"))
    connection.executescript(f"{older} DROP TABLE provisional; PRAGMA user_version = 5")
    connection.close()
    assert Log().events()[0] == {"session": 1} | event(1).as_dict() and "estimated" not in mer_log(capsys, "show")[1]
    record(several)
    assert [row.get("estimated_units") for row in Log().events()] == [None, None, None, "4+L12", "", None]
    assert sqlite3.connect(path).execute("PRAGMA user_version").fetchone() == (7,)


def test_what_is_told_at_its_apex_never_passes_for_an_event(path, capsys):
    early = lambda number, **more: event(number, provisional=True, **more)
    record([early(1), early(2), event(1, provisional=False), early(2, withdrawn=True), early(3)])  # of the last one a kill left the beginning
    assert Log().events() == [{"session": 1} | event(1).as_dict()] and Log().session()["events"] == len(Reviews().items(1)) == 1
    assert Log().outcomes(1) == ["confirmed", "withdrawn", None]
    assert "3 told at their apex: 1 confirmed, 1 withdrawn, 1 left open" in mer_log(capsys, "show")[1]
    record([event(1)])
    assert Log().outcomes(2) == [] and "told" not in mer_log(capsys, "show")[1]


def test_killed_session_keeps_its_events(path):
    sink = SqliteSink(Session("dual_atme", ["0"], {}))
    sink.open()
    sink.write(event())  # and never closed
    assert Log().session()["ended_at"] is None and len(Log().events()) == 1


def test_export_reads_back_the_same_in_three_formats(path, tmp_path, capsys):
    record([event(1)])
    record([event(1, onset=3.0, label="positive", source="[b].mp4", scores={"positive": 0.6, "others": 0.4})])
    first, second = ({"session": number} | row | {"incomplete": ""} for number, row in ((1, event(1).as_dict()), (2, Log().events(2)[0])))
    for ending in ("csv", "jsonl", "parquet"):
        assert mer_log(capsys, "export", str(tmp_path / f"all.{ending}"))[0] == 0
        assert mer_log(capsys, "export", str(tmp_path / f"one.{ending}"), "--session", "2")[0] == 0
    assert [json.loads(line) for line in (tmp_path / "all.jsonl").open()] == [first, second]
    assert [json.loads(line) for line in (tmp_path / "one.jsonl").open()] == [second]
    rows = list(csv.DictReader((tmp_path / "all.csv").open(encoding="utf-8-sig")))
    found = [(row["session"], row["score_surprise"], row["score_others"]) for row in rows]
    assert found == [("1", "0.81", ""), ("2", "", "0.40")]
    parquet = pytest.importorskip("pyarrow.parquet", reason="the parquet extra is not installed")
    rows = parquet.read_table(tmp_path / "all.parquet").to_pylist()
    assert (rows[0]["onset_s"], rows[0]["score_surprise"], rows[1]["score_surprise"]) == (12.3, 0.81, None)
    assert sorted(path.name for path in tmp_path.glob("*.part")) == []


def test_export_says_what_is_wrong(path, tmp_path, capsys, monkeypatch):
    code, _, err = mer_log(capsys, "export", "x.csv")
    assert code == 2 and "no event log" in err
    record([event()])
    assert mer_log(capsys, "export", "x.xls")[0] == 2
    code, _, err = mer_log(capsys, "export", str(tmp_path / "x.csv"), "--session", "9")
    assert code == 2 and "no session 9" in err
    assert mer_log(capsys, "export", str(path / "x.csv"))[0] == 6
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    code, _, err = mer_log(capsys, "export", str(tmp_path / "x.parquet"))
    assert code == 7 and 'pip install "mer-live[parquet]"' in err and err.count("\n") == 1


def test_list_and_show(path, capsys):
    record([event(1), event(2)], sources=["[odd].mp4"], drops={"queue full": 7})
    code, out, _ = mer_log(capsys, "list")
    assert code == 0 and "[odd].mp4" in out and "dual_atme" in out
    code, out, _ = mer_log(capsys, "show")
    assert code == 0 and "7 queue full" in out and "12.412" in out and "2 surprise" in out


def write_many(path, count):
    sink = SqliteSink(Session("dual_atme", ["0"], {}), path)
    sink.open()
    for number in range(count):
        sink.write(event(number))
    sink.close()


def test_two_programs_write_at_once(path):
    spawn = multiprocessing.get_context("fork")
    writers = [spawn.Process(target=write_many, args=(path, 40)) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0] * 4
    sessions = Log().sessions()
    assert [session["events"] for session in sessions] == [40] * 4
    for session in sessions:
        assert [row["event"] for row in Log().events(session["id"])] == list(range(40))


def damaged(path):
    path.write_bytes(b"this is no database, whatever its name says" * 100)


def newer(path):
    sqlite3.connect(path).execute("PRAGMA user_version = 99")


def folder(path):
    path.mkdir()


@pytest.mark.parametrize("make, said", [(damaged, "not a database"), (newer, "version 99"), (folder, "unable to open")])
def test_unusable_log_is_a_fault_not_a_crash(path, make, said, capsys):
    path.parent.mkdir()
    make(path)
    writer = record([event(1), event(2)])
    (fault,) = writer.faults
    assert said in fault.message and "MER_LIVE_LOG" in fault.message and "\n" not in fault.message and fault.lost == 2
    code, _, err = mer_log(capsys, "list")
    assert code == 6 and str(path) in err and err.count("\n") == 1


def test_a_column_whose_name_is_damaged_is_a_fault_not_a_crash(path, capsys):
    record([event(1)])
    path.write_bytes(path.read_bytes().replace(b"frames INTEGER", b"fr\xefmes INTEGER"))
    code, _, err = mer_log(capsys, "list")
    assert code == 6 and str(path) in err and "damaged" in err and err.count("\n") == 1


def locked(path):
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    return other


def test_a_log_that_is_locked_for_a_while_loses_nothing(path, monkeypatch):
    """Longer than one attempt lasts, and longer than the patience: what could not be written waits."""
    monkeypatch.setattr("realtime.output.log_schema.WAIT_S", 0.05)
    for patience in (20.0, 0.1):
        monkeypatch.setattr("realtime.output.log.PATIENCE_S", patience)
        record([])
        other, said = locked(path), []
        threading.Timer(1.0, other.close).start()
        sink = SqliteSink(Session("dual_atme", ["0"], {}))
        with Writer([sink], said.append) as writer:
            for number in range(5):
                writer.write(event(number))
        assert [row["event"] for row in Log().events(sink.id)] == list(range(5)) and not writer.faults
        assert len(said) == 1 and "events wait until it lets go" in said[0]


@pytest.mark.parametrize("umask", [0o000, 0o022])
def test_nobody_else_reads_the_log(tmp_path, umask):
    """Whatever folder it lies in; one that others may read is narrowed, with its journal."""
    path, before = tmp_path / "log.sqlite3", os.umask(umask)
    try:
        for _ in range(2):
            sink = SqliteSink(Session("dual_atme", ["0"], {}), path)
            sink.open()
            assert {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {
                name: 0o600 for name in ("log.sqlite3", "log.sqlite3-wal", "log.sqlite3-shm")
            }
            sink.close()
            path.chmod(0o644)
    finally:
        os.umask(before)


def test_a_session_that_runs_is_not_called_killed(path):
    sink = SqliteSink(Session("dual_atme", ["0"], {}))
    sink.open()
    session = Log().session()
    assert not session["unfinished"] and session["incomplete"] == "" and left_unfinished() is None
    sink.close()


@pytest.mark.parametrize(
    "process, silent, running",
    [
        (None, 0, False),  # of an older version
        ("{machine}:{number}:other", 0, False),  # a container's next process has its number
        ("{machine}:1:other", 0, True),
        ("{machine}:1:other", 300, False),  # another program has its number by now
        ("{machine}:99999999:other", 0, False),
        ("elsewhere:99999999:other", 0, True),
        ("elsewhere:99999999:other", 300, False),
    ],
)
def test_whether_a_session_runs(process, silent, running):
    machine, number, _ = myself().split(":")
    alive = (datetime.now(UTC) - timedelta(seconds=silent)).isoformat(timespec="seconds")
    assert runs(process and process.format(machine=machine, number=number), alive) == running
    assert not runs(myself(), None)


def test_locked_log_is_a_fault(path, monkeypatch):
    monkeypatch.setattr("realtime.output.log_schema.WAIT_S", 0.05)
    monkeypatch.setattr("realtime.output.log.PATIENCE_S", 0.1)
    monkeypatch.setattr("realtime.output.log.LAST_S", 0.1)
    record([])
    other = locked(path)
    (fault,) = record([event(), event(2)]).faults
    assert "stayed locked" in fault.message and fault.lost == 2
    other.close()


def test_unwritable_place(path):
    path.parent.parent.joinpath("file").touch()
    with pytest.raises(OutputError, match="a file stands"):
        SqliteSink(Session("m", [], {}), path.parent.parent / "file" / "log.sqlite3").open()
    with pytest.raises(UsageError, match="no event log"):
        Log()


COLUMNS = {
    "sessions": "started_at ended_at version model sources settings frames drops faults files judged incomplete alive_at process",
    "events": "event source face onset_s apex_s offset_s label scores model latency_ms kind confidence utc estimated_units unit_confidences",
    "reviews": "event_id missed reviewer verdict source face onset_s apex_s offset_s label kind action_units note at undone_at",
    "people": "source subject",
    "markers": "source time_s label stream",
    "provisional": "source scores outcome",
}
VALUES = ["NULL", "x'ff00'", "'soon'", "9e999", "9223372036854775807", "CAST(x'ff' AS TEXT)"]


@pytest.mark.parametrize("table", COLUMNS)
def test_no_column_of_any_table_makes_the_log_useless(path, tmp_path, capsys, table):
    record([event(1, units={"4": 0.9}), event(2), event(3, provisional=True)])
    reviews = Reviews()
    reviews.judge(1, "e1", "Ann")
    reviews.name(1, "clip.mp4", "p7")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO markers VALUES (1, 'clip.mp4', 1.5, 'stimulus', 'Stimuli')")
    assert [marker.label for marker in Log().markers(1)] == ["stimulus"]
    whole = path.read_bytes()
    for column in COLUMNS[table].split():
        for value in VALUES:
            path.write_bytes(whole)
            connection = sqlite3.connect(path)
            connection.execute("PRAGMA ignore_check_constraints = ON")
            connection.execute("PRAGMA foreign_keys = OFF")
            try:
                with connection:
                    connection.execute(f"UPDATE {table} SET {column} = {value}")
            except sqlite3.IntegrityError:  # such a row there cannot be
                continue
            finally:
                connection.close()
            for words in (["list"], ["show", "1"], ["export", str(tmp_path / "a.csv")], ["export", str(tmp_path / "b.csv"), "--reviewed"]):
                code, _, err = mer_log(capsys, *words)
                assert code in (0, 2) and "Traceback" not in err and "defect" not in err, (column, value, words, err)
            Reviews().items(1), Reviews().people(1)


@pytest.mark.parametrize(
    "damage, said",
    [
        ("UPDATE reviews SET onset_s = 'soon'", "damaged reviews in the event log, left out: row 1"),
        ("UPDATE people SET subject = x'ff'", "damaged names of participants in session 1 of the event log: 1 left out"),
    ],
)
def test_a_damaged_review_or_name_is_left_out_with_a_line(path, damage, said, notices):
    record([event(1), event(2)])
    reviews = Reviews()
    reviews.judge(1, "e1", "Ann")
    reviews.name(1, "clip.mp4", "p7")
    with sqlite3.connect(path) as connection:
        connection.execute(damage)
    items, people = reviews.items(1), reviews.people(1)
    assert len(items) == 2 and len(people) + sum(bool(item.reviews) for item in items) == 1 and notices == [said]


@pytest.mark.parametrize(
    "damage, said",
    [
        ("UPDATE sessions SET sources = '{nonsense', drops = '[1]', judged = '{\"a\": 3}' WHERE id = 1", "session 1 of the event log is damaged"),
        (
            "UPDATE sessions SET started_at = x'ff00', frames = 'many', ended_at = 5, process = 'x' WHERE id = 1",
            "session 1 of the event log is damaged",
        ),
        ("UPDATE events SET scores = 'null' WHERE id = 1", "0 left out, 1 shown in part"),
        ("UPDATE events SET scores = CAST(x'ff' AS TEXT), label = x'00' WHERE id = 1", "0 left out, 1 shown in part"),
        ("UPDATE events SET onset_s = 'soon' WHERE id = 1", "1 left out, 0 shown in part"),
    ],
)
def test_a_damaged_row_does_not_make_the_log_useless(path, tmp_path, capsys, damage, said):
    record([event(1), event(2)])
    record([event(1)])
    with sqlite3.connect(path) as connection:
        connection.execute(damage)
    told = ""
    for words in (["list"], ["show", "1"], ["export", str(tmp_path / "all.csv")]):
        code, out, err = mer_log(capsys, *words)
        assert code == 0 and out
        told += err
    assert told.count(said) == 1 and told.count("\n") == 1
    assert [len(Log(path).events(number)) for number in (1, 2)] == [1 if "1 left out" in said else 2, 1]
    assert len(Reviews(path).items(1)) == len(Log(path).events(1))
