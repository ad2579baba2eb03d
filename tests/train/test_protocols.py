"""Who is tested on what, the figures of it, and what a run leaves in its folder."""

import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch")

from realtime import parallel
from realtime.errors import MerError, UsageError
from train.cli import main
from train.data.samples import Samples
from train.measure import (
    evaluate,
    metrics,
)
from train.measure.protocols import PROTOCOLS, check, holdout, inner, join
from train.settings import chosen
from train.watch import Best


def made(rows, classes=("negative", "positive", "surprise")):
    """Samples of (person, kind, label); the set is what stands before the slash."""
    person, kind, label = (np.array(column) for column in zip(*rows))
    dataset = np.array([name.split("/")[0] for name in person])
    names = np.array([f"clip{k}" for k in range(len(rows))])
    return Samples({"x": np.zeros((len(rows), 1), np.float32)}, label.astype(np.int64), person, dataset, kind, names, classes)


@pytest.fixture
def mixed():
    """Three people of two sets, with macro-expressions and stills beside the micro-expressions."""
    rows = [(p, "micro", k) for p in ("a/1", "a/2", "b/1") for k in (0, 1, 2)]
    return made(rows + [("a/1", "macro", 0), ("b/1", "macro", 1), ("c/1", "image", 2)])


@pytest.mark.parametrize(
    "protocol, names",
    [
        ("loso", ["a/1", "a/2", "b/1"]),
        ("cde", ["a/1", "a/2", "b/1"]),
        ("hde", ["a", "b"]),
        ("folds", ["1", "2"]),
    ],
)
def test_micro_is_tested_once_and_nobody_is_on_both_sides(mixed, protocol, names):
    folds = PROTOCOLS[protocol](mixed, 2, 0)
    assert [fold.name for fold in folds] == names
    assert sorted(np.concatenate([fold.test for fold in folds])) == list(range(9))
    for fold in folds:
        assert not set(mixed.person[fold.test]) & set(mixed.person[fold.training])
        assert "c/1" in mixed.person[fold.training]  # stills of strangers teach in every fold
    if protocol == "loso":
        macro = [set(mixed.person[fold.training][mixed.kind[fold.training] == "macro"]) for fold in folds]
        assert macro == [{"b/1"}, {"a/1", "b/1"}, {"a/1"}]  # pre-training never sees the held-out person


def test_folds_depend_on_the_grouping_only(mixed):
    groups = [[fold.test.tolist() for fold in PROTOCOLS["folds"](mixed, 2, grouping)] for grouping in (0, 0, 4)]
    assert groups[0] == groups[1] != groups[2]


def test_what_cannot_be_split_is_said(mixed):
    one_set = mixed[mixed.dataset == "a"]
    for protocol in ("cde", "hde"):
        with pytest.raises(UsageError, match="two sets or more, got a"):
            PROTOCOLS[protocol](one_set)
    with pytest.raises(UsageError, match="count=5 groups of 3 people"):
        PROTOCOLS["folds"](mixed, 5)
    with pytest.raises(UsageError, match="a/1 is in the training set and in data.test"):
        holdout(mixed, one_set)
    alone = mixed[mixed.person == "a/1"]
    with pytest.raises(UsageError, match="without a/1 .* 0 classes"):
        check(alone, PROTOCOLS["loso"](alone))


def test_holdout_trains_on_one_set_and_tests_the_micro_expressions_of_the_other(mixed):
    other = made([("d/1", "micro", 0), ("d/1", "macro", 0), ("d/2", "micro", 1)])
    together, (fold,) = holdout(mixed, other)
    assert len(together) == 15 and fold.training.tolist() == list(range(12)) and fold.test.tolist() == [12, 14]


def test_a_class_that_one_person_shows_is_named(mixed):
    rows = ~((mixed.label == 2) & (mixed.person != "a/2"))
    (line,) = check(mixed[rows], PROTOCOLS["loso"](mixed[rows]))
    assert "only a/2 shows the class 'surprise'" in line


