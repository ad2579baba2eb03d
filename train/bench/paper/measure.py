"""`mer-bench paper TABLE`: a paper's table measured here, its numbers beside ours.

Every variant is a `mer-train` run in a folder of its own, OUT/<paper>/<task>/<what is switched>, so what several tables ask is
measured once, and what is measured is not run again. OUT/<table>.md and .json are written after every run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from realtime.cli.console import Console
from realtime.errors import UsageError
from train import run_folder
from train.bench.paper.tables import Row, Table, Task, keyed
from train.data.loaders import LOADERS
from train.measure import reports
from train.measure.ablation import measured
from train.settings import TrainSettings, chosen

WHOLE = "whole"


@dataclass(frozen=True, eq=False)
class Run:
    """A row of a table on one of its tasks, and the settings that it comes to."""

    row: Row
    task: Task
    settings: TrainSettings


def measure(table: Table, words: Sequence[str], out: Path, console: Console) -> str:
    """Run what is missing of the table; returns it in Markdown.

    Args:
        words: further settings of `mer-train`; `data` chooses among the table's tasks.

    Raises:
        UsageError: data that the table needs are not prepared, or a word is none.
    """
    runs = planned(table, words, out, console)
    found: dict[str, dict] = {}
    folders = list(dict.fromkeys(run.settings.out for run in runs))
    text = ""
    for number, folder in enumerate(folders, 1):
        run = next(one for one in runs if one.settings.out == folder)
        console.print(f"{number} of {len(folders)}: {run.row.name}, {run.task.title}", style="dim", highlight=False)
        try:
            found[folder] = measured(run.settings, console)
        except UsageError as error:  # as `mer-train` says it
            raise UsageError(str(error).replace("out=DIR", "--out DIR")) from error
        text = markdown(table, runs, found, words)
        run_folder.write(out / f"{table.name}.md", text)
        run_folder.write(out / f"{table.name}.json", json.dumps(plain(table, runs, found), indent=1))
    return text


def planned(table: Table, words: Sequence[str], out: Path, console: Console) -> list[Run]:
    """All runs of the table on what `data` names, or on all that is prepared.

    Raises:
        UsageError: as `measure`.
    """
    given = keyed(words)
    if "out" in given:
        raise UsageError(f"out={given['out']}: of a table, give --out {given['out']}")
    known = list(dict.fromkeys(task.data for task in table.tasks))
    data = given.pop("data", None)
    if data is not None and data not in known:
        raise UsageError(f"{table.name} is not measured on data={data}: expected {' or '.join(known)}")
    if data is None and len(known) > 1 and any(key.startswith("data.") for key in given):
        raise UsageError(f"which set are those data.… settings of? Give data={' or '.join(known)}, too")
    runs, lacks = [], []
    for task in table.tasks:
        if data in (None, task.data):
            own = [_run(table, row, task, [f"{key}={value}" for key, value in given.items()], out) for row in table.rows if task.name in row.tasks]
            missing = lack([run.settings for run in own])
            lacks += [f"{table.name} on {task.title} {missing}"] if missing else []
            runs += [] if missing else own
    if lacks and (data is not None or not runs):
        raise UsageError(lacks[0])
    for run in runs:
        if hasattr(run.settings.model, "check_files"):  # now, not after the data were read
            run.settings.model.check_files()
    for line in lacks:
        console.print(f"left out: {line}", style="yellow", soft_wrap=True, highlight=False)
    return runs


def _run(table: Table, row: Row, task: Task, more: list[str], out: Path) -> Run:
    folder = out / table.name.split(".")[0] / task.name / slug(row)
    return Run(row, task, _settings(tuple(table.words_of(row, task, [*more, f"out={folder}"])), row.name if row.alone else ""))


@cache  # rows that are scored from one training ask for the same
def _settings(words: tuple[str, ...], alone: str) -> TrainSettings:
    settings = chosen(*words)
    return chosen(*_alone(alone, words, settings)) if alone else settings


def _alone(row: str, words: tuple[str, ...], settings: TrainSettings) -> list[str]:
    """The words of a network that learns from the sets for pre-training, and is tested on what it would else be fine-tuned on."""
    before, tested = settings.data.pretrain, settings.data.cache
    if not before:
        raise UsageError(f"'{row}' learns from the sets for pre-training alone: name one or more with data.pretrain=[DIR]")
    found = {key: value for key, value in keyed(words).items() if not key.startswith("protocol.")}
    found |= {"protocol": "holdout", "data.pretrain": "[]"}
    found |= {"data.cache": f"[{','.join(before)}]", "data.test": f"[{','.join(tested)}]"}
    return [f"{key}={value}" for key, value in found.items()]


def slug(row: Row) -> str:
    """The folder's name: "eca=false,shift=false"."""
    return re.sub(r"[^\w.=,-]+", "", ",".join(re.sub(r"^(model|fit|data)\.", "", word) for word in row.words)) or WHOLE


