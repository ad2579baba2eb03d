"""How sessions end: by a signal, by a reader that goes away, by a kill. In processes of their own, as people start them."""

import json
import os
import select
import signal
import sqlite3
import subprocess
import sys
import time

import av
import pytest
from demo_clips import demo_start
from places import DEMO, ROOT

from realtime.output.log import Log, left_unfinished

PATIENCE = 180


@pytest.fixture
def start():
    """`start("live", words…)` → the running command."""
    running = []

    def begin(command, *words, **others):
        line = [sys.executable, "-c", f"from realtime.cli.{command} import main; main()", *map(str, words)]
        settings = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "cwd": ROOT, "text": True} | others
        running.append(subprocess.Popen(line, **settings))
        return running[-1]

    yield begin
    for process in running:
        process.kill()
        process.communicate()


def on_hangup(action):
    return lambda: signal.signal(signal.SIGHUP, action)


def read_until(process, word):
    for line in process.stdout:
        if word in line:
            return line
    raise AssertionError(process.stderr.read())


def wait_for(condition):
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.mark.parametrize("number, code", [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_a_live_session_as_ctrl_c_does(start, number, code):
    live = start("live", "--source", DEMO, preexec_fn=on_hangup(signal.SIG_DFL))  # the tests may run under nohup
    read_until(live, "surprise")
    live.send_signal(number)
    live.send_signal(number)  # a terminal that is closed may say so twice
    out, err = live.communicate(timeout=PATIENCE)
    (session,) = Log().sessions()
    assert (live.returncode, err) == (code, "") and "1 events" in out
    assert session["ended_at"] and session["frames"] > 100 and session["events"] == 1 and session["incomplete"] == ""
    assert 0.5 < session["judged"]["demo.mp4"]["share"] < 1


def test_a_hangup_is_not_heard_under_nohup(start):
    live = start("live", "--demo", "--seconds", 3, preexec_fn=on_hangup(signal.SIG_IGN))
    read_until(live, "live:")
    live.send_signal(signal.SIGHUP)
    live.communicate(timeout=PATIENCE)
    assert live.returncode == 0 and Log().session()["frames"] > 20


def test_a_signal_ends_a_replay_with_all_that_was_found(start, tmp_path):
    replay = start("replay", DEMO, DEMO, "--out", tmp_path, "--video")
    events = tmp_path / "demo/events.jsonl"
    wait_for(lambda: events.exists() and events.stat().st_size)
    replay.terminate()
    _, err = replay.communicate(timeout=PATIENCE)
    assert (replay.returncode, err) == (143, "mer-replay: interrupted: what was found until then is kept\n")
    with av.open(str(tmp_path / "demo/annotated.mp4")) as film:
        assert sum(1 for _ in film.decode(video=0)) > 100
    session = Log().session()
    assert session["ended_at"] and session["frames"] > 100 and "interrupted" in session["incomplete"]
    assert session["events"] == len(events.read_text().splitlines()) >= 1 and not (tmp_path / "demo/timeline.png").exists()


def test_a_kill_amid_a_clip_that_is_done_again_leaves_nothing_that_looks_done(start, tmp_path):
    clip, out = demo_start(tmp_path / "a.mp4", 3.0), tmp_path / "out"
    asked, folder = ("replay", clip, "--out", out, "--export", "elan,webvtt", "--video", "--no-log"), out / "a"
    assert start(*asked).wait(PATIENCE) == 0
    (folder / "notes.txt").write_text("mine")
    (folder / "a.eaf").write_text("annotated by hand since then")
    again = start(*asked, "--again")
    wait_for(lambda: not (folder / "recording.json").exists() and (folder / "events.jsonl").exists())
    again.kill()
    again.wait()
    left = {path.name for path in folder.iterdir()}
    assert {"a.eaf", "notes.txt"} <= left <= {"a.eaf", "notes.txt", "events.jsonl", "events.csv", "annotated.mp4"}
    plain = start(*asked[:4], "--no-log")
    said = plain.communicate(timeout=PATIENCE)[0]
    assert plain.returncode == 0 and "1 of 1 recordings, 1 event," in said and "already done" not in said
    assert {path.name for path in folder.iterdir()} == {"a.eaf", "notes.txt", "events.jsonl", "events.csv", "timeline.png", "recording.json"}


def test_what_is_printed_is_kept_and_a_kill_is_told_of(start, tmp_path):
    """The log is held by another program when the first event is found: nothing is printed before it is in the log."""
    # at its own clock: the second event comes two seconds after the first, not while that one is held up
    live = start("live", "--source", DEMO, "--as-live", "--events", tmp_path / "found.jsonl")
    read_until(live, "live:")
    wait_for(lambda: os.path.exists(os.environ["MER_LIVE_LOG"]) and Log().sessions())
    other = sqlite3.connect(os.environ["MER_LIVE_LOG"], isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    wait_for(lambda: (tmp_path / "found.jsonl").stat().st_size)  # the file has it
    assert not select.select([live.stdout], [], [], 1.0)[0]
    other.execute("ROLLBACK")
    other.close()
    read_until(live, "surprise")
    live.kill()
    live.wait()
    (session,) = Log().sessions()
    told = [json.loads(line) for line in (tmp_path / "found.jsonl").read_text().splitlines()]
    assert session["events"] == 1 == len([event for event in told if not event.get("provisional")])
    assert session["unfinished"] and session["ended_at"] is None and session["alive_at"] in session["incomplete"]
    assert "session 1 was left unfinished" in left_unfinished() and left_unfinished() is None  # once
    listed = start("log", "list").communicate(timeout=PATIENCE)[0]
    assert "killed, last alive" in listed


@pytest.mark.parametrize("words", [(), ("--events", "-")])
def test_a_reader_that_goes_away_ends_the_watching(start, words):
    """mer-live … | head -1"""
    live = start("live", "--source", DEMO, *words)
    line = read_until(live, "surprise")
    assert not words or json.loads(line)["label"] == "surprise"
    live.stdout.close()
    err = live.stderr.read().splitlines()
    assert live.wait(PATIENCE) == 6 and "standard output is gone (closed)" in err[-1]
    session = Log().session()
    assert session["ended_at"] and session["events"] == 1 and session["frames"] < 300
