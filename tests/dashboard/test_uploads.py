"""Uploads without a page: only what lies in their own folder is ever taken or removed."""

import os
from pathlib import Path

import pytest

pytest.importorskip("gradio", reason="gradio is not installed (pip install 'mer-live[demo]')")
from realtime.dashboard.replay.queue import Queue
from realtime.dashboard.replay.tab import Handlers
from realtime.dashboard.server.gradio_inputs import Page
from realtime.dashboard.shared import DemoSettings, Shared
from realtime.errors import MerError, UsageError

BROWSER = "browser0"  # as its cookie says


@pytest.fixture
def shared(tmp_path):
    (tmp_path / "temp").mkdir()
    shared = Shared(DemoSettings(), tmp_path / "temp", tmp_path / "log.sqlite3")
    shared.uploads.folder.mkdir()
    return shared


def uploaded(shared: Shared, name: str = "clip.mp4", content: bytes = b"film") -> Path:
    path = shared.uploads.folder / "hash" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    shared.uploads.came([str(path)], BROWSER)
    return path


def test_an_upload_is_taken_once(shared, tmp_path):
    path = uploaded(shared)
    shared.uploads.take(str(path), BROWSER, tmp_path / "mine.mp4")
    assert (tmp_path / "mine.mp4").read_bytes() == b"film" and not path.exists()
    with pytest.raises(UsageError, match="drop the recording"):
        shared.uploads.take(str(path), BROWSER, tmp_path / "again.mp4")
    path = uploaded(shared)
    shared.uploads.drop(str(path), BROWSER)
    assert not path.exists()


def test_another_browser_that_knows_the_path_gets_nothing(shared, tmp_path):
    path, handlers = uploaded(shared), Handlers(shared, Queue(shared))
    for other in ("browser1", "", None):
        handlers.queue.owners.enter("page", "")
        with pytest.raises(UsageError, match="drop the recording"):
            handlers.taken(str(path), ("kernel_ridge", "usual", False), other, "page")
        with pytest.raises(UsageError, match="drop the recording"):
            shared.uploads.take(str(path), other, tmp_path / "stolen.mp4")
        shared.uploads.drop(str(path), other)
    assert path.read_bytes() == b"film"
    # two that send the same both have it
    shared.uploads.came([str(path)], "browser1")
    shared.uploads.take(str(path), BROWSER, tmp_path / "mine.mp4")
    shared.uploads.take(str(path), "browser1", tmp_path / "theirs.mp4")
    assert (tmp_path / "mine.mp4").read_bytes() == (tmp_path / "theirs.mp4").read_bytes() == b"film" and not path.exists()


def test_nothing_else_is_found_taken_or_removed(shared, tmp_path, monkeypatch):
    mine, folder = tmp_path / "mine.mp4", shared.uploads.folder
    mine.write_bytes(b"diary")
    inside = uploaded(shared)
    (inside.parent / "link.mp4").symlink_to(mine)
    (folder / "linked").symlink_to(tmp_path)
    os.mkfifo(inside.parent / "fifo.mp4")
    monkeypatch.chdir(inside.parent)
    others = [
        mine,
        inside.parent / "link.mp4",
        folder / "linked" / "mine.mp4",
        inside.parent / "fifo.mp4",
        inside.parent,
        folder,
        "",
        folder / ".." / ".." / "mine.mp4",
        inside.parent / ".." / "hash" / "clip.mp4",
        "clip.mp4",
        "/dev/zero",
        "/dev/null",
        "x\0y",
        "x" * 5000,
        "/proc/self/mem",
        f"{folder}-other/clip.mp4",
        None,
        7,
        {"path": str(inside)},
    ]
    for other in others:
        path = other if other is None or isinstance(other, (int, dict)) else str(other)
        with pytest.raises(UsageError, match="drop the recording"):
            shared.uploads.find(path)
        with pytest.raises(MerError):
            Handlers(shared, Queue(shared)).taken(path, ("kernel_ridge", "usual", False), BROWSER, "page")
        shared.uploads.drop(path, BROWSER)
    assert mine.read_bytes() == b"diary" and (inside.parent / "link.mp4").is_symlink() and (inside.parent / "fifo.mp4").exists()
    assert shared.uploads.find(str(inside)) == inside


def test_gradio_checks_paths_too(shared):
    assert Page(shared.uploads.find).has_launched
