"""A person looks on: a progress bar with the time that is left, for each stage of training."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from torch import nn

from train.watch import Watch


class Shown(Watch):
    """with Shown(console) as watch: …"""

    def __init__(self, console: Console):
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        self._progress = Progress(*columns, TimeRemainingColumn(), TextColumn("{task.fields[last]}"), console=console)
        self._task = None

    def __enter__(self) -> Shown:
        self._progress.__enter__()
        return self

    def __exit__(self, *error) -> None:
        self._progress.__exit__(*error)

    def begin(self, stage: str, epochs: int) -> None:
        self._task = self._progress.add_task(stage, total=epochs, last="")

    def epoch(self, network: nn.Module | None = None, **scalars: float) -> None:
        last = "  ".join(f"{name} {value:.3f}" for name, value in scalars.items())
        self._progress.update(self._task, advance=1, last=last)

    def say(self, text: str) -> None:
        self._progress.console.print(text, highlight=False)
