"""What the network said of an event: its scores as a Plotly figure, on a clear ground, so that the page's own shows through; and where it
looked, as heat over the face."""

from __future__ import annotations

import io
import json
import subprocess
from dataclasses import replace
from importlib.util import find_spec

import cv2
import numpy as np

from engines import isolated
from realtime.dashboard.pictures.event import SIDE, label, warm_over
from realtime.errors import MissingPartError
from realtime.naming.inputs.face import crop_box
from realtime.naming.recognizer import Recognizer, moments_of
from realtime.output.styling import colour
from realtime.records import UNSURE, Event, FaceView, Keyframes

INK = {False: "#3a3f46", True: "#d5d9de"}  # by whether the page is dark
THRESHOLD = {False: "#9a6a20", True: "#e0a458"}


def unsure_below(model: str) -> float:
    """The probability under which a network of the zoo (or an .onnx file) names nothing: its manifest's
    calibration.abstain_below, 0 where it has none."""
    from pathlib import Path

    from engines.zoo import ZOO

    manifest = (Path(model) if model.endswith(".onnx") else ZOO / model).with_suffix(".json")
    try:
        return float(json.loads(manifest.read_text()).get("calibration", {}).get("abstain_below", 0.0))
    except (OSError, ValueError, AttributeError):
        return 0.0


def scores_figure(event: Event, below: float | None = None, dark: bool = False):
    """A bar for each class, the likeliest on top; the band in which the event would be "unsure" is shaded.

    Args:
        below: the band's upper end, in [0, 1]; by default what the manifest of the event's model says.
        dark: whether the page is.

    Raises:
        MissingPartError: without plotly.
    """
    go = _plotly()
    below = unsure_below(event.model) if below is None else below
    ranked = sorted(event.scores.items(), key=lambda pair: pair[1])
    figure = go.Figure(
        go.Bar(
            x=[score for _, score in ranked],
            y=[name for name, _ in ranked],
            orientation="h",
            cliponaxis=False,
            text=[f"{score:.2f}" for _, score in ranked],
            textposition="outside",
            marker_color=[colour(name, dark) for name, _ in ranked],
            marker_opacity=[1.0 if name == event.label else 0.55 for name, _ in ranked],
            hoverinfo="skip",
        )
    )
    if below > 0:
        figure.add_vrect(x0=0, x1=below, fillcolor=colour(UNSURE, dark), opacity=0.16, line_width=0, layer="below")
        figure.add_vline(x=below, line_color=THRESHOLD[dark], line_width=1.5, line_dash="dot")
        # left of the line, over the bars' own room
        figure.add_annotation(
            x=below,
            y=1,
            yref="paper",
            text=f"unsure below {below:.2f}",
            showarrow=False,
            xanchor="right",
            yanchor="bottom",
            font_color=THRESHOLD[dark],
            font_size=12,
        )
    figure.update_layout(xaxis_range=[0, 1.12], xaxis_tickvals=[0, 0.25, 0.5, 0.75, 1], yaxis_ticksuffix="  ", yaxis_automargin=True)
    return _plain(figure, dark, height=80 + 38 * max(len(ranked), 1), top=26)


def _plain(figure, dark: bool, height: int, top: int):
    grid = "rgba(128,128,128,0.22)"
    figure.update_layout(
        template="none",
        height=height,
        margin={"l": 72, "r": 14, "t": top, "b": 44},
        font={"color": INK[dark], "size": 13},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        dragmode=False,
        bargap=0.32,
    )
    figure.update_xaxes(gridcolor=grid, zeroline=False, fixedrange=True)
    figure.update_yaxes(gridcolor=grid, zeroline=False, fixedrange=True)
    return figure


def _plotly():
    try:
        import plotly.graph_objects
    except ImportError as error:
        raise MissingPartError("figures need plotly: pip install 'mer-live[demo]'") from error
    return plotly.graph_objects


