"""Who looks on while a network is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


class Watch:
    """Told of every stage and epoch by the methods in `train.methods`; this one says nothing to anybody."""

    def begin(self, stage: str, epochs: int) -> None:
        """A stage of so many epochs begins ("pre-training", "training")."""

    def epoch(self, network: nn.Module | None = None, **scalars: float) -> None:
        """An epoch has ended. `network`, in the last stage only: forward(*inputs) gives probabilities.

        scalars: what a curve is drawn of, on the training samples (loss=0.31).
        """

    def say(self, text: str) -> None:
        """Something that a person should know ("no macro-expressions: pre-training is left out")."""
