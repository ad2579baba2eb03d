"""One picture that says why: what was seen, how it moved, where the network looked, and what it made of it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from matplotlib.figure import Figure

from engines.flow import CPU
from realtime.naming.inputs.dual_atme import puzzle_picture, regions
from realtime.naming.inputs.face import crop, crop_box, grey
from realtime.naming.inputs.flow_map import FACE
from realtime.records import Event, Moments
from train.explain.heat import gates, gradcam

AMPLIFIED = 8  # how much the difference picture is exaggerated


def draw(event: Event, moments: Moments, network: torch.nn.Module, inputs: dict, layers: dict, attention: dict, file: Path) -> None:
    """Write the PNG.

    Args:
        layers, attention: a method's LAYERS and ATTENTION (`train.methods`).
    """
    box = crop_box(moments.points)
    faces = [cv2.resize(crop(view, box), (FACE, FACE)) for view in (moments.onset, moments.apex, moments.offset)]
    pictures = {"face": faces[1], "blocks": faces[1], "puzzle": puzzle_picture(moments.apex, regions(moments.points))}
    target = list(event.scores).index(max(event.scores, key=event.scores.get))
    panels = [("onset", _rgb(faces[0])), ("apex", _rgb(faces[1])), ("difference", _difference(faces)), ("flow", _wheel(faces))]
    for title, (layer, picture) in layers.items():
        how = "gradient" if layer.startswith("input:") else "Grad-CAM"
        panels.append((f"{how}: {title}", _over(pictures[picture], gradcam(network, inputs, layer, target))))
    gated = {(title, gate): gates(network, inputs, name)[gate] for title, (name, shown) in attention.items() for gate in shown}
    panels += [(f"{title}: {gate}", _over(faces[1], _spread(found))) for (title, gate), found in gated.items() if gate == "places"]

    bars = [("scores", list(event.scores.values()), list(event.scores))]
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
    for each in axes:
        each.axis("off")
    for place, (title, picture) in zip(axes, panels, strict=False):
        place.imshow(picture)
        place.set_title(title, fontsize=9)
    for place, (title, values, names) in zip(axes[len(panels) :], bars, strict=False):
        place.axis("on")
        place.bar(range(len(values)), values, color="#4a5a6a")
        place.set_title(title, fontsize=9)
        place.set_ylim(0, 1)
        place.tick_params(labelsize=7)
        place.set_xticks(range(len(values)) if names else [], names or [])
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=130)


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
