"""The children of `mer-bench gpu` that need no GPU to be run: naming and training, here on the CPU."""

import pytest

torch = pytest.importorskip("torch")

from realtime.naming import examples
from realtime.records import Keyframes
from realtime.warm import views
from train.bench.gpu import (
    naming,
    steps,
)
from train.bench.gpu import training as training


@pytest.fixture
def one_movement(monkeypatch):
    seen = views()
    one = Keyframes(seen[0], seen[1], seen[-1], 1.0, 1.0, between=tuple(seen))
    monkeypatch.setattr(examples, "movements", lambda: [one])


def test_naming_alone_and_all_at_once(one_movement, monkeypatch, capsys):
    monkeypatch.setattr(naming, "ALONE", 3)
    monkeypatch.setattr(naming, "TOGETHER", 4)
    monkeypatch.setattr(naming, "TIMES", 2)
    naming.main("kernel_ridge")
    said = capsys.readouterr().out
    assert "kernel_ridge on ONNX Runtime" in said and "one movement, ms: p50 / p95" in said
    assert "4 movements at once" in said and "of these 4, one thread, ms: one by one" in said and "0 of 1 labels" in said


def test_every_step_of_a_method_is_timed(capsys, monkeypatch):
    monkeypatch.setitem(training.SIZES, "ststnet", (8, {"epochs": training.STEPS, "batch": 8}))
    training.main("ststnet")
    assert "ms a step, median of 8" in capsys.readouterr().out


@pytest.mark.parametrize("name", steps.METHODS)
def test_every_method_takes_the_random_samples(name):
    assert set(training.SHAPES) == set(training.SIZES) == set(steps.METHODS)
    made = training.made(name, 4)
    assert (made.kind == "micro").sum() == 4 and all(len(array) == len(made) for array in made.inputs.values())
