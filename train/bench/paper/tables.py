"""The tables of the four papers as data: `<paper>.yaml` beside this file, one for each.

title     what the paper is
words     settings of `mer-train` that go with every run (of the paper; a table and a row may have more, the later one wins)
percent   true: the numbers are printed as percentages
tasks     NAME: {title, words}, what is tested on what
columns   what the numbers of a row are, in the paper's order: a set of people and a metric each, "all uf1"
tables    NAME: {title, tasks, rows}, and words, columns, note where it has its own. Of a figure: draws (gradcam, tsne), people
rows      {name, words, said}: what is switched, and what the paper says it reaches, for all tasks or as {TASK: numbers}. tasks: where
          it is run at all. answer: which classifier of the network is scored. alone: trained on the sets for pre-training alone.

A row of another `model=` takes no settings of the paper's method, nor its pre-training.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from realtime.errors import UsageError

FOLDER = Path(__file__).parent
PAPERS = ("skd_tstsan", "moext", "dual_atme", "sa_at")
OWN = ("model.", "fit.", "data.pretrain")  # settings of a method alone


@dataclass(frozen=True)
class Task:
    """What is tested on what. `data`: the word after `data=`."""

    name: str
    title: str
    words: tuple[str, ...]

    @property
    def data(self) -> str:
        return keyed(self.words)["data"]


@dataclass(frozen=True)
class Row:
    """A variant of a table.

    Attributes:
        said: {task: the paper's numbers, one for each column}; a task that is not named has none.
        tasks: those that it is run on.
        answer: a classifier of the network beside the one that answers; "" for that.
        alone: the network learns from the sets for pre-training alone, and is tested on all of the task's.
    """

    name: str
    words: tuple[str, ...]
    said: dict[str, tuple[float | None, ...]]
    tasks: tuple[str, ...]
    answer: str = ""
    alone: bool = False


@dataclass(frozen=True)
class Table:
    """One table of a paper.

    Attributes:
        name: "dual_atme.table5".
        columns: (set of people, metric), what the numbers of a row are.
        draws: for a figure, what is drawn of its networks; "" for a table of numbers.
        people: whom the figure shows; none: a few who show all classes.
    """

    name: str
    title: str
    paper: str
    words: tuple[str, ...]
    tasks: tuple[Task, ...]
    columns: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]
    note: str = ""
    draws: str = ""
    people: tuple[str, ...] = ()

    def words_of(self, row: Row, task: Task, more: Iterable[str]) -> list[str]:
        """The settings of `mer-train` for a row on a task; `more` is what a person adds."""
        own = keyed(row.words)
        found = keyed([*self.words, *task.words, *more])
        if own.get("model", found["model"]) != found["model"]:  # a method that the paper compares itself with
            found = {key: value for key, value in found.items() if not key.startswith(OWN)}
        return [f"{key}={value}" for key, value in (found | own).items()]


def keyed(words: Iterable[str]) -> dict[str, str]:
    """{"fit.epochs": "3"} of ["fit.epochs=3"]; of one setting that is given twice, the last."""
    return dict(word.split("=", 1) for word in words)


@cache
def tables() -> dict[str, Table]:
    """All of them, by name."""
    found = {}
    for paper in PAPERS:
        file = FOLDER / f"{paper}.yaml"
        known = yaml.safe_load(file.read_text("utf-8"))
        tasks = {name: Task(name, task["title"], tuple(task["words"])) for name, task in known["tasks"].items()}
        for name, table in known["tables"].items():
            found[f"{paper}.{name}"] = _table(f"{paper}.{name}", known, table, tasks)
    return found


def table(name: str) -> Table:
    """The one of that name.

    Raises:
        UsageError: there is none.
    """
    known = tables()
    if name not in known:
        own = [one for one in known if one.startswith(f"{name.split('.')[0]}.")]
        raise UsageError(f"unknown table '{name}': expected one of {', '.join(own or known)}")
    return known[name]


def _table(name: str, paper: dict[str, Any], table: dict[str, Any], tasks: dict[str, Task]) -> Table:
    share = 100 if paper.get("percent") else 1
    columns = tuple(tuple(one.split()) for one in table.get("columns", paper["columns"]).split(","))
    rows = []
    for row in table["rows"]:
        said = row.get("said", {})
        said = said if isinstance(said, dict) else dict.fromkeys(table["tasks"], said)
        said = {task: tuple(None if x is None else round(x / share, 6) for x in numbers) for task, numbers in said.items()}
        of = tuple(row.get("tasks", table["tasks"]))
        rows.append(Row(str(row["name"]), tuple(row.get("words", ())), said, of, row.get("answer", ""), row.get("alone", False)))
    return Table(
        name,
        table["title"],
        paper["title"],
        (*paper["words"], *table.get("words", ())),
        tuple(tasks[one] for one in table["tasks"]),
        columns,
        tuple(rows),
        table.get("note", ""),
        table.get("draws", ""),
        tuple(table.get("people", ())),
    )


def listed(known: Sequence[Table]) -> list[str]:
    """A line for each: its name, what it asks, and the data that it takes."""
    wide = max(len(one.name) for one in known)
    return [f"{one.name:{wide}}  {one.title}; data={' or '.join(dict.fromkeys(task.data for task in one.tasks))}" for one in known]
