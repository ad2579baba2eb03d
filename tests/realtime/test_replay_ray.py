"""An archive on a local Ray: the same results as here, and a list of what failed."""

import csv
import json
import shutil

import psutil
import pytest
from click.testing import CliRunner
from demo_clips import demo_start

pytest.importorskip("ray")

from realtime.cli.replay import main as replay
from realtime.output.log import Log
from realtime.parallel import cluster


def rows(folder):
    """The events of a clip's folder, but for how late they were."""
    lines = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    table = list(csv.reader((folder / "events.csv").read_text().splitlines()))
    late = table[0].index("latency_ms")
    return [{**line, "latency_ms": 0} for line in lines], [row[:late] + row[late + 1 :] for row in table]


def test_an_archive_on_ray_gives_the_files_of_a_local_run(tmp_path, monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_worker_niceness", "0")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in/deep").mkdir(parents=True)
    (tmp_path / "cv2.py").write_text("raise RuntimeError('a worker took code from the working folder')")
    demo_start("in/a.mp4", 3.0)  # one event
    shutil.copy("in/a.mp4", "in/deep/b.mp4")
    (tmp_path / "in/bad.mp4").write_text("This is no video. " * 100)
    come = {}
    for launcher in ("inline", "ray"):
        monkeypatch.setenv("MER_LIVE_LOG", str(tmp_path / f"{launcher}.sqlite3"))
        words = ["in", "--out", launcher, "--launcher", launcher]
        come[launcher] = CliRunner().invoke(replay, words, prog_name="mer-replay")
        assert come[launcher].exit_code == 3, come[launcher].output  # the code of the clip that is none
    for clip in ("a", "deep/b"):
        assert rows(tmp_path / "inline" / clip) == rows(tmp_path / "ray" / clip)
        assert len(rows(tmp_path / "ray" / clip)[0]) == 1 and (tmp_path / "ray" / clip / "timeline.png").exists()
    said = come["ray"].stderr.splitlines()
    assert said == ["mer-replay: 1 of 3 clips failed, each was tried twice:", come["inline"].stderr.strip()]
    assert come["ray"].stdout.count("1 events in") == 2
    (session,) = Log(tmp_path / "ray.sqlite3").sessions()
    assert session["events"] == 2 and session["frames"] == 300


def test_a_ray_of_our_own_listens_to_this_machine_alone(monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with cluster._connected(1):
        family = [psutil.Process(), *psutil.Process().children(recursive=True)]
        heard = {connection.laddr.ip for process in family for connection in process.net_connections() if connection.status == "LISTEN"}
        asks = [process.cmdline() for process in family if any("dashboard.py" in word for word in process.cmdline())]
    assert heard and all(address.removeprefix("::ffff:").startswith("127.") or address == "::1" for address in heard)
    assert not asks  # it would ask the network which cloud this is
