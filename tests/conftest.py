"""What all tests share: where the data lie, and the bundled demo clip."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("MER_DATA", ROOT.parent / "shared/data"))
DEMO = ROOT / "realtime/assets/demo.mp4"


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
