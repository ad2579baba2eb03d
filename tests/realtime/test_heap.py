"""What a long-running program gives back."""

import gc
import platform
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from click.testing import CliRunner
from films import film
from places import DEMO

from realtime import heap
from realtime.cli import live
from realtime.sources import open_source


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_what_lies_free_between_what_is_used_goes_back():
    def resident() -> float:
        return psutil.Process().memory_info().rss / 2**20

    heap.give_back()
    pictures = [np.ones(60_000, np.uint8) for _ in range(2000)]  # too small for pages of their own
    used = [pictures[number] for number in range(0, 2000, 100)]
    del pictures
    before = resident()
    heap.give_back()
    assert before - resident() > 60 and len(used) == 20


def test_what_is_loaded_is_not_looked_at_again():
    heap.settle()
    try:
        assert gc.get_freeze_count() > 10_000
    finally:
        gc.unfreeze()


def test_it_is_given_back_now_and_then_until_the_end(monkeypatch):
    given = threading.Semaphore(0)
    monkeypatch.setattr(heap, "EVERY_S", 0.01)
    monkeypatch.setattr(heap, "give_back", given.release)
    ended = threading.Event()
    heap.keep_small(ended)
    assert given.acquire(timeout=10) and given.acquire(timeout=10)
    ended.set()
    until = time.monotonic() + 10
    while any(thread.name == "heap" for thread in threading.enumerate()) and time.monotonic() < until:
        time.sleep(0.01)
    assert not any(thread.name == "heap" for thread in threading.enumerate())


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_a_decoder_keeps_the_memory_of_a_picture():
    """225 pages of 4 KiB are one of the demo clip's; given back each time, each would come anew."""
    with open_source(DEMO) as source:
        child = source._reader._child.pid
        faults = lambda: int(Path(f"/proc/{child}/stat").read_text().rsplit(")", 1)[1].split()[7])
        for _ in range(60):
            next(source)
        before = faults()
        for _ in range(200):
            next(source)
        assert faults() - before < 10 * 200


def test_mer_live_settles_before_it_watches(monkeypatch, tmp_path):
    film(tmp_path / "short.mp4", [frame / 30 for frame in range(5)])
    done, follow = [], live.follow
    monkeypatch.setattr(heap, "settle", lambda: done.append("settled"))
    monkeypatch.setattr(live, "follow", lambda *asked: done.append("watched") or follow(*asked))
    assert CliRunner().invoke(live.main, ["--source", str(tmp_path / "short.mp4"), "--no-log", "--quiet"]).exit_code == 0
    assert done == ["settled", "watched"]