SECONDS = 25.0  # for the child: starting PyTorch takes most of it
WITHOUT_PLACES = ("kernel_ridge", "ststnet")  # no layer of these shows the face: there, Grad-CAM has nothing to draw on
GRID = 6  # patches across the face and down
EDGE = 5.0  # pixels over which the heat fades at the edge of what the network sees
PATCH = 1.6  # side of a patch, in steps of the grid: they overlap


def where_it_looked(keyframes: Keyframes, recognizer: Recognizer, seconds: float = SECONDS) -> np.ndarray:
    """The apex with heat where it spoke most for the class that won; the words in the picture say by which way.

    Takes seconds, so call it from a worker. H×W×3 uint8 RGB.
    """
    box = crop_box(moments_of(keyframes).points)
    title, heat = _gradcam(keyframes, recognizer, seconds) or _occlusion(keyframes, recognizer, box)
    left, top, right, bottom = box
    height, width = keyframes.apex.pixels.shape[:2]
    spread = np.zeros((height, width), np.float32)
    large = np.clip(cv2.resize(heat, (right - left, bottom - top), interpolation=cv2.INTER_CUBIC), 0, 1)
    rows, columns = slice(max(top, 0), min(bottom, height)), slice(max(left, 0), min(right, width))
    spread[rows, columns] = large[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    spread = cv2.GaussianBlur(spread, (0, 0), EDGE)
    picture = warm_over(cv2.cvtColor(keyframes.apex.pixels, cv2.COLOR_BGR2RGB), spread)
    picture = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    label(picture, title, (10, picture.shape[0] - 10), 18)
    return picture


def _gradcam(keyframes: Keyframes, recognizer: Recognizer, seconds: float) -> tuple[str, np.ndarray] | None:
    """(title, heat), or None where this network or this installation has none, or the time is over."""
    if recognizer.architecture in WITHOUT_PLACES or find_spec("torch") is None:
        return None
    moments, file = moments_of(keyframes), io.BytesIO()
    np.savez(file, **{name: getattr(moments, name) for name in ("onset", "apex", "offset", "points", "between")})
    command = isolated.command("train.explain.heat", str(recognizer.path))
    try:
        done = subprocess.run(command, input=file.getvalue(), capture_output=True, timeout=seconds, check=True)
        with np.load(io.BytesIO(done.stdout), allow_pickle=False) as answer:
            return str(answer["title"]), answer["heat"]
    except (subprocess.SubprocessError, OSError, ValueError, KeyError):
        return None


def _occlusion(keyframes: Keyframes, recognizer: Recognizer, box: tuple[int, int, int, int]) -> tuple[str, np.ndarray]:
    """GRID×GRID in [0, 1]: by how much the winning probability falls where a grey patch hides that part of every view."""
    _, scores = recognizer(keyframes)
    won = max(scores, key=scores.get)
    left, top, right, bottom = box
    step = (right - left) / GRID, (bottom - top) / GRID
    heat = np.zeros((GRID, GRID), np.float32)
    for row, column in np.ndindex(GRID, GRID):
        centre = left + (column + 0.5) * step[0], top + (row + 0.5) * step[1]
        corners = [(round(c - PATCH * s / 2), round(c + PATCH * s / 2)) for c, s in zip(centre, step, strict=True)]
        heat[row, column] = scores[won] - recognizer(_covered(keyframes, *corners))[1][won]
    heat = cv2.GaussianBlur(heat.clip(0), (0, 0), 0.6)
    return "by covering parts of the face", heat / max(float(heat.max()), 1e-6)


def _covered(keyframes: Keyframes, columns: tuple[int, int], rows: tuple[int, int]) -> Keyframes:
    def cover(view: FaceView) -> FaceView:
        pixels = view.pixels.copy()
        pixels[max(rows[0], 0) : max(rows[1], 0), max(columns[0], 0) : max(columns[1], 0)] = 128
        return replace(view, pixels=pixels)

    onset, apex, offset = (cover(view) for view in (keyframes.onset, keyframes.apex, keyframes.offset))
    return replace(keyframes, onset=onset, apex=apex, offset=offset, between=tuple(map(cover, keyframes.between)))
