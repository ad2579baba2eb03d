"""Who looks on while a network is trained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from train.measure.metrics import confusion, uf1

if TYPE_CHECKING:
    from torch import nn

    from train.data.samples import Samples


class Watch:
    """Told of every stage and epoch by the methods in `train.methods`; this one says nothing to anybody."""

    def begin(self, stage: str, epochs: int) -> None:
        """A stage of so many epochs begins ("pre-training", "training")."""

    def epoch(self, network: nn.Module | None = None, **scalars: float) -> dict[str, float] | None:
        """An epoch has ended. `network`, in the last stage only: forward(*inputs) gives probabilities.

        Args:
            scalars: what a curve is drawn of, on the training samples (loss=0.31).

        Returns:
            what this watch found out.
        """

    def say(self, text: str) -> None:
        """Something that a person should know ("no macro-expressions: pre-training is left out")."""


class Together(Watch):
    """Several watches. What one finds out about an epoch (`Best`), those after it see among the scalars."""

    def __init__(self, *watches: Watch):
        self.watches = watches

    def begin(self, stage: str, epochs: int) -> None:
        for watch in self.watches:
            watch.begin(stage, epochs)

    def epoch(self, network: nn.Module | None = None, **scalars: float) -> dict[str, float]:
        for watch in self.watches:
            scalars |= watch.epoch(network, **scalars) or {}
        return scalars

    def say(self, text: str) -> None:
        for watch in self.watches:
            watch.say(text)


class Best(Watch):
    """Scores the network on `samples` after each epoch and keeps the best, by UF1, then by likelihood.

    Attributes:
        probabilities: of the best epoch (None where the method has no epochs).
        at: its number, from 1.

    Args:
        name: what its scalars begin with, name_uf1 and name_best.
        keep: keep the weights too, for `restore`.
    """

    def __init__(self, samples: Samples, name: str, keep: bool = True):
        self.samples, self.name, self.keep = samples, name, keep
        self.probabilities: np.ndarray | None = None
        self.at = 0
        self._epoch = 0
        self._score = (-1.0, 0.0)
        self._state: dict | None = None

    def epoch(self, network: nn.Module | None = None, **scalars: float) -> dict[str, float] | None:
        if network is None:
            return None
        from train.compute import predict

        modes = {module: module.training for module in network.modules()}
        found = predict(network, self.samples)
        for module, training in modes.items():  # some parts may be held in evaluation mode all along
            module.training = training
        self._epoch += 1
        score = _score(found, self.samples.label)
        if score > self._score:
            self._score, self.probabilities, self.at = score, found, self._epoch
            if self.keep:
                self._state = {key: value.detach().cpu().clone() for key, value in network.state_dict().items()}
        return {f"{self.name}_uf1": score[0], f"{self.name}_best": self._score[0]}

    def state_dict(self) -> dict:
        """For `train.resume`."""
        import torch

        found = None if self.probabilities is None else torch.from_numpy(self.probabilities)
        return {"probabilities": found, "at": self.at, "epoch": self._epoch, "score": self._score, "state": self._state}

    def load_state_dict(self, state: dict) -> None:
        self.probabilities = None if state["probabilities"] is None else state["probabilities"].numpy()
        self.at, self._epoch, self._score, self._state = state["at"], state["epoch"], tuple(state["score"]), state["state"]

    def restore(self, network: nn.Module) -> nn.Module:
        """`network`, as `fit` returned it, with the weights of the best epoch."""
        if self._state is not None:
            network.load_state_dict({key: self._state[key] for key in network.state_dict()})
        return network


class Told(Watch):
    """Tells what happens as plain tuples, which may travel to another process: see `Progress` in `train.progress`."""

    def __init__(self, tell: Callable[[tuple], None]):
        self._tell = tell

    def begin(self, stage: str, epochs: int) -> None:
        self._tell(("begin", stage, epochs))

    def epoch(self, network: nn.Module | None = None, **scalars: float) -> None:
        self._tell(("epoch", {name: float(value) for name, value in scalars.items()}))

    def say(self, text: str) -> None:
        self._tell(("say", text))


class Curves(Watch):
    """Draws every scalar as a TensorBoard curve, stage/name over epochs, into `folder`. An older attempt's go."""

    def __init__(self, folder: Path):
        import shutil

        from torch.utils.tensorboard import SummaryWriter

        shutil.rmtree(folder, ignore_errors=True)
        self._writer = SummaryWriter(str(folder))
        self._stage, self._epoch = "training", 0

    def begin(self, stage: str, epochs: int) -> None:
        self._stage, self._epoch = stage, 0

    def epoch(self, network: nn.Module | None = None, **scalars: float) -> None:
        self._epoch += 1
        for name, value in scalars.items():
            self._writer.add_scalar(f"{self._stage}/{name}", value, self._epoch)

    def close(self) -> None:
        self._writer.close()


def replay(message: tuple, watch: Watch) -> None:
    """Give a message of `Told` to another watch."""
    kind, *content = message
    if kind == "begin":
        watch.begin(*content)
    elif kind == "epoch":
        watch.epoch(**content[0])
    elif kind == "say":
        watch.say(*content)


def _score(probabilities: np.ndarray, label: np.ndarray) -> tuple[float, float]:
    """(UF1 over the classes that are there, mean log-likelihood). Samples with label −1 do not count."""
    probabilities, label = probabilities[label >= 0], label[label >= 0]
    if not len(label):
        return 0.0, 0.0
    matrix = confusion(label, probabilities.argmax(1), probabilities.shape[1])
    there = (matrix.sum(0) + matrix.sum(1)) > 0
    likely = np.log(np.maximum(probabilities[np.arange(len(label)), label], 1e-12)).mean()
    return float(uf1(matrix)) * len(there) / int(there.sum()), float(likely)
