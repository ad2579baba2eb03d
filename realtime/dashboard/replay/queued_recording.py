"""One recording that was dropped on the page, from its turn in the queue to what was found in it."""

from __future__ import annotations

import pickle
import secrets
import threading
import time
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from realtime.dashboard.live.choices import Choice, levels
from realtime.dashboard.replay.seekable_copy import Copy
from realtime.judged import Judged
from realtime.output import lanes
from realtime.output.exports import Found
from realtime.records import Keyframes
from realtime.review.coders import Coder
from realtime.review.codings import Coding
from realtime.spotting import SpotterSettings
from realtime.watching import Watch

BLOCK = 600  # frames that the page is given at once
NUMBERS = 2 * (2 + 3 * 4)  # of a frame: two corners of the box, four of each of the three regions

Box = tuple[float, float, float, float]


class Faces:
    """One `add` a frame, 60 bytes.

    A frame's row of NUMBERS: the box (left, top, right, bottom), then the corners (x, y) of the regions, as shares of the
    picture's width and height; NaN where there is no face. In float16 a share is true to a quarter of a pixel of the copy.
    """

    def __init__(self, width: int, height: int):
        """width, height: pixels of the frames that will come."""
        self._sides = np.array((width, height), np.float32)
        self._blocks: list[np.ndarray] = []
        self._ids = array("i")
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, face: dict | None) -> None:
        """The next frame's face.

        Args:
            face: "id", "box" and "regions" in pixels, as `live.readings.face_of` gives them; None without a face.
        """
        if self._count % BLOCK == 0:
            self._blocks.append(np.full((BLOCK, NUMBERS), np.nan, np.float16))
        if face is not None:
            points = [np.reshape(face["box"], (2, 2)), *face["regions"]]
            shares = (np.concatenate(points) / self._sides).ravel()
            self._blocks[-1][self._count % BLOCK, : len(shares)] = shares
        self._ids.append(-1 if face is None else face["id"])
        self._count += 1

    def who(self, number: int) -> int | None:
        """Which face that is, as in `Event.face`; None without one."""
        return None if self._ids[number] < 0 else self._ids[number]

    def box(self, number: int) -> Box | None:
        """The box of a frame, as shares of the picture; None without a face."""
        row = self._blocks[number // BLOCK][number % BLOCK, :4].astype(float)
        return None if np.isnan(row[0]) else tuple(row.tolist())

    def block(self, number: int) -> bytes:
        """Frames number·BLOCK and on, to the last or the BLOCKth.

        Returns:
            The bytes of N×NUMBERS little-endian float32.

        Raises:
            IndexError: where there is no such block.
        """
        if not 0 <= number < len(self._blocks):
            raise IndexError(f"block {number} of {len(self._blocks)}")
        rows = self._blocks[number][: self._count - number * BLOCK]
        return rows.astype("<f4").tobytes()


WORDS = FEWER, USUAL, MORE = "fewer", "usual", "more"  # in the order of `levels`
CHOICES = [("Fewer", FEWER), ("Usual", USUAL), ("More", MORE)]


def adjusted(settings: SpotterSettings, word: str) -> SpotterSettings:
    """The spotter's settings for a choice of a person.

    Args:
        word: one of WORDS.
    """
    usual = Choice("", "", settings.sensitivity, settings.max_duration, settings.confidence)
    threshold, certainty = list(levels(usual).values())[WORDS.index(word)]
    return replace(settings, sensitivity=threshold, confidence=certainty)


WAITING, WORKING, DONE, CANCELLED, FAILED = "waiting", "working", "done", "cancelled", "failed"
MOST_EVENTS = 2000  # of one recording whose pictures are kept


@dataclass
class Job:
    """One recording of one browser's queue.

    Attributes:
        owner: the key of that queue.
        token: names it in addresses; it cannot be guessed.
        seconds: its stated length or None.
        sensitivity: one of WORDS.
        measured: what is measured in every frame is kept, too, as `frames`.
        began: monotonic seconds.
        judged: how much of it was judged.
        sound: alone, by the recording's clock; None where it has none.
        faces: where the face was in each frame.
        codings: of a file that a person has just uploaded, until they say what it means.
        coders: whose marks lie beside what was found.
        iou: from which overlap an event of theirs counts as found.
        message: what went wrong, one line.
        stored: its session in the event log, where a person asked for that.
        whole: whether it was kept with the recording itself.
    """

    owner: str
    clip: Path
    name: str
    model: str
    engine: str
    folder: Path
    seconds: float | None = None
    sensitivity: str = USUAL
    measured: bool = False
    token: str = field(default_factory=lambda: secrets.token_urlsafe(18))
    state: str = WAITING
    progress: float = 0.0
    began: float = 0.0
    message: str = ""
    found: Found | None = None
    copy: Copy | None = None
    faces: Faces | None = None
    judged: Judged | None = None
    sound: Path | None = None
    stored: int | None = None
    whole: bool = False
    codings: list[Coding] = field(default_factory=list, repr=False)
    coders: dict[str, Coder] = field(default_factory=dict, repr=False)
    iou: float = 0.5
    watch: Watch | None = field(default=None, repr=False)
    stopped: threading.Event = field(default_factory=threading.Event, repr=False)

    @property
    def frames(self) -> Path:
        """What was measured in every frame: frames.csv."""
        return self.folder / "frames.csv"

    @property
    def over(self) -> bool:
        return self.state in (DONE, CANCELLED, FAILED)

    @property
    def left(self) -> float | None:
        """Seconds that the rest will take, going by what was done; None where nothing can be said."""
        passed = time.monotonic() - self.began
        known = self.state == WORKING and self.progress > 0.03 and passed > 1
        return passed / self.progress * (1 - self.progress) if known else None

    @property
    def shown(self) -> bool:
        """Whether there is something to look at."""
        return self.over and self.copy is not None and len(self.copy.times) > 0

    def measures(self, names: Sequence[str]) -> np.ndarray:
        """Columns of `frames`.

        Returns:
            (columns, frames) float32, NaN where there is no face.

        Raises:
            OSError: where there are none (any more).
        """
        t, curves = lanes.read(self.frames, names)
        of = np.searchsorted(t, np.round(self.copy.times, 4) - 1e-6)  # the table's own times have four digits
        return np.stack([np.append(curves[name], np.nan)[of] for name in names]).astype(np.float32)

    def keep(self, number: int, keyframes: Keyframes) -> None:
        """An event's views go to the page's private folder: in memory, those of an hour would be gigabytes."""
        if number <= MOST_EVENTS:
            self._views(number).write_bytes(pickle.dumps(keyframes))

    def keyframes(self, number: int) -> Keyframes:
        """Those of an event.

        Raises:
            KeyError: where there are none (any more).
        """
        try:
            return pickle.loads(self._views(number).read_bytes())  # our own file, in a folder only we may enter
        except OSError as error:
            raise KeyError(number) from error

    def _views(self, number: int) -> Path:
        return self.folder / f"event-{number}.pickle"
