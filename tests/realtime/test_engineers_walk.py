"""An engineer's walk: one live run over the demo clip, and a program of one's own that has its events and measures by LSL, webhook and Python."""

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from demo_clips import demo_start

from realtime.cli import live
from realtime.output.frame_table import COLUMNS
from realtime.output.lsl import NUMBERS

SECONDS = 7.5  # of the clip, with three expressions and a blink
NO_DROPS = "source.queue=600"  # of a machine with other things to do


def same(event: dict) -> dict:
    """What is the same however an event is told; how late it was, and whether it was told at its apex before, is not."""
    return {key: value for key, value in event.items() if key not in ("latency_ms", "provisional")}


def test_the_same_events_and_the_measures_come_by_lsl_webhook_and_python(tmp_path):
    pytest.importorskip("pylsl", exc_type=(ImportError, RuntimeError))
    shots = os.environ.get("MER_SHOTS")  # for the README's picture: the whole clip
    clip = demo_start(tmp_path / "demo.mp4", 100 if shots else SECONDS)
    out, picture = tmp_path / "heard.json", [str(Path(shots) / "engineer.png")] if shots else []
    program = [sys.executable, str(Path(__file__).with_name("engineers_program.py")), str(clip), "demo.mp4", str(out), *picture]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as other:
        url = other.stdout.readline().strip()
        words = ["--source", str(clip), "--as-live", "--lsl", "--webhook", url, "--events", str(tmp_path / "events.jsonl"), "--no-log", NO_DROPS]
        result = CliRunner().invoke(live.main, words)
        other.stdin.close()
        assert other.wait(300) == 0
    assert result.exit_code == 0, result.output
    told = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text("utf-8").splitlines()]
    heard = json.loads(out.read_text("utf-8"))
    assert heard["lsl"] == heard["webhook"] == told
    here = [event for event in told if not event.get("provisional")]
    assert [event["event"] for event in told if event.get("provisional")] == [event["event"] for event in here]  # each was told at its apex
    assert len(here) >= 3 and {event["label"] for event in here} == {"surprise", "positive", "negative"}
    assert list(map(same, heard["python"])) == list(map(same, here))
    assert tuple(heard["columns"]) == NUMBERS and len(NUMBERS) == len(COLUMNS) - 1
    frames = heard["frames"]
    assert len(frames) > 0.8 * 50 * SECONDS  # what came before the other process had found the outlet is not heard
    brow, at = (NUMBERS.index(name) for name in ("browInnerUp", "timestamp"))
    raised = [row[brow] for row in frames if here[0]["onset_s"] <= row[at] <= here[0]["offset_s"]]
    assert not raised or max(raised) > 1.5 * statistics.median(row[brow] for row in frames)  # the first is a raised brow
