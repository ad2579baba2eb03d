"""Streams shared out to processes: what comes of them is the same, and nothing is lost silently where one goes."""

import json
import os
import pickle
import shutil
import signal
import time
import traceback
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner
from demo_clips import demo_start
from test_ending import PATIENCE, read_until, start, wait_for  # noqa: F401 - start is a fixture

from realtime.cli.live import main as live
from realtime.errors import BrokenSourceError
from realtime.output.log import Log
from realtime.parallel import watches
from realtime.parallel.watches import shares, watch_elsewhere
from realtime.sources import SourceCounts, SourceInfo
from realtime.watching import LiveSettings, Watch, side_by_side


@pytest.fixture
def clips(tmp_path) -> list[Path]:
    """Five of three seconds each, with one event, at 2.16 s."""
    first = demo_start(tmp_path / "1.mp4", 3.0)
    return [first, *(Path(shutil.copy(first, tmp_path / f"{number}.mp4")) for number in range(2, 6))]


@pytest.fixture
def two_cores(monkeypatch):
    monkeypatch.setattr(watches, "cores", lambda: 2)


def words(clips) -> list[str]:
    return [word for clip in clips for word in ("--source", str(clip))]


def children() -> list[psutil.Process]:
    """The processes with streams in them."""
    return [child for child in psutil.Process().children() if any("spawn_main" in word for word in child.cmdline())]


def test_a_process_follows_four_and_there_are_no_more_than_cores(monkeypatch):
    monkeypatch.setattr(watches, "cores", lambda: 3)
    assert [[len(share) for share in shares(range(number))] for number in (1, 4, 5, 8, 9, 30)] == [[1], [4], [2, 3], [4, 4], [3, 3, 3], [10, 10, 10]]
    assert sum(shares(range(30)), []) == list(range(30))
    monkeypatch.setattr(watches, "cores", lambda: 1)
    assert shares(["a", 2, "c", "d", "e"]) == [["a", 2, "c", "d", "e"]]


def test_what_is_found_is_the_same(clips, tmp_path, two_cores, monkeypatch):
    found, said = {}, {}
    for together in (4, 5):
        monkeypatch.setattr(watches, "TOGETHER", together)
        path = tmp_path / f"{together}.jsonl"
        result = CliRunner().invoke(live, [*words(clips), "--events", str(path)])
        assert result.exit_code == 0, result.output
        rows = sorted((json.loads(line) for line in path.read_text().splitlines()), key=lambda row: row["source"])
        found[together] = [row | {"latency_ms": None} for row in rows]
        said[together] = result.output
    assert found[4] == found[5] and [row["source"] for row in found[4]] == list(map(str, clips))
    assert "5 streams in 2 processes" in said[4] and "processes" not in said[5]
    assert all(text.count("1 events in 3.0 s, 150 frames") == 5 for text in said.values())
    one, other = Log().sessions()
    same = ("sources", "files", "frames", "judged", "settings", "events", "drops", "faults", "incomplete")
    assert [one[what] for what in same] == [other[what] for what in same] and one["frames"] == 750


class Unfit(Exception):
    """Cannot be sent."""

    def __reduce__(self):
        raise TypeError


class Piece:
    """A source, a pipeline: as much as a watch asks of it for an account."""

    source, info, state, counts, remarks, timings = "a.mp4", SourceInfo("a.mp4", 9, 9, 30.0, True, 1.0), "running", SourceCounts(), [], {}


def test_a_defect_in_a_process_is_told_with_its_steps_and_what_comes_after_the_last_is_older():
    watch, parent = Watch(Piece(), Piece(), None), object.__new__(watches._Process)
    elsewhere = watches.WatchElsewhere(watches._account(watch), lambda run: None)
    parent._watches = [elsewhere]
    before = watches._account(watch)
    try:
        raise Unfit("no such frame")
    except Unfit as error:
        watch.error = error
    for what in (watches._Last(watches._account(watch)), before):
        parent._take(0, pickle.loads(pickle.dumps(what)))
    assert elsewhere.ended.is_set() and elsewhere.account.incomplete == "a.mp4 broke off"
    told = "".join(traceback.format_exception(elsewhere.account.error))
    assert "RuntimeError: Unfit: no such frame" in told and 'raise Unfit("no such frame")' in told


def test_one_that_cannot_be_opened_is_one_line_and_no_process_stays(clips, two_cores):
    clips[3].write_bytes(b"no film")
    result = CliRunner().invoke(live, [*words(clips), "--no-log"])
    assert result.exit_code == 3 and result.stderr.count("\n") == 1 and "4.mp4" in result.stderr, result.stderr
    assert not children()


def test_a_process_that_is_killed_takes_no_other_with_it(clips, two_cores):
    events = []
    with ExitStack() as stack:
        found = watch_elsewhere(list(map(str, clips)), True, LiveSettings(), stack)
        for watch in found:
            watch.hand_over = events.append
        threads = side_by_side([watch.run for watch in found])
        for thread in threads:
            thread.start()
        wait_for(lambda: all(watch.account.status.frames for watch in found))
        children()[0].kill()
        for thread in threads:
            thread.join(PATIENCE)
    gone, whole = [watch.account for watch in found[:2]], [watch.account for watch in found[2:]]
    assert all(isinstance(one.error, BrokenSourceError) and "killed by SIGKILL" in str(one.error) and one.incomplete for one in gone)
    assert all(one.error is None and one.state == "ended" for one in whole)
    assert {event.source for event in events if event.final} >= {one.name for one in whole} and not children()


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 0), (signal.SIGKILL, -9)])
def test_however_it_ends_no_process_stays(start, clips, number, code):  # noqa: F811
    """A signal goes to all of them, as from a terminal; a kill to the command alone."""
    if watches.cores() < 2:
        pytest.skip("streams are shared out to as many processes as there are cores")
    command = start("live", *words(clips), "--as-live", "source.give_up_seconds=1", start_new_session=True)
    read_until(command, "processes")
    wait_for(lambda: os.path.exists(os.environ["MER_LIVE_LOG"]) and Log().sessions())
    time.sleep(1.0)  # of three seconds
    family = psutil.Process(command.pid).children(recursive=True)
    assert len([one for one in family if any("decoder.child" in word for word in one.cmdline())]) == 5 and len(family) > 6
    (os.kill if number == signal.SIGKILL else os.killpg)(command.pid, number)
    err = command.communicate(timeout=PATIENCE)[1]
    assert (command.returncode, err) == (code, "")
    assert not psutil.wait_procs(family, timeout=20)[1]
    if number != signal.SIGKILL:
        session = Log().session()
        assert session["ended_at"] and session["incomplete"] == "" and session["frames"] > 0
