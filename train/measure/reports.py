"""What a measurement came to, for people: tables and confusion matrices."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
from rich.markup import escape
from rich.table import Table

HEADS = {"uf1": "UF1", "uar": "UAR", "accuracy": "accuracy"}


def rows(results: dict) -> list[list[str]]:
    """A row for each data set: name, each metric as mean over seeds ± sd [95% interval], the ensemble's UF1 and UAR."""
    several = len(results["seeds"]) > 1
    found = []
    for group in results["mean"]:
        ensemble = results["ensemble"][group]
        cells = [cell(results, group, m) for m in HEADS]
        cells += [f"{ensemble[m]:.3f}" for m in ("uf1", "uar")] if several else []
        found.append([group, *cells])
    return found


def cell(results: dict, group: str, metric: str) -> str:
    """Mean over seeds ± sd, where there are several, [95% interval]."""
    spread = f" ± {results['sd'][group][metric]:.3f}" if len(results["seeds"]) > 1 else ""
    low, high = results["interval"][group][metric]
    return f"{results['mean'][group][metric]:.3f}{spread} [{low:.2f}, {high:.2f}]"


def heads(results: dict) -> list[str]:
    return ["people from", *HEADS.values(), *(["ensemble UF1", "ensemble UAR"] if len(results["seeds"]) > 1 else [])]


def caption(results: dict) -> str:
    several = len(results["seeds"]) > 1
    of = f"mean ± standard deviation of {len(results['seeds'])} seeds" if several else "one seed"
    return f"pooled over people; {of}; in brackets the 95% bootstrap interval over people"


def table(results: dict, title: str) -> Table:
    """For the terminal: the accuracy bare, and the ensemble of all groups in a line below, so that it fits."""
    below = caption(results)
    if len(results["seeds"]) > 1:
        ensemble = results["ensemble"]["all"]
        below += f"\nthe seeds' ensemble: UF1 {ensemble['uf1']:.3f}, UAR {ensemble['uar']:.3f}"
    heads = "people from", *HEADS.values()
    result = Table(*heads, title=title, caption=below, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for group, uf1, uar, accuracy, *_ in rows(results):
        result.add_row(*map(escape, (group, uf1, uar, accuracy.split()[0])))
    return result


def leak_table(found: dict) -> Table:
    """The diagnostic of protocol.leak, in colours that nobody takes for a result."""
    title = "DIAGNOSTIC, no result: the epoch picked on the people who are tested"
    result = Table("people from", "metric", "honest", "leaked", "gap", title=title, style="red", title_style="bold red")
    for group, honest in found["honest"].items():
        for metric, value in honest.items():
            gap = found["gap"][group][metric]
            result.add_row(group, HEADS[metric], f"{value:.3f}", f"{found['leaked'][group][metric]:.3f}", f"{gap:+.3f}")
    return result


def markdown(results: dict, title: str) -> str:
    """The table for a file."""
    lines = [f"# {title}", "", f"| {' | '.join(heads(results))} |", "|---" * len(heads(results)) + "|"]
    lines += [f"| {' | '.join(row)} |" for row in rows(results)]
    return "\n".join([*lines, "", f"{caption(results)[0].upper()}{caption(results)[1:]}.", ""])


def confusions(results: dict, classes: tuple[str, ...], out: Path) -> None:
    """confusion-SET.png for all together and each data set: the counts of all seeds."""
    for group in results["mean"]:
        counts = np.sum([of[group]["confusion"] for of in results["seeds"].values()], axis=0)
        mean = results["mean"][group]
        name = "all sets" if group == "all" else group
        title = f"{name}: UF1 {mean['uf1']:.3f}, UAR {mean['uar']:.3f}"
        seeds = len(results["seeds"])
        draw(counts, classes, title, out / f"confusion-{group.replace('/', '-')}.png", seeds)


def draw(counts: np.ndarray, classes: tuple[str, ...], title: str, file: Path, seeds: int = 1) -> None:
    """A confusion matrix, K×K counts, rows = truth; shades and percentages are shares of the row, the diagonal is recall."""
    from matplotlib.figure import Figure

    share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    size = 1.9 + 0.95 * len(classes)
    figure = Figure(figsize=(size, size), dpi=120, layout="constrained")
    axes = figure.subplots()
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for (row, column), value in np.ndenumerate(counts):
        colour = "white" if share[row, column] > 0.55 else "black"
        text = f"{share[row, column]:.0%}\n{value / seeds:.3g}"
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=9)
    axes.set_xticks(range(len(classes)), classes, rotation=30, ha="right")
    axes.set_yticks(range(len(classes)), classes)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true" + (f" (clips, mean of {seeds} seeds)" if seeds > 1 else " (clips)"))
    axes.set_title(title, fontsize=10)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png")
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    partial.write_bytes(drawn.getvalue())
    partial.replace(file)
