"""`mer-train model=action_units data=portraits`: synthetic people → pairs of views → the estimator of action units, exported.

The pairs are kept in the run's folder; a run that was broken off makes only those that are missing.
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.progress import Progress
from safetensors.torch import save_file

from realtime.errors import SourceError
from realtime.naming.inputs.displacement import POINTS
from realtime.parallel import each
from train.action_units import export as card
from train.action_units.collect import SIDED, Pairs, joined, pairs_of
from train.action_units.fit import calibrated, fit, logits, thresholds
from train.action_units.network import Exported
from train.compute import compute
from train.settings import TrainSettings
from train.synthesis.people import SOURCE, load, portraits
from train.synthesis.real_motion import HELD_OUT_FROM
from train.verifier.training import CALIBRATION

TRAINING = [place for place in range(HELD_OUT_FROM) if place not in CALIBRATION]  # those behind are for the benchmark alone
MEASURED = 20  # portraits whose points say which point of the mesh mirrors which
EYES = [33, 263]  # outer corners, the person's right and left


def run(settings: TrainSettings, out: Path, console: Console) -> Path:
    """Returns the folder with action_units.onnx, its manifest, card and weights."""
    folder, where, recipe = Path(settings.data.path), compute(settings.device, settings.precision), settings.fit
    found = len(portraits(folder))
    if found < HELD_OUT_FROM:
        raise SourceError(f"{found} portraits in '{folder}', the estimator is trained on the first {HELD_OUT_FROM}: add more. {SOURCE}")
    seeds = range(settings.seeds[0], settings.seeds[0] + recipe.films)
    tasks = [(place, recipe.pairs, seed) for seed in seeds for place in TRAINING + CALIBRATION]
    pairs = collect(folder, tasks, out, settings.workers, console)
    held_back = np.isin(pairs.person, CALIBRATION)
    training, others = pairs[~held_back], pairs[held_back]
    torch.set_num_threads(1)
    with console.status(f"training on {len(training)} pairs of {len(set(training.person))} people"), where.spoken_for():
        network = fit(training, mirror(folder), SIDED, recipe, settings.seeds[0], where)
    said = logits(network, others)
    slope, shift = calibrated(said, others.shown, SIDED)
    exported = Exported(network, slope, shift).eval()
    with torch.inference_mode():
        sure = exported(torch.from_numpy(others.moved)).numpy()
    save_file(network.state_dict(), out / "action_units.safetensors")
    difference = card.export(exported, training, others, thresholds(sure, others.shown, SIDED), out)
    console.print(f"ONNX and torch differ by at most {difference:.1e}")
    console.print(f"wrote {out / 'action_units.onnx'} and its manifest, card and weights", soft_wrap=True)
    return out


def collect(folder: Path, tasks: list[tuple[int, int, int]], out: Path, jobs: int, console: Console) -> Pairs:
    """The pairs of all tasks (see `pairs_of`); those that are kept in `out` are read."""
    kept = out / "pairs"
    kept.mkdir(parents=True, exist_ok=True)
    files = {task: kept / "{}-{}-{}.npz".format(*task) for task in tasks}
    missing = [task for task, file in files.items() if not file.exists()]
    with Progress(console=console, transient=True) as bar:
        shown = bar.add_task("synthetic people", total=len(tasks), completed=len(tasks) - len(missing))
        for done, made in each(pairs_of, folder, missing, "processes", jobs):
            partial = files[done].with_suffix(".part.npz")
            np.savez_compressed(partial, **{one.name: getattr(made, one.name) for one in fields(Pairs)})
            partial.replace(files[done])
            bar.advance(shown)
    parts = []
    for file in files.values():
        with np.load(file) as arrays:
            parts.append(Pairs(**{one.name: arrays[one.name] for one in fields(Pairs)}))
    pairs = joined(parts)
    if not len(pairs):
        raise SourceError(f"no face was found among the portraits in '{folder}'. {SOURCE}")
    return pairs


def mirror(folder: Path) -> np.ndarray:
    """POINTS int: the point of the mesh that each becomes in a mirror, by where they lie on the mean of some faces."""
    from scipy.optimize import linear_sum_assignment

    people = [person for path in portraits(folder)[:MEASURED] if (person := load(path)[0])]
    mean = np.mean([_upright(person.landmarks[:, :2])[:POINTS] for person in people], axis=0)
    apart = np.linalg.norm((mean * [-1, 1])[:, None] - mean, axis=2)
    return linear_sum_assignment(apart + apart.T)[1]


def _upright(points: np.ndarray) -> np.ndarray:
    """N×2 in outer-eye distances from the middle of the eyes, the eyes level."""
    right, left = points[EYES]
    along = (left - right) / np.sum((left - right) ** 2)
    return (points - (right + left) / 2) @ np.array([[along[0], -along[1]], [along[1], along[0]]])
