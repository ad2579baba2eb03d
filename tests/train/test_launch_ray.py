"""Folds on a local Ray with two workers; one of them is killed."""

import os
import signal
import time

import pytest

pytest.importorskip("torch")
pytest.importorskip("ray")

from realtime.errors import MissingPartError, UsageError
from realtime.parallel import Failed, each, outcomes
from realtime.parallel.cluster import connected
from train.data.loaders.megc2019 import load_flow
from train.measure import evaluate
from train.measure.protocols import loso
from train.settings import chosen


@pytest.fixture(scope="module", autouse=True)
def local_ray():
    """One for all tests: it takes its time to start."""
    with pytest.MonkeyPatch.context() as patched:
        patched.delenv("RAY_ADDRESS", raising=False)
        patched.setenv("RAY_worker_niceness", "0")  # on a busy machine Ray's polite workers hardly start
        with connected(2) as ray:
            yield ray


def settings(launcher):
    return chosen("model=svm", "protocol=loso", "seeds=[0]", f"launcher={launcher}", "workers=2")


def test_a_killed_worker_costs_nothing_and_the_figures_are_the_local_ones(archive, tmp_path, monkeypatch):
    samples = load_flow(archive, "flow_map")
    folds = loso(samples)
    local = evaluate.cross_validate(settings("inline"), samples, folds, tmp_path / "inline")
    log, one_fold = tmp_path / "log", evaluate.one_fold

    def deadly(shared, task, tell):  # a closure, so that it travels to the workers as it is
        before = log.read_text().split() if log.exists() else []
        with open(log, "a") as file:
            file.write(f"{task.fold.name}\n")
        if task.fold.name == "samm/1" and task.fold.name not in before:
            os.kill(os.getpid(), signal.SIGKILL)
        tell(("say", task.fold.name))
        return one_fold(shared, task, tell)

    monkeypatch.setattr(evaluate, "one_fold", deadly)
    out, done, told = tmp_path / "ray", [], []
    (out / "predictions/0").mkdir(parents=True)
    finished = "predictions/0/casme2-1.csv"
    (out / finished).write_text((tmp_path / "inline" / finished).read_text())
    far = evaluate.cross_validate(
        settings("ray"),
        samples,
        folds,
        out,
        done=lambda task: done.append(task.fold.name),
        tell=lambda task, message: told.append(message),
    )
    assert (far.probabilities[0] == local.probabilities[0]).all()
    others = sorted(fold.name for fold in folds if fold.name != "casme2/1")  # finished before: never repeated
    assert sorted(done) == others and sorted(log.read_text().split()) == sorted([*others, "samm/1"])
    assert sorted(m[1] for m in told if m[0] == "say") == others


def test_messages_come_while_the_task_runs(tmp_path):
    """Each task ends only when its message has been heard here."""
    heard = []

    def work(shared, task, tell):
        tell(("epoch", task))
        while not (tmp_path / str(task)).exists():
            time.sleep(0.05)
        tell(("end", task))
        return task

    def hear(task, message):
        heard.append((task, message))
        (tmp_path / str(task)).touch()

    for task, result in each(work, None, [1, 2], "ray", 2, hear):
        assert task == result and [m for t, m in heard if t == task] == [("epoch", task), ("end", task)]


def test_a_fold_goes_on_where_its_worker_was_killed(samples, tmp_path, monkeypatch):
    words = "model=dual_atme", "protocol=loso", "seeds=[0]", "workers=2", "fit.epochs=3", "fit.batch=4", "save_every=2"
    settings = chosen(*words, "launcher=ray")
    folds = loso(samples)[:2]
    whole = evaluate.cross_validate(chosen(*words, "launcher=inline"), samples, folds, tmp_path / "inline")
    kept, one_fold = tmp_path / "ray/under_way/0" / folds[0].name.replace("/", "-") / "training.pt", evaluate.one_fold
    log = tmp_path / "log"

    def deadly(shared, task, tell):
        def told(message):
            tell(message)
            if message[0] == "epoch" and kept.exists() and not log.exists():
                log.write_text(kept.read_bytes().hex())
                os.kill(os.getpid(), signal.SIGKILL)

        return one_fold(shared, task, told)

    monkeypatch.setattr(evaluate, "one_fold", deadly)
    messages = []
    far = evaluate.cross_validate(settings, samples, folds, tmp_path / "ray", tell=lambda task, message: messages.append((task.fold.name, message)))
    assert log.exists() and (far.probabilities[0] == whole.probabilities[0]).all()
    assert not (tmp_path / "ray/under_way").exists()
    assert [m[0] for name, m in messages if name == folds[0].name].count("start") == 2


def test_an_error_of_the_user_keeps_its_kind():
    def fail(shared, task, tell):
        raise UsageError(f"{task} is wrong")

    with pytest.raises(UsageError, match="^7 is wrong$"):
        list(each(fail, None, [7], "ray", 1, lambda task, message: None))


def test_no_ray_and_no_cluster_are_one_line(local_ray, monkeypatch):
    with monkeypatch.context() as without:
        without.setitem(__import__("sys").modules, "ray", None)
        with pytest.raises(MissingPartError, match=r"mer-live\[cluster\]"):
            list(each(print, None, [1], "ray"))
    monkeypatch.setattr(local_ray, "is_initialized", lambda: False)
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with pytest.raises(MissingPartError, match="RAY_ADDRESS=127.0.0.1:1"):
        list(each(print, None, [1], "ray"))


def test_what_fails_is_tried_once_more_and_then_given_back(tmp_path):
    log = tmp_path / "log"

    def fail(shared, task):
        with open(log, "a") as file:
            file.write(f"{task}\n")
        if task == "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        raise UsageError("wrong")

    tasks, failed = ["dies", "fails"], lambda result: isinstance(result, Failed)
    found = dict(outcomes(fail, None, tasks, "ray", 2, again=failed))
    assert found["dies"].killed and not found["fails"].killed and str(found["fails"].error) == "wrong"
    assert sorted(log.read_text().split()) == ["dies", "dies", "fails", "fails"]


def test_a_ray_that_is_there_is_used_and_stays(local_ray):
    assert list(each(lambda shared, task, tell: task, None, [3], "ray", 1, lambda task, message: None)) == [(3, 3)]
    with connected() as same:
        assert same is local_ray
    assert local_ray.is_initialized()
