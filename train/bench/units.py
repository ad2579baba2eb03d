"""`mer-bench units`: how well the shipped network estimates the action units of people that it has not seen.

Expected, written down before it was measured on them: a mean F1 of 0.70 over the ten commonest units, as on people held back from training.
"""

from __future__ import annotations

import csv
import json
import math
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from rich.progress import Progress

from realtime.cli.bench import machine
from realtime.cli.console import Console
from realtime.errors import SourceError, UsageError
from realtime.naming.action_units import UnitEstimator, written
from realtime.naming.inputs import displacement
from realtime.output.line_file import cannot_write
from realtime.parallel import each
from realtime.pipeline import PipelineSettings, replay
from realtime.records import Event
from realtime.review.item import UNITS, overlap
from train import places
from train.action_units import collect
from train.action_units.collect import OUTPUTS, Pairs
from train.measure.metrics import f1_of
from train.synthesis.people import portraits
from train.synthesis.real_motion import HELD_OUT_FROM

PEOPLE = 20  # from HELD_OUT_FROM on; nothing was trained or chosen on them
# Over the annotation tables of SAMM Long Videos, CASME II, DFME, CAS(ME)² and CAS(ME)³, those most often annotated, the commonest first
# (eyes that close, 43, are left to the blinks)
COMMONEST = (4, 2, 1, 7, 12, 14, 5, 24, 17, 6)
FOUND = 0.3  # intersection over union from which on an event is about a movement
EXPECTED = {"6 or 12": {6, 12}, "1, 2 or 5": {1, 2, 5}, "4": {4}, "any of 7, 9, 10, 14, 15, 17, 24": {7, 9, 10, 14, 15, 17, 24}}
SMALL = 0.03  # outer-eye distances: the largest displacement of a micro-expression


@dataclass(frozen=True)
class Told:
    """What was said of one movement, and what is true: numbers of units → "", "R" or "L"."""

    said: dict[int, str]
    true: dict[int, str]


@click.command()
@click.option("--portraits", "folder", type=click.Path(path_type=Path), help="Folder of portraits, at least 130.  [default: $MER_DATA/portraits]")
@click.option("--each", "number", default=50, show_default=True, type=click.IntRange(1), help="Movements rendered of each person.")
@click.option("--test", "tested", type=click.Path(path_type=Path), metavar="DIR", help="Instead: a prepared set whose table has action units.")
@click.option("--clips", type=click.Path(path_type=Path), metavar="DIR", help="Instead: the whole live loop on clips that mer-synth made.")
@click.option("--network", default="action_units", show_default=True, metavar="NAME|FILE", help="One of the zoo, or an .onnx file.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path("runs/units"), show_default=True, help="Where results go.")
@click.option("--jobs", type=click.IntRange(1), default=os.cpu_count(), help="Processes that render.  [default: one a core]")
def units(folder, number, tested, clips, network, out, jobs):
    """Precision, recall and F1 of each action unit, on synthetic people or on your own prepared set."""
    console, estimate = Console(soft_wrap=True), UnitEstimator(network)
    people = folder or places.portraits()
    console.print(machine(), style="dim")
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("movements", total=None)
        if tested or clips:
            parts = _prepared(estimate, tested) if tested else _live(network, clips, jobs, lambda: bar.advance(task))
        else:
            parts = _rendered(estimate, people, number, jobs, lambda: bar.advance(task))
    text = "\n\n".join(f"### {name}\n\n{markdown(told)}" for name, told in parts.items() if told)
    if not tested and not clips:
        text += "\n\n### real people's movements, whose units are not known\n\n" + _real(estimate, people, jobs)
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "results.md").write_text(text + "\n", "utf-8")
        (out / "results.json").write_text(json.dumps({name: results(told) for name, told in parts.items()}, indent=1))
    except OSError as error:
        raise cannot_write(out, error) from error
    console.markdown(text)
    console.print(f"tables in {out}")


def _rendered(estimate: UnitEstimator, folder: Path, number: int, jobs: int, done: Callable[[], None]) -> dict[str, list[Told]]:
    found = len(portraits(folder))
    if found < HELD_OUT_FROM + PEOPLE:
        raise SourceError(f"{found} portraits in '{folder}': {HELD_OUT_FROM + PEOPLE} are needed, the last {PEOPLE} are measured on")
    tasks = [(place, number, 0) for place in range(HELD_OUT_FROM, HELD_OUT_FROM + PEOPLE)]
    made: list[Pairs] = []
    for _, pairs in each(collect.pairs_of, folder, tasks, "processes", jobs):
        made.append(pairs)
        done()
    pairs = collect.joined(made)
    told = [Told(*map(by_unit, both)) for both in zip(estimate.many(pairs.moved), map(_names, pairs.shown), strict=True)]
    size = pairs.size
    return {
        "all": told,
        "micro-expressions": [one for one, large in zip(told, size, strict=True) if 0 < large < SMALL],
        "macro-expressions": [one for one, large in zip(told, size, strict=True) if large >= SMALL],
    }


def _real(estimate: UnitEstimator, folder: Path, jobs: int) -> str:
    """Held-out real people's movements on held-out portraits: how often what is told of a class is what FACS expects of it."""
    told: dict[str, list[dict[int, str]]] = {}
    for _, (moved, labels) in each(collect.real_pairs_of, folder, range(HELD_OUT_FROM, HELD_OUT_FROM + PEOPLE), "processes", jobs):
        for label, said in zip(labels, estimate.many(moved) if len(moved) else [], strict=True):
            told.setdefault(label, []).append(by_unit(said))
    lines = ["| class | movements |" + "".join(f" {name} |" for name in EXPECTED), "|---|---|" + "---|" * len(EXPECTED)]
    for label, those in sorted(told.items()):
        shares = [np.mean([bool(units & one.keys()) for one in those]) for units in EXPECTED.values()]
        lines.append(f"| {label} | {len(those)} |" + "".join(f" {100 * share:.0f} % |" for share in shares))
    return "\n".join(lines)


