"""What libraries would tell their makers is off before they are loaded, and what one of them left is removed."""

import json
import subprocess
import sys

import pytest
from user_environment import bare

from engines import environment


@pytest.mark.parametrize("first", ["engines.onnx", "realtime.output.log", "train.measure.metrics"])
def test_whatever_of_ours_comes_first_has_switched_it_off(first):
    code = f"import {first}, json, os; print(json.dumps(dict(os.environ)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=bare())
    assert json.loads(done.stdout).items() >= environment.SWITCHES.items()


def test_onnx_runtime_leaves_nothing_in_the_cache(tmp_path):
    for first in ("import engines", "pass"):
        code = f"{first}; import onnxruntime"
        subprocess.run([sys.executable, "-c", code], check=True, env={**bare(), "XDG_CACHE_HOME": str(tmp_path)})
        left = list(tmp_path.rglob("deviceid"))
        assert bool(left) == (first == "pass"), "it may leave nothing any more: then the switch can go"


def test_only_what_onnx_runtime_left_is_removed(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = tmp_path / "Microsoft/DeveloperTools/.onnxruntime"
    folder.mkdir(parents=True)
    for name in (*environment.LEFT, "model.cache"):
        (folder / name).write_text("x")
    environment.forget_telemetry()
    assert [path.name for path in folder.iterdir()] == ["model.cache"]
    (folder / "model.cache").unlink()
    environment.forget_telemetry()
    assert not list(tmp_path.iterdir())
    environment.forget_telemetry()  # nothing there: no error


def test_a_user_without_a_home_is_no_error(monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)

    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(environment.Path, "home", homeless)
    environment.forget_telemetry()
