"""A training that was killed goes on where it was: what it had come to is kept in files, one for each of its stages.

    stage = keep.stage("training", epochs, watch, random, shown=answer, network=network, optimizer=optimizer)
    for _ in stage:
        for rows in stage.batches(lambda: order.tensor_split(steps)):
            …                                       # one step
            stage.add(len(rows), loss=loss)

The resumed run makes the same steps with the same random numbers: on a CPU it comes to the same weights, bit for bit.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from realtime.errors import UsageError
from train.watch import Watch


class Stateful(Protocol):
    """A network, an optimiser, a schedule of its rate, …"""

    def state_dict(self) -> dict: ...
    def load_state_dict(self, state: dict) -> Any: ...


class Keep:
    """Where the stages of one training are kept.

    Args:
        folder: None: nowhere, a killed training begins anew.
        every: steps from one saving to the next: what a kill costs at most.
        beside: what changes between the steps besides the stage's own parts (a `train.watch.Best`).
    """

    def __init__(self, folder: Path | None = None, every: int = 0, **beside: Stateful):
        self.folder, self.every, self.beside = folder if every else None, every, beside

    def stage(self, name: str, epochs: int, watch: Watch, random: torch.Generator, shown: nn.Module | None = None, **parts: Stateful | None) -> Stage:
        """The stage `name`, of so many epochs.

        Args:
            random: what the stage draws its batches from.
            shown: in the last stage, the network that `watch` is shown after each epoch.
            parts: what the steps change; of a stage that is over its networks alone are kept.
        """
        return Stage(self, name, epochs, watch, random, shown, {name: part for name, part in parts.items() if part is not None})

    def end(self) -> None:
        """Nothing of it is needed any more."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


NOWHERE = Keep()


class Stage:
    """One of a training's loops over its samples. Iterating goes through what is left of its epochs."""

    def __init__(
        self, keep: Keep, name: str, epochs: int, watch: Watch, random: torch.Generator, shown: nn.Module | None, parts: dict[str, Stateful]
    ):
        self._keep, self._name, self._epochs, self._watch, self._random, self._shown, self._parts = keep, name, epochs, watch, random, shown, parts
        self._over = False
        self._told: list[dict[str, float]] = []  # of each epoch that has ended
        self._sums: dict[str, list[float]] = {}  # of this epoch: [sum, how many it is of]
        self._rows: list | None = None  # the batches of this epoch, and how many of them are done
        self._step = self._since = 0

    @property
    def epoch(self) -> int:
        """The number of the one under way, from 0."""
        return len(self._told)

    def __iter__(self) -> Iterator[int]:
        self._go_on()
        self._watch.begin(self._name, self._epochs)
        for scalars in self._told:
            self._watch.epoch(**scalars)
        if self._over:
            return
        for epoch in range(len(self._told), self._epochs):
            yield epoch
            found = {name: total / count for name, (total, count) in self._sums.items()}
            self._told.append(self._watch.epoch(self._shown, **found) or found)
            self._sums, self._rows, self._step = {}, None, 0
        if self._shown is None:  # another stage follows; after the last the network is handed on
            self._save(over=True)

    def batches(self, drawn: Callable[[], Sequence]) -> Iterator:
        """The batches of one epoch that are not done yet.

        Args:
            drawn: all of them, rows of the samples (or just numbers); called where the epoch has not begun.
        """
        if self._rows is None:
            self._rows = list(drawn())
        while self._step < len(self._rows):
            yield self._rows[self._step]
            self._step += 1
            self._since += 1
            if self._since == self._keep.every:
                self._save()

    def add(self, count: int, **losses: Tensor | float) -> None:
        """What came of a batch of `count` samples: means over them, for the curves."""
        for name, loss in losses.items():
            sums = self._sums.setdefault(name, [0.0, 0])
            sums[0] += (loss.item() if isinstance(loss, Tensor) else loss) * count
            sums[1] += count

    def _everything(self) -> dict[str, Stateful]:
        return self._parts | self._keep.beside

    def _save(self, over: bool = False) -> None:
        self._since = 0
        if self._keep.folder is None:
            return
        kept = {name: part for name, part in self._parts.items() if isinstance(part, nn.Module)} if over else self._everything()
        random = [self._random.get_state(), torch.get_rng_state()]
        if torch.cuda.is_available() and torch.cuda.is_initialized():
            random.append(torch.cuda.get_rng_state())
        state = {
            "over": over,
            "told": self._told,
            "sums": self._sums,
            "rows": self._rows,
            "step": self._step,
            "random": random,
            "parts": {name: part.state_dict() for name, part in kept.items()},
        }
        self._keep.folder.mkdir(parents=True, exist_ok=True)
        partial = self._file.with_suffix(f".{os.getpid()}")
        try:
            torch.save(state, partial)
            partial.replace(self._file)  # a kill in between leaves what was there before
        finally:
            partial.unlink(missing_ok=True)

    def _go_on(self) -> None:
        """Take up what an earlier attempt has left.

        Raises:
            UsageError: it cannot be read, or is of another network.
        """
        if self._keep.folder is None or not self._file.exists():
            return
        try:
            state = torch.load(self._file, "cpu", weights_only=True)
            parts = self._everything()
            for name, one in state["parts"].items():
                parts[name].load_state_dict(one)
        except Exception as error:  # a damaged file shows itself in many ways
            why = "".join(str(error).strip().splitlines()[:1])
            raise UsageError(f"{self._file} is damaged or of another version ({why}): delete it and run again") from error
        self._over, self._told, self._sums = state["over"], state["told"], state["sums"]
        self._rows, self._step = state["rows"], state["step"]
        self._random.set_state(state["random"][0])
        torch.set_rng_state(state["random"][1])
        if len(state["random"]) > 2 and torch.cuda.is_available():
            torch.cuda.set_rng_state(state["random"][2])

    @property
    def _file(self) -> Path:
        return self._keep.folder / f"{self._name.replace(' ', '-')}.pt"