def _live(network: str, folder: Path, jobs: int, done: Callable[[], None]) -> dict[str, list[Told]]:
    """What the live loop finds in clips with a truth.csv, where it finds a movement whose units are known."""
    try:
        with open(folder / "truth.csv", newline="", encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if row["Action Units"]]
    except (OSError, KeyError, UnicodeDecodeError) as error:
        raise SourceError(f"no clips with their truth in '{folder}' ({error}): mer-synth {folder} makes some") from error
    parts: dict[str, list[Told]] = {"micro": [], "macro": []}
    for clip, events in each(_events, network, sorted({folder / row["Filename"] for row in rows}), "processes", jobs):
        for row in (row for row in rows if row["Filename"] == clip.name):
            span = float(row["onset_s"]), float(row["offset_s"])
            best = max(events, key=lambda event: overlap((event.onset_s, event.offset_s), span), default=None)
            if best is not None and row["kind"] in parts and overlap((best.onset_s, best.offset_s), span) >= FOUND:
                true = re.findall(r"[LR]?\d+", row["Action Units"])
                parts[row["kind"]].append(Told(by_unit(best.units), by_unit(true)))
        done()
    return {f"{kind}-expressions that the live loop found": told for kind, told in parts.items()}


def _events(network: str, clip: Path) -> list[Event]:
    return list(replay(clip, PipelineSettings(action_units=network)))


def _prepared(estimate: UnitEstimator, cache: Path) -> dict[str, list[Told]]:
    """A set that `mer-train prepare` made; what has no units in its table is left out."""
    from train.data import cache as store
    from train.data.prepared import moments
    from train.synthesis.people import find_face

    kinds: dict[str, list[Told]] = {"micro": [], "macro": []}
    for row in store.read_rows(cache):
        true = re.findall(r"[LRlr]?\d{1,2}", row.action_units)
        if not true or row.kind not in kinds or row.still:
            continue
        views = moments(cache / "clips" / row.file)
        points = find_face(views.onset)
        if points is not None:
            moved = displacement.moved(views.onset, views.apex, points[:, :2].astype(np.float32))[None]
            (said,) = estimate.many(moved)
            kinds[row.kind].append(Told(by_unit(said), by_unit([one.upper() for one in true])))
    if not any(kinds.values()):
        raise UsageError(f"no clip of {cache} has action units in its table and a face: take another set")
    return {f"{kind}-expressions": told for kind, told in kinds.items()}


def _names(shown: np.ndarray) -> list[str]:
    """OUTPUTS bool → as FACS writes them."""
    return list(written(OUTPUTS, shown.astype(float), [0.5] * len(OUTPUTS)))


def by_unit(names: Iterable[str]) -> dict[int, str]:
    """["4", "L12"] → {4: "", 12: "L"}."""
    return {int(name.lstrip("RL")): name.rstrip("0123456789") for name in names}


def results(told: list[Told]) -> dict[str, dict[str, float]]:
    """For each unit that was shown or said: how often shown, precision, recall, F1, and how often the side was right where the unit was."""
    rows = {}
    for unit in sorted({unit for one in told for unit in (*one.said, *one.true)}):
        said, true = (np.array([unit in what for what in whats]) for whats in zip(*((one.said, one.true) for one in told), strict=True))
        both = [one for one in told if unit in one.said and unit in one.true]
        rows[str(unit)] = {
            "shown": int(true.sum()),
            "precision": len(both) / max(said.sum(), 1),
            "recall": len(both) / max(true.sum(), 1),
            "f1": f1_of(said, true),
            "side": float(np.mean([one.said[unit] == one.true[unit] for one in both])) if both else float("nan"),
        }
    return rows


def markdown(told: list[Told]) -> str:
    rows = results(told)
    lines = ["| unit | shown | precision | recall | F1 | side right |", "|---|---|---|---|---|---|"]
    for unit in sorted(rows, key=lambda one: (int(one) not in COMMONEST, int(one))):
        row = rows[unit]
        side = "–" if math.isnan(row["side"]) else f"{row['side']:.2f}"
        name = f"{unit} {UNITS.get(int(unit), '')}" if int(unit) not in COMMONEST else f"**{unit}** {UNITS[int(unit)]}"
        lines.append(f"| {name} | {row['shown']} | {row['precision']:.2f} | {row['recall']:.2f} | {row['f1']:.2f} | {side} |")
    right, still = np.mean([one.said == one.true for one in told]), [one for one in told if not one.true]
    for title, chosen in (
        ("those of the ten commonest (bold) that were shown, mean", [str(one) for one in COMMONEST]),
        ("all that were shown, mean", list(rows)),
    ):
        f1 = [rows[unit]["f1"] for unit in chosen if unit in rows and rows[unit]["shown"]]
        lines.append(f"| {title} | | | | {np.mean(f1):.2f} | |" if f1 else f"| {title} | | | | – | |")
    words = f"{len(told)} movements; of {100 * right:.0f} % every unit and side was told, and no other."
    words += f" In {len(still)} no unit moved: of {sum(bool(one.said) for one in still)} of them one was told." if still else ""
    return "\n".join([*lines, "", words])
