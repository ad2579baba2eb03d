"""Markers of another instrument, over LSL out of another process, reach the log, the exports, and the timeline of a recording made meanwhile."""

import csv
import json
import re
import subprocess
import sys
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from click.testing import CliRunner
from demo_clips import demo_start
from PIL import Image

from realtime.cli import live, log, replay
from realtime.judged import Trace
from realtime.output import timeline
from realtime.output.exports import Found, write_as
from realtime.output.exports.tiers import tiers_of
from realtime.output.log import Log
from realtime.output.recorder import markers_beside, read_markers
from realtime.records import Event, Marker

INSTRUMENT = """
import time, pylsl
words = pylsl.StreamOutlet(pylsl.StreamInfo("Stimuli", "Markers", 1, 0, "string", "stimuli"))
numbers = pylsl.StreamOutlet(pylsl.StreamInfo("Buttons", "Markers", 1, 0, "int32", "buttons"))
pylsl.StreamOutlet(pylsl.StreamInfo("mer-live markers somebody", "Markers", 1, 0, "string", "ours"))
for number in range(10**6):
    now = pylsl.local_clock()
    words.push_sample([f"stimulus {number}"], now - 0.125)  # as one that is stamped afterwards
    numbers.push_sample([number], now)
    print(now, flush=True)
    time.sleep(0.25)
"""


@pytest.fixture
def instrument():
    pytest.importorskip("pylsl", exc_type=(ImportError, RuntimeError))
    process = subprocess.Popen([sys.executable, "-c", INSTRUMENT], stdout=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_markers_reach_the_log_the_exports_and_the_timeline(instrument, tmp_path, monkeypatch):
    monkeypatch.setenv("MER_LIVE_LOG", str(tmp_path / "log.sqlite3"))
    clip, kept = demo_start(tmp_path / "short.mp4", 3), tmp_path / "kept.mp4"
    result = CliRunner().invoke(live.main, ["--source", str(clip), "--as-live", "--lsl", "--lsl-markers", "--record", str(kept)])
    instrument.kill()
    pushed = [float(line) for line in instrument.stdout.read().split()]
    assert result.exit_code == 0, result.output
    assert "markers of 'Stimuli'" in result.output and "mer-live markers somebody" not in result.output
    offset = float(re.search(r"its clock \+ ([\d.]+) s", result.output)[1])  # as the outlets tell it

    markers = Log().markers(1)
    assert {marker.stream for marker in markers} == {"Stimuli", "Buttons"} and len(markers) >= 8
    for marker in markers:  # by what each sender wrote, on this machine's one clock
        number = int(marker.label.split()[-1])
        sent = pushed[number] - (0.125 if marker.stream == "Stimuli" else 0)
        assert marker.source == str(clip) and marker.time_s == pytest.approx(sent - offset, abs=0.03)
    shown = CliRunner().invoke(log.main, ["show"])
    assert shown.exit_code == 0 and f"markers {len(markers)}" in shown.output and "Stimuli" in shown.output

    inside = [marker for marker in markers if marker.time_s >= 0]
    CliRunner().invoke(log.main, ["export", str(tmp_path / "s.eaf")])
    tier = [one for one in ET.parse(tmp_path / "s.eaf").iter("TIER") if one.get("TIER_ID").startswith("markers")]
    assert sum(len(one.findall("ANNOTATION")) for one in tier) == len(inside)
    CliRunner().invoke(log.main, ["export", str(tmp_path / "s.csv")])
    with open(tmp_path / "s.markers.csv", encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.DictReader(file))) == len(markers)

    beside = read_markers(kept)  # in the recording's own clock
    assert beside and {marker.label for marker in beside} <= {marker.label for marker in markers}
    again = CliRunner().invoke(replay.main, [str(kept), "--out", str(tmp_path / "out"), "--export", "bids", "--quiet"])
    assert again.exit_code == 0, again.output
    rows = (tmp_path / "out/kept/kept_events.tsv").read_text("utf-8").splitlines()
    assert sum("\tmarker\t" in row for row in rows) == len(beside)
    assert len(Log().markers(2)) == len(beside) and Log().markers(2)[0].source == str(kept)


def test_a_name_that_nobody_has_is_said(tmp_path):
    pytest.importorskip("pylsl", exc_type=(ImportError, RuntimeError))
    result = CliRunner().invoke(live.main, ["--demo", "--seconds", "1", "--lsl-markers", "nobody", "--no-log"])
    assert result.exit_code == 0 and "no stream 'nobody' of markers was heard" in result.output
    result = CliRunner().invoke(live.main, ["--demo", "--seconds", "1", "--no-log", "--lsl-markers", "spotter.nothing=1"])
    assert result.exit_code == 2 and "spotter.nothing" in result.output  # a setting is no name


def some() -> Found:
    event = Event(1, "a.mp4", 0, 1.0, 1.1, 1.2, "surprise", {"surprise": 1.0}, "m", 1.0)
    labels = [(-0.5, "before"), (0.5, "tab\there"), (0.5, "twin"), (0.51, "close"), (2.5, "=late <&>")]
    return Found("a.mp4", [event], markers=[Marker("a.mp4", at, label, "Stimuli") for at, label in labels])


def test_each_format_has_them(tmp_path):
    pytest.importorskip("praatio")
    found = some()
    lanes = [tier for tier in tiers_of(found) if tier.kind == "marker"]
    assert [[(one.begin, one.end, one.value) for one in lane.annotations] for lane in lanes] == [
        [(500, 510, "tab\there"), (510, 550, "close"), (2500, 2540, "=late <&>")],
        [(500, 540, "twin")],
    ]
    for kind, ending in (("elan", ".eaf"), ("textgrid", ".TextGrid"), ("boris", ".txt"), ("bids", ".tsv")):
        write_as(kind, found, tmp_path / f"a{ending}")
    assert [tier.get("TIER_ID") for tier in ET.parse(tmp_path / "a.eaf").iter("TIER")][-2:] == ["markers", "markers 2"]
    assert '"markers"' in (tmp_path / "a.TextGrid").read_text("utf-8") and "=late" in (tmp_path / "a.TextGrid").read_text("utf-8")
    assert "0.500\t\ttab here\t\tmarker of Stimuli\n" in (tmp_path / "a.txt").read_text("utf-8")
    head, *rows = [line.split("\t") for line in (tmp_path / "a.tsv").read_text("utf-8").splitlines()]
    assert ["0.500", "0", "marker", "tab here"] in [row[:4] for row in rows] and all(len(row) == len(head) for row in rows)
    assert [float(row[0]) for row in rows] == sorted(float(row[0]) for row in rows)


def test_the_timeline_draws_them(tmp_path):
    trace = Trace()
    for number in range(100):
        trace.add(number / 25, 1.0, 6.0)
    timeline.draw(tmp_path / "without.png", trace, some().events, "a.mp4")
    timeline.draw(tmp_path / "with.png", trace, some().events, "a.mp4", some().markers)
    without, drawn = (np.asarray(Image.open(tmp_path / f"{name}.png").convert("RGB")).astype(int) for name in ("without", "with"))
    violet = (np.abs(drawn - (0x7A, 0x3E, 0x9D)).sum(axis=2) < 30).sum()
    assert violet > 100 and (np.abs(without - (0x7A, 0x3E, 0x9D)).sum(axis=2) < 30).sum() == 0


def test_lines_that_are_none_are_passed_over(tmp_path):
    markers_beside(tmp_path / "a.mp4").write_text(json.dumps({"time": 1}) + "\n")
    assert read_markers(tmp_path / "a.mp4") == read_markers(tmp_path / "b.mp4") == []
