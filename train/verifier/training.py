"""`mer-train model=verifier data=portraits`: synthetic people → movement series → the spotter's verifier, exported.

Everything is kept under the run's folder as it is made; a run that was broken off goes on where it stopped.
"""

from __future__ import annotations

import shutil
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.progress import Progress
from safetensors.torch import save_file

from realtime.errors import SourceError
from realtime.parallel import each
from train.bench.spotting.detect import Truth, read_truth
from train.compute import Compute, compute
from train.settings import TrainSettings
from train.synthesis.clip import write_clip
from train.synthesis.conditions import ALL, HARSH, NO_MICRO, Conditions
from train.synthesis.people import SOURCE, load, portraits
from train.synthesis.real_motion import deck, maps_file, movements
from train.synthesis.schedule import plan
from train.verifier import export as card
from train.verifier.calibrate import calibrated
from train.verifier.collect import Recording, record, widened
from train.verifier.fit import Recipe, Windows, fit
from train.verifier.network import Exported, VerifierNetwork
from train.verifier.populate import Parts, populated

Made = dict[int, list[tuple[np.ndarray, Recording]]]  # by person: see `load_pairs`
# By place in the folder of portraits; those from `standard.FIRST` (110) on are for the benchmark alone.
CALIBRATION = [4, 24, 44, 64, 84, 104, *range(3, 110, 10)]
TRAINING = [person for person in range(110) if person % 5 != 4 and person not in CALIBRATION]
COPIES = 3  # of each series, with other micro-expressions laid over it
# first what a micro-expression is, half of the moments from series with others laid over; then what is none
FIRST = Recipe(more=0.4)
THEN = Recipe(steps=2000, more=0.375, lr=6e-4)
DENSE = replace(ALL, micro=28.0, speech=2.5, held=0.4)
BRIEF = replace(ALL, micro=40.0, held=0.4)  # a clip of a few seconds has room for one or two
TALKING = replace(ALL, micro=10.0, speech=10.0)
# what looks like a micro-expression and is none
MISLEADING = replace(
    ALL, micro=10.0, nod=6.0, gaze=14.0, lid=4.0, tongue=3.0, jaw=3.0, exposure=3.0, flash=2.0, hair=1.0, hand=2.0, long=2.0, keyframes=0.5
)
CROWDED = replace(ALL, micro=60.0, held=0.4)  # as many micro-expressions as find room
NONE = (30.0, 20.0, NO_MICRO)
HARDER = replace(HARSH, micro=14.0, faint=0.3)


