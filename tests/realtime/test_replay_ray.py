"""An archive on a cluster of nodes of one core: the same results as here, and a list of what failed."""

import os
import shutil
import subprocess
import sys
import threading

import psutil
import pytest
from click.testing import CliRunner
from demo_clips import demo_start
from films import film
from places import ROOT

pytest.importorskip("ray")

from ray._private import ray_constants

from realtime.cli.replay import main as replay
from realtime.output.log import Log
from realtime.parallel import cluster
from train.bench.archive import different, kill_one, one_core_nodes, written

NODES, TINY = 2, 9


@pytest.fixture
def nodes(monkeypatch):
    """Several, at RAY_ADDRESS."""
    monkeypatch.setenv("RAY_worker_niceness", "0")  # on a busy machine Ray's polite workers hardly start
    with one_core_nodes(NODES) as started:
        monkeypatch.setenv("RAY_ADDRESS", started.address)
        monkeypatch.setattr(ray_constants, "ENABLE_RAY_CLUSTER", True)  # as in a program that has not started them
        yield started


JOIN = "from realtime.parallel.cluster import connected\nwith connected() as ray: print(ray.cluster_resources()['CPU'])"
START = """
import os, subprocess, sys
from train.bench.archive import one_core_nodes
with one_core_nodes(1) as started:
    env = os.environ | {"RAY_ADDRESS": started.address}
    print(subprocess.run([sys.executable, "-c", sys.argv[1]], env=env, capture_output=True, text=True))
"""


def test_a_cluster_that_asks_for_a_token_is_joined_with_it():
    env = os.environ | {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "5a" * 32, "RAY_worker_niceness": "0"}
    done = subprocess.run([sys.executable, "-c", START, JOIN], env=env, cwd=ROOT, capture_output=True, text=True)
    assert "stdout='1.0\\n'" in done.stdout, (done.stdout, done.stderr)


def test_an_archive_on_ray_gives_the_files_of_a_local_run(tmp_path, monkeypatch, nodes):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in/deep").mkdir(parents=True)
    (tmp_path / "cv2.py").write_text("raise RuntimeError('a worker took code from the working folder')")
    demo_start("in/a.mp4", 3.0)  # one event
    shutil.copy("in/a.mp4", "in/deep/b.mp4")
    for number in range(TINY):
        film(tmp_path / f"in/tiny{number}.mp4", [frame / 30 for frame in range(5 + number)])
    (tmp_path / "in/bad.mp4").write_text("This is no video. " * 100)
    done = []

    def kill():
        kill_one(nodes, tmp_path / "ray", 1)
        done.extend((tmp_path / "ray").rglob("recording.json"))

    threading.Thread(target=kill, daemon=True).start()
    come = {}
    for launcher in ("ray", "inline"):
        monkeypatch.setenv("MER_LIVE_LOG", str(tmp_path / f"{launcher}.sqlite3"))
        words = ["in", "--out", launcher, "--launcher", launcher]
        come[launcher] = CliRunner().invoke(replay, words, prog_name="mer-replay")
        assert come[launcher].exit_code == 3, come[launcher].output  # the code of the clip that is none
    assert 0 < len(done) < TINY  # the node was killed in the middle
    assert not different(tmp_path / "inline", tmp_path / "ray")
    assert sum(path.name == "timeline.png" for path in written(tmp_path / "ray")) == 2 + TINY
    said = come["ray"].stderr.splitlines()
    assert said == [f"mer-replay: 1 of {3 + TINY} clips failed, each was tried twice:", come["inline"].stderr.strip()]
    assert come["ray"].stdout.count("1 events in") == 2
    (session,) = Log(tmp_path / "ray.sqlite3").sessions()
    assert session["events"] == 2 and session["frames"] == 300 + sum(range(5, 5 + TINY))


def test_a_ray_of_our_own_listens_to_this_machine_alone(monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with cluster.connected(1):
        family = [psutil.Process(), *psutil.Process().children(recursive=True)]
        heard = {connection.laddr.ip for process in family for connection in process.net_connections() if connection.status == "LISTEN"}
        asks = [process.cmdline() for process in family if any("dashboard.py" in word for word in process.cmdline())]
    assert heard and all(address.removeprefix("::ffff:").startswith("127.") or address == "::1" for address in heard)
    assert not asks  # it would ask the network which cloud this is
