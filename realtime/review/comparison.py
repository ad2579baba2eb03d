"""How the program compares with a human coder: found or missed, when, and called what."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from realtime.errors import MissingPartError
from realtime.review.agreement import REJECTED, called, kappa
from realtime.review.codings import Coding
from realtime.review.item import Item, Marks, overlap

SAME = 0.1  # intersection over union from which a coding and an event are about the same movement
NOTHING = "nothing"
COLUMNS = {  # of a table of comparisons, and what they mean
    "who": "The coder or reviewer that the program is compared with.",
    "found": "Number of their events that the program found.",
    "missed": "Number of their events that it did not.",
    "false": "Number of the program's events that they do not have.",
    "precision": "Share of the program's events that they have, 0 to 1.",
    "recall": "Share of their events that the program found, 0 to 1.",
    "F1": "Harmonic mean of precision and recall, 0 to 1.",
    "onset ms": "How much later the program has the onset, milliseconds: median ± median distance from it.",
    "apex ms": "The same of the apex, where one was marked.",
    "kappa": "Cohen's kappa of the names of those found: 1 all the same, 0 as by chance.",
}
FROM = "found from an overlap of {:g} on (intersection over union); times: program less coder, median ± median distance"


@dataclass(frozen=True)
class Comparison:
    """Of what a reviewer or coder says there was, and what the program found.

    Attributes:
        iou: from which intersection over union an event counts as found.
        found: events that were found, as the coder has them.
        missed: the coder's that were not.
        false: the program's that the coder does not have.
        onset_ms: of those found, program less coder: median, and median distance.
        apex_ms: the same, where the coder marked an apex.
        kappa: Cohen's, of the names of those found; None where undefined.
    """

    reviewer: str
    iou: float
    found: int
    missed: int
    false: int
    onset_ms: tuple[float, float]
    apex_ms: tuple[float, float]
    kappa: float | None

    @property
    def precision(self) -> float:
        return self.found / (self.found + self.false) if self.found + self.false else math.nan

    @property
    def recall(self) -> float:
        return self.found / (self.found + self.missed) if self.found + self.missed else math.nan

    @property
    def f1(self) -> float:
        whole = 2 * self.found + self.false + self.missed
        return 2 * self.found / whole if whole else math.nan

    @property
    def cells(self) -> list:
        """Its row of a table with COLUMNS; "" for what is undefined."""
        shares = [f"{value:.2f}" if math.isfinite(value) else "" for value in (self.precision, self.recall, self.f1)]
        times = [f"{middle:+.0f} ± {apart:.0f}" if math.isfinite(middle) else "" for middle, apart in (self.onset_ms, self.apex_ms)]
        return [self.reviewer, self.found, self.missed, self.false, *shares, *times, "" if self.kappa is None else f"{self.kappa:.2f}"]


def matched(items: Sequence[Item], codings: Sequence[Coding]) -> dict[int, Item]:
    """Number of a coding → the event that it is about, the best pairs first, each at most once."""
    order = sorted(range(len(items)), key=lambda place: items[place].found.onset_s)
    begins = [items[place].found.onset_s for place in order]
    longest = max((item.found.offset_s - item.found.onset_s for item in items), default=0.0)

    def near(coding: Coding) -> Iterator[tuple[int, Item]]:
        """Those that may overlap it: of an hour's events a few."""
        for place in order[bisect_left(begins, coding.onset_s - longest) : bisect_left(begins, coding.offset_s)]:
            yield place, items[place]

    pairs = sorted(
        (
            (share, number, place)
            for number, coding in enumerate(codings)
            for place, item in near(coding)
            if (share := overlap((coding.onset_s, coding.offset_s), item.found.span)) >= SAME
        ),
        key=lambda pair: (-pair[0], pair[1:]),
    )
    found: dict[int, Item] = {}
    taken = set()
    for _, number, place in pairs:
        if number not in found and place not in taken:
            found[number] = items[place]
            taken.add(place)
    return found


def compare(items: Iterable[Item], reviewer: str, iou: float = 0.5) -> Comparison:
    """The program and `reviewer`, who has looked at the whole recording: what they did not judge is none of theirs."""
    hits: list[tuple[Marks, Marks]] = []
    missed = false = 0
    for item in items:
        review = item.reviews.get(reviewer)
        theirs = review.marks if review and review.verdict != "rejected" else None
        ours = item.found if item.event is not None else None
        if ours and theirs and overlap(ours.span, theirs.span) >= iou:
            hits.append((ours, theirs))
        else:
            missed += theirs is not None
            false += ours is not None
    return Comparison(
        reviewer,
        iou,
        len(hits),
        missed,
        false,
        _apart([ours.onset_s - theirs.onset_s for ours, theirs in hits]),
        _apart([ours.apex_s - theirs.apex_s for ours, theirs in hits]),
        kappa([ours.label for ours, _ in hits], [theirs.label for _, theirs in hits]),
    )


def alpha(items: Iterable[Item]) -> float | None:
    """Krippendorff's alpha (nominal) over all events: the program and every reviewer say what each was, or nothing. None where undefined.

    K. Krippendorff, Content Analysis, 2004, ch. 11. What a reviewer did not judge is missing, not "nothing".

    Raises:
        MissingPartError: it needs krippendorff.
    """
    items = list(items)
    names = sorted({name for item in items for name in item.reviews})
    said = [[item.found.label if item.event is not None else NOTHING for item in items]]
    said += [[_said(item, name) for item in items] for name in names]
    words = sorted({word for row in said for word in row if word is not None})
    if len(words) < 2 or len(said) < 2:
        return None
    try:
        import krippendorff
    except ModuleNotFoundError as error:
        raise MissingPartError("Krippendorff's alpha needs krippendorff: pip install 'mer-live[coders]'") from error
    data = [[math.nan if word is None else float(words.index(word)) for word in row] for row in said]
    try:
        return float(krippendorff.alpha(data, level_of_measurement="nominal"))
    except ValueError:  # nothing is judged by two
        return None


def _said(item: Item, reviewer: str) -> str | None:
    if reviewer not in item.reviews:
        return None
    label = called(item, reviewer)
    return NOTHING if label == REJECTED else label


def _apart(seconds: list[float]) -> tuple[float, float]:
    """(median, median distance from it), milliseconds; NaN where there are none."""
    if not seconds:
        return math.nan, math.nan
    middle = median(seconds)
    return 1000 * middle, 1000 * median(abs(one - middle) for one in seconds)
