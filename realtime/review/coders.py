"""A human coder's codings as a reviewer's word on what the program found: in the log, or of a recording that is in none yet.

coder = Coder("Ada", tuple(meant(read_codings("coder.eaf"), {"AU12": "positive"})))
take_in(reviews, session, source, coder)        # into the log
items = beside(items_of(found.events), coder)   # or only to compare: `comparison.compare(items, "Ada")`
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from realtime.records import Event
from realtime.review import Reviews
from realtime.review.codings import Coding
from realtime.review.comparison import Comparison, alpha, compare, matched
from realtime.review.item import Item, Marks, Review, checked

MICRO_S = 0.5  # a coding that lasts longer is a macro-expression, where nothing else is said
# what coders call emotions → the classes of MEGC2019, a proposal for a person to change
USUAL = {
    "happiness": "positive",
    "happy": "positive",
    **dict.fromkeys(("disgust", "repression", "anger", "contempt", "fear", "sadness"), "negative"),
}


@dataclass(frozen=True)
class Coder:
    """One person's codings of one recording.

    Attributes:
        name: whose they are.
        codings: with labels in place of codes, see `meant`.
        kind: micro or macro, of all of them; "" goes by how long each lasts.
        complete: they looked at all of it: what they did not mark was nothing.
    """

    name: str
    codings: tuple[Coding, ...]
    kind: str = ""
    complete: bool = False


def meant(codings: Iterable[Coding], codes: Mapping[str, str], shift: float = 0.0) -> list[Coding]:
    """With their labels in place of their codes, and their times moved.

    Args:
        codes: code → label; "" leaves it out. One that is not named is its own label.
        shift: seconds that are added.
    """
    told = []
    for coding in codings:
        apex = None if coding.apex_s is None else coding.apex_s + shift
        label = codes.get(coding.code, coding.code)
        if label:
            told.append(replace(coding, onset_s=coding.onset_s + shift, offset_s=coding.offset_s + shift, apex_s=apex, code=label))
    return told


def take_in(reviews: Reviews, session: int, source: str, coder: Coder) -> int:
    """Write a coder's word down, as a reviewer of that session; the same codings twice change nothing.

    Returns:
        How many are about events that were found; the others are added.

    Raises:
        UsageError: a coding that cannot be; nothing is written.
        OutputError: the log cannot be written.
    """
    items = [item for item in reviews.items(session) if item.source == source]
    ours = [item for item in items if item.event is not None]
    told = _told(ours, coder)
    about = {item.key for item, _ in told if item is not None}
    mine = [item.found.span for item in items if item.event is None and coder.name in item.reviews]
    for item, marks in told:
        if item is not None:
            reviews.judge(session, item.key, coder.name, **_changes(marks))
        elif not any(abs(onset - marks.onset_s) < 2e-3 and abs(offset - marks.offset_s) < 2e-3 for onset, offset in mine):
            changes = _changes(marks)
            reviews.add(session, coder.name, source, changes.pop("apex_s"), **changes)
    for item in ours if coder.complete else ():
        if item.key not in about and coder.name not in item.reviews:
            reviews.judge(session, item.key, coder.name, reject=True)
    return len(about)


def items_of(events: Iterable[Event]) -> list[Item]:
    """What was found, in no log yet."""
    return [
        Item(0, f"e{event.event}", event.event, event.source, event.face, Marks(event.onset_s, event.apex_s, event.offset_s, event.label, event.kind))
        for event in events
    ]


def beside(items: Sequence[Item], coder: Coder) -> list[Item]:
    """The same items with the coder's word on them, and those that they added.

    Raises:
        UsageError: a coding that cannot be.
    """
    ours = [item for item in items if item.event is not None]
    told = _told(ours, coder)
    said = {item.key: Review(0, coder.name, item.verdict_of(coder.name, marks), marks, "") for item, marks in told if item is not None}
    if coder.complete:
        said |= {item.key: Review(0, coder.name, "rejected", item.found, "") for item in ours if item.key not in said}
    with_word = [replace(item, reviews=item.reviews | {coder.name: said[item.key]}) if item.key in said else item for item in items]
    source, face = (items[0].source, items[0].face) if items else ("", 0)
    added = [marks for item, marks in told if item is None]
    return with_word + [
        Item(0, f"m{number}", None, source, face, marks, {}, {coder.name: Review(number, coder.name, "added", marks, "")})
        for number, marks in enumerate(added, 1 + len(items))
    ]


def comparisons(events: Iterable[Event], coders: Sequence[Coder], iou: float = 0.5) -> tuple[list[Comparison], float | None]:
    """Each coder beside what was found, and Krippendorff's alpha of all.

    Raises:
        MissingPartError: alpha needs krippendorff.
    """
    items = items_of(events)
    for coder in coders:
        items = beside(items, coder)
    return [_compared(items, coder, iou) for coder in coders], alpha(items)


def _compared(items: Sequence[Item], coder: Coder, iou: float) -> Comparison:
    one = compare(items, coder.name, iou)
    marked = any(coding.apex_s is not None for coding in coder.codings)
    return one if marked else replace(one, apex_ms=(float("nan"),) * 2)  # else it is the program's own


def _told(ours: Sequence[Item], coder: Coder) -> list[tuple[Item | None, Marks]]:
    """For each coding the event that it is about, None for none, and what it says."""
    about = matched(ours, coder.codings)
    return [(about.get(number), _marks(coding, about.get(number), coder.kind)) for number, coding in enumerate(coder.codings)]


def _marks(coding: Coding, item: Item | None, kind: str) -> Marks:
    lasts, apex = coding.offset_s - coding.onset_s, coding.apex_s
    if apex is None:  # not marked: the program's, if it lies within, else the middle
        inside = item is not None and coding.onset_s < item.found.apex_s <= coding.offset_s
        apex = item.found.apex_s if item is not None and inside else coding.onset_s + lasts / 2
    kind = kind or ("micro" if lasts <= MICRO_S else "macro")
    return checked(Marks(coding.onset_s, apex, coding.offset_s, coding.code, kind, coding.action_units))


def _changes(marks: Marks) -> dict:
    """All that a coding says; a note of the reviewer's stays."""
    return {name: value for name, value in asdict(marks).items() if name != "note"}
