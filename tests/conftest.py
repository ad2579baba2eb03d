"""What all tests share."""

import os
import signal
from pathlib import Path

import pytest
from places import DATA

from engines.errors import on_notice, once

# a shell lets what it starts in the background ignore Ctrl-C, which some tests send
signal.signal(signal.SIGINT, signal.default_int_handler)

if "PYTEST_XDIST_WORKER" in os.environ:  # as many as there are cores, and more: threads beside each other's cost more than they gain
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# whose tests share a browser and a server, or would keep a second browser from its time: files of tests/dashboard
BROWSERS = {
    "camera": ("live_camera", "live_plain", "live_tab"),
    "page": ("asked", "engines", "replay_files", "replay_open", "replay_queue", "replay_walk", "review_tab", "shell"),
    "visit": ("guidance", "newcomer", "replay_coders", "replay_lanes", "words"),
}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config) -> int:
    """One more than there are cores: who looks at a page waits most of the time."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """With --dist loadfile each file is one worker's, and so are all files of a browser; the papers' tables, each of
    them long, are shared out one by one. In the order of the folders: dashboard, which takes longest, comes first."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            name = Path(file).stem.removeprefix("test_")
            if name == "paper_tables":
                return nodeid
            return next((browser for browser, names in BROWSERS.items() if "dashboard/" in file and name in names), file)

    config.option.loadscopereorder = False
    return Scheduling(config, log)


@pytest.fixture(autouse=True)
def own_log(tmp_path, monkeypatch):
    """No test writes into the user's event log."""
    monkeypatch.setenv("MER_LIVE_LOG", str(tmp_path / "log.sqlite3"))


@pytest.fixture(autouse=True)
def notices():
    """The warnings of the test, each once."""
    lines = []
    once.forget()
    with on_notice(lines.append):
        yield lines


@pytest.fixture
def real_clip():
    """`real_clip("single_face.mp4")` → its path; skips where the real clips are absent."""

    def path(name: str) -> Path:
        clip = DATA / "clips" / name
        if not clip.exists():
            pytest.skip(f"the real clip {name} is absent (set MER_DATA to the folder that holds clips/)")
        return clip

    return path