def clips_of(person: int) -> list[tuple[float, float, Conditions]]:
    """(frames a second, seconds, conditions) of each clip of a person: every frame rate is seen; the last holds no micro-expression."""
    if person % 5 in (2, 3):
        return [(25.0 if person % 2 else 30.0, 25.0, CROWDED), (60.0, 12.0, CROWDED), (100.0, 8.0, CROWDED), NONE]
    third = (TALKING, MISLEADING, HARDER)[person // 5 % 3]
    fast = (200.0, 4.5, BRIEF) if person % 2 == 0 else (100.0, 8.0, BRIEF)
    return [(25.0 if person % 3 == 0 else 30.0, 30.0, DENSE), (60.0, 15.0, third), fast, NONE]


def run(settings: TrainSettings, out: Path, console: Console) -> Path:
    """Returns the folder with verifier.onnx, its manifest, card and weights."""
    folder, where = Path(settings.data.path), compute(settings.device, settings.precision)
    found, needed = len(portraits(folder)), max(TRAINING + CALIBRATION) + 1
    if found < needed:
        raise SourceError(f"{found} portraits in '{folder}', the verifier is trained on people among the first {needed}: add more. {SOURCE}")
    if not movements(training=True):
        console.print(f"no flow maps of real movements at {maps_file()} (MER_DATA names the folder above): action units alone", soft_wrap=True)
    made = collect(folder, TRAINING + CALIBRATION, out, settings.workers, console)
    training = [recording for person in TRAINING for _, recording in made[person]]
    if not training or not any(made[person] for person in CALIBRATION):
        raise SourceError(f"too few faces among the portraits in '{folder}' to train and calibrate the verifier. {SOURCE}")
    with console.status(f"training on {len(training)} clips of {len(TRAINING)} people"), where.spoken_for():
        network = trained(made, folder, settings.seeds[0], where)
    slope, shift = calibrated(network, [pair for person in CALIBRATION for pair in made[person]])
    exported = Exported(network, slope, shift).eval()
    save_file(network.state_dict(), out / "verifier.safetensors")
    windows = Windows(training)
    some = windows.take(np.random.default_rng(0).choice(windows.others, 200))
    about = len(training), len(TRAINING), len(windows.micro), len(CALIBRATION), (slope, shift)
    difference = card.export(exported, some, *about, out)
    console.print(f"ONNX and torch differ by at most {difference:.1e}")
    console.print(f"wrote {out / 'verifier.onnx'} and its manifest, card and weights", soft_wrap=True)
    return out


def trained(made: Made, folder: Path, seed: int, where: Compute) -> VerifierNetwork:
    """The network, trained on the people of TRAINING."""
    pairs = {person: [pair for pair in made[person] if len(pair[0])] for person in TRAINING}
    none = [recording for person in TRAINING for truths, recording in made[person] if not len(truths)]
    wide = [widened(*pair) for of in pairs.values() for pair in of]
    first = fit(wide, FIRST, laid_over(pairs, folder, seed), seed=seed, compute=where)
    return averaged(first, fit(wide, THEN, none, deepcopy(first), seed, where))


def averaged(one: VerifierNetwork, other: VerifierNetwork) -> VerifierNetwork:
    """The mean of two networks' weights, the second of which came from the first: it forgets less (Wortsman et al. 2022, "Robust
    fine-tuning of zero-shot models")."""
    mean, others = deepcopy(one), other.state_dict()
    mean.load_state_dict({name: (value + others[name]) / 2 if value.is_floating_point() else value for name, value in one.state_dict().items()})
    return mean


def laid_over(pairs: Made, folder: Path, seed: int) -> list[Recording]:
    """COPIES of each series with more micro-expressions in it, as the person's own face would have shown them."""
    real, found = list(movements(training=True)), []
    for place, of in pairs.items():
        person, _ = load(portraits(folder)[place])
        if person is None:
            continue
        parts, random = Parts(person, real), np.random.default_rng([seed, place])
        found += [widened(*populated(recording, truths, parts, random)) for truths, recording in of for _ in range(COPIES)]
    return found


def collect(folder: Path, people: list[int], out: Path, jobs: int, console: Console) -> Made:
    """Every person's clips, see `load_pairs`. What was made before is read."""
    kept = out / "series"
    kept.mkdir(parents=True, exist_ok=True)
    missing = [person for person in people if not _file(kept, person, len(clips_of(person)) - 1).exists()]
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("synthetic people", total=len(people), completed=len(people) - len(missing))
        for _ in each(one_person, (folder, kept), missing, "processes", jobs):
            bar.advance(task)
    return {person: [pair for n in range(len(clips_of(person))) for pair in load_pairs(_file(kept, person, n))] for person in people}


def one_person(shared: tuple[Path, Path], place: int) -> None:
    """Make, watch and forget the clips of one person (the place of a portrait in the folder); their series stay.

    Args:
        shared: folder of portraits, and of what is kept.
    """
    folder, kept = shared
    torch.set_num_threads(1)
    person, _ = load(portraits(folder)[place])
    scratch = kept / f"clips-{place}"
    for number, (fps, seconds, conditions) in enumerate(clips_of(place)):
        file = _file(kept, place, number)
        if file.exists():
            continue
        if person is None:  # no face was found in the portrait
            save_pairs(file, [])
            continue
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        seed = 1000 + 10 * place + number
        made = plan(seed, seconds, fps, conditions, deck(place, seed))
        write_clip(scratch, "clip", person, made, contact_sheet=False).write(scratch)
        pairs = [(truth, record(scratch / truth.name, truth)) for truth in read_truth(scratch)]
        save_pairs(file, [(truth, recording) for truth, recording in pairs if recording is not None])
    shutil.rmtree(scratch, ignore_errors=True)


def save_pairs(file: Path, pairs: list[tuple[Truth, Recording]]) -> None:
    """Series as arrays; the truth as the tables it was read from would be too much: its intervals are enough."""
    arrays: dict[str, Any] = {}
    for n, (truth, r) in enumerate(pairs):
        arrays |= {f"{n}/{name}": getattr(r, name) for name in ("columns", "t", "begins", "label", "since")}
        arrays[f"{n}/micro"] = np.array([(m.onset, m.apex, m.offset) for m in truth.micro], float).reshape(-1, 3)
    partial = file.with_suffix(".part.npz")
    np.savez_compressed(partial, count=len(pairs), **arrays)
    partial.replace(file)


def load_pairs(file: Path) -> list[tuple[np.ndarray, Recording]]:
    """[(micro-expressions as N×3 seconds (onset, apex, offset), series)] of `save_pairs`."""
    with np.load(file) as kept:
        return [
            (kept[f"{n}/micro"], Recording(*(kept[f"{n}/{name}"] for name in ("columns", "t", "begins", "label", "since"))))
            for n in range(int(kept["count"]))
        ]


def _file(kept: Path, person: int, number: int) -> Path:
    return kept / f"{person:03d}-{number}.npz"
