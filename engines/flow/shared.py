"""The flow of one movement, which several look at: the network that names it, the one that estimates its action units."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engines.flow import Flow, Pair


class SharedFlow(Flow):
    """On the CPU, as `Flow("cpu")`, but each pair is computed once. Used by one thread.

    It keeps what it has computed: one is made for each movement, and let go with it.
    """

    def __init__(self) -> None:
        super().__init__("cpu")
        self._computed: dict[tuple, np.ndarray] = {}

    def many(self, pairs: Sequence[Pair]) -> list[np.ndarray]:
        """See `Flow.many`; to be read, not written to: the next who asks gets the same arrays."""
        keys = [tuple((picture.shape, picture.dtype.str, picture.tobytes()) for picture in pair) for pair in pairs]
        fresh = {key: pair for key, pair in zip(keys, pairs, strict=True) if key not in self._computed}
        self._computed.update(zip(fresh, super().many(list(fresh.values())), strict=True))
        return [self._computed[key] for key in keys]
