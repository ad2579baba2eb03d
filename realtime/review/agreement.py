"""How far two reviewers agree: Cohen's kappa over what they called the same events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from realtime.review.item import Item

REJECTED = "rejected"  # a class of its own: "this was nothing"


@dataclass(frozen=True)
class Agreement:
    """How far two reviewers agree. None where undefined: plain without a common event, kappa also where chance alone would
    make them agree.


    Attributes:
        n: events that both judged.
        plain: share of them that both called the same, in [0, 1].
        kappa: in [-1, 1].
    """

    first: str
    second: str
    n: int
    plain: float | None
    kappa: float | None

    @property
    def words(self) -> str:
        """For a person."""
        if not self.n:
            return f"{self.first} and {self.second} have judged no event in common"
        kappa = "undefined (both always said the same)" if self.kappa is None else f"{self.kappa:.2f}"
        events = "1 event" if self.n == 1 else f"{self.n} events"
        return f"{self.first} and {self.second}: Cohen's kappa {kappa}, the same label for {self.plain:.0%} of {events}"


def kappa(first: Sequence[str], second: Sequence[str]) -> float | None:
    """Cohen's kappa of two lists of classes, one entry for each thing judged.

        kappa = (p_o - p_e) / (1 - p_e),    p_e = sum over classes k of p_first(k) · p_second(k)

    p_o: the share judged alike. p_e: the share that would be by chance, with each one's own habits. None where p_e = 1
    (both used one and the same class throughout) and for empty lists.
    J. Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological Measurement 20 (1960), 37-46.
    """
    n = len(first)
    habits = Counter(first), Counter(second)
    chance = sum(count * habits[1][name] for name, count in habits[0].items())  # p_e · n²
    if n == 0 or chance == n * n:
        return None
    same = sum(a == b for a, b in zip(first, second, strict=True))
    return (same * n - chance) / (n * n - chance)


def agreements(items: Iterable[Item]) -> list[Agreement]:
    """Every two reviewers who said anything of these events, by name."""
    items = list(items)
    names = sorted({reviewer for item in items for reviewer in item.reviews})
    return [_of(items, first, second) for first, second in combinations(names, 2)]


def _of(items: list[Item], first: str, second: str) -> Agreement:
    both = [item for item in items if first in item.reviews and second in item.reviews]
    a, b = ([called(item, name) for item in both] for name in (first, second))
    plain = sum(x == y for x, y in zip(a, b, strict=True)) / len(both) if both else None
    return Agreement(first, second, len(both), plain, kappa(a, b))


def called(item: Item, reviewer: str) -> str:
    """The class that a reviewer put an event into: its label, or REJECTED."""
    review = item.reviews[reviewer]
    return REJECTED if review.verdict == "rejected" else review.marks.label
