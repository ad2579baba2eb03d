"""The scores of an event as a Plotly figure. A clear background: the page's own shows through."""

from __future__ import annotations

import json

from realtime.errors import MissingPartError
from realtime.output.styling import colour
from realtime.records import UNSURE, Event

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

    below: the band's upper end; by default what the manifest of the event's model says.
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
    figure.update_layout(xaxis_range=[0, 1.12], xaxis_tickvals=[0, 0.25, 0.5, 0.75, 1], yaxis_ticksuffix="  ")
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
