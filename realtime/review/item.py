"""A logged event and what people said of it, and what may be said. Times are seconds in the source's own clock.

Action units are those of Ekman, Friesen and Hager, Facial Action Coding System.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from realtime.errors import UsageError

# the emotions that `train.data.grouping` knows; another label is kept, but mer-train cannot learn from it
LABELS = ("negative", "positive", "surprise", "happiness", "disgust", "anger", "fear", "sadness", "contempt", "repression", "others", "neutral")
MOMENTS = {"onset": "onset_s", "apex": "apex_s", "offset": "offset_s"}  # name → field of `Marks`
LATEST_S = 1e7  # four months: nothing is watched for so long
LONGEST_NAME = 80
LONGEST_NOTE = 1000
WRITTEN_UNITS = re.compile(r"[LR]?\d{1,2}[A-E]?(\+[LR]?\d{1,2}[A-E]?)*")  # FACS: side, number, intensity


@dataclass(frozen=True)
class Marks:
    """What is said of a movement: its three moments in seconds, label, kind ("micro" or "macro"), action units ("1+2")."""

    onset_s: float
    apex_s: float
    offset_s: float
    label: str
    kind: str = "micro"
    action_units: str = ""
    note: str = ""

    @property
    def span(self) -> tuple[float, float]:
        """(onset, offset), seconds."""
        return self.onset_s, self.offset_s


def overlap(first: tuple[float, float], second: tuple[float, float]) -> float:
    """Intersection over union of two spans of seconds, 0…1."""
    both = min(first[1], second[1]) - max(first[0], second[0])
    return max(0.0, both) / (max(first[1], second[1]) - min(first[0], second[0]))


@dataclass(frozen=True)
class Review:
    """One reviewer's word on one event.

    Attributes:
        verdict: accepted, corrected, rejected or added.
        at: ISO 8601, UTC.
    """

    id: int
    reviewer: str
    verdict: str
    marks: Marks
    at: str
    undone_at: str | None = None


@dataclass(frozen=True)
class Item:
    """An event with what was said of it.

    Attributes:
        key: "e12" (row 12 of the log's events) or "m3" (the session's third missed one).
        event: its number as mer-log shows it, None where the program missed it.
        found: what the program said, or the first reviewer of a missed one.
        reviews: the latest of each reviewer.
        suggested: action units as the program estimates them, "" where it does not; a reviewer's own are in the marks.
    """

    session: int
    key: str
    event: int | None
    source: str
    face: int
    found: Marks
    scores: dict[str, float] = field(default_factory=dict, hash=False)
    reviews: dict[str, Review] = field(default_factory=dict, hash=False)
    suggested: str = ""

    def marks(self, reviewer: str) -> Marks:
        """As this reviewer left it; as it was found where they said nothing."""
        return self.reviews[reviewer].marks if reviewer in self.reviews else self.found

    def verdict(self, reviewer: str) -> str:
        return self.reviews[reviewer].verdict if reviewer in self.reviews else ""

    def verdict_of(self, reviewer: str, marks: Marks) -> str:
        """What it amounts to that a reviewer leaves the event with these marks."""
        if self.event is None and min(self.reviews.values(), key=lambda one: one.id).reviewer == reviewer:
            return "added"
        # action units and notes add to what was found, they do not gainsay it
        now, before = (replace(one, action_units="", note="") for one in (marks, self.found))
        return "accepted" if now == before else "corrected"


def checked_name(name: str, what: str) -> str:
    """A person's name as it is kept.

    Raises:
        UsageError: an empty or an endless one.
    """
    name = " ".join(name.split())
    if not 0 < len(name) <= LONGEST_NAME:
        raise UsageError(f"{what} is missing: type it first" if not name else f"{what} has {len(name)} letters, expected at most {LONGEST_NAME}")
    return name


def checked(marks: Marks) -> Marks:
    """Times to the millisecond, action units as "1+2".

    Raises:
        UsageError: what cannot be.
    """
    times = [round(float(getattr(marks, name)), 3) for name in MOMENTS.values()]
    if not max(times) <= LATEST_S:
        raise UsageError(f"{max(times):g} s is later than any recording ends: expected {LATEST_S:g} s at most")
    if not 0 <= times[0] < times[1] <= times[2]:
        raise UsageError("a movement begins, peaks, then ends: got onset {:.3f}, apex {:.3f}, offset {:.3f} s".format(*times))
    units = re.sub(r"\s*[+,; ]\s*", "+", marks.action_units.strip().upper().replace("AU", ""))
    if units and not WRITTEN_UNITS.fullmatch(units):
        raise UsageError(f"'{marks.action_units}' are no action units: write them like 1+2 or 6+L12C")
    label = " ".join(marks.label.split()).lower()
    if not 0 < len(label) <= LONGEST_NAME:
        raise UsageError("the label is empty: choose one")
    if marks.kind not in ("micro", "macro"):
        raise UsageError(f"the kind '{marks.kind}' is neither micro nor macro")
    onset, apex, offset = times
    return Marks(onset, apex, offset, label, marks.kind, units, marks.note.strip()[:LONGEST_NOTE])


UNITS = {
    1: "inner brow raised",
    2: "outer brow raised",
    4: "brow lowered",
    5: "upper lid raised",
    6: "cheek raised",
    7: "lids tightened",
    9: "nose wrinkled",
    10: "upper lip raised",
    11: "furrow beside the nose deepened",
    12: "lip corner pulled up",
    13: "cheek puffed up",
    14: "dimple",
    15: "lip corner pulled down",
    16: "lower lip pulled down",
    17: "chin raised",
    18: "lips puckered",
    20: "lips stretched",
    22: "lips funnelled",
    23: "lips tightened",
    24: "lips pressed",
    25: "lips apart",
    26: "jaw dropped",
    27: "mouth stretched",
    28: "lips sucked in",
    38: "nostrils widened",
    39: "nostrils narrowed",
    43: "eyes closed",
    45: "blink",
    46: "wink",
}
SIDES = {"L": "left ", "R": "right "}


def in_words(units: str) -> str:
    """From "1+L12" → "inner brow raised, left lip corner pulled up"; a number that is not known stays as it is."""
    found = re.findall(r"([LR]?)(\d{1,2})", units)
    return ", ".join(f"{SIDES.get(side, '')}{UNITS.get(int(number), f'unit {number}')}" for side, number in found)
