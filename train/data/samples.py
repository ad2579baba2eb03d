"""What a network is trained and tested on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


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
    """

    inputs: dict[str, np.ndarray]
    label: np.ndarray
    person: np.ndarray
    dataset: np.ndarray
    kind: np.ndarray
    name: np.ndarray
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.label)

    def __getitem__(self, rows: np.ndarray | list[bool]) -> Samples:
        """The samples at `rows` (a mask or indices)."""
        label, person, dataset, kind, name = (part[rows] for part in (self.label, self.person, self.dataset, self.kind, self.name))
        return Samples({key: array[rows] for key, array in self.inputs.items()}, label, person, dataset, kind, name, self.classes)

    def only(self, kind: str) -> Samples:
        """Those of one kind."""
        return self[self.kind == kind]
