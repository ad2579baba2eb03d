"""Reviewed events as a data set: `mer-train prepare data=generic data.root=FOLDER` takes what is written here as it is.

FOLDER/events.csv       path, subject, onset, apex, offset, label, kind, action_units
FOLDER/frames/…         pictures, where a recording is to be taken along or only pictures were kept
FOLDER/left_out.txt     what could not be exported, and why
"""

from __future__ import annotations

import csv
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from realtime.errors import UsageError
from realtime.output.line_file import cannot_write
from realtime.review import Reviews
from realtime.review import frames as frames_of
from realtime.review.trainable import Chosen, choose

COLUMNS = ("path", "subject", "onset", "apex", "offset", "label", "kind", "action_units")
OURS = {"events.csv", "frames", "left_out.txt"}


@dataclass
class Exported:
    """rows: of the table. left_out: (which event, why). stand_ins: sources whose participant nobody has named."""

    folder: Path
    rows: list[dict] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    stand_ins: list[str] = field(default_factory=list)


def export(
    reviews: Reviews,
    folder: Path,
    sessions: Iterable[int] = (),
    reviewer: str = "",
    frames: bool = False,
    said: Callable[[str], None] = lambda line: None,
) -> Exported:
    """Writes every event that was accepted, corrected or added into `folder`.

    sessions: only these (default: all). reviewer: their word alone; by default everybody's, and an event that two
    reviewers call differently is left out. frames: copy the pictures of each event out of its recording, so that the
    folder stands on its own; otherwise paths point to the recordings, wherever they lie. said: told what is being read.
    Raises UsageError for a folder that holds other things, OutputError where it cannot be written.
    """
    try:
        _prepare(folder)
        chosen, left_out = choose(reviews, set(sessions), reviewer)
        result = Exported(folder, [], left_out, sorted({one.subject for one in chosen if one.stands_in}))
        copied = defaultdict(list)
        for one in chosen:
            if one.video is None:
                _add(result, one, frames_of.kept_pictures(one, folder))
            elif frames:
                copied[one.video, one.read.fps, one.read.stream].append(one)
            else:
                _add(result, one, [str(one.video), *(f"{moment:.3f}" for moment in one.moments)])
        for (video, *_), those in copied.items():
            said(f"copying the pictures of {len(those)} events out of {video.name}")
            for one, cells in frames_of.copied(video, those, folder):
                _add(result, one, cells)
        _write(result)
    except OSError as error:
        raise cannot_write(folder, error) from error
    return result


def _prepare(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"'{folder}' is a file: name a folder")
    foreign = sorted(path.name for path in folder.iterdir() if path.name not in OURS) if folder.exists() else []
    if foreign:
        raise UsageError(f"'{folder}' holds other files ({foreign[0]}): name a new folder, mer-train reads the one table in it")
    folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder / "frames", ignore_errors=True)


def _add(result: Exported, one: Chosen, cells: list | str) -> None:
    """cells: path, onset, apex and offset as the table has them; or why there are none."""
    if isinstance(cells, str):
        shutil.rmtree(result.folder / frames_of.place_of(one), ignore_errors=True)
        result.left_out.append((one.name, cells))
        return
    path, onset, apex, offset = cells
    values = (path, one.subject, onset, apex, offset, one.marks.label, one.marks.kind, one.marks.action_units)
    result.rows.append(dict(zip(COLUMNS, values, strict=True)))


def _write(result: Exported) -> None:
    with open(result.folder / "events.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(result.rows)
    lines = [f"{name}: {why}" for name, why in result.left_out]
    (result.folder / "left_out.txt").write_text("".join(f"{line}\n" for line in lines or ["nothing"]), "utf-8", "backslashreplace")
