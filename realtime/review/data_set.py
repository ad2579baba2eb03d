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

import cv2
import numpy as np

from realtime.errors import SourceError, UsageError
from realtime.output.line_file import cannot_write
from realtime.review import Reviews
from realtime.review.trainable import Chosen, choose
from realtime.sources import open_source

COLUMNS = ("path", "subject", "onset", "apex", "offset", "label", "kind", "action_units")
OURS = {"events.csv", "frames", "left_out.txt"}


@dataclass
class Exported:
    """What an export came to.

    Attributes:
        rows: of the table.
        left_out: (which event, why).
        stand_ins: sources whose participant nobody has named.
    """

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

    Args:
        sessions: only these (default: all).
        reviewer: their word alone; by default everybody's, and an event that two reviewers call differently is left out.
        frames: copy the pictures of each event out of its recording, so that the folder stands on its own; otherwise paths
            point to the recordings, wherever they lie.
        said: told what is being read.

    Raises:
        UsageError: a folder that holds other things.
        OutputError: it cannot be written.
    """
    try:
        _prepare(folder)
        chosen, left_out = choose(reviews, set(sessions), reviewer)
        result = Exported(folder, [], left_out, sorted({one.subject for one in chosen if one.stands_in}))
        copied = defaultdict(list)
        for one in chosen:
            if one.video is None:
                _add(result, one, _kept_pictures(one, folder))
            elif frames:
                copied[one.video, one.read.fps, one.read.stream].append(one)
            else:
                _add(result, one, [str(one.video), *(f"{moment:.3f}" for moment in one.moments)])
        for (video, *_), those in copied.items():
            said(f"copying the pictures of {len(those)} events out of {video.name}")
            for one, cells in _copied(video, those, folder):
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
        shutil.rmtree(result.folder / _place_of(one), ignore_errors=True)
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


def _place_of(one: Chosen) -> str:
    """The event's folder in a training set."""
    return f"frames/{one.item.session}-{one.item.key}"


def _kept_pictures(one: Chosen, folder: Path) -> list | str:
    """Copies what was kept of an event; returns its cells (see `_numbers`), or why it cannot be."""
    times = np.array(one.kept.times)
    space = float(np.diff(times).max()) if len(times) > 1 else 0.0
    if one.marks.onset_s < times[0] - space or one.marks.offset_s > times[-1] + space:
        return f"its onset and offset were moved beyond the pictures kept ({times[0]:.3f} to {times[-1]:.3f} s)"
    cells = _numbers(one, times)
    if isinstance(cells, list):
        for number, file in enumerate(one.kept.files, 1):
            if cells[1] <= number <= cells[3]:
                shutil.copyfile(file, _file(one, folder, number))
    return cells


def _copied(video: Path, those: list[Chosen], folder: Path):
    """(event, its cells or why not) of one recording, read in one way, decoded once; never more than one frame is held."""
    half, last, end = 0.0, None, max(one.marks.offset_s for one in those)
    times: dict[int, list[float]] = {id(one): [] for one in those}
    why = f"{video.name} ends before the event does"
    try:
        with open_source(video, settings=those[0].read) as source:
            half = 0.5 / (source.info.fps or 30)
            for frame in source:
                half = half if last is None else (frame.pts - last) / 2
                last = frame.pts
                for one in those:
                    if one.marks.onset_s - half <= last <= one.marks.offset_s + half:
                        times[id(one)].append(last)
                        file = _file(one, folder, len(times[id(one)]))
                        if not cv2.imwrite(str(file), frame.pixels):
                            raise cannot_write(file, OSError("the picture could not be written"))
                if last > end + half:
                    break
    except SourceError as error:
        why = f"the recording cannot be read ({error})"
    for one in those:
        mine = np.array(times[id(one)])
        yield one, _numbers(one, mine) if len(mine) and mine[-1] >= one.marks.offset_s - 2 * half else why


def _numbers(one: Chosen, times: np.ndarray) -> list | str:
    """[folder, onset, apex, offset] of pictures 1, 2, …, taken at `times`; or why they cannot be told."""
    onset, apex, offset = (1 + int(np.abs(times - moment).argmin()) for moment in one.moments)
    if not onset < apex <= offset:
        return "its onset, apex and offset fall on one picture"
    return [_place_of(one), onset, apex, offset]


def _file(one: Chosen, folder: Path, number: int) -> Path:
    place = folder / _place_of(one)
    place.mkdir(parents=True, exist_ok=True)
    return place / f"{number:06d}.png"
