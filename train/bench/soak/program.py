"""`mer-live` in a process of its own, with three hooks: how far it is, a stand-in for a GPU that can be lost, and a clock that can be set.

All else is the program as it is.
"""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Self
from unittest.mock import patch

import numpy as np

from engines import runtime
from engines.errors import GpuLost
from realtime.cli import live
from realtime.output import log, log_health
from realtime.watching import Watch
from train.bench.soak.child import obey
from train.bench.soak.films import number_of


class StandIn:
    """A GPU for one network: the CPU, until it is lost. See `engines.runtime.Runner`."""

    words = "stand-in for a GPU"
    lost = False  # for all of them

    def __init__(self, network: runtime.Network):
        self._network = network

    def run(self, pieces: list[dict[str, np.ndarray]]) -> np.ndarray:
        """The CPU's answer, (ΣN, width) float32."""
        if StandIn.lost:
            raise GpuLost("the stand-in for a GPU is lost")
        return self._network._cpu.run(pieces)

    def close(self) -> None: ...


class Stands:
    """All that stand in: lost together, and there again, as after the driver was loaded anew and the program's networks with it."""

    def __init__(self) -> None:
        self._networks: list[runtime.Network] = []

    def open(self, network: runtime.Network, model: bytes, engine: str) -> StandIn:
        self._networks.append(network)
        return StandIn(network)

    def lose(self) -> None:
        StandIn.lost = True

    def back(self) -> None:
        StandIn.lost = False
        for network in self._networks:
            network._gpu = StandIn(network)


class Clock(datetime):
    """The machine's, as it was set."""

    forth = timedelta()

    @classmethod
    def now(cls, tz=None) -> Self:
        return super().now(tz) + cls.forth

    @classmethod
    def set(cls, seconds: float) -> None:
        cls.forth = timedelta(seconds=seconds)


def play(told, wishes, done, words: list[str]) -> None:
    """mer-live with `words`, to its end. told: ("slate", number, pts) for each slate that was seen."""

    class Seen(Watch):
        def __init__(self, source, pipeline, on_event, on_step, *others):
            def step(one) -> None:
                on_step(one)
                number = number_of(one.frame.pixels)
                if number is not None:
                    told.send(("slate", number, one.frame.pts))
                done.value += 1

            super().__init__(source, pipeline, on_event, step, *others)

    stands = Stands()
    obey(wishes, {"lose": stands.lose, "back": stands.back, "clock": Clock.set})
    with ExitStack() as hooks:
        for place, name, hook in (
            (runtime, "_on_gpu", stands.open),
            (live, "Watch", Seen),
            (log, "datetime", Clock),
            (log_health, "datetime", Clock),
        ):
            hooks.enter_context(patch.object(place, name, hook))
        live.main(words, prog_name="mer-live")
