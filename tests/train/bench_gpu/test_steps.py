"""`mer-bench gpu`: its children, its report, and what it says where there is no GPU."""

import os
import sys
import time

import numpy as np
import pytest
from click.testing import CliRunner

from engines import device
from train.bench.cli import main
from train.bench.gpu import steps
from train.bench.gpu.steps import Step


@pytest.fixture
def a_gpu(monkeypatch):
    found = device.Device("NVIDIA H300 (80 GB)", "sm_130", "600.1", "14.0", 81920)
    monkeypatch.setattr(device, "_found", (found, ""))
    monkeypatch.delenv("MER_NO_GPU", raising=False)


def child(code, seconds=20.0, **more):
    return Step(code, [sys.executable, "-c", code], seconds, **more)


def test_a_step_that_fails_hangs_or_crashes_stops_no_other(tmp_path):
    mark = tmp_path / "alive"
    grandchild = f"import time, pathlib; time.sleep(4); pathlib.Path({str(mark)!r}).touch()"
    hangs = f"import subprocess, sys; print('begun', flush=True); subprocess.run([sys.executable, '-c', {grandchild!r}])"
    several = [
        child("import os; print('\\x1b[1mwell\\x1b[0m', os.environ['ASKED'], os.getcwd())", environment={"ASKED": "for"}),
        child("import sys; sys.exit('one line')"),
        child("import os; os.abort()"),
        child(hangs, 1.0),
        child("print(1)", lacks="pycuda not installed"),
        Step("absent", ["/nowhere/at/all"], 5),
        child("print('last')"),
    ]
    begun, told = time.monotonic(), []
    found = list(steps.run(several, begin=told.append))
    assert time.monotonic() - begun < 15 and told == several
    ended = [one.ended for one in found]
    assert ended[:5] == ["done", "failed (exit code 1)", "failed (SIGABRT)", "stopped after 1 s", "left out"]
    assert ended[5].startswith("failed") and ended[6] == "done"
    assert [one.text for one in found[:2]] == ["well for .", "one line"]
    assert found[3].text == "begun" and found[4].text == "pycuda not installed"
    time.sleep(max(0.0, begun + 7 - time.monotonic()))
    assert not mark.exists(), "what a stopped step had started went on"


def test_all_together_have_a_limit():
    found = list(steps.run([child("import time; time.sleep(60)"), child("print(2)")], total=1.0))
    assert [one.ended for one in found] == ["stopped after 1 s", "left out"] and "1 s for all" in found[1].text


def test_every_part_of_the_proof_is_planned(monkeypatch):
    monkeypatch.setattr(steps, "_missing", lambda *modules: "")
    monkeypatch.setattr(steps, "_sanitizer", lambda: "compute-sanitizer")
    titles = {step.title: step for step in steps.plan()}
    assert all(any(name in title for title in titles) for name in ("kernel_ridge", "moext", "sa_at", "skd_tstsan", "dual_atme"))
    assert {"needs_cuda tests", "mer-bench flow", "mer-engine bench", "compute-sanitizer, racecheck"} <= set(titles)
    tests = titles["needs_cuda tests"]
    assert tests.environment["MER_REQUIRE_GPU"] == "1" and "tests/engines/test_cuda_kernels.py" in tests.words
    assert not any(step.lacks for step in titles.values())


def test_the_report_is_written_after_every_step(a_gpu, monkeypatch, tmp_path):
    several = [child("print('```')"), child("import sys; sys.exit(3)"), child("print(1)", lacks="torch not installed")]
    monkeypatch.setattr(steps, "plan", lambda: several)
    monkeypatch.setattr(steps, "REPORTS", tmp_path / "new")
    said = CliRunner().invoke(main, ["gpu"])
    assert said.exit_code == 1, said.output
    text = (tmp_path / "new/nvidia-h300-80-gb.md").read_text("utf-8")
    assert text.startswith("# NVIDIA H300 (80 GB)\n") and "sm_130, 80 GiB, driver 600.1, CUDA 14.0" in text
    assert "| failed (exit code 3) |" in text and "Left out: torch not installed." in text
    assert "````text\n```\n````" in text and str(steps.ROOT) not in text
    monkeypatch.setattr(steps, "plan", lambda: several[:1] + several[2:])
    assert CliRunner().invoke(main, ["gpu", "--out", str(tmp_path / "other.md")]).exit_code == 0
    assert CliRunner().invoke(main, ["gpu", "--out", "/proc/none.md"]).exit_code == 6


def test_without_a_gpu_it_is_one_line(monkeypatch):
    monkeypatch.setenv("MER_NO_GPU", "1")
    said = CliRunner().invoke(main, ["gpu"])
    assert said.exit_code == 7 and said.output.startswith("mer-bench") and len(said.output.splitlines()) == 1


def test_the_gpu_is_found_without_pycuda(monkeypatch, tmp_path):
    monkeypatch.delenv("MER_NO_GPU", raising=False)
    monkeypatch.setattr(device, "_found", (None, "pycuda is not installed"))
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'NVIDIA H200'\necho 'NVIDIA H200'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert steps.gpu() == "NVIDIA H200"
    tool.write_text("#!/bin/sh\nexit 9\n")
    assert steps.gpu() == ""


def test_movements_are_kept_as_plain_arrays(tmp_path, monkeypatch):
    from realtime.errors import UsageError
    from realtime.naming import examples
    from realtime.records import Keyframes
    from realtime.warm import views

    seen = views()
    one = Keyframes(seen[0], seen[1], seen[-1], 3.0, 1.5, confidence=0.75, between=tuple(seen))
    windows = [np.full((2, 3), at, np.float32) for at in range(100)]
    monkeypatch.setattr(examples, "_watched", lambda: ([one, one], windows))
    examples.save(tmp_path / "kept.npz")
    monkeypatch.undo()
    found, kept = examples._kept(tmp_path / "kept.npz")
    assert len(found) == 2 and len(kept) == examples.MOST and kept[-1][0, 0] == 99
    again = found[1]
    assert (again.peak, again.threshold, again.confidence, again.kind) == (3.0, 1.5, 0.75, "micro")
    assert again.apex.box == one.apex.box and again.apex.pts == one.apex.pts and type(again.apex.index) is int
    assert np.array_equal(again.between[2].pixels, seen[2].pixels) and np.array_equal(again.onset.landmarks, seen[0].landmarks)
    (tmp_path / "torn.npz").write_bytes((tmp_path / "kept.npz").read_bytes()[:500])
    with pytest.raises(UsageError, match="MER_EXAMPLES"):
        examples._kept(tmp_path / "torn.npz")
