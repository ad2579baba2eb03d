"""What a network is trained and tested on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

COLUMNS = ("label", "person", "dataset", "kind", "name", "emotion", "pretraining")


@dataclass(frozen=True, eq=False)
class Samples:
    """N expressions, already as a network sees them (`realtime.naming.inputs.INPUTS`).

    Attributes:
        inputs: {name: N×…}, in the order in which the network takes them.
        label: N int64, an index into `classes`.
        person: N strings. Two samples are of one person exactly where it is equal.
        dataset: N strings.
        kind: N strings, "micro", "macro" or "image" (a labelled still face).
        name: N strings, the clip's.
        emotion: N strings, as annotated; the name of its class where that is all that is known.
        pretraining: N bool, whether a sample is of a set that serves pre-training alone (data.pretrain). Of these the label is −1
            where the classes do not know the emotion.
        tested: the kind that is to be told apart; stills ("image") are where SA-AT's teacher is tested (protocol.tested).
    """

    inputs: dict[str, np.ndarray]
    label: np.ndarray
    person: np.ndarray
    dataset: np.ndarray
    kind: np.ndarray
    name: np.ndarray
    classes: tuple[str, ...]
    emotion: np.ndarray = None
    pretraining: np.ndarray = None
    tested: str = "micro"

    def __post_init__(self):
        if self.emotion is None:
            object.__setattr__(self, "emotion", np.array(self.classes, str)[self.label])
        if self.pretraining is None:
            object.__setattr__(self, "pretraining", np.zeros(len(self.label), bool))

    def __len__(self) -> int:
        return len(self.label)

    def __getitem__(self, rows: np.ndarray | list[bool]) -> Samples:
        """The samples at `rows` (a mask or indices)."""
        columns = {name: getattr(self, name)[rows] for name in COLUMNS}
        return Samples({key: array[rows] for key, array in self.inputs.items()}, **columns, classes=self.classes, tested=self.tested)

    def only(self, kind: str) -> Samples:
        """Those of one kind, without what serves pre-training alone."""
        return self[(self.kind == kind) & ~self.pretraining]

    @property
    def micro(self) -> np.ndarray:
        """N bool: the micro-expressions (or what else is `tested`) that are to be told apart."""
        return (self.kind == self.tested) & ~self.pretraining

    def labelled(self, kinds: tuple[str, ...]) -> np.ndarray:
        """N bool: those whose classes a network learns that learns from such `kinds`."""
        return self.micro if kinds == ("micro",) else np.isin(self.kind, kinds) & (self.label >= 0)

    def for_pretraining(self) -> Samples:
        """What a network is pre-trained on: the sets of data.pretrain alone where they are named, else all that is there."""
        return self[self.pretraining] if self.pretraining.any() else self
