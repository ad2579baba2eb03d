"""`mer-train explain EVENT`: the picture that says why an event was named so."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from rich.console import Console

from realtime import settings
from realtime.errors import UsageError
from realtime.naming.inputs import INPUTS
from realtime.naming.recognizer import moments_of
from realtime.networks import network
from realtime.watch import LiveSettings
from train.explain.events import find
from train.explain.figure import draw
from train.explain.gradcam import place
from train.explain.weights import torch_network
from train.methods import METHODS

PICTURES = (".png", ".pdf", ".svg", ".jpg", ".jpeg", ".tif", ".tiff", ".webp")


@dataclass
class ExplainSettings:
    """event: which one of a recording, from 1. network: one of the zoo or an .onnx file. out: the PNG."""

    event: int = 1
    network: str = "kernel_ridge"
    out: str = "explained.png"


def explain(what: str, words: list[str], console: Console) -> Path:
    """`what`: a recording, or SESSION/EVENT of the log. Raises MerError for what a person can put right."""
    try:
        typed = OmegaConf.structured(ExplainSettings)
        settings.assign(typed, dict(word.split("=", 1) for word in words))
        chosen: ExplainSettings = OmegaConf.to_object(typed)
    except (OmegaConfBaseException, ValueError) as error:
        raise UsageError(f"cannot use {' '.join(words)}: explain takes event=N, network=NAME|FILE and out=FILE.png") from error
    shipped = network(chosen.network)
    live = OmegaConf.to_object(settings.load("live", (), LiveSettings, {"network": chosen.network}))
    with console.status(f"replaying {what}"):
        event, keyframes = find(what, chosen.event, live)
    moments = moments_of(keyframes)
    inputs = INPUTS[shipped.manifest["takes"]](moments)
    made = torch_network(shipped, inputs)
    file = Path(chosen.out)
    file = file if file.suffix.lower() in PICTURES else file.with_name(f"{file.name}.png")  # as Matplotlib would, unsaid
    method = METHODS[shipped.manifest["architecture"]]
    within = "network." if "calibration" in shipped.manifest else ""  # of train.export.network.Calibrated
    layers = {title: (place(layer, within), picture) for title, (layer, picture) in method.LAYERS.items()}
    layers = {title: place for title, place in layers.items() if has(made, place[0])}
    attention = {title: (within + name, gates) for title, (name, gates) in method.ATTENTION.items() if has(made, within + name)}
    draw(event, moments, made, inputs, layers, attention, file)
    console.print(f"{event.label} {event.score:.2f} at {event.apex_s:.2f} s: wrote {file}", soft_wrap=True)
    return file


def has(network, name: str) -> bool:
    """Whether it has that module: a part may have been switched off."""
    return name.startswith("input:") or name in dict(network.named_modules())
