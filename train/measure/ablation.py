"""The four papers side by side, each whole and with its own parts switched off one at a time: one table.

Every variant is a `mer-train protocol=holdout` run in a folder of its own; what is measured already is not run again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from realtime.cli.console import Console
from realtime.parallel import each
from train.run_folder import FREE
from train.settings import TrainSettings, chosen, same

WHOLE = "whole"
VARIANTS: dict[str, dict[str, list[str]]] = {
    "skd_tstsan": {
        WHOLE: [],
        "without magnification": ["model.magnify=false"],
        "without ECA": ["model.eca=false"],
        "without TSM": ["model.shift=false"],
        "without SKD": ["model.distil=false"],
    },
    "moext": {
        WHOLE: [],
        "without pre-training": ["model.pretrain=false"],
        "without contrastive losses": ["model.contrastive=false"],
    },
    "dual_atme": {
        WHOLE: [],
        "without HARS (full face only)": ["model.hars=false"],
        "without AARS (puzzle only)": ["model.aars=false"],
    },
    "sa_at": {
        WHOLE: [],
        "without style aggregation": ["model.style=false"],
        "without attention transfer": ["model.transfer=false"],
        "apex alone, as in the paper": ["model.input=apex"],
    },
    "kernel_ridge": {WHOLE: []},
    "ststnet": {WHOLE: []},
    "svm": {WHOLE: []},
    "lbptop": {WHOLE: []},
}
SAME_EACH_TIME = ("svm", "lbptop")  # one seed is enough


def runs(methods: list[str], words: list[str], out: Path, seeds: list[int]) -> dict[tuple[str, str], list[str]]:
    """{(method, variant): the words of its `mer-train` command}; `words` go with all of them."""
    made = {}
    for method in methods:
        for variant, switch in VARIANTS[method].items():
            folder = out / f"{method}-{variant.split(' (')[0].split(',')[0].replace(' ', '-')}"
            own = [0] if method in SAME_EACH_TIME else seeds
            fixed = [f"model={method}", "data=synthetic", "protocol=holdout", "launcher=inline", f"seeds={own}", f"out={folder}"]
            made[method, variant] = [*fixed, f"protocol.export={variant == WHOLE}", *words, *switch]
    return made


def measure(commands: dict[tuple[str, str], list[str]], jobs: int, done: Callable[[tuple[str, str]], None]) -> dict:
    """{(method, variant): results.json} of every run, `jobs` at a time, in the order of `commands`."""
    found = {}
    for key, results in each(_one, commands, commands, "processes", jobs):
        found[key] = results
        done(key)
    return {key: found[key] for key in commands}


def markdown(found: dict) -> str:
    """UF1 and UAR of every variant on people unseen in training; whole methods with their 95% interval over people."""
    rows = ["| method | variant | UF1 | UAR | seeds |", "|---|---|---|---|---|"]
    for (method, variant), results in found.items():
        mean, sd, many = results["mean"]["all"], results["sd"]["all"], len(results["seeds"])
        cells = [f"{mean[m]:.3f}" + (f" ± {sd[m]:.3f}" if many > 1 else "") for m in ("uf1", "uar")]
        if variant == WHOLE:
            low, high = results["interval"]["all"]["uf1"]
            cells[0] += f" ({low:.2f}–{high:.2f})"
        rows.append(f"| {method} | {variant} | {' | '.join(cells)} | {many} |")
    return "\n".join(rows)


def measured(settings: TrainSettings, console: Console) -> dict:
    """The results.json of a `mer-train` run: as it is where the very same was measured before, else the run goes on."""
    from train.run import run

    kept = Path(settings.out) / "results.json"
    if not _is_of(settings, kept):
        run(settings, console)
    return json.loads(kept.read_text("utf-8"))


def _is_of(settings: TrainSettings, kept: Path) -> bool:
    try:
        before = json.loads(kept.read_text("utf-8"))["settings"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    wanted = settings.as_dict()
    return all(same(before.get(key), wanted[key]) for key in wanted if key not in FREE or key == "seeds")


def _one(commands: dict[tuple[str, str], list[str]], key: tuple[str, str]) -> dict:
    return measured(chosen(*commands[key]), Console(quiet=True))
