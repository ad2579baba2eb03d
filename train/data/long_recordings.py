"""Long recordings with annotated expressions: what a spotter is measured on, as opposed to clips cut to one expression."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from realtime.errors import UsageError
from realtime.records import Frame
from realtime.sources import open_source
from train.data import annotations, cut
from train.data.annotations import LeftOut

KINDS = ("micro", "macro")


@dataclass(frozen=True)
class Expression:
    """An annotated expression, seconds in its recording's clock.

    Attributes:
        kind: one of KINDS.
        label: the emotion as annotated, in lower case, "" where there is none.
    """

    kind: str
    onset: float
    apex: float
    offset: float
    label: str = ""


@dataclass
class LongRecording:
    """One recording of a set.

    Attributes:
        name: unique within the set.
        fps: frames a second of `frames`, by their numbers; of a video its own clock counts.
        expressions: may be empty; whatever is found there is then false.
        table: the name of the table that what is found in it goes into.
    """

    name: str
    subject: str
    fps: float
    frames: Mapping[int, Path] = field(default_factory=dict)
    video: Path | None = None
    expressions: list[Expression] = field(default_factory=list)
    table: str = "predictions"

    def __iter__(self) -> Iterator[Frame]:
        """Every frame in order. A picture that cannot be read is a gap. Raises SourceError for a video that is none."""
        if self.video is not None:
            with open_source(self.video) as source:
                yield from source
            return
        first = next(iter(self.frames), 0)
        for index, (number, path) in enumerate(self.frames.items()):
            try:
                pixels = cut.read(path)
            except cut.Unusable:
                continue
            yield Frame(pixels, index, (number - first) / self.fps, time.monotonic())

    @property
    def span(self) -> tuple[int, int]:
        """First and last frame number; of a video from 1 on, without an end."""
        numbers = list(self.frames)
        return (numbers[0], numbers[-1]) if numbers else (1, 10**9)


@dataclass
class LongSet:
    """A set of long recordings, and what was wrong with its table.

    Attributes:
        left: rows that could not be used.
        mended: rows that were used other than they stand, and how.
        annotated: whether it says what is to be found; a challenge's test set does not.
    """

    name: str
    recordings: list[LongRecording]
    left: list[LeftOut] = field(default_factory=list)
    mended: list[LeftOut] = field(default_factory=list)
    annotated: bool = True

    def add(self, recording: LongRecording | None, row: annotations.Row, kind: str, label: str = "") -> None:
        """An annotated expression by frame numbers: row["onset"], row["apex"], row["offset"].

        What begins before the first frame begins with it, what has no offset (0, -1, empty) or one beyond the last frame
        ends with that (CAS(ME)²'s 0: the video ends first; SAMM's 020_6_5). An apex that is none is halfway.
        """
        name = f"{row['filename']} {row['onset']}…{row['offset']}"
        if recording is None or not (recording.frames or recording.video):
            self.left.append(LeftOut(name, row.where, "no frames of this recording"))
            return
        if kind not in KINDS:
            self.left.append(LeftOut(name, row.where, f"the kind '{row['kind']}' is neither micro nor macro"))
            return
        first, last = recording.span
        onset, apex, offset = (annotations.number(row[moment]) for moment in ("onset", "apex", "offset"))
        if onset is None or offset is None and row["offset"] not in ("", "-1"):
            self.left.append(LeftOut(name, row.where, f"onset '{row['onset']}' and offset '{row['offset']}' are no frame numbers"))
            return
        ends = offset or last
        begins, ends = max(onset, first), min(ends, last)
        if begins > ends or recording.video and not offset:
            self.left.append(LeftOut(name, row.where, f"{onset}…{row['offset'] or '?'} is no stretch of the frames {first}…{last}"))
            return
        changed = [f"{what} {was or 0} became {now}" for what, was, now in (("onset", onset, begins), ("offset", offset, ends)) if was != now]
        if apex is None or not begins <= apex <= ends:
            changed.append(f"apex '{row['apex']}' became {(begins + ends) // 2}")
            apex = (begins + ends) // 2
        if changed:
            self.mended.append(LeftOut(name, row.where, ", ".join(changed) + f" (frames {first}…{last})"))
        begun, peaked, ended = ((n - first) / recording.fps for n in (begins, apex, ends))
        recording.expressions.append(Expression(kind, begun, peaked, ended, label.lower()))

    def checked(self, root: Path) -> Self:
        """Itself.

        Raises:
            UsageError: it holds no recording, or no expression of any.
        """
        if not (any(one.expressions for one in self.recordings) if self.annotated else self.recordings):
            why = f" (the first row: {self.left[0].row}: {self.left[0].why})" if self.left else ""
            what = f"{len(self.recordings)} recordings and none of the annotated expressions" if self.recordings else "no recording"
            raise UsageError(f"{what} of {self.name} found in '{root}'{why}: check data.root")
        return self
