"""`mer-train explain EVENT`: the picture that says why an event was named so."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from matplotlib.figure import Figure
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from rich.console import Console

from engines.flow import CPU
from realtime import settings
from realtime.errors import SourceError, UsageError
from realtime.naming.inputs import INPUTS
from realtime.naming.inputs.dual_atme import EYEBROWS_MOUTH, FULL_FACE, puzzle_picture, regions
from realtime.naming.inputs.face import crop, crop_box, grey
from realtime.naming.inputs.flow_map import FACE
from realtime.naming.recognizer import moments_of
from realtime.networks import network
from realtime.output.log import Log
from realtime.pipeline import Pipeline
from realtime.records import Event, Keyframes, Moments
from realtime.sources import open_source
from realtime.watching import LiveSettings
from train.explain.heat import gates, gradcam, has, place, torch_network
from train.methods import method

PICTURES = (".png", ".pdf", ".svg", ".jpg", ".jpeg", ".tif", ".tiff", ".webp")
AMPLIFIED = 8  # how much the difference picture is exaggerated
SAME = 0.01  # seconds between two onsets of one event


@dataclass
class ExplainSettings:
    """What `mer-train explain` takes after the event.

    Attributes:
        event: which one of a recording, from 1.
        network: one of the zoo or an .onnx file.
        out: the PNG.
    """

    event: int = 1
    network: str = "kernel_ridge"
    out: str = "explained.png"


def explain(what: str, words: list[str], console: Console) -> Path:
    """Draw the picture that says why an event was named so.

    Args:
        what: a recording, or SESSION/EVENT of the log.

    Raises:
        MerError: a person can put it right.
    """
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
    own = method(shipped.manifest["architecture"])
    within = "network." if "calibration" in shipped.manifest else ""  # of train.export.network.Calibrated
    layers = {title: (place(layer, within), picture) for title, (layer, picture) in own.LAYERS.items()}
    layers = {title: one for title, one in layers.items() if has(made, one[0])}
    attention = {title: (within + name, gates) for title, (name, gates) in own.ATTENTION.items() if has(made, within + name)}
    draw(event, moments, made, inputs, layers, attention, file, shipped.manifest["model"].get("regions", EYEBROWS_MOUTH))
    console.print(f"{event.label} {event.score:.2f} at {event.apex_s:.2f} s: wrote {file}", soft_wrap=True)
    return file


def find(what: str, number: int, live: LiveSettings) -> tuple[Event, Keyframes]:
    """The event `number` (from 1) of the recording `what`; or, where `what` is SESSION/EVENT, that event of the log.

    Raises:
        UsageError: there is no such event.
        SourceError: the recording is not there any more.
    """
    logged = _logged(*map(int, what.split("/"))) if re.fullmatch(r"\d+/\d+", what) else None
    clip = logged["clip"] if logged else what
    if not Path(clip).is_file():
        raise SourceError(f"no recording at {clip}: an event can be explained while the recording it came from is there")
    pipeline = Pipeline(Path(clip).name, live, wait=True)
    with open_source(clip) as source:
        found = [(known.event, known.keyframes) for known in pipeline.follow(source)]
    if logged:
        same = [pair for pair in found if abs(pair[0].onset_s - logged["onset_s"]) < SAME]
        if not same:
            raise UsageError(f"{clip} shows no event at {logged['onset_s']:.3f} s any more: it was found with other settings")
        return same[0]
    if not 1 <= number <= len(found):
        raise UsageError(f"{clip} has {len(found)} events, got event={number}: give the number of one of them")
    return found[number - 1]


def draw(
    event: Event,
    moments: Moments,
    network: torch.nn.Module,
    inputs: dict,
    layers: dict,
    attention: dict,
    file: Path,
    puzzle: str = EYEBROWS_MOUTH,
) -> None:
    """Write the PNG: what was seen, how it moved, where the network looked, and what it made of it.

    Args:
        layers: a method's LAYERS.
        attention: a method's ATTENTION.
        puzzle: what Dual-ATME's is made of.
    """
    box = crop_box(moments.points)
    faces = [cv2.resize(crop(view, box), (FACE, FACE)) for view in (moments.onset, moments.apex, moments.offset)]
    pictures = {"face": faces[1], "blocks": faces[1]}
    pictures["puzzle"] = faces[1] if puzzle == FULL_FACE else puzzle_picture(moments.apex, regions(moments.points, puzzle))
    target = list(event.scores).index(max(event.scores, key=event.scores.get))
    panels = [("onset", _rgb(faces[0])), ("apex", _rgb(faces[1])), ("difference", _difference(faces)), ("flow", _wheel(faces))]
    for title, (layer, picture) in layers.items():
        how = "gradient" if layer.startswith("input:") else "Grad-CAM"
        panels.append((f"{how}: {title}", _over(pictures[picture], gradcam(network, inputs, layer, target))))
    gated = {(title, gate): gates(network, inputs, name)[gate] for title, (name, shown) in attention.items() for gate in shown}
    panels += [(f"{title}: {gate}", _over(faces[1], _spread(found))) for (title, gate), found in gated.items() if gate == "places"]

    bars: list[tuple[str, Any, list[str] | None]] = [("scores", list(event.scores.values()), list(event.scores))]
    bars += [(f"{title}: {gate}", found, None) for (title, gate), found in gated.items() if gate == "channels"]
    rows = 2
    columns = -(-(len(panels) + len(bars)) // rows)
    figure = Figure(figsize=(2.4 * columns, 2.55 * rows + 0.5), layout="constrained")
    figure.suptitle(
        f"{event.source}  ·  {event.onset_s:.2f}–{event.offset_s:.2f} s  ·  {event.label} {event.score:.2f}  ·  {event.model}",
        fontsize=11,
        parse_math=False,
    )
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis in axes:
        axis.axis("off")
    for axis, (title, picture) in zip(axes, panels, strict=False):
        axis.imshow(picture)
        axis.set_title(title, fontsize=9)
    for axis, (title, values, names) in zip(axes[len(panels) :], bars, strict=False):
        axis.axis("on")
        axis.bar(range(len(values)), values, color="#4a5a6a")
        axis.set_title(title, fontsize=9)
        axis.set_ylim(0, 1)
        axis.tick_params(labelsize=7)
        axis.set_xticks(range(len(values)) if names else [], names or [])
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=130)


def _logged(session: int, number: int) -> dict:
    log = Log()
    found = log.session(session)
    event = next((row for row in log.events(session) if row["event"] == number), None)
    if event is None:
        raise UsageError(f"session {session} has no event {number}: mer-log show {session} lists them")
    clips = [clip for clip in found["sources"] if event["source"] in (clip, Path(clip).name, Path(clip).stem)]
    return event | {"clip": clips[0] if clips else event["source"]}


def _spread(heat: np.ndarray) -> np.ndarray:
    """Stretched to [0, 1]: a gate that is nearly alike everywhere still says where it is widest."""
    return (heat - heat.min()) / max(float(np.ptp(heat)), 1e-6)


def _rgb(picture: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def _difference(faces: list[np.ndarray]) -> np.ndarray:
    change = (faces[1].astype(float) - faces[0]) * AMPLIFIED + 128
    return _rgb(change.clip(0, 255).astype(np.uint8))


def _wheel(faces: list[np.ndarray]) -> np.ndarray:
    """The flow in colours: direction as hue, size as saturation, the largest movement fully coloured."""
    flow = CPU(grey(faces[0], FACE), grey(faces[1], FACE))
    size, angle = cv2.cartToPolar(flow[..., 0], flow[..., 1], angleInDegrees=True)
    most = max(float(np.percentile(size, 99)), 1e-6)
    hsv = np.dstack([angle / 2, np.minimum(size / most, 1) * 255, np.full_like(size, 255)]).astype(np.uint8)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)


def _over(picture: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """The heat laid over the picture, from nothing to warm."""
    height, width = picture.shape[:2]
    large = cv2.resize(heat, (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    warm = cv2.applyColorMap((large * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)
    share = 0.65 * large[..., None]
    return _rgb((picture * (1 - share) + warm * share).astype(np.uint8))
