"""A person looks on: bars with the time that is left, the curves' last values, and the best so far.

What is shown as best was scored on people held back from training (protocol.inner), never on those who are tested.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from train.watch import Curves, Watch, replay

if TYPE_CHECKING:
    from torch import nn

    from train.measure.evaluate import Task

NAMES = {"inner_uf1": "held-back UF1", "inner_best": "best so far"}
EVERY = 60.0  # seconds between two lines where there is no terminal for a bar


def _bars(console: Console) -> Progress:
    columns = TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    # no speed from a few seconds alone: folds and epochs take minutes
    remaining = TimeRemainingColumn(), TextColumn("{task.fields[last]}", markup=False)
    return Progress(*columns, *remaining, console=console, speed_estimate_period=3600)


def last(scalars: dict[str, float]) -> str:
    """The scalars in words; nothing that was measured on the people who are tested."""
    shown = {NAMES.get(name, name): value for name, value in scalars.items() if not name.startswith("leak_")}
    return "  ".join(f"{name} {value:.3f}" for name, value in shown.items())


class Shown(Watch):
    """One training: a bar for each stage. with Shown(console) as watch: …"""

    def __init__(self, console: Console):
        self._progress = _bars(console)
        self._task: TaskID | None = None

    def __enter__(self) -> Shown:
        self._progress.__enter__()
        return self

    def __exit__(self, *error) -> None:
        self._progress.__exit__(*error)

    def begin(self, stage: str, epochs: int) -> None:
        self._task = self._progress.add_task(stage, total=epochs, last="")

    def epoch(self, network: nn.Module | None = None, **scalars: float) -> None:
        self._progress.update(self._task, advance=1, last=last(scalars))

    def say(self, text: str) -> None:
        self._progress.console.print(text, highlight=False, soft_wrap=True)


class Folds:
    """Many trainings: a bar for all folds, one for each that is under way, and their curves in `folder`.

    with Folds(console, title, total, folder) as shown: cross_validate(…, shown.done, shown.tell)
    """

    def __init__(self, console: Console, title: str, total: int, folder: Path):
        self._console, self._folder, self._total = console, folder, total
        self._progress = _bars(console)
        self._all = self._progress.add_task(title, total=total, last="")
        self._bars: dict[Task, TaskID] = {}
        self._curves: dict[Task, Curves] = {}
        self._said: set[str] = set()
        self._begun = self._printed = time.monotonic()
        self._done = self._earlier = 0

    def __enter__(self) -> Folds:
        self._progress.__enter__()
        return self

    def __exit__(self, *error) -> None:
        for curves in self._curves.values():
            curves.close()
        self._progress.__exit__(*error)

    def done(self, task: Task) -> None:
        self._progress.advance(self._all)
        self._done += 1
        now = time.monotonic()
        if self._console.is_terminal or now - self._printed < EVERY:
            return
        self._printed = now
        left = (now - self._begun) / max(self._done - self._earlier, 1) * (self._total - self._done)
        self._console.print(f"{self._done} of {self._total} folds, about {left / 60:.0f} min left", highlight=False)

    def earlier(self, task: Task) -> None:
        """A fold that an earlier run has done: it says nothing about how long the others take."""
        self._earlier += 1
        self.done(task)
        self._progress.reset(self._all, completed=self._done)

    def tell(self, task: Task, message: tuple) -> None:
        """A message of `train.watch.Told` about a fold."""
        kind = message[0]
        if kind == "start":  # again, perhaps: what an attempt that was killed has told is told once more
            self._forget(task)
        elif kind == "begin":
            _, stage, epochs = message
            self._hide(task)
            name = f"  seed {task.seed}, {task.fold.name}: {stage}"
            self._bars[task] = self._progress.add_task(name, total=epochs, last="")
            if task not in self._curves:
                self._curves[task] = Curves(task.file(self._folder, "curves").with_suffix(""))
        elif kind == "epoch" and task in self._bars:
            self._progress.update(self._bars[task], advance=1, last=last(message[1]))
        elif kind == "say" and message[1] not in self._said:
            self._said.add(message[1])
            self._console.print(message[1], highlight=False, soft_wrap=True)
        elif kind == "end":
            self._forget(task)
        if task in self._curves:
            replay(message, self._curves[task])

    def _forget(self, task: Task) -> None:
        self._hide(task)
        if task in self._curves:
            self._curves.pop(task).close()

    def _hide(self, task: Task) -> None:
        if task in self._bars:
            self._progress.remove_task(self._bars.pop(task))
