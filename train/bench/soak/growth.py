"""Whether something grows: the slope of what was held over time, with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
from scipy import stats

LEAST = 5  # samples of one life that say something
WARMING = 0.15  # of each life, its first part, in which it takes what it needs
TOLERANCE = {"memory": 16.0, "files": 1.0, "threads": 1.0, "children": 1.0, "temporary": 1.0}  # over all of the time, MiB and numbers


@dataclass(frozen=True)
class Sample:
    """What a process holds at a time.

    Attributes:
        at: simulated hours.
        memory: MiB, its children's included.
        files: open ones, and all else that has a descriptor.
        threads: of it.
        children: processes.
        temporary: files and folders.
    """

    at: float
    memory: float
    files: float
    threads: float
    children: float
    temporary: float


@dataclass(frozen=True)
class Slope:
    """
    Attributes:
        middle: what is usual.
        an_hour: how much more it is after a simulated hour.
        low: the interval's (95 %) lower end.
        high: its upper end.
        over: all that it would come to in the time that was watched, at the least.
    """

    name: str
    middle: float
    an_hour: float
    low: float
    high: float
    over: float

    @property
    def grows(self) -> bool:
        """Surely, and by more than an accident."""
        return self.over > TOLERANCE[self.name]


def slopes(lives: Sequence[Sequence[Sample]]) -> list[Slope]:
    """Of each thing one slope over all lives of a program, each of which has a level of its own; [] where all were too short."""
    rested = [np.array([astuple(sample) for sample in life[round(WARMING * len(life)) :]]) for life in lives]
    rested = [life for life in rested if len(life) >= LEAST]
    if not rested:
        return []
    levelled = np.concatenate([life - life.mean(axis=0) for life in rested])
    hours = max(float(np.ptp(life[:, 0])) for life in rested)
    found = []
    for column, name in enumerate(TOLERANCE, 1):
        middle = float(np.median(np.concatenate([life[:, column] for life in rested])))
        fit = stats.linregress(levelled[:, 0], levelled[:, column])
        free = max(1, len(levelled) - len(rested) - 1)
        reach = float(stats.t.ppf(0.975, free) * np.nan_to_num(fit.stderr))  # no number where nothing ever changed
        found.append(Slope(name, middle, float(fit.slope), float(fit.slope) - reach, float(fit.slope) + reach, (float(fit.slope) - reach) * hours))
    return found
