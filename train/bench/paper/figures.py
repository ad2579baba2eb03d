"""A paper's figure: networks that have not seen the people whom it shows, and what is drawn of them.

The network of a person is that of their leave-one-subject-out fold. It is kept beside the runs of the tables,
OUT/<paper>/<task>/<what is switched>/networks/SEED/PERSON.safetensors, and is not trained again.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from matplotlib.figure import Figure

from realtime.cli.console import Console
from realtime.errors import UsageError
from train import run_folder
from train.bench.paper.measure import Run, planned
from train.bench.paper.tables import Table
from train.data import load
from train.data.samples import Samples
from train.measure.protocols import loso
from train.settings import TrainSettings

FEWEST = 3  # clips of a person, for t-SNE


def draw(table: Table, words: Sequence[str], people: Sequence[str], out: Path, console: Console) -> Path:
    """Train what is missing and draw the figure; returns the PNG.

    Args:
        people: those who are shown ("casme2/sub01"); those of the paper where there are none.

    Raises:
        UsageError: data are not prepared, or somebody is not in them.
    """
    runs = planned(table, words, out, console)
    file = out / f"{table.name}.png"
    figure = {"gradcam": _gradcam, "tsne": _tsne}[table.draws](runs, list(people or table.people), console)
    figure.suptitle(f"{table.paper}\n{table.title}", fontsize=9)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=130)
    return file


def _gradcam(runs: list[Run], people: list[str], console: Console) -> Figure:
    """The face at the apex, a clip of each class in a column, and a row of maps for each variant."""
    from train.explain.heat import gradcam
    from train.methods import method

    samples = _samples(runs[0])
    clips = _one_of_each(samples, people)
    figure = Figure(figsize=(2.2 * len(clips), 2.4 * (1 + len(runs)) + 0.4), layout="constrained")
    axes = figure.subplots(1 + len(runs), len(clips), squeeze=False)
    for column, row in enumerate(clips):
        one = samples[np.array([row])]
        face = one.inputs["stack"][0, 0].astype(np.float32)
        _show(axes[0, column], face, None, f"{one.classes[one.label[0]]}\n{one.person[0]}, {Path(one.name[0]).name}")
        for place, run in enumerate(runs, 1):
            network, classes = network_without(run.settings, _samples(run), str(one.person[0]), console)
            layer = next(iter(method(run.settings.model.name).LAYERS.values()))[0]
            inputs = {name: array.astype(np.float32) for name, array in one.inputs.items()}
            likeliest = int(_probabilities(network, one).argmax())
            heat = gradcam(network, inputs, layer, likeliest)
            _show(axes[place, column], face, heat, f"{run.row.name}: {classes[likeliest]}")
    return figure


def _tsne(runs: list[Run], people: list[str], console: Console) -> Figure:
    """A panel for each variant and person: their clips' features in two dimensions, coloured by class."""
    from sklearn.manifold import TSNE

    figure = Figure(figsize=(3.2 * len(runs), 3.0 * len(people) + 0.4), layout="constrained")
    axes = figure.subplots(len(people), len(runs), squeeze=False)
    for column, run in enumerate(runs):
        samples = _samples(run)
        for row, person in enumerate(people):
            own = samples[(samples.person == person) & (samples.kind == "micro")]
            if len(own) < FEWEST:
                raise UsageError(f"{person} has {len(own)} clips in {run.task.title}, t-SNE takes {FEWEST} or more: give others with --people")
            network, _ = network_without(run.settings, samples, person, console)
            seed = run.settings.seeds[0]
            placed = TSNE(perplexity=min(30, (len(own) - 1) / 3), random_state=seed).fit_transform(_features(network, own, run.row.answer))
            axis = axes[row, column]
            for number, name in enumerate(own.classes):
                at = placed[own.label == number]
                axis.scatter(at[:, 0], at[:, 1], s=22, label=name if len(at) else None)
            axis.set_title(f"{run.row.name}: {person}", fontsize=8)
            axis.set_xticks([])
            axis.set_yticks([])
            axis.legend(fontsize=6)
    return figure


def network_without(settings: TrainSettings, samples: Samples, person: str, console: Console):
    """(the network that is trained on everybody else, the classes that it knows), from its file where it was trained before.

    Raises:
        UsageError: nobody is called so, or has no micro-expression.
    """
    from safetensors import safe_open
    from safetensors.torch import save_file

    from train.measure.evaluate import fit
    from train.methods import method
    from train.progress import Shown

    out = Path(settings.out)
    run_folder.claim(out, settings, samples)
    seed = settings.seeds[0]
    file = out / "networks" / str(seed) / f"{person.replace('/', '-')}.safetensors"
    under_way = file.with_suffix("")
    if not file.exists():
        fold = next((one for one in loso(samples) if one.name == person), None)
        if fold is None:
            known = ", ".join(np.unique(samples.person[samples.kind == "micro"])[:5])
            raise UsageError(f"nobody is called '{person}' here: expected a person such as {known}; give them with --people")
        with Shown(console) as shown:
            fitted = fit(settings, samples[fold.training], seed, shown, under_way)
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(".part")
        weights = {key: value.contiguous() for key, value in fitted.network.state_dict().items()}
        save_file(weights, part, {"classes": json.dumps([samples.classes[k] for k in fitted.shown])})
        part.replace(file)
        shutil.rmtree(under_way, ignore_errors=True)
    with safe_open(file, "pt") as kept:
        classes = json.loads(kept.metadata()["classes"])
        network = method(settings.model.name).build(settings.model, len(classes))
        network.load_state_dict({key: kept.get_tensor(key) for key in kept.keys()})
    return network.eval(), classes


def _samples(run: Run) -> Samples:
    from train.methods import takes

    return load(run.settings.data, takes(run.settings.model))


def _one_of_each(samples: Samples, people: list[str]) -> list[int]:
    """A micro-expression of each class, in the order of classes; of as few people as can be, so that few networks are needed.

    Raises:
        UsageError: a class is shown by nobody of `people`.
    """
    micro = samples.kind == "micro"
    known = people or np.unique(samples.person[micro]).tolist()
    many = sorted(known, key=lambda person: -len(set(samples.label[micro & (samples.person == person)].tolist())))
    rows = []
    for number, name in enumerate(samples.classes):
        of = (np.flatnonzero(micro & (samples.person == person) & (samples.label == number)) for person in many)
        found = next((rows for rows in of if len(rows)), None)
        if found is None:
            raise UsageError(f"nobody of {', '.join(known[:5])} shows the class '{name}': give others with --people")
        rows.append(int(found[0]))
    return rows


def _probabilities(network, samples: Samples) -> np.ndarray:
    from train.compute import predict

    return predict(network, samples)[0]


def _features(network, samples: Samples, answer: str) -> np.ndarray:
    import torch

    with torch.inference_mode():
        inputs = (torch.from_numpy(array).float() for array in samples.inputs.values())
        return network.features(*inputs)[answer].numpy()


def _show(axis, face: np.ndarray, heat: np.ndarray | None, title: str) -> None:
    axis.imshow(face, cmap="gray", vmin=0, vmax=1)
    if heat is not None:
        axis.imshow(cv2.resize(heat, face.shape[::-1], interpolation=cv2.INTER_CUBIC).clip(0, 1), cmap="jet", alpha=0.45, vmin=0, vmax=1)
    axis.set_title(title, fontsize=8)
    axis.axis("off")
