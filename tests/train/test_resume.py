"""A training is killed at a step, goes on, and comes to the same weights, bit for bit."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from made_methods import WAYS, way

from realtime.errors import UsageError
from train import resume
from train.compute import CPU
from train.measure import evaluate
from train.measure.protocols import PROTOCOLS
from train.methods import method
from train.resume import Keep
from train.settings import chosen
from train.watch import Watch

STEPS = [name for name in WAYS if not name.startswith("kernel_ridge")]  # that is solved at once


class Killed(BaseException):
    """Nobody catches it, as nobody catches a SIGKILL."""


class Heard(Watch):
    def __init__(self):
        self.said = []

    def begin(self, stage, epochs):
        self.said.append((stage, epochs))

    def epoch(self, network=None, **scalars):
        self.said.append(scalars)


def killed_at(monkeypatch, step):
    """The process ends when so many steps of all stages together are done."""
    batches, done = resume.Stage.batches, []

    def counted(stage, drawn):
        for rows in batches(stage, drawn):
            if len(done) == step:
                raise Killed
            done.append(rows)
            yield rows

    monkeypatch.setattr(resume.Stage, "batches", counted)
    return done


def trained(name, magnet, keep):
    samples, model, recipe = way(name, magnet, 6)
    heard = Heard()
    network = method(WAYS[name][0]).fit(samples, model, recipe, 0, heard, CPU, keep)
    return network.state_dict(), heard.said


@pytest.mark.parametrize("name", STEPS)
def test_a_killed_training_comes_to_the_same_weights(name, magnet, tmp_path, monkeypatch):
    with monkeypatch.context() as whole:
        done = killed_at(whole, None)
        weights, told = trained(name, magnet, Keep())
    every = 1 if len(done) < 3 else 2
    for kill in {1, len(done) // 2, len(done) - 1}:
        keep = Keep(tmp_path / str(kill), every)
        with monkeypatch.context() as broken, pytest.raises(Killed):
            killed_at(broken, kill)
            trained(name, magnet, keep)
        torch.rand(7)  # another process has other random numbers
        with monkeypatch.context() as again:
            repeated = killed_at(again, None)
            found, heard = trained(name, magnet, keep)
        assert heard == told
        assert len(repeated) - (len(done) - kill) < every, "a kill costs fewer steps than lie between two savings"
        assert weights.keys() == found.keys() and all(torch.equal(weights[key], found[key]) for key in weights)
        keep.end()
        assert not keep.folder.exists()


def test_what_is_damaged_is_named_and_not_trained_on(magnet, tmp_path, monkeypatch):
    keep = Keep(tmp_path / "fold", 1)
    with monkeypatch.context() as broken, pytest.raises(Killed):
        killed_at(broken, 1)
        trained("ststnet", magnet, keep)
    file = tmp_path / "fold/training.pt"
    file.write_bytes(file.read_bytes()[:500])
    with pytest.raises(UsageError, match=r"training\.pt is damaged .* delete it and run again"):
        trained("ststnet", magnet, keep)


@pytest.mark.parametrize("protocol", ["protocol.inner=0.4", "protocol.leak=true"])
def test_the_best_epoch_so_far_is_kept_with_it(protocol, samples, tmp_path, monkeypatch):
    settings = chosen("model=dual_atme", "protocol=loso", protocol, "fit.epochs=4", "fit.batch=16", "save_every=1", "launcher=inline")
    task = evaluate.Task(0, PROTOCOLS["loso"](samples)[0])

    def fold(out):
        return evaluate.one_fold((settings, samples, False, out), task, lambda message: None)

    with monkeypatch.context() as whole:
        done = killed_at(whole, None)
        wanted = fold(tmp_path / "whole")
    with monkeypatch.context() as broken, pytest.raises(Killed):
        killed_at(broken, 2 * len(done) // 3)
        fold(tmp_path / "broken")
    assert any((tmp_path / "broken/under_way/0").rglob("*.pt"))
    found = fold(tmp_path / "broken")
    np.testing.assert_array_equal(found.probabilities, wanted.probabilities)
    assert (found.leaked is None) == (wanted.leaked is None)
    if wanted.leaked is not None:
        np.testing.assert_array_equal(found.leaked, wanted.leaked)
