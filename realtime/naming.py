"""Names for several things that must not be one another's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence


def distinct(wishes: Sequence[Sequence[str]]) -> list[str]:
    """One name each: the first of its wishes that no other has; its last one where all are taken.

    It depends on no order: of two that wish the same name, neither gets it. Capitals are not told apart, since not
    every disk does.
    """
    place = [0] * len(wishes)
    while True:
        names = [several[at] for several, at in zip(wishes, place, strict=True)]
        counts = Counter(name.casefold() for name in names)
        moved = False
        for number, (several, name) in enumerate(zip(wishes, names, strict=True)):
            if counts[name.casefold()] > 1 and place[number] < len(several) - 1:
                place[number], moved = place[number] + 1, True
        if not moved:
            return names
