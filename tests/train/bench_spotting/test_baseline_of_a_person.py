"""`mer-bench baseline`: the same clips with and without a person's baseline, side by side."""

from types import SimpleNamespace

import numpy as np
from click.testing import CliRunner

from realtime.cli import bench
from realtime.spotting.settings import Baseline
from train.bench import cli
from train.bench.spotting import baselines
from train.bench.spotting.score import Clip, Interval


def outcome(part, way, detected, ready):
    truth = (Interval(1.0, 1.2, 1.4),) if part == "micro" else ()
    found = tuple(Interval(at, at + 0.2, at + 0.4, 0.9, at + 0.5) for at in detected)
    return baselines.Outcome(part, way, Clip(part, "p1", 30.0, 40.0, "", truth, found, ()), ready, 0.975)


def test_both_ways_stand_side_by_side(monkeypatch, tmp_path):
    outcomes = [outcome("micro", "without", [1.0, 9.0], 0.97), outcome("micro", "with", [1.0], 0.03), outcome("none", "without", [5.0], 0.97)]
    outcomes.append(outcome("none", "with", [], 0.03))
    asked = []
    monkeypatch.setattr(baselines, "generate", lambda *about: asked.append(about) or {})
    monkeypatch.setattr(baselines, "measure", lambda *about: (outcomes, [Baseline(confidence=0.7)]))
    result = CliRunner().invoke(cli.main, ["baseline", "--portraits", str(tmp_path), "--clips", str(tmp_path), "--people", "3"])
    assert result.exit_code == 0, result.output
    assert asked[0][:3] == (tmp_path, tmp_path, 3) and bench.main is cli.main
    rows = [line.split("|") for line in baselines.markdown(outcomes, [Baseline(confidence=0.7)]).splitlines() if line.startswith("| ")]
    cells = {(row[1].strip(), row[2].strip()): [cell.strip() for cell in row[3:-1]] for row in rows[1:]}
    assert cells["micro", "without"][:3] == ["1 of 1", "1.00", "0.50"] and cells["micro", "with"][2] == "1.00"
    assert cells["none", "without"][4].startswith("1.50") and cells["none", "with"][4].startswith("0.00")
    assert cells["none", "with"][5:] == ["0.03 s", "97.5 %"]


def test_when_it_is_ready_is_when_it_first_has_a_threshold(monkeypatch):
    readings = [SimpleNamespace(threshold=value, keyframes=None) for value in (np.nan, np.nan, 8.0, 8.0)]
    monkeypatch.setattr(baselines, "Spotter", lambda settings: lambda view: readings[view])
    monkeypatch.setattr(baselines, "views", lambda path: [(at / 10, at) for at in range(4)])
    run = baselines._spot("a.mp4", {"without": None})["without"]
    assert (run.ready, run.judged, run.frames) == (0.2, 2, 4)
