"""What a run leaves in its folder, so that it can be read without the data and go on after a kill at any point.

config.yaml              the resolved settings, and the digest of the samples
about.json               for each time it was started: when, versions, git commit, machine
under_way/SEED/FOLD/   trainings that go on from there after a kill (`train.resume`); gone when their predictions are there
predictions/SEED/FOLD.csv, results.json, results.md, confusion-SET.png, curves/ (TensorBoard)
leaked/SEED/FOLD.csv, leak.json   protocol.leak=true alone: a diagnostic, read by nothing that exports
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import platform
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from realtime import __version__
from realtime.errors import UsageError
from train.data.samples import Samples
from train.settings import BEFORE, TrainSettings, same

# What may differ between two runs into one folder: how much is measured and how fast, not what.
FREE = ("out", "seeds", "workers", "launcher", "accuracy", "device", "save_every")
PACKAGES = ("torch", "numpy", "opencv-contrib-python", "scikit-learn", "onnxruntime", "mediapipe")
COLUMNS = ("name", "person", "dataset", "label", "predicted")  # then a probability for each class


def claim(out: Path, settings: TrainSettings, samples: Samples) -> None:
    """Write the resolved settings into `out`, or see that it already holds a run of the same recipe and data.

    Raises:
        UsageError: it holds another one: another model's predictions are never mixed in.
    """
    resolved = settings.as_dict()
    # catches another file at the same path, and a change in how inputs are made
    resolved["samples_sha256"] = digest(samples)
    file = out / "config.yaml"
    if file.exists():
        kept = BEFORE | _kept(file, lambda text: OmegaConf.to_container(OmegaConf.create(text)), dict)
        differ = [key.removesuffix("_sha256") for key in resolved if key not in FREE and not same(kept.get(key), resolved[key])]
        if differ:
            raise UsageError(f"{out} holds a run with other {' and '.join(differ)}: choose another folder with out=DIR")
    note = out / "about.json"
    before = _kept(note, json.loads, list) if note.exists() else []
    out.mkdir(parents=True, exist_ok=True)
    write(file, OmegaConf.to_yaml(OmegaConf.create(resolved)))
    write(note, json.dumps([*before, about(settings)], indent=1))


def _kept(file: Path, read: Callable, kind: type):
    """What an earlier start has left. Raises UsageError where that is not of the `kind` that it wrote."""
    try:
        found = read(file.read_text("utf-8"))
        if not isinstance(found, kind):
            raise ValueError(f"it holds no {'list' if kind is list else 'settings'}")
    except (OSError, ValueError, AssertionError, RecursionError, YAMLError, OmegaConfBaseException) as error:
        why = str(error).strip().split("\n")[0]
        raise UsageError(f"{file} is damaged ({why}): delete the folder, or choose another with out=DIR") from error
    return found


def digest(samples: Samples) -> str:
    """Changes with every number and every name in `samples`."""
    told = hashlib.sha256()
    for array in (*samples.inputs.values(), samples.label):
        told.update(np.ascontiguousarray(array).data)
    for column in (samples.person, samples.dataset, samples.kind, samples.name, samples.classes):
        told.update("\n".join(map(str, column)).encode())
    if samples.pretraining.any():
        told.update(samples.pretraining.tobytes() + "\n".join(samples.emotion).encode())
    return told.hexdigest()


def about(settings: TrainSettings) -> dict:
    """When, with what, from which commit, on what kind of machine."""
    return {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "seeds": list(settings.seeds),
        "launcher": settings.launcher,
        "workers": settings.workers,
        "device": settings.device,
        "versions": {"mer-live": __version__, "python": platform.python_version(), **_versions()},
        "git": commit(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
    }


def commit() -> dict | None:
    """{"commit", "dirty"} of the repository that this code lies in; None where it is installed without one."""
    root = Path(__file__).parents[1]

    def git(*words: str) -> str:
        words = ("git", "-C", str(root), *words)
        return subprocess.run(words, capture_output=True, text=True, check=True, timeout=20).stdout.strip()

    try:
        git("ls-files", "--error-unmatch", "train/run.py")  # not another project's, around a virtual environment
        return {"commit": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain"))}
    except (OSError, subprocess.SubprocessError):
        return None


def save_predictions(file: Path, samples: Samples, probabilities: np.ndarray) -> None:
    """One line a sample, with its name, person, set and label.

    Args:
        probabilities: N×classes.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow([*COLUMNS, *samples.classes])
    label = [samples.classes[k] for k in samples.label]
    predicted = [samples.classes[k] for k in probabilities.argmax(1)]
    columns = (samples.name, samples.person, samples.dataset, label, predicted)
    for *words, row in zip(*columns, probabilities, strict=True):
        table.writerow([*words, *(repr(float(p)) for p in row)])
    write(file, text.getvalue())


def read_predictions(file: Path, samples: Samples) -> np.ndarray:
    """The probabilities of `samples`, N×classes float32.

    Raises:
        UsageError: the file is of others.
    """
    expected = [*COLUMNS, *samples.classes]
    try:
        rows = list(csv.reader(io.StringIO(file.read_text("utf-8"))))
        found = np.array([[float(x) for x in row[len(COLUMNS) :]] for row in rows[1:]], np.float32)
        same = rows[0] == expected and [row[:2] for row in rows[1:]] == [
            list(pair) for pair in zip(samples.name.tolist(), samples.person.tolist(), strict=True)
        ]
    except (ValueError, IndexError) as error:
        raise UsageError(f"{file} is damaged ({error}): delete it and run again") from error
    if not same or found.shape != (len(samples), len(samples.classes)):
        raise UsageError(f"{file} holds predictions of other samples or classes: delete it, or choose another out=DIR")
    return found


def write(file: Path, text: str) -> None:
    """All or nothing: a kill in between leaves what was there before."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        partial.write_text(text, "utf-8")
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
