"""Who is held out. Every protocol splits by person: a face seen in training, in pre-training too, is never tested.

Micro-expressions alone are tested; a fold is trained on everything (micro, macro, labelled stills) of all others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from realtime.errors import UsageError
from train.data.samples import COLUMNS, Samples


@dataclass(frozen=True, eq=False)
class Fold:
    """Who is held out.

    Attributes:
        name: who is held out.
        training: row numbers of the samples.
        test: row numbers, of micro-expressions alone.
    """

    name: str
    training: np.ndarray
    test: np.ndarray


def loso(samples: Samples, count: int = 0, grouping: int = 0) -> list[Fold]:
    """Leave one subject out, in the order of their names. The last two arguments are not used."""
    return _held_out(samples, samples.person)


def cde(samples: Samples, count: int = 0, grouping: int = 0) -> list[Fold]:
    """Composite database evaluation (MEGC2019): leave one subject out of several sets that are pooled."""
    _several(samples, "cde")
    return loso(samples)


def hde(samples: Samples, count: int = 0, grouping: int = 0) -> list[Fold]:
    """Hold-out database evaluation: train on all sets but one, test on that one, each in turn."""
    _several(samples, "hde")
    return _held_out(samples, samples.dataset)


def folds(samples: Samples, count: int, grouping: int = 0) -> list[Fold]:
    """`count` groups of whole people, drawn by the random number `grouping`, named "1" … .

    For choosing a recipe without looking at the leave-one-subject-out table.
    """
    people = np.random.default_rng(grouping).permutation(np.unique(samples.person[samples.micro]))
    if len(people) < count:
        raise UsageError(f"protocol.count={count} groups of {len(people)} people: take {len(people)} or fewer")
    group = np.full(len(samples), "", dtype="U8")
    for k in range(count):
        group[np.isin(samples.person, people[k::count])] = str(k + 1)
    return sorted(_held_out(samples, group), key=lambda fold: int(fold.name))


PROTOCOLS = {"loso": loso, "cde": cde, "hde": hde, "folds": folds}


def holdout(training: Samples, test: Samples) -> tuple[Samples, list[Fold]]:
    """Train on one set of people, test on another: all samples together, and the one fold "test".

    Raises:
        UsageError: somebody is in both.
    """
    both = sorted(set(training.person) & set(test.person))
    if both:
        raise UsageError(f"{both[0]} is in the training set and in data.test ({len(both)} people are): take others")
    together = join(training, test)
    rows = np.arange(len(together))
    return together, [Fold("test", rows[: len(training)], rows[len(training) :][test.micro])]


def join(first: Samples, second: Samples) -> Samples:
    """Both, one after the other.

    Raises:
        UsageError: they do not go together.
    """
    for what, one, other in (
        ("classes", first.classes, second.classes),
        ("inputs", tuple(first.inputs), tuple(second.inputs)),
    ):
        if one != other:
            raise UsageError(f"two sets with different {what}: {', '.join(one)} and {', '.join(other)}")
    inputs = {name: np.concatenate([first.inputs[name], second.inputs[name]]) for name in first.inputs}
    parts: dict = {name: np.concatenate([getattr(first, name), getattr(second, name)]) for name in COLUMNS}
    return Samples(inputs, **parts, classes=first.classes, tested=first.tested)


def check(samples: Samples, folds: list[Fold], learns: tuple[str, ...] = ("micro",)) -> list[str]:
    """What a person should know before it starts, a line each.

    Args:
        learns: the kinds of samples that the method learns its classes from (`train.methods.learns`).

    Raises:
        UsageError: a fold cannot be trained.
    """
    taught = samples.labelled(learns)
    for fold in folds:
        shown = np.unique(samples.label[fold.training][taught[fold.training]])
        if len(shown) < 2:
            what = "micro-expressions" if learns == ("micro",) else "expressions to learn from"
            raise UsageError(f"without {fold.name} the {what} show {len(shown)} classes: 2 are needed")
        if not len(fold.test):
            raise UsageError(f"the fold {fold.name} has no micro-expression to test: give another set")
    lines = []
    tested = np.unique(np.concatenate([fold.test for fold in folds]))
    for number, name in enumerate(samples.classes):
        rows = (samples.label == number) & samples.micro
        people = np.unique(samples.person[rows | taught & (samples.label == number)])
        if len(people) == 0:
            lines.append(f"warning: nobody shows the class '{name}': it counts 0 in UF1 and UAR")
        elif len(people) == 1:
            lines.append(
                f"warning: only {people[0]} shows the class '{name}': held out, they leave nobody to learn it from, "
                "and it cannot be recognized; take a grouping without it, or more data"
            )
        elif not rows[tested].any():
            lines.append(f"warning: nobody who is tested shows the class '{name}': it counts 0 in UF1 and UAR")
    return lines


def inner(samples: Samples, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(rows to train on, micro-expressions to choose the epoch by), int64 each: `share` of the people are held back.

    Of a hundred draws by `seed` the first in which both sides show every class, else the first in which the training does.
    """
    micro = samples.micro
    people = np.unique(samples.person[micro])
    if len(people) < 2:
        raise UsageError(f"protocol.inner={share:g} needs two people or more to train on, here is one: set it to 0")
    number = min(max(round(share * len(people)), 1), len(people) - 1)
    random = np.random.default_rng(seed)
    draws = []
    for _ in range(100):
        back = np.isin(samples.person, random.permutation(people)[:number])
        missing = [len(set(samples.label[micro]) - set(samples.label[side & micro])) for side in (~back, back)]
        draws.append((missing[0] > 0, missing[1] > 0, back))
        if not any(missing):
            break
    back = min(draws, key=lambda draw: draw[:2])[2]
    return np.flatnonzero(~back), np.flatnonzero(back & micro)


def _held_out(samples: Samples, group: np.ndarray) -> list[Fold]:
    """One fold for each group that has a micro-expression; "" is in every training set."""
    micro = samples.micro
    names = [name for name in np.unique(group[micro]) if name]
    return [Fold(str(name), np.flatnonzero(group != name), np.flatnonzero((group == name) & micro)) for name in names]


def _several(samples: Samples, protocol: str) -> None:
    sets = np.unique(samples.dataset[samples.micro])
    if len(sets) < 2:
        got = ", ".join(sets) or "none"
        raise UsageError(f"protocol={protocol} needs micro-expressions of two sets or more, got {got}")
