"""Measuring: each held-out group's predictions are made once, kept in a file, and pooled at the end.

A run that was broken off goes on where it stopped: a fold whose file exists is not trained again.
"""

from __future__ import annotations

import os
import signal
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Callable

import numpy as np

from realtime.errors import MerError
from train.data.samples import Samples
from train.metrics import scores
from train.protocols import PROTOCOLS
from train.settings import TrainSettings
from train.watch import Watch


def cross_validate(settings: TrainSettings, samples: Samples, out: Path, done: Callable[[], None]) -> dict:
    """All seeds and folds of `settings.protocol`: {"seeds": {seed: scores}, "ensemble": scores, "mean": …, "sd": …}.

    `done` is called after each fold. Probabilities of each fold are kept in out/predictions/<seed>/<fold>.npy.
    """
    held_out = PROTOCOLS[settings.protocol.name](samples.person, settings.protocol.count, settings.protocol.grouping)
    files = {(seed, fold): _file(out, seed, fold) for seed in settings.seeds for fold in held_out}
    missing = [key for key, file in files.items() if not file.exists()]
    for _ in range(len(files) - len(missing)):
        done()
    # "spawn": a forked child would inherit torch's threads in whatever state they are
    with ProcessPoolExecutor(settings.workers, get_context("spawn"), initializer=_end_quietly) as pool:
        jobs = []
        for seed, fold in missing:
            mask = np.isin(np.arange(len(samples)), held_out[fold])
            task = (settings.model, settings.fit, samples[~mask], samples[mask], seed, files[seed, fold])
            jobs.append(pool.submit(one_fold, *task))
        try:
            for job in as_completed(jobs):
                job.result()
                done()
        except BrokenProcessPool as error:
            raise MerError("a training process was killed, out of memory? Finished folds are kept: run again") from error
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise

    probabilities = []
    for seed in settings.seeds:
        pooled = np.zeros((len(samples), len(samples.classes)), np.float32)
        for fold, rows in held_out.items():
            pooled[rows] = np.load(files[seed, fold])
        probabilities.append(pooled)
    return summarise(settings.seeds, probabilities, samples)


def one_fold(model: Any, recipe: Any, training: Samples, held_out: Samples, seed: int, file: Path) -> None:
    """Train on `training`, predict `held_out` (N×classes) into `file`; an interrupted write leaves no half file."""
    import torch

    from train.methods import METHODS
    from train.methods.predict import predict

    torch.set_num_threads(1)  # folds run side by side
    network = METHODS[model.name].fit(training, model, recipe, seed, Watch())
    predicted = predict(network, held_out)
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    with partial.open("wb") as handle:
        np.save(handle, predicted)
    partial.replace(file)


def summarise(seeds: list[int], probabilities: list[np.ndarray], samples: Samples) -> dict:
    """Scores of each seed and of their averaged probabilities; mean and standard deviation over seeds, by data set."""
    classes = len(samples.classes)

    def scored(p: np.ndarray) -> dict:
        return scores(samples.label, p.argmax(1), samples.dataset, classes)

    one_each = [scored(p) for p in probabilities]
    summary = {"seeds": {str(seed): result for seed, result in zip(seeds, one_each, strict=True)}}
    for name, statistic in (("mean", np.mean), ("sd", _sd)):
        summary[name] = {
            group: {metric: float(statistic([one[group][metric] for one in one_each])) for metric in ("uf1", "uar")}
            for group in one_each[0]
        }
    summary["ensemble"] = scored(np.mean(probabilities, axis=0))
    return summary


def _end_quietly() -> None:
    """In a worker: Ctrl-C ends it at once. The person reads one line from the command, not a traceback a worker."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _sd(values: list[float]) -> float:
    """Of a sample (n − 1); 0 where there is one value only."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0


def _file(out: Path, seed: int, fold: str) -> Path:
    return out / "predictions" / str(seed) / f"{fold.replace('/', '-')}.npy"
