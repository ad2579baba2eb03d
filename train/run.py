"""One run of `mer-train`: measure a recipe, or train on everyone and export. Writes only under `settings.out`."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from omegaconf import OmegaConf
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn
from rich.table import Table

from realtime.errors import OutputError, UsageError
from train.data import load
from train.data.samples import Samples
from train.evaluate import cross_validate
from train.protocols import PROTOCOLS
from train.settings import TrainSettings

# What may differ between two runs into one folder: how much is measured and how fast, not what.
FREE = ("out", "seeds", "workers", "accuracy")


def run(settings: TrainSettings, console: Console) -> Path:
    """Do what the settings say; returns the folder of results. Raises MerError for what a person can put right."""
    out = Path(settings.out)
    if settings.model.name == "verifier" or settings.data.name == "portraits":
        return _verifier(settings, out, console)
    from train.methods import METHODS

    samples = load(settings.data, METHODS[settings.model.name].INPUTS)
    try:
        _claim(out, settings, samples)
        if settings.protocol.name == "everyone":
            return _everyone(settings, samples, out, console)
        return _measure(settings, samples, out, console)
    except OSError as error:
        raise OutputError(f"cannot write results to {out} ({error}): choose another folder with out=DIR") from error


def _verifier(settings: TrainSettings, out: Path, console: Console) -> Path:
    if (settings.model.name, settings.data.name) != ("verifier", "portraits"):
        raise UsageError("model=verifier and data=portraits go together: give both, or neither")
    from train.spotting import train

    out.mkdir(parents=True, exist_ok=True)
    return train.run(settings, out, console)


def _measure(settings: TrainSettings, samples: Samples, out: Path, console: Console) -> Path:
    folds = len(PROTOCOLS[settings.protocol.name](samples.person, settings.protocol.count, settings.protocol.grouping))
    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task(f"{settings.model.name} {settings.protocol.name}", total=folds * len(settings.seeds))
        results = cross_validate(settings, samples, out, lambda: progress.advance(bar))
    results["settings"] = settings.as_dict()
    (out / "results.json").write_text(json.dumps(results, indent=1), "utf-8")
    console.print(table(results, settings))
    console.print(f"wrote {out / 'results.json'}", soft_wrap=True)
    return out


def _everyone(settings: TrainSettings, samples: Samples, out: Path, console: Console) -> Path:
    if settings.model.name == "svm":
        raise UsageError("model=svm is a baseline and is not exported: measure it with protocol=loso")
    import torch

    from train import export
    from train.methods import METHODS
    from train.show import Shown

    torch.set_num_threads(1)  # as it was measured (train.evaluate), and so that a seed always gives the same weights
    accuracy = export.read_accuracy(settings)
    method = METHODS[settings.model.name]
    with Shown(console) as watch:
        network = method.fit(samples, settings.model, settings.fit, settings.seeds[0], watch)
    difference = export.export(network, samples, settings, accuracy, out)
    console.print(f"ONNX and torch differ by at most {difference:.1e}")
    console.print(f"wrote {out / settings.model.name}.onnx and its manifest, card and weights", soft_wrap=True)
    return out


def table(results: dict, settings: TrainSettings) -> Table:
    """UF1 and UAR, pooled: a row for each data set; the mean over seeds ± standard deviation, and the seeds' ensemble."""
    several = len(results["seeds"]) > 1
    title = f"{settings.model.name}, {settings.protocol.name}, {len(results['seeds'])} seed{'s' * several}"
    result = Table("people from", "UF1", "UAR", title=title)
    if several:
        result.add_column("ensemble UF1")
        result.add_column("ensemble UAR")
    for group, mean in results["mean"].items():
        sd, ensemble = results["sd"][group], results["ensemble"][group]
        cells = [f"{mean[m]:.3f} ± {sd[m]:.3f}" if several else f"{mean[m]:.3f}" for m in ("uf1", "uar")]
        cells += [f"{ensemble[m]:.3f}" for m in ("uf1", "uar")] if several else []
        result.add_row(group, *cells)
    return result


def _claim(out: Path, settings: TrainSettings, samples: Samples) -> None:
    """Write the resolved settings into `out`, or see that it already holds a run of the same recipe and data."""
    resolved = settings.as_dict()
    digest = hashlib.sha256()
    for array in (*samples.inputs.values(), samples.label):
        digest.update(array.tobytes())
    # catches another file at the same path, and a change in how inputs are made
    resolved["samples_sha256"] = digest.hexdigest()
    file = out / "config.yaml"
    if file.exists():
        kept = OmegaConf.to_container(OmegaConf.load(file))
        differ = [key for key in resolved if key not in FREE and kept.get(key) != resolved[key]]
        if differ:
            raise UsageError(f"{out} holds a run with other {' and '.join(differ)}: choose another folder with out=DIR")
    out.mkdir(parents=True, exist_ok=True)
    file.write_text(OmegaConf.to_yaml(OmegaConf.create(resolved)), "utf-8")
