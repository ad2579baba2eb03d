"""What the page's server gives back, and what `mer-bench page` asks of it."""

import gc
import platform
from collections import Counter

import numpy as np
import psutil
import pytest

pytest.importorskip("gradio", reason="gradio is not installed (pip install 'mer-live[demo]')")

from realtime.dashboard.server import memory
from train.bench.archive import DEMO, cut
from train.bench.page.browser import chunks
from train.bench.page.cli import Look, markdown


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_what_lies_free_between_what_is_used_goes_back():
    def resident() -> float:
        return psutil.Process().memory_info().rss / 2**20

    memory.give_back()
    pictures = [np.ones(60_000, np.uint8) for _ in range(2000)]  # too small for pages of their own
    used = [pictures[number] for number in range(0, 2000, 100)]
    del pictures
    before = resident()
    memory.give_back()
    assert before - resident() > 60 and len(used) == 20


def test_what_is_loaded_is_not_looked_at_again():
    memory.settle()
    try:
        assert gc.get_freeze_count() > 10_000
    finally:
        gc.unfreeze()


def test_the_table_has_a_row_for_each_tenth():
    looks = [Look(seconds, 500.0 + seconds / 60, 20, 9) for seconds in range(1, 601)]
    ends = [(60.0 * number, Counter(presses=10 * number, events=number)) for number in range(1, 11)]
    rows = markdown(looks, ends).splitlines()
    assert len(rows) == 2 + 10 + 2 and rows[2].startswith("| 1.0 | 1 | 10 | 1 | 501 | 501 |") and rows[-3].startswith("| 10.0 | 10 | 100 | 10 |")
    assert "+1.0 MiB a minute" in rows[-1]


def test_what_the_camera_sends_is_a_whole_clip(tmp_path):
    sent = list(chunks(cut(DEMO, tmp_path / "clip.mp4", 1.0)))
    assert len(sent) == 50 and sent[0][1] and [at for at, *_ in sent[:3]] == [0, 20_000, 40_000]
    assert all(data.startswith((b"\0\0\0\1", b"\0\0\1")) for *_, data in sent)
