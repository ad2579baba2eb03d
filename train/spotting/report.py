"""What `mer-bench spotting` prints and keeps: tables in Markdown, everything in JSON, a precision–recall plot."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from train.spotting.score import Clip, bootstrap, calibration, curve, of_intensity, only, total

FAST = (100.0, 200.0)


def figures(clips: list[Clip]) -> dict:
    """Everything measured on some clips with micro-expressions or without, as plain numbers."""
    outcome, intervals = total(clips), bootstrap(clips)
    return {
        "clips": len(clips),
        "minutes": outcome.seconds / 60,
        "true": outcome.true,
        "false": outcome.false,
        "missed": outcome.missed,
        "precision": outcome.precision,
        "recall": outcome.recall,
        "f1": outcome.f1,
        "false_a_minute": outcome.false_a_minute,
        "intervals_95": intervals,
        "apex_error_ms": _quantiles(outcome.apex_errors),
        "delay_ms": _quantiles(outcome.delays),
        "blamed": dict(outcome.blamed),
    }


def results(by_part: dict[str, list[Clip]], cost_ms: float) -> dict:
    """The whole result: by part of the set, by intensity, the goals' figures, calibration and curve."""
    every = [clip for clips in by_part.values() for clip in clips]
    with_micro = [clip for name, clips in by_part.items() if name.startswith("micro") for clip in clips]
    groups = {
        "micro at 100–200": only(with_micro, fps=FAST),
        "micro at 30": only(with_micro, fps=30.0),
        "none": [clip for name, clips in by_part.items() if name.startswith("none") for clip in clips],
        "speaking": [clip for name, clips in by_part.items() if name.startswith("speaking") for clip in clips],
    }
    return {
        "goals": {name: figures(clips) for name, clips in groups.items() if clips},
        "parts": {name: figures(clips) for name, clips in by_part.items() if clips},
        "recall_by_intensity": {i: of_intensity(with_micro, i).recall for i in "ABCDE" if _has(with_micro, i)},
        "calibration": calibration(every),
        "curve": curve(with_micro),
        "cost_ms_a_frame": cost_ms,
    }


def markdown(result: dict) -> str:
    """The tables, to be read or pasted."""
    lines = ["| | precision | recall | F1 (95 %) | false a minute (95 %) | apex error, median | delay, median |", "|---|---|---|---|---|---|---|"]
    for name, f in (result["goals"] | result["parts"]).items():
        has = f["true"] + f["missed"] > 0
        cells = [
            _number(f["precision"]) if has else "",
            _number(f["recall"]) if has else "",
            _number(f["f1"]) + _interval(f["intervals_95"]["f1"]) if has else "",
            _number(f["false_a_minute"]) + _interval(f["intervals_95"]["false_a_minute"]),
            f"{f['apex_error_ms'][0]:.0f} ms" if f["apex_error_ms"] else "",
            f"{f['delay_ms'][0]:.0f} ms" if f["delay_ms"] else "",
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    causes = sorted({cause for f in result["parts"].values() for cause in f["blamed"]})
    lines += ["", "False alarms a minute, by what was happening:", "", "| | " + " | ".join(causes) + " |", "|---" * (len(causes) + 1) + "|"]
    for name, f in result["parts"].items():
        lines.append(f"| {name} | " + " | ".join(_number(f["blamed"].get(cause, 0) / f["minutes"]) for cause in causes) + " |")
    recalls = result["recall_by_intensity"]
    lines += ["", "Recall by intensity: " + ", ".join(f"{i} {value:.2f}" for i, value in recalls.items()) + "."]
    lines += ["", f"The spotter costs {result['cost_ms_a_frame']:.2f} ms a frame, landmarks excluded."]
    return "\n".join(lines) + "\n"


def plot(path: Path, results_by_name: dict[str, dict]) -> None:
    """Precision against recall over the confidence, one line for each result."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2, 4.6), dpi=150)
    axes = figure.add_subplot()
    for name, result in results_by_name.items():
        points = np.array([(recall, precision) for _, precision, recall in result["curve"]]).reshape(-1, 2)
        axes.plot(points[:, 0], points[:, 1], marker="o" if len(points) < 2 else None, linewidth=1.4, label=name)
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="recall", ylabel="precision")
    axes.grid(color="#ececec")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    figure.tight_layout()
    figure.savefig(path)


def _has(clips: list[Clip], intensity: str) -> bool:
    return any(t.intensity == intensity for clip in clips for t in clip.truth)


def _quantiles(values: list[float]) -> list[float]:
    """Median and 95th percentile in milliseconds; empty for nothing."""
    return [1000 * float(np.quantile(values, q)) for q in (0.5, 0.95)] if values else []


def _number(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.2f}"


def _interval(pair) -> str:
    return "" if any(math.isnan(p) for p in pair) else f" ({pair[0]:.2f}–{pair[1]:.2f})"
