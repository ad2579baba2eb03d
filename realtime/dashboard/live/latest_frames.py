"""What was measured in every frame of a live run: numbers in memory, only where a person asked for it."""

from __future__ import annotations

import threading
import zlib
from collections import deque
from pathlib import Path

from realtime.errors import UsageError
from realtime.output.event_table import csv_head, csv_row
from realtime.output.exports.found import replace, write_text
from realtime.output.frame_table import COLUMNS, rows, write_parquet
from realtime.pipeline import Step

BLOCK = 600  # rows that are packed together, to about a quarter
MOST = 180 * BLOCK  # rows that are held: an hour of one face at 30 frames/s, about 20 MB
FORMATS = {"frames": ("CSV", "live-frames.csv"), "frames_parquet": ("Parquet", "live-frames.parquet")}


class LatestFrames:
    """`write(step)` after each frame, `file` whenever a person wants it; from any thread."""

    def __init__(self):
        self._packed: deque[bytes] = deque()
        self._open: list[str] = []
        self._written = 0
        self._guard = threading.Lock()

    def __len__(self) -> int:
        """Rows that are held."""
        return len(self._packed) * BLOCK + len(self._open)

    def write(self, step: Step) -> None:
        lines = [csv_row(row, COLUMNS) for row in rows(step)]
        with self._guard:
            self._written += len(lines)
            for line in lines:
                self._open.append(line)
                if len(self._open) == BLOCK:
                    self._packed.append(zlib.compress("".join(self._open).encode(), 1))
                    self._open = []
            while len(self) > MOST:
                self._packed.popleft()

    @property
    def word(self) -> str:
        """What to know of a file of them; "" where there is nothing to know."""
        gone = self._written - len(self)
        return f"The file holds the latest {len(self)} rows; the first {gone} are no longer there." if gone else ""

    def file(self, what: str, folder: Path) -> Path:
        """The file.

        Args:
            what: of FORMATS.
            folder: a private one.

        Raises:
            UsageError: nothing was measured.
            MissingPartError: Parquet needs pyarrow.
            OutputError: it cannot be written.
        """
        with self._guard:
            packed, open_ = list(self._packed), list(self._open)
        if not packed and not open_:
            raise UsageError("no frame was measured yet: tick 'Measure every frame', then start")
        table = folder / FORMATS["frames"][1]
        text = csv_head(COLUMNS) + "".join(zlib.decompress(block).decode() for block in packed) + "".join(open_)
        replace(table, lambda part: write_text(part, text))
        if what == "frames":
            return table
        path = folder / FORMATS[what][1]
        replace(path, lambda part: write_parquet(table, part))
        return path
