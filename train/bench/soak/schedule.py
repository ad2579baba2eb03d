"""What fails, and when: faults drawn by a seeded hand, in simulated seconds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MINUTE = 60.0
VISIT_AT = 12.0  # of each minute: from then on somebody sits before the camera, as the known clip has it
FAULTS = {  # name → what it is
    "stall": "the source says nothing for longer than it may",
    "death": "the source hangs up, and is not there for a while",
    "size": "the source's pictures have another size until the next visit is over",
    "rate": "another rate",
    "pixels": "another pixel format",
    "jump": "the source's clock jumps back, by seconds or an hour",
    "disk": "the disk takes nothing more until the next visit is over",
    "lock": "another program holds the log until the next visit is over",
    "decoder": "the decoder's process is killed",
    "gpu": "the stand-in for a GPU is lost (the networks go on on the CPU)",
    "page": "the page is reloaded",
    "clock": "the machine's clock is set forth or back, by up to a day",
    "memory": "the decoder's process may have no more memory",
    "kill": "the program is killed, and started again",
}
OF_THE_SOURCE = ("stall", "death", "size", "rate", "pixels", "jump", "decoder", "memory")  # movements that go on meanwhile are not seen whole
OF_THE_PAGE = ("size", "rate", "pixels", "decoder", "memory", "page")  # felt by the page's own stream
DECKS_A_KILL = 5  # a killed program cannot grow: most lives should be long


@dataclass(frozen=True)
class Fault:
    """What happens at `at`, simulated seconds since the beginning. draw: in [0, 1), for what else there is to choose."""

    kind: str
    at: float
    draw: float


def schedule(minutes: int, a_minute: float, seed: int, visit: float) -> list[Fault]:
    """Faults in their order, one in each equal part of the time. Every kind comes before any comes again (`kill` more rarely); half of
    them fall into a visit.

    Args:
        visit: how long one is, seconds.
    """
    random = np.random.default_rng(seed)
    found: list[Fault] = []
    deck: list[str] = []
    decks = 0
    for number in range(round(minutes * a_minute)):
        if not deck:
            deck = list(random.permutation([kind for kind in FAULTS if kind != "kill" or decks % DECKS_A_KILL == 0]))
            decks += 1
        at = (number + random.random()) * MINUTE / a_minute
        if random.random() < 0.5:
            at = at // MINUTE * MINUTE + VISIT_AT + random.uniform(0, visit)
        found.append(Fault(str(deck.pop()), at, random.random()))
    return sorted(found, key=lambda fault: fault.at)
