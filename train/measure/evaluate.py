"""Measuring: each held-out group's predictions are made once, kept in a file, and pooled at the end.

A run that was broken off goes on where it stopped: a fold whose file exists is not trained again.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from realtime.parallel import each
from train import run_folder
from train.data.samples import Samples
from train.measure.metrics import METRICS, groups, interval, scores
from train.measure.protocols import Fold, inner
from train.settings import TrainSettings
from train.watch import Best, Together, Told, Watch


@dataclass(frozen=True)
class Task:
    seed: int
    fold: Fold

    def file(self, out: Path, kind: str = "predictions") -> Path:
        return out / kind / str(self.seed) / f"{self.fold.name.replace('/', '-')}.csv"

    def under_way(self, out: Path) -> Path:
        """Where it is kept until its predictions are there."""
        return self.file(out, "under_way").with_suffix("")


@dataclass(frozen=True, eq=False)
class Result:
    """What a fold came to.

    Attributes:
        probabilities: M×classes float32 of the fold's M test rows.
        leaked: those of the epoch that is best on them.
        answers: those of the network's further classifiers, where it has such.
    """

    probabilities: np.ndarray
    leaked: np.ndarray | None = None
    network: Any = None
    answers: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Pooled:
    """Predictions of everybody who was tested.

    Attributes:
        probabilities: for each seed len(samples)×classes float32.
        leaked: as these, of the epoch that is best on the people who are tested.
        answers: as these, of each further classifier.
    """

    seeds: list[int]
    samples: Samples
    probabilities: list[np.ndarray]
    leaked: list[np.ndarray]
    answers: dict[str, list[np.ndarray]] = field(default_factory=dict)


def cross_validate(
    settings: TrainSettings,
    samples: Samples,
    folds: list[Fold],
    out: Path,
    done: Callable[[Task], None] = lambda task: None,
    earlier: Callable[[Task], None] = lambda task: None,
    tell: Callable[[Task, tuple], None] = lambda task, message: None,
    keep: Callable[[object], None] | None = None,
) -> Pooled:
    """All folds of all seeds, by `settings.launcher`; what is in `out` already is read.

    Args:
        done: called after each fold.
        earlier: for each that was there.
        tell: gets the messages of `train.watch.Told`.
        keep: called with the network of the first seed and the first fold, which is then trained in any case.
    """
    kinds = ("leaked", "predictions") if settings.protocol.leak else ("predictions",)  # the last says that it is whole
    tasks = [Task(seed, fold) for seed in settings.seeds for fold in folds]
    wanted = tasks[0] if keep is not None else None
    missing = [task for task in tasks if task is wanted or not all(task.file(out, kind).exists() for kind in kinds)]
    for task in set(tasks) - set(missing):
        earlier(task)
    shared = settings, samples, keep is not None, out.absolute()
    for task, result in each(one_fold, shared, missing, settings.launcher, settings.workers, tell, settings.device != "cpu"):
        if result.network is not None and keep is not None:
            keep(result.network)
        test = samples[task.fold.test]
        if result.leaked is not None:
            run_folder.save_predictions(task.file(out, "leaked"), test, result.leaked)
        for name, probabilities in result.answers.items():
            run_folder.save_predictions(task.file(out, f"answers/{name}"), test, probabilities)
        run_folder.save_predictions(task.file(out), test, result.probabilities)
        shutil.rmtree(task.under_way(out), ignore_errors=True)
        done(task)
    shutil.rmtree(out / "under_way", ignore_errors=True)

    rows = np.concatenate([fold.test for fold in folds])
    order = np.argsort(rows, kind="stable")

    def pooled(kind: str) -> list[np.ndarray]:
        of_fold = {fold.name: samples[fold.test] for fold in folds}
        parts = [[run_folder.read_predictions(Task(seed, fold).file(out, kind), of_fold[fold.name]) for fold in folds] for seed in settings.seeds]
        return [np.concatenate(part)[order] for part in parts]

    leaked = pooled("leaked") if settings.protocol.leak else []
    answers = {folder.name: pooled(f"answers/{folder.name}") for folder in sorted(out.glob("answers/*"))}
    return Pooled(settings.seeds, samples[rows[order]], pooled("predictions"), leaked, answers)


def one_fold(shared: tuple[TrainSettings, Samples, bool, Path], task: Task, tell: Callable[[tuple], None]) -> Result:
    """Train on the fold's training people, predict its test people. Nothing here looks at the test people before that,
    but for protocol.leak, whose finds go a way of their own. A fold that was broken off goes on where it was.
    """
    import cv2
    import torch

    from train.compute import answers, threads

    settings, samples, keep, out = shared
    tell(("start",))
    torch.set_num_threads(threads(settings))
    cv2.setNumThreads(1)
    test = samples[task.fold.test]
    leaking = test if settings.protocol.leak else None
    fitted = fit(settings, samples[task.fold.training], task.seed, Told(tell), task.under_way(out), leaking)

    every = answers(fitted.network, _renumbered(test, fitted.shown))
    others = {name: _spread(probabilities, fitted.shown, samples.classes) for name, probabilities in every.items()}
    found = others.pop("")
    leaked = None
    if settings.protocol.leak:
        # a method without epochs has no best one: its leaked result is the honest one
        leaked = found if fitted.leaked is None else _spread(fitted.leaked, fitted.shown, samples.classes)
    tell(("end",))
    return Result(found, leaked, fitted.network if keep and task.seed == settings.seeds[0] else None, others)


def one_style(shared: tuple[TrainSettings, Samples, Path], task: Task, tell: Callable[[tuple], None]) -> object:
    """SA-AT's style generators of the fold's training people."""
    import torch

    from train.compute import compute, threads
    from train.methods.sa_at.style_training import fit_style
    from train.resume import Keep

    settings, samples, out = shared
    tell(("start",))
    torch.set_num_threads(threads(settings))
    where = compute(settings.device, settings.precision)
    training, _ = learnable(samples[task.fold.training])
    with where.spoken_for():
        style = fit_style(training, settings.model, settings.fit, task.seed, Told(tell), where, Keep(task.under_way(out), settings.save_every))
    tell(("end",))
    return style


@dataclass(frozen=True, eq=False)
class Fitted:
    """A trained network, and the classes that it knows.

    Attributes:
        shown: the classes that the network has an output for.
        leaked: see `Result`, one column for each of those.
    """

    network: Any
    shown: np.ndarray
    leaked: np.ndarray | None


def fit(settings: TrainSettings, training: Samples, seed: int, watch: Watch, folder: Path, test: Samples | None = None) -> Fitted:
    """The network as `settings` say: after the last epoch, or (protocol.inner) after the one best on people held back.

    Args:
        folder: where it is kept every `settings.save_every` steps, and taken up again after a kill.
        test: only for protocol.leak. It changes nothing in the network.
    """
    from train.compute import compute
    from train.methods import learns, method
    from train.resume import Keep

    back = None
    if settings.protocol.inner:
        rows, held_back = inner(training, settings.protocol.inner, seed)
        training, back = training[rows], training[held_back]
    training, shown = learnable(training, learns(settings.model))
    best = None if back is None else Best(_renumbered(back, shown), "inner")
    leak = None if test is None else Best(_renumbered(test, shown), "leak", keep=False)
    together = Together(*(one for one in (best, leak, watch) if one is not None))
    where = compute(settings.device, settings.precision)
    beside = {name: one for name, one in (("best", best), ("leak", leak)) if one is not None}
    kept = Keep(folder, settings.save_every, **beside)
    with where.spoken_for():
        network = method(settings.model.name).fit(training, settings.model, settings.fit, seed, together, where, kept)
    if best is not None:
        if not best.at:
            name = settings.model.name
            watch.say(f"model={name} has no epochs to choose from: protocol.inner only takes people away")
        network = best.restore(network).eval()
    return Fitted(network, shown, None if leak is None else leak.probabilities)


def learnable(training: Samples, learns: tuple[str, ...] = ("micro",)) -> tuple[Samples, np.ndarray]:
    """(those of a class that a micro-expression shows, or what else the method `learns` from, renumbered; the classes).

    A class that only the held-out person shows cannot be learnt: the network gets no output for it.
    """
    shown = np.unique(training.label[training.labelled(learns)])
    if len(shown) < len(training.classes):
        training = _renumbered(training[np.isin(training.label, shown) | training.pretraining], shown)
    return training, shown


def summarise(pooled: Pooled) -> dict:
    """{"seeds": {seed: scores}, "mean", "sd", "interval", "ensemble"}, each by data set.

    ensemble: the scores of the probabilities averaged over seeds. interval: see `metrics.interval`, of the mean. "answers" holds the
    same of each further classifier, where there are such.
    """
    summary = _summary(pooled.seeds, pooled.samples, pooled.probabilities)
    others = {name: _summary(pooled.seeds, pooled.samples, probabilities) for name, probabilities in pooled.answers.items()}
    return summary | ({"answers": others} if others else {})


def leak(pooled: Pooled) -> dict:
    """The diagnostic: honest scores, those with the best epoch picked on the test people, and what that pretends."""
    honest, leaked = (_summary(pooled.seeds, pooled.samples, p)["mean"] for p in (pooled.probabilities, pooled.leaked))
    gap = {group: {name: leaked[group][name] - value for name, value in of.items()} for group, of in honest.items()}
    return {
        "warning": "a diagnostic: 'leaked' picks the best epoch on the people who are tested, it is no accuracy",
        "honest": honest,
        "leaked": leaked,
        "gap": gap,
    }


def _summary(seeds: list[int], samples: Samples, probabilities: list[np.ndarray]) -> dict:
    classes = len(samples.classes)

    def scored(p: np.ndarray) -> dict:
        return scores(samples.label, p.argmax(1), samples.dataset, classes)

    one_each = [scored(p) for p in probabilities]
    summary = {"seeds": {str(seed): result for seed, result in zip(seeds, one_each, strict=True)}}
    for name, statistic in (("mean", np.mean), ("sd", _sd)):
        summary[name] = {group: {metric: float(statistic([one[group][metric] for one in one_each])) for metric in METRICS} for group in one_each[0]}
    summary["interval"] = {
        group: interval(samples.label[rows], [p.argmax(1)[rows] for p in probabilities], samples.person[rows], classes)
        for group, rows in groups(samples.dataset).items()
    }
    summary["ensemble"] = scored(np.mean(probabilities, axis=0))
    return summary


def _renumbered(samples: Samples, shown: np.ndarray) -> Samples:
    """The same samples with `shown` as the classes; label −1 where a sample is of none of them."""
    label = np.where(np.isin(samples.label, shown), np.searchsorted(shown, samples.label), -1)
    return replace(samples, label=label, classes=tuple(samples.classes[k] for k in shown))


def _spread(probabilities: np.ndarray, shown: np.ndarray, classes: tuple[str, ...]) -> np.ndarray:
    """N×len(shown) → N×classes: 0 for the classes that the network does not know."""
    whole = np.zeros((len(probabilities), len(classes)), np.float32)
    whole[:, shown] = probabilities
    return whole


def _sd(values: list[float]) -> float:
    """Of a sample (n − 1); 0 where there is one value only."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