def test_the_epoch_is_chosen_on_people_that_nobody_trains_on(mixed):
    rows, back = inner(mixed, 0.34, 7)
    assert set(mixed.person[back]).isdisjoint(mixed.person[rows]) and set(mixed.kind[back]) == {"micro"}
    assert len(set(mixed.person[back])) == 1 and set(mixed.label[rows]) == {0, 1, 2}
    assert inner(mixed, 0.34, 7)[0].tolist() == rows.tolist()


def test_scores_are_scikit_learns():
    from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, recall_score

    random = np.random.default_rng(0)
    truth, group = random.integers(0, 5, 300), random.choice(["a", "b"], 300)
    predicted = np.where(random.random(300) < 0.6, truth, random.integers(0, 5, 300))
    found = metrics.scores(truth, predicted, group, 5)
    for name, rows in {"all": np.full(300, True), "a": group == "a", "b": group == "b"}.items():
        pair = truth[rows], predicted[rows]
        assert found[name]["uf1"] == pytest.approx(f1_score(*pair, average="macro"))
        assert found[name]["uar"] == pytest.approx(recall_score(*pair, average="macro"))
        assert found[name]["accuracy"] == pytest.approx(accuracy_score(*pair))
        assert found[name]["confusion"] == confusion_matrix(*pair).tolist()


def test_the_interval_draws_whole_people():
    person = np.repeat([f"p{k}" for k in range(20)], 10)
    truth = np.tile([0, 1], 100)
    all_or_nothing = np.where(np.isin(person, [f"p{k}" for k in range(10)]), truth, 1 - truth)
    by_clip = np.where(np.arange(200) % 4 < 2, truth, 1 - truth)  # as many right, but half of each person's
    wide = metrics.interval(truth, [all_or_nothing], person, 2)["accuracy"]
    narrow = metrics.interval(truth, [by_clip], person, 2)["accuracy"]
    assert wide[0] < 0.35 and wide[1] > 0.65 and narrow[1] - narrow[0] < 0.1
    assert wide == metrics.interval(truth, [all_or_nothing], person, 2)["accuracy"]


class Says(torch.nn.Module):
    """A "network" that gives its weights as probabilities."""

    def __init__(self):
        super().__init__()
        self.p = torch.nn.Parameter(torch.zeros(2))

    def forward(self, x):
        return self.p.softmax(0).expand(len(x), 2)


def test_the_best_epoch_is_kept_and_restored():
    samples = made([("a/1", "micro", 0), ("a/2", "micro", 0)], ("no", "yes"))
    best, network = Best(samples, "inner"), Says().train()
    for weights in [(0, 1), (2, 0), (1, 0), (0, 3)]:
        network.p.data = torch.tensor(weights, dtype=torch.float32)
        said = best.epoch(network)
    assert best.at == 2 and said == {"inner_uf1": 0, "inner_best": 1} and network.training
    assert best.restore(network).p.tolist() == [2, 0]


# -- as a person runs it --------------------------------------------------------------------------------------------

QUICK = ["model=dual_atme", "launcher=inline", "fit.epochs=2", "seeds=[0]"]


