"""A trained network as files: ONNX whose numbers agree with torch, weights, manifest, model card."""

from __future__ import annotations

import hashlib
import json
import logging
import warnings
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

from engines.errors import EngineError
from engines.onnx import BATCH
from engines.runtime import Network
from engines.tensorrt.graph import load, need_batches, session
from realtime import __version__
from realtime.errors import ModelError, UsageError
from realtime.naming.inputs import dual_atme, flow_map
from train.data.samples import Samples
from train.export.card import card
from train.export.reduced import FILES, reduced
from train.methods import method, takes
from train.settings import TrainSettings, same

OUTPUT = "probabilities"
FLOW_MAP = {"FACE": flow_map.FACE, "SMOOTHING": flow_map.SMOOTHING}
MADE_WITH = {  # by what a network takes
    "flow_map": FLOW_MAP,
    "dual_atme": FLOW_MAP,
    "dual_atme_map": FLOW_MAP | {key: getattr(dual_atme, key) for key in ("LEFT_BROW", "RIGHT_BROW", "MOUTH")},
}
LICENCES = {
    "megc2019_flow": "Research use only. The weights come from flow maps of SMIC-HS, CASME II and SAMM, whose licences "
    "allow research; the maps themselves are not part of this project and must not be redistributed.",
    "synthetic": "MIT, as the project. Trained on synthetic expressions drawn on public-domain portraits.",
    "else": "That of the data sets it was trained on.",
}
COMPARED = 400  # samples on which ONNX Runtime and torch are compared
BATCHES = 1, 3, 64  # sizes in which the file itself is tried
TOLERANCE = 1e-4  # largest difference of a probability between ONNX Runtime and torch


def export(network: nn.Module, samples: Samples, settings: TrainSettings, accuracy: dict | None, out: Path) -> float:
    """Write <name>.onnx, .json, .md and .safetensors into `out`; returns the largest difference from torch.

    The file is run by the product's own runtime on up to COMPARED samples.

    Raises:
        ModelError: that differs by more than TOLERANCE.
    """
    name = settings.model.name
    if accuracy and "calibration" in accuracy:
        network = Calibrated(network, accuracy["calibration"]["temperature"]).eval()
    some = np.unique(np.linspace(0, len(samples) - 1, COMPARED).round().astype(int))
    inputs = {key: np.ascontiguousarray(array[some], np.float32) for key, array in samples.inputs.items()}
    file = out / f"{name}.onnx"
    save_onnx(network, inputs, OUTPUT, file)
    save_file({key: value.contiguous() for key, value in network.state_dict().items()}, out / f"{name}.safetensors")

    about = manifest(network, settings, samples, accuracy)
    save_manifest(file, about, card(about))
    return compare(network, inputs, file)


def save_onnx(network: nn.Module, inputs: dict[str, np.ndarray], output: str, file: Path) -> None:
    """Write a network as one ONNX file for any batch.

    Args:
        inputs: samples (N×… float32) under the inputs' names, in their order.

    Raises:
        ModelError: the network ties its numbers to the size of the batch (`train.data.augment.halves` says how not to).
    """
    # three alike: the exporter takes an axis of 1 for fixed, and one of 2 for a face and its mirror image
    example = tuple(torch.from_numpy(array[:1]).expand(3, *array.shape[1:]).clone() for array in inputs.values())
    free = torch.export.ShapesCollection()
    for tensor in example:
        free[tensor] = {0: torch.export.Dim(BATCH)}
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it warns that torchvision, which nobody needs, is absent
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the exporter's own insides
        program = torch.onnx.export(
            network,
            example,
            input_names=list(inputs),
            output_names=[output],
            dynamo=True,
            verbose=False,
            dynamic_shapes=free.dynamic_shapes(network, example),
        )
    program.save(str(file), external_data=False)  # the weights inside: one file
    forget_origin(file)
    try:
        need_batches(load(file.read_bytes()))  # where it cannot prove that the axis is free, the exporter fixes it and says nothing
    except EngineError as error:
        raise ModelError(f"{file} was not exported for any batch ({error})") from error


def forget_origin(file: Path) -> None:
    """Take out what the exporter notes of its own run: the stack of source files, with their places on this disk."""
    import onnx

    model = onnx.load(str(file))
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.initializer, *graph.value_info, *graph.input, *graph.output, *model.functions):
        part.doc_string = ""
        del part.metadata_props[:]
    onnx.save(model, str(file))


