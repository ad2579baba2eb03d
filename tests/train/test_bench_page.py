"""What `mer-bench page` asks of the page's server, and its table."""

from collections import Counter

import pytest

pytest.importorskip("gradio", reason="gradio is not installed (pip install 'mer-live[demo]')")

from realtime.sources.demo import DEMO_CLIP
from train.bench.archive import cut
from train.bench.page.browser import chunks
from train.bench.page.cli import Look, markdown


def test_the_table_has_a_row_for_each_tenth():
    looks = [Look(seconds, 500.0 + seconds / 60, 20, 9) for seconds in range(1, 601)]
    ends = [(60.0 * number, Counter(presses=10 * number, events=number)) for number in range(1, 11)]
    rows = markdown(looks, ends).splitlines()
    assert len(rows) == 2 + 10 + 2 and rows[2].startswith("| 1.0 | 1 | 10 | 1 | 501 | 501 |") and rows[-3].startswith("| 10.0 | 10 | 100 | 10 |")
    assert "+1.0 MiB a minute" in rows[-1]


def test_what_the_camera_sends_is_a_whole_clip(tmp_path):
    sent = list(chunks(cut(DEMO_CLIP, tmp_path / "clip.mp4", 1.0)))
    assert len(sent) == 50 and sent[0][1] and [at for at, *_ in sent[:3]] == [0, 20_000, 40_000]
    assert all(data.startswith((b"\0\0\0\1", b"\0\0\1")) for *_, data in sent)
