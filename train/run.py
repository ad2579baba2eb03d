"""One run of `mer-train`: measure a recipe, or train on everyone and export. Writes only under `settings.out`."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from rich.console import Console

from realtime.errors import MissingPartError, OutputError, UsageError
from realtime.parallel import each
from train import run_folder
from train.data import load
from train.data.grouping import check_composite
from train.data.samples import Samples
from train.measure import reports
from train.measure.evaluate import Pooled, Task, cross_validate, fit, leak, learnable, one_style, summarise
from train.measure.metrics import calibration
from train.measure.protocols import PROTOCOLS, Fold, check, holdout, join
from train.settings import TrainSettings

OF_PORTRAITS = ("verifier", "action_units")


def run(settings: TrainSettings, console: Console) -> Path:
    """Do what the settings say; returns the folder of results.

    Raises:
        MerError: a person can put it right.
    """
    out = Path(settings.out)
    if settings.model.name in OF_PORTRAITS or settings.data.name == "portraits":
        try:
            return _of_portraits(settings, out, console)
        except OSError as error:
            raise _unwritable(out, error) from error
    from train.compute import compute
    from train.methods import takes

    compute(settings.device, settings.precision)  # now, not after the samples were read
    if hasattr(settings.model, "check_files") and not settings.stage:
        settings.model.check_files()
    if find_spec("tensorboard") is None:
        raise MissingPartError("tensorboard is not installed: pip install 'mer-live[train]'")
    samples = load(settings.data, takes(settings.model), _say(console))
    if settings.data.grouping == "megc2019":
        micro = samples.only("micro")
        for line in check_composite(micro.dataset, micro.person, np.array(samples.classes)[micro.label]):
            console.print(f"not the whole composite: {line}", style="yellow", soft_wrap=True)
    samples = replace(samples, tested=settings.protocol.tested or "micro")
    everyone, folds = samples, None
    if settings.protocol.name == "holdout":
        samples, folds = holdout(everyone, _tested(settings, takes(settings.model), _say(console)))
    elif settings.protocol.name != "everyone":
        folds = PROTOCOLS[settings.protocol.name](samples, settings.protocol.count, settings.protocol.grouping)
    try:
        run_folder.claim(out, settings, samples)
        if settings.stage:
            return _style(settings, samples, folds, out, console)
        if folds is None:
            return _everyone(settings, samples, out, console)
        return _measure(settings, samples, folds, everyone, out, console)
    except OSError as error:
        raise _unwritable(out, error) from error


def _unwritable(out: Path, error: OSError) -> OutputError:
    return OutputError(f"cannot write results to {out} ({error}): choose another folder with out=DIR")


def _style(settings: TrainSettings, samples: Samples, folds: list[Fold] | None, out: Path, console: Console) -> Path:
    """SA-AT's style generators alone, for model.style_file of later runs on the same people: of all, or a file for each fold."""
    from train.methods.sa_at.style_training import SUFFIX, save_style
    from train.progress import Folds

    everyone = Fold("style", np.arange(len(samples)), np.array([], int))
    wanted = out / "style" if folds else out / f"style{SUFFIX}"
    tasks = [Task(settings.seeds[0], fold) for fold in folds or [everyone]]
    files = {task: wanted / f"{task.file(out).stem}{SUFFIX}" if folds else wanted for task in tasks}
    with Folds(console, "style generators", len(tasks), out) as shown:
        for task in tasks:
            if files[task].exists():
                shown.earlier(task)
        missing = [task for task in tasks if not files[task].exists()]
        shared = settings, samples, out.absolute()
        for task, style in each(one_style, shared, missing, settings.launcher, settings.workers, shown.tell, settings.device != "cpu"):
            save_style(style, learnable(samples[task.fold.training])[0], files[task])
            shutil.rmtree(task.under_way(out), ignore_errors=True)
            shown.done(task)
    console.print(f"wrote {wanted}: use it with {shlex.quote(f'model.style_file={wanted}')}", soft_wrap=True)
    return out


def _of_portraits(settings: TrainSettings, out: Path, console: Console) -> Path:
    """What is trained on people that are made on the way."""
    if settings.model.name not in OF_PORTRAITS or settings.data.name != "portraits":
        raise UsageError(f"{' or '.join(f'model={name}' for name in OF_PORTRAITS)} goes with data=portraits: give both, or neither")
    from train.methods import method

    return method(settings.model.name).run(settings, out, console)


def _say(console: Console) -> Callable[[str], None]:
    return lambda line: console.print(line, highlight=False, soft_wrap=True)


