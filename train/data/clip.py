"""One annotated expression of a data set, and one that cannot be used."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Clip:
    """Where the frames of one annotated expression lie, and what its annotation says.

    dataset: the loader's name. subject: as in the set's own folders ("sub01", "006"); one person of that set.
    name: unique within the set. kind: "micro", "macro" or "image" (a labelled still face).
    label: the emotion as annotated, stripped and in lower case. action_units: as annotated, may be empty.
    pictures: the frames from onset to offset, in order (an image: one). apex: index into `pictures`.
    row: where the annotation stands, for messages ("table.xlsx row 17").
    video, times: instead of `pictures`, a video and the seconds of onset, apex and offset in its own clock.
    """

    dataset: str
    subject: str
    name: str
    kind: str
    label: str
    action_units: str
    pictures: tuple[Path, ...]
    apex: int
    row: str
    video: Path | None = None
    times: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class LeftOut:
    """An annotated clip that cannot be used: which (`name`, `row`) and why, in words for a person."""

    name: str
    row: str
    why: str
