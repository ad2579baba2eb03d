"""What `mer-bench spotting` prints and keeps: tables in Markdown, everything in JSON, a precision–recall plot."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path

import numpy as np

from train.bench.spotting.score import Clip, Which, bootstrap, calibration, curve, only, total, true_of_ten

FAST = (100.0, 200.0)
FULLY, NOT_AT_ALL = 0.8, 0.3  # shares of the way to the apex that are undone at the offset
KINDS = ("micro", "none", "speaking", "harsh")  # of parts, the first word of their names
WHILE = {"none": "", "speaking": ", all of them while speaking"}
ROWS: dict[str, Which] = {
    "real motion": lambda t: t.motion == "real",
    "action units": lambda t: t.motion == "action units",
    "returns fully": lambda t: t.returned >= FULLY,
    "returns half": lambda t: NOT_AT_ALL <= t.returned < FULLY,
    "does not return": lambda t: t.returned < NOT_AT_ALL,
    "real motion, does not return": lambda t: t.motion == "real" and t.returned < NOT_AT_ALL,
    "on an expression": lambda t: t.on_expression,
    "with a blink inside": lambda t: t.blink_inside,
}


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


def results(by_part: dict[str, list[Clip]], cost_ms: float, rate: float) -> dict:
    """The whole result: by part of the set, by what the micro-expressions are like, calibration and curve.

    rate: micro-expressions a minute for which it is said how many alarms would be true.
    """
    every = [clip for clips in by_part.values() for clip in clips]
    of = {word: [c for name, clips in by_part.items() if name.startswith(word) for c in clips] for word in KINDS}
    micro = of["micro"]
    groups = {"micro at 100–200": only(micro, fps=FAST), "micro at 30": only(micro, fps=30.0)} | {w: of[w] for w in KINDS[1:]}
    recall = total(micro).recall
    return {
        "goals": {name: figures(clips) for name, clips in groups.items() if clips},
        "parts": {name: figures(clips) for name, clips in by_part.items() if clips},
        "like": {name: _like(micro, which) for name, which in ROWS.items() if _has(micro, which)},
        "recall_by_intensity": {i: _recall(micro, i) for i in "ABCDE" if _has(micro, partial(_is_of, i))},
        "rate": rate,
        "true_of_ten": {name: _of_ten(recall, of[name], rate) for name in ("none", "speaking") if micro and of[name]},
        "calibration": calibration(every),
        "curve": curve(micro),
        "cost_ms_a_frame": cost_ms,
    }


def markdown(result: dict) -> str:
    """The tables, to be read or pasted."""
    lines = _table(result["goals"] | result["parts"])
    if result["like"]:
        lines += ["", "Micro-expressions that are … (false alarms that overlap none of any kind are shared out among those of their clip):", ""]
        lines += ["| | number | precision | recall | F1 (95 %) | number at 100–200 | F1 at 100–200 (95 %) |", "|---" * 7 + "|"]
        for name, f in result["like"].items():
            cells = [str(f["number"]), _number(f["precision"]), _number(f["recall"]), _number(f["f1"]) + _interval(f["f1_95"])]
            cells += [str(f["fast"]["number"]), _number(f["fast"]["f1"]) + _interval(f["fast"]["f1_95"])]
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
    causes = sorted({cause for f in result["parts"].values() for cause in f["blamed"]})
    lines += ["", "False alarms a minute, by what was happening:", "", "| | " + " | ".join(causes) + " |", "|---" * (len(causes) + 1) + "|"]
    for name, f in result["parts"].items():
        lines.append(f"| {name} | " + " | ".join(_number(f["blamed"].get(cause, 0) / f["minutes"]) for cause in causes) + " |")
    recalls = result["recall_by_intensity"]
    lines += ["", "Recall by intensity: " + ", ".join(f"{i} {value:.2f}" for i, value in recalls.items()) + "."]
    lines += [
        "",
        f"{sum(f['true'] + f['missed'] for f in result['parts'].values())} micro-expressions in {sum(f['minutes'] for f in result['parts'].values()):.0f} minutes.",
    ]
    lines += ["", *(of_ten_words(ten, result["rate"], WHILE[name]) for name, ten in result["true_of_ten"].items())]
    lines += ["", f"The spotter costs {result['cost_ms_a_frame']:.2f} ms a frame, landmarks excluded."]
    return "\n".join(lines) + "\n"


def _is_of(intensity: str, truth) -> bool:
    return truth.intensity == intensity


def of_ten_words(ten: tuple[float, float, float], rate: float, when: str = "") -> str:
    """A sentence on `score.true_of_ten`."""
    likely, fewest, most = ten
    if math.isnan(likely):
        return f"With {rate:g} micro-expressions a minute{when}: no alarm was measured."
    return f"With {rate:g} micro-expressions a minute{when}, {likely:.1f} of ten alarms are true (95 %: {fewest:.1f}–{most:.1f})."


def of_recordings(result: dict, name: str, network: str) -> str:
    """The tables of `long.results`, to be read or pasted. name: of the set. network: that named the movements."""
    lines = [f"| {name} | annotated | found | false | precision | recall | F1 (95 %) |", "|---" * 7 + "|"]
    for kind, f in result["kinds"].items():
        cells = [str(f["annotated"]), str(f["true"]), f"{f['false']:.0f}", *(_number(f[n]) for n in ("precision", "recall"))]
        lines.append(f"| {kind} | " + " | ".join(cells) + f" | {_number(f['f1'], 3)}{_interval(f['f1_95'])} |")
    named = result["named"]
    lines += ["", f"{result['recordings']} recordings, {result['minutes']:.1f} minutes. True: an intersection over union of 0.5 or more."]
    if named["number"]:
        lines += [
            "",
            f"Of the micro-expressions found, {named['number']} have an emotion; {network} names {named['right']} of them rightly: UF1 "
            f"{_number(named['uf1'])} over those of negative, positive, surprise and others that occur. Spot-then-recognise: "
            f"STRS {_number(result['strs'], 3)}.",
        ]
    else:
        lines += ["", "Spot-then-recognise: no STRS, for no micro-expression that was found has an annotated emotion."]
    lines += ["", of_ten_words(result["true_of_ten"], result["rate"])]
    return "\n".join(lines) + "\n"


def _table(rows: dict[str, dict]) -> list[str]:
    lines = [
        "| | precision | recall | F1 (95 %) | false a minute (95 %) | apex error, median | delay after rest, median |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, f in rows.items():
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
    return lines


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


def _has(clips: list[Clip], which: Which) -> bool:
    return any(which(truth) for clip in clips for truth in clip.truth)


def _like(clips: list[Clip], which: Which) -> dict:
    """Figures of the micro-expressions that are like this, at all frame rates, and ("fast") at 100 and 200."""
    found = _figures_like(clips, which)
    return found | {"fast": _figures_like(only(clips, fps=FAST), which)}


def _figures_like(clips: list[Clip], which: Which) -> dict:
    outcome = total(clips, which=which)
    f1_95 = bootstrap(clips, which)["f1"] if clips else (float("nan"),) * 2
    number = outcome.true + outcome.missed
    return {"number": number, "precision": outcome.precision, "recall": outcome.recall, "f1": outcome.f1, "f1_95": f1_95}


def _recall(clips: list[Clip], intensity: str) -> float:
    return total(clips, which=lambda t: t.intensity == intensity).recall


def _of_ten(recall: float, without: list[Clip], rate: float) -> tuple[float, float, float]:
    """See `score.true_of_ten`; `without`: clips without a micro-expression."""
    outcome = total(without)
    return true_of_ten(recall, outcome.false, outcome.seconds / 60, rate)


def _quantiles(values: list[float]) -> list[float]:
    """Median and 95th percentile in milliseconds; empty for nothing."""
    return [1000 * float(np.quantile(values, q)) for q in (0.5, 0.95)] if values else []


def _number(value: float, digits: int = 2) -> str:
    return "–" if math.isnan(value) else f"{value:.{digits}f}"


def _interval(pair) -> str:
    return "" if any(math.isnan(p) for p in pair) else f" ({pair[0]:.2f}–{pair[1]:.2f})"
