"""Plotly figures of an event and of the difference curve. Clear backgrounds: the page's own shows through."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence

from realtime.colours import colour
from realtime.errors import MissingPartError
from realtime.records import UNSURE, Event

INK = {False: "#3a3f46", True: "#d5d9de"}  # by whether the page is dark
CURVE = {False: "#4a5a6a", True: "#a9b8c8"}
THRESHOLD = {False: "#9a6a20", True: "#e0a458"}


def unsure_below(model: str) -> float:
    """The probability under which a network of the zoo (or an .onnx file) names nothing: its manifest's
    calibration.abstain_below, 0 where it has none."""
    from pathlib import Path

    from engines.runtime import ZOO

    manifest = (Path(model) if model.endswith(".onnx") else ZOO / model).with_suffix(".json")
    try:
        return float(json.loads(manifest.read_text()).get("calibration", {}).get("abstain_below", 0.0))
    except (OSError, ValueError, AttributeError):
        return 0.0


def scores_figure(event: Event, below: float | None = None, dark: bool = False):
    """A bar for each class, the likeliest on top; the band in which the event would be "unsure" is shaded.

    below: the band's upper end; by default what the manifest of the event's model says.
    """
    go = _plotly()
    below = unsure_below(event.model) if below is None else below
    ranked = sorted(event.scores.items(), key=lambda pair: pair[1])
    figure = go.Figure(go.Bar(
        x=[score for _, score in ranked], y=[name for name, _ in ranked], orientation="h", cliponaxis=False,
        text=[f"{score:.2f}" for _, score in ranked], textposition="outside",
        marker_color=[colour(name, dark) for name, _ in ranked],
        marker_opacity=[1.0 if name == event.label else 0.55 for name, _ in ranked], hoverinfo="skip",
    ))  # fmt: skip
    if below > 0:
        figure.add_vrect(x0=0, x1=below, fillcolor=colour(UNSURE, dark), opacity=0.16, line_width=0, layer="below")
        figure.add_vline(x=below, line_color=THRESHOLD[dark], line_width=1.5, line_dash="dot")
        # left of the line, over the bars' own room
        figure.add_annotation(
            x=below, y=1, yref="paper", text=f"unsure below {below:.2f}", showarrow=False, xanchor="right",
            yanchor="bottom", font_color=THRESHOLD[dark], font_size=12,
        )  # fmt: skip
    figure.update_layout(xaxis_range=[0, 1.12], xaxis_tickvals=[0, 0.25, 0.5, 0.75, 1], yaxis_ticksuffix="  ")
    return _plain(figure, dark, height=80 + 38 * max(len(ranked), 1), top=26)


def curve_figure(
    points: Iterable[Sequence], threshold: float | Sequence[float] | None, marks: Iterable[Event], dark: bool = False
):
    """The difference curve over time, its threshold, and onset, apex and offset of each event.

    points: (t, difference, …) by time, seconds; a difference of NaN or None leaves a gap; a third entry is the threshold of
    that moment (as in `watch.Status.curve`). threshold: one for all, one each, or None to take it from the points.
    """
    go = _plotly()
    points = [tuple(point) for point in points]
    t = [point[0] for point in points]
    if threshold is None:
        threshold = [point[2] if len(point) > 2 else None for point in points]
    elif isinstance(threshold, (int, float)):
        threshold = [threshold] * len(points)
    figure = go.Figure()
    for event in marks:
        tint = colour(event.label, dark)
        figure.add_vrect(x0=event.onset_s, x1=event.offset_s, fillcolor=tint, opacity=0.18, line_width=0, layer="below")
        figure.add_vline(x=event.apex_s, line_color=tint, line_width=1.5)
        figure.add_annotation(
            x=event.apex_s, y=1, yref="paper", text=_safe(event.label), showarrow=False, yanchor="bottom", font_color=tint
        )
    dotted, drawn = {"color": THRESHOLD[dark], "width": 1.5, "dash": "dot"}, {"color": CURVE[dark], "width": 1.6}
    difference = _finite(point[1] for point in points)
    figure.add_scatter(x=t, y=_finite(threshold), mode="lines", name="threshold", line=dotted)
    figure.add_scatter(x=t, y=difference, mode="lines", name="difference", line=drawn)
    figure.update_layout(xaxis_title="seconds", yaxis_title="difference", yaxis_rangemode="tozero")
    figure.update_layout(legend={"orientation": "h", "y": -0.3})
    return _plain(figure, dark, height=260, top=28)


def _plain(figure, dark: bool, height: int, top: int):
    grid = "rgba(128,128,128,0.22)"
    figure.update_layout(
        template="none", height=height, margin={"l": 72, "r": 14, "t": top, "b": 44}, font={"color": INK[dark], "size": 13},
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", dragmode=False, bargap=0.32,
    )  # fmt: skip
    figure.update_xaxes(gridcolor=grid, zeroline=False, fixedrange=True)
    figure.update_yaxes(gridcolor=grid, zeroline=False, fixedrange=True)
    return figure


def _finite(values: Iterable) -> list[float | None]:
    """Plotly draws a gap at None; NaN is no JSON."""
    return [None if value is None or not math.isfinite(value) else float(value) for value in values]


def _safe(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;")  # Plotly reads tags in its texts


def _plotly():
    try:
        import plotly.graph_objects
    except ImportError as error:
        raise MissingPartError("figures need plotly: pip install 'mer-live[demo]'") from error
    return plotly.graph_objects
