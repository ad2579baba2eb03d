"""What all tests share."""

import signal
from pathlib import Path

import pytest
from places import DATA

# a shell lets what it starts in the background ignore Ctrl-C, which some tests send
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def own_log(tmp_path, monkeypatch):
    """No test writes into the user's event log."""
    monkeypatch.setenv("MER_LIVE_LOG", str(tmp_path / "log.sqlite3"))


@pytest.fixture
def real_clip():
    """`real_clip("single_face.mp4")` → its path; skips where the real clips are absent."""

    def path(name: str) -> Path:
        clip = DATA / "clips" / name
        if not clip.exists():
            pytest.skip(f"the real clip {name} is absent (set MER_DATA to the folder that holds clips/)")
        return clip

    return path