def _tested(settings: TrainSettings, takes: str, say: Callable[[str], None]) -> Samples:
    """The samples of data.test, one set after the other."""
    if not settings.data.test:
        raise UsageError("protocol=holdout tests on other sets: name them with data.test=[DIR]")
    parts = [load(replace(settings.data, cache=[one], path=one, more=[], pretrain=[], test=[]), takes, say) for one in settings.data.test]
    together = parts[0]
    for part in parts[1:]:
        together = join(together, part)
    return together


def _measure(settings: TrainSettings, samples: Samples, folds: list[Fold], training: Samples, out: Path, console: Console) -> Path:
    """training: what the exported network of protocol.export is trained on."""
    from train.methods import learns
    from train.progress import Folds

    for line in check(samples, folds, learns(settings.model)):
        console.print(line, style="yellow", soft_wrap=True)
    name, protocol = settings.model.name, settings.protocol.name
    wanted = settings.protocol.export and not (out / f"{name}.onnx").exists()
    kept: list = []
    with Folds(console, f"{name} {protocol}", len(folds) * len(settings.seeds), out) as shown:
        pooled = cross_validate(settings, samples, folds, out, shown.done, shown.earlier, shown.tell, kept.append if wanted else None)
    results = summarise(pooled)
    results["calibration"] = _calibration(pooled)
    results["settings"] = settings.as_dict()
    run_folder.write(out / "results.json", json.dumps(results, indent=1))
    title = f"{name}, {protocol}, {len(pooled.seeds)} seed{'s' * (len(pooled.seeds) > 1)}"
    run_folder.write(out / "results.md", reports.markdown(results, title))
    reports.confusions(results, samples.classes, out)
    console.print(reports.table(results, title))
    if pooled.leaked:
        found = leak(pooled)
        run_folder.write(out / "leak.json", json.dumps(found, indent=1))
        console.print(reports.leak_table(found))
    if kept:
        _export(kept[0], training, settings, _accuracy(results, samples, folds[0]), out, console)
    made = "results.md, predictions/, curves/, confusion matrices"
    console.print(f"wrote {out / 'results.json'} and {made}", soft_wrap=True)
    return out


def _everyone(settings: TrainSettings, samples: Samples, out: Path, console: Console) -> Path:
    import torch

    from train.compute import threads
    from train.export import network as export
    from train.progress import Shown
    from train.watch import Curves, Together

    torch.set_num_threads(threads(settings, alone=True))  # as it was measured
    accuracy = export.read_accuracy(settings)
    curves = Curves(out / "curves" / str(settings.seeds[0]))
    with Shown(console) as shown:
        fitted = fit(settings, samples, settings.seeds[0], Together(shown, curves), out / "under_way" / "everyone")
    curves.close()
    unknown = [name for number, name in enumerate(samples.classes) if number not in fitted.shown]
    if unknown:
        what = f"nobody to train on shows the class {' and '.join(unknown)}"
        raise UsageError(f"{what}: an exported network must know every class, take another data.grouping")
    _export(fitted.network, samples, settings, accuracy, out, console)
    shutil.rmtree(out / "under_way", ignore_errors=True)
    return out


def _export(network, samples: Samples, settings: TrainSettings, accuracy: dict | None, out: Path, console: Console) -> None:
    from train.export import network as export

    difference = export.export(network, samples, settings, accuracy, out)
    console.print(f"ONNX and torch differ by at most {difference:.1e}")
    console.print(f"wrote {out / settings.model.name}.onnx and its manifest, card and weights", soft_wrap=True)


def _calibration(pooled: Pooled) -> dict:
    """Learnt from the predictions of all seeds: the exported network is any one of them."""
    times = len(pooled.seeds)
    label, person = np.tile(pooled.samples.label, times), np.tile(pooled.samples.person, times)
    return calibration(np.concatenate(pooled.probabilities), label, person)


def _accuracy(results: dict, samples: Samples, fold: Fold) -> dict:
    """For the manifest of the network of protocol=holdout: it is itself one of those that were measured."""
    trained, tested = (len(np.unique(samples.person[rows])) for rows in (fold.training, fold.test))
    both = (("", results["mean"]), ("_sd", results["sd"]))
    table = {group: {f"{metric}{tail}": round(value, 3) for tail, part in both for metric, value in part[group].items()} for group in results["mean"]}
    return {
        "protocol": f"trained on {trained} people, tested on {tested} others",
        "seeds": list(results["seeds"]),
        **table,
        "calibration": results["calibration"],
    }