def lack(settings: Sequence[TrainSettings]) -> str:
    """What some of these runs need and nobody has prepared, and how to put it right; "" where everything is there."""
    maps = next((one.data.path for one in settings if one.data.name == "megc2019_flow"), None)
    if maps is not None and not Path(maps).is_file():
        return f"needs the flow maps at {maps}: set data.path=FILE, train/README.md says where they are to be had"
    tested = {folder for one in settings for folder in (one.data.test or one.data.cache)}
    folders = [folder for one in settings if maps is None for folder in (*one.data.cache, *one.data.more, *one.data.test, *one.data.pretrain)]
    missing = {folder: _name(folder, settings) for folder in dict.fromkeys(folders) if not Path(folder, "clips.csv").is_file()}
    if not missing:
        return ""
    ordered = sorted(missing, key=lambda folder: folder not in tested)
    names = [missing[folder] if folder in tested else f"{missing[folder]} (for pre-training)" for folder in ordered]
    made = f"mer-train prepare data={missing[ordered[0]]} data.root=FOLDER data.cache={ordered[0]}"
    return f"needs {', '.join(names)}, not prepared yet: {made}" + (" makes the first" if len(names) > 1 else "")


def _name(folder: str, settings: Sequence[TrainSettings]) -> str:
    """Of the set that belongs into a folder: prepared/NAME is where it lies by default."""
    return Path(folder).name if Path(folder).name in LOADERS else settings[-1].data.name


def markdown(table: Table, runs: list[Run], found: dict[str, dict], words: Sequence[str]) -> str:
    """The table: the paper's numbers beside ours, what is not measured yet as "…". words: the settings that a person gave."""
    metrics = list(dict.fromkeys(metric for _, metric in table.columns))
    heads = [cell for metric in metrics for cell in (f"{reports.HEADS[metric]}: paper", "here")]
    several = len({run.task.name for run in runs}) > 1
    lines = [f"# {table.paper}: {table.title}", "", f"| | tested on | {' | '.join(heads)} |", "|---" * (2 + len(heads)) + "|"]
    for run in runs:
        said = dict(zip(table.columns, run.row.said.get(run.task.name, ())))
        for group in dict.fromkeys(group for group, _ in table.columns):
            cells = []
            for metric in metrics:
                one = said.get((group, metric))
                cells += ["" if one is None else f"{one:.3f}", _ours(run, found, group, metric)]
            tested = run.task.title if several and group == "all" else group
            lines.append(f"| {run.row.name} | {tested} | {' | '.join(cells)} |")
    about = f"here: mean over seeds [95 % interval by bootstrap over people]; {table.name}, {', '.join(dict.fromkeys(run.task.title for run in runs))}, schedule={runs[0].settings.schedule}"
    about += "".join(
        f", {word}" for word in words if not word.startswith(("data=", "data.cache=", "data.path=", "schedule=", "launcher=", "workers="))
    )
    return "\n".join([*lines, "", about, *([table.note] if table.note else []), ""])


def plain(table: Table, runs: list[Run], found: dict[str, dict]) -> dict:
    """The table for programs: a line for each number that the paper has or could have."""
    rows = []
    for run in runs:
        said = dict(zip(table.columns, run.row.said.get(run.task.name, ())))
        results = _results(run, found)
        for group, metric in table.columns:
            here = results is not None and group in results["mean"]
            rows.append(
                {
                    "row": run.row.name,
                    "task": run.task.name,
                    "group": group,
                    "metric": metric,
                    "paper": said.get((group, metric)),
                    "here": results["mean"][group][metric] if here else None,
                    "interval": results["interval"][group][metric] if here else None,
                    "seeds": list(found[run.settings.out]["seeds"]) if here else [],
                    "folder": run.settings.out,
                }
            )
    return {"table": table.name, "paper": table.paper, "title": table.title, "rows": rows}


def _results(run: Run, found: dict[str, dict]) -> dict | None:
    results = found.get(run.settings.out)
    return results["answers"][run.row.answer] if results and run.row.answer else results


def _ours(run: Run, found: dict[str, dict], group: str, metric: str) -> str:
    results = _results(run, found)
    return "…" if results is None else reports.cell(results, group, metric) if group in results["mean"] else ""