def save_manifest(file: Path, about: dict, text: str) -> None:
    """Write the manifest and the model card beside a network's file; the hash is taken from the file."""
    about = about | {"sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
    file.with_suffix(".json").write_text(json.dumps(about, indent=1) + "\n", "utf-8")
    file.with_suffix(".md").write_text(text, "utf-8")


def manifest(network: nn.Module, settings: TrainSettings, samples: Samples, accuracy: dict | None) -> dict:
    """What the file is, for programs: everything but its hash."""
    own = method(settings.model.name)
    plain = settings.as_dict()
    # where a file lay on the disk of whoever trained says nothing to others
    model = {key: Path(value).name if key in FILES and value else value for key, value in plain["model"].items()}
    about = {
        "name": settings.model.name,
        "architecture": settings.model.name,
        "title": own.TITLE,
        "takes": takes(settings.model),
        "version": __version__,
        "made": date.today().isoformat(),
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "classes": list(samples.classes),
        "inputs": [_input(key, array) for key, array in samples.inputs.items()],
        "output": {
            "name": OUTPUT,
            "shape": [1, len(samples.classes)],
            "meaning": "probabilities of the classes; they sum to 1",
        },
        "normalisation": own.PREPARATION,
        # a test holds these against the code: who changes them must train again
        "made_with": MADE_WITH.get(takes(settings.model), {}),
        "training_data": {
            "name": settings.data.name,
            "sets": sorted(set(samples.dataset[~samples.pretraining].tolist())),
            **({"pretrained_on": sorted(set(samples.dataset[samples.pretraining].tolist()))} if samples.pretraining.any() else {}),
            "samples": len(samples.only("micro")),
            "people": len(np.unique(samples.only("micro").person)),
            "per_class": _per_class(samples.only("micro")),
        },
        "model": model,
        "training": {"schedule": settings.schedule, "seed": settings.seeds[0], **plain["fit"]},
        "accuracy": _without_calibration(accuracy) or "not measured: run protocol=loso, then export with accuracy=…/results.json",
        **({"calibration": accuracy["calibration"]} if accuracy and "calibration" in accuracy else {}),
        "licence": LICENCES.get(settings.data.name, LICENCES["else"]),
    }
    return about | ({"reduced": short} if (short := reduced(about)) else {})


class Calibrated(nn.Module):
    """What is exported: the network's probabilities, tempered (`train.measure.metrics.tempered`)."""

    def __init__(self, network: nn.Module, temperature: float):
        super().__init__()
        self.network = network
        self.sharpness = 1 / temperature

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Inputs (B, …) float32 → probabilities (B, classes)."""
        return (self.network(*inputs).clamp_min(1e-12).log() * self.sharpness).softmax(1)


def _without_calibration(accuracy: dict | None) -> dict | None:
    return {key: value for key, value in accuracy.items() if key != "calibration"} if accuracy else None


def _input(name: str, array: np.ndarray) -> dict:
    some = array[:200]
    seen = [round(float(some.min()), 2), round(float(some.max()), 2)]
    return {"name": name, "shape": [1, *array.shape[1:]], "dtype": "float32", "range_seen": seen}


def _per_class(samples: Samples) -> dict[str, int]:
    counts = np.bincount(samples.label, minlength=len(samples.classes)).tolist()
    return dict(zip(samples.classes, counts, strict=True))


def read_accuracy(settings: TrainSettings) -> dict | None:
    """UF1 and UAR for the manifest from the results.json that `settings.accuracy` names, None where it names none.

    Raises:
        UsageError: that run measured another recipe: a number must belong to the network it stands beside.
    """
    if settings.accuracy is None:
        return None
    try:
        results = json.loads(Path(settings.accuracy).read_text("utf-8"))
        measured = results["settings"]
        table = {group: _rounded(results["mean"][group], results["sd"][group]) for group in results["mean"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        what = f"accuracy={settings.accuracy} is not the results.json of a protocol=loso run"
        raise UsageError(f"{what} ({error!r}): measure with protocol=loso, then give that file") from error
    wanted = settings.as_dict()
    differ = [key for key in ("model", "data", "fit") if not same(_recipe(measured.get(key)), _recipe(wanted[key]))]
    if measured["protocol"].get("inner", 0.0) != wanted["protocol"]["inner"]:
        differ.append("protocol.inner")
    if differ or measured["protocol"]["name"] not in ("loso", "cde"):
        what = " and ".join(differ) or "protocol"
        raise UsageError(f"accuracy={settings.accuracy} was measured with another {what}: measure this recipe first")
    return {
        "protocol": "leave one subject out, pooled; mean and standard deviation over seeds",
        "seeds": list(results["seeds"]),
        **table,
        **({"calibration": results["calibration"]} if "calibration" in results else {}),
    }


def _recipe(kept: Any) -> Any:
    """Settings without where weights come from: leave-one-subject-out has a file for each fold, everyone's network another."""
    return {key: value for key, value in kept.items() if key != "style_file"} if isinstance(kept, dict) else kept


def _rounded(mean: dict[str, float], sd: dict[str, float]) -> dict[str, float]:
    both = (("", mean), ("_sd", sd))
    return {f"{metric}{tail}": round(values[metric], 3) for metric in mean for tail, values in both}


def compare(network: nn.Module, inputs: dict[str, np.ndarray], file: Path) -> float:
    """The largest difference from torch: of the product's runtime over all samples, and of the file in batches of BATCHES.

    inputs: N×… float32 under the inputs' names.

    Raises:
        ModelError: it is above TOLERANCE.
    """
    rows = zip(*(torch.from_numpy(array).split(32) for array in inputs.values()), strict=True)  # a batch of all is too large
    with torch.inference_mode():
        expected = np.concatenate([network(*some).numpy() for some in rows])
    difference = float(np.abs(Network(file, engine="cpu").many(inputs) - expected).max())
    batches = session(file.read_bytes(), exact=False)
    for size in BATCHES:
        some = np.arange(size) % len(expected)
        found = batches.run(None, {key: array[some] for key, array in inputs.items()})[0]
        difference = max(difference, float(np.abs(found - expected[some]).max()))
    if difference > TOLERANCE:
        raise ModelError(f"{file} differs from torch by {difference:.1e}, allowed is {TOLERANCE:.0e}: do not use it")
    return difference
