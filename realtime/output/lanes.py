"""Chosen columns of frames.csv over time, a lane each, with the events behind them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from realtime.errors import UsageError
from realtime.judged import envelope
from realtime.output.frame_table import CURVES
from realtime.output.styling import colour
from realtime.records import Event

HEIGHT, WIDTH, DPI = 0.9, 10.0, 120  # inches of a lane, of the paper; pixels an inch


def chosen(words: str) -> tuple[str, ...]:
    """From "pose_Ry,mouthSmileLeft" → those columns.

    Raises:
        UsageError: one is none, or no curve.
    """
    names = tuple(dict.fromkeys(word.strip() for word in words.split(",") if word.strip()))
    for name in names:
        if name not in CURVES:
            raise UsageError(f"--plot {name}: expected one or more of {', '.join(CURVES)}")
    return names


def draw(table: Path, names: Sequence[str], events: Sequence[Event], separator: str = ",") -> bytes:
    """A PNG: a lane for each column, of the face that the spotter's curve is of; gaps where none was in view.

    Args:
        table: frames.csv.
    """
    from matplotlib.figure import Figure

    t, curves = read(table, names, separator)
    figure = Figure(figsize=(WIDTH, 0.7 + HEIGHT * len(names)), dpi=DPI, layout="constrained")
    for axes, name in zip(np.atleast_1d(figure.subplots(len(names), 1, sharex=True)), names, strict=True):
        for event in events:
            axes.axvspan(event.onset_s, event.offset_s, color=colour(event.label), alpha=0.15, linewidth=0)
        axes.plot(*envelope(t, curves[name], bins=int(WIDTH * DPI)), color="#4a5a6a", linewidth=0.9)
        axes.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=8.5)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=7.5)
    axes.set_xlabel("seconds", fontsize=8.5)
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()


def read(table: Path, names: Sequence[str], separator: str = ",") -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """(N seconds, each column's N numbers), a number a frame, of its first face; NaN where there is none.

    Args:
        table: frames.csv.
    """
    times, found, last = [], [], ""
    with open(table, encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file, delimiter=separator)  # not by name: a row has 73 of which few are wanted
        head = next(rows)
        frame, at, *places = (head.index(name) for name in ("frame", "timestamp", *names))
        for row in rows:
            if row[frame] != last:  # the frame's further faces follow
                last = row[frame]
                times.append(_number(row[at]))
                found.append([_number(row[place]) for place in places])
    columns = np.array(found, float).reshape(-1, len(names)).T
    return np.array(times, float), dict(zip(names, columns, strict=True))


def _number(word: str) -> float:
    return float(word.replace(",", ".")) if word else float("nan")