def mer_train(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture(scope="module")
def leaky(archive, tmp_path_factory):
    out = tmp_path_factory.mktemp("leaky")
    result = mer_train(*QUICK, "protocol=hde", "protocol.leak=true", "protocol.inner=0.3", f"data.path={archive}", f"out={out}")
    assert result.exit_code == 0, result.output
    return out, result.output


def test_the_run_folder_can_be_read_without_the_data(leaky, samples):
    out, printed = leaky
    assert " [" in printed and "\\[" not in printed
    lines = (out / "predictions/0/samm.csv").read_text().splitlines()
    assert lines[0] == "name,person,dataset,label,predicted,negative,positive,surprise" and len(lines) == 11
    results = json.loads((out / "results.json").read_text())
    found = [line.split(",")[3:5] for file in (out / "predictions/0").iterdir() for line in file.read_text().splitlines()[1:]]
    assert results["mean"]["all"]["accuracy"] == pytest.approx(np.mean([label == predicted for label, predicted in found]))
    low, high = results["interval"]["all"]["uf1"]
    assert 0 <= low <= results["mean"]["all"]["uf1"] <= high <= 1
    (about,) = json.loads((out / "about.json").read_text())
    assert {"torch", "numpy", "python", "mer-live", "opencv-contrib-python", "scikit-learn"} <= set(about["versions"])
    assert about["seeds"] == [0] and "git" in about and (out / "config.yaml").exists()
    for name in ("all", "casme2", "samm", "smic"):
        assert (out / f"confusion-{name}.png").read_bytes().startswith(b"\x89PNG")
    assert not list(out.rglob(".*"))


def test_curves_hold_every_epoch(leaky):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    curves = EventAccumulator(str(leaky[0] / "curves/0/casme2"))
    curves.Reload()
    assert {"training/loss", "training/inner_uf1", "training/leak_uf1"} <= set(curves.Tags()["scalars"])
    assert [point.step for point in curves.Scalars("training/loss")] == [1, 2]


def test_the_leak_is_a_diagnostic_and_never_an_accuracy(leaky, archive, tmp_path):
    out, said = leaky
    found = json.loads((out / "leak.json").read_text())
    results = json.loads((out / "results.json").read_text())
    assert "DIAGNOSTIC, no result" in said and "leak" not in json.dumps({**results, "settings": None})
    assert found["honest"] == results["mean"]
    for group, gap in found["gap"].items():
        assert gap["uf1"] == pytest.approx(found["leaked"][group]["uf1"] - found["honest"][group]["uf1"])
    refused = mer_train(*QUICK, f"data.path={archive}", f"out={tmp_path}", f"accuracy={out / 'leak.json'}")
    assert refused.exit_code == 2 and "is not the results.json" in refused.output


def test_looking_at_the_test_people_changes_nothing_in_the_network(archive, samples, tmp_path):
    found = []
    fold = PROTOCOLS["loso"](samples)[0]
    for leak in (False, True):
        settings = chosen("model=dual_atme", "fit.epochs=2", "seeds=[0]", "launcher=inline")
        settings.protocol.name, settings.protocol.leak = "loso", leak
        found.append(evaluate.one_fold((settings, samples, False, tmp_path / str(leak)), evaluate.Task(0, fold), lambda message: None))
    np.testing.assert_array_equal(found[0].probabilities, found[1].probabilities)
    assert found[0].leaked is None and found[1].leaked.shape == found[1].probabilities.shape


def test_a_killed_run_goes_on_and_a_strange_file_is_refused(leaky, archive, monkeypatch):
    out, _ = leaky
    words = *QUICK, "protocol=hde", "protocol.leak=true", "protocol.inner=0.3", f"data.path={archive}", f"out={out}"
    before = (out / "results.json").read_text()
    (out / "predictions/0/smic.csv").unlink()  # killed after the leaked file, before this one
    done = []
    one_fold = evaluate.one_fold
    monkeypatch.setattr(evaluate, "one_fold", lambda shared, task, tell: done.append(task.fold.name) or one_fold(shared, task, tell))
    assert mer_train(*words).exit_code == 0
    assert done == ["smic"] and (out / "results.json").read_text() == before
    assert len(json.loads((out / "about.json").read_text())) == 2
    file = out / "predictions/0/smic.csv"
    whole = file.read_text()
    for text, says in ((whole[:200], "damaged"), (whole.replace("smic/1", "smic/9"), "other samples")):
        file.write_text(text)
        result = mer_train(*words)
        assert result.exit_code == 2 and says in result.output and "smic.csv" in result.output
    file.write_text(whole)
    other = mer_train("model=svm", *words[1:2], "seeds=[0]", "protocol=hde", f"data.path={archive}", f"out={out}")
    assert other.exit_code == 2 and "other model" in other.output


def test_a_class_of_one_person_is_warned_of_and_counts_as_wrong(archive, tmp_path):
    with np.load(archive) as file:
        x, label, subject, dataset = (file[name] for name in ("x", "label", "subject", "dataset"))
    keep = (label != 2) | ((dataset == "samm") & (subject == "2"))
    path = tmp_path / "few.npz"
    np.savez(path, x=x[keep], label=label[keep], subject=subject[keep], dataset=dataset[keep])
    result = mer_train("model=svm", "launcher=inline", "seeds=[0]", "protocol=loso", f"data.path={path}", f"out={tmp_path / 'out'}")
    assert result.exit_code == 0 and "only samm/2 shows the class 'surprise'" in result.output
    assert json.loads((tmp_path / "out/results.json").read_text())["seeds"]["0"]["all"]["confusion"][2][2] == 0


def test_holdout_exports_the_network_that_was_measured(archive, tmp_path):
    with np.load(archive) as file:
        arrays = {name: file[name] for name in file.files}
    test = tmp_path / "test.npz"
    np.savez(test, **{**arrays, "subject": np.char.add("new", arrays["subject"])})
    out = tmp_path / "out"
    words = "protocol=holdout", "protocol.export=true", f"data.test=[{test}]", f"data.path={archive}", f"out={out}"
    result = mer_train("model=svm", "launcher=inline", "seeds=[0]", *words)
    assert result.exit_code == 0, result.output
    manifest = json.loads((out / "svm.json").read_text())
    assert manifest["accuracy"]["protocol"].startswith("trained on 6 people, tested on 6 others")
    assert manifest["accuracy"]["all"]["uf1"] == json.loads((out / "results.json").read_text())["mean"]["all"]["uf1"]


def test_a_killed_training_process_is_one_line_and_the_rest_is_kept():
    def each(tasks):
        return parallel.each(_die_at_two, None, tasks, "processes", 1, lambda task, message: None)

    done = []
    with pytest.raises(MerError, match="killed"):
        for task, _ in each([1, 2, 3]):
            done.append(task)
    assert done == [1]


def _die_at_two(shared, task, tell):
    import os
    import signal

    if task == 2:
        os.kill(os.getpid(), signal.SIGKILL)


def test_what_a_worker_tells_arrives_in_order():
    heard = []
    tasks = [1, 2]
    done = dict(parallel.each(_talk, 10, tasks, "processes", 2, lambda task, message: heard.append((task, message))))
    assert done == {1: 11, 2: 12} and sorted(heard) == [(t, (f"{t}", k)) for t in tasks for k in range(3)]
    assert all([k for task, (_, k) in heard if task == t] == [0, 1, 2] for t in tasks)


def _talk(shared, task, tell):
    for k in range(3):
        tell((f"{task}", k))
    return shared + task


def test_what_serves_pre_training_alone_is_never_tested_nor_seen_of_a_person_who_is(mixed):
    further = made([("a/1", "micro", 0), ("d/1", "micro", 1), ("d/1", "macro", -1)])
    samples = join(mixed, replace(further, pretraining=np.ones(3, bool)))
    for name in PROTOCOLS:
        folds = PROTOCOLS[name](samples, 2, 0)
        assert {fold.name for fold in folds} == {fold.name for fold in PROTOCOLS[name](mixed, 2, 0)}
        for fold in folds:
            assert not samples.pretraining[fold.test].any()
            assert not set(samples.person[fold.test]) & set(samples.person[fold.training])
            assert {13, 14} <= set(fold.training.tolist())  # d/1's, who is nobody's test
    back, chosen_by = inner(samples, 0.3, 0)
    assert not samples.pretraining[chosen_by].any() and not set(samples.person[back]) & set(samples.person[chosen_by])
    with pytest.raises(UsageError, match="d/1 is in the training set and in data.test"):
        holdout(samples, made([("d/1", "micro", 1)]))
