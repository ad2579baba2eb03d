"""A prepared set on disk: the faces of every clip, cut out and aligned once.

CACHE/made.json      what it was made from and with; another data set or other settings are refused
CACHE/clips.csv      a row for each clip that is there; the file's place in clips/
CACHE/left_out.csv   name, row, why
CACHE/sheet.png      onset | apex | amplified difference of each clip
CACHE/clips/*.npz    onset, apex, offset, fifth, extracted: views (`realtime.records.Moments`); fifth is the fifth frame after the
                     onset, or the apex in a shorter clip; extracted the apex by SA-AT's Algorithm 1, of all frames.
                     course10, course11: grey views, all frames of the clip interpolated to so many (TIM). points: 68×2
CACHE/inputs/        what networks take in, made from clips/ when asked for (`train.data.prepared`)
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import shutil
import time
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np

from realtime.errors import OutputError, UsageError
from train.data.annotations import Clip, LeftOut

FORMAT = 2  # of clips/*.npz; a set of an older one is cut out again by the same command
AGE = 3600.0  # seconds after which a half-written file belongs to no run any more
# of sheet.png
TILE = 112  # pixels
BAND = 16  # pixels below, for a title
WIDE = 5  # clips in a row
MOST = 200  # clips shown; of more, every n-th
AMPLIFIED = 6  # how much a difference is enlarged


@dataclass(frozen=True)
class Row:
    """A line of clips.csv.

    Attributes:
        action_units: as annotated.
        file: in clips/.
        row: where the annotation stands.
        still: "yes" where the apex is the onset (`Clip.still`), else empty.
    """

    dataset: str
    subject: str
    name: str
    kind: str
    label: str
    action_units: str
    file: str
    row: str
    still: str = ""


def claim(cache: Path, made: dict, versions: dict) -> bool:
    """Make `cache`, or see that it was made by the same means.

    Returns:
        whether it was made by an older version, from the same set: what is in it stays whole until `renew`.

    Raises:
        UsageError: it was not; nothing is changed.
    """
    file, older = cache / "made.json", False
    if file.exists():
        kept = read_made(cache)
        older = kept.get("format", 1) != FORMAT == made.get("format")
        differ = [key for key in made if kept.get(key) != made[key] and not (older and key in ("format", "alignment"))]
        if differ:
            was = "; ".join(f"{key} is {made[key]}, was {kept.get(key)}" for key in differ)
            raise UsageError(f"{cache} was prepared with other settings ({was}): give another data.cache=DIR")
    elif cache.exists() and any(cache.iterdir()):
        raise UsageError(f"{cache} is neither empty nor a prepared set: give another data.cache=DIR")
    try:
        (cache / "clips").mkdir(parents=True, exist_ok=True)
        if not file.exists():
            write(file, json.dumps(made | {"versions": versions}, indent=1).encode())
        for left in (cache / "clips").glob(".*.part"):
            if time.time() - left.stat().st_mtime > AGE:
                left.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write to {cache} ({error.strerror}): give another data.cache=DIR") from error
    return older


def renew(cache: Path, made: dict, versions: dict, rows: list[Row]) -> None:
    """A set of an older version is whole in this one's form: its old clips and inputs go."""
    for path in {*(cache / "clips").glob("*.npz")} - {cache / "clips" / row.file for row in rows}:
        path.unlink(missing_ok=True)
    shutil.rmtree(cache / "inputs", ignore_errors=True)
    write(cache / "made.json", json.dumps(made | {"versions": versions}, indent=1).encode())


def file_of(clip: Clip, root: Path) -> str:
    """The name of a clip's file. It changes with all that the file's content depends on: an annotation that is corrected
    later leads to another file, never to a stale one."""

    def place(path: Path | None) -> str:
        return str(path.relative_to(root) if path and path.is_relative_to(root) else path)

    facts = [FORMAT, clip.dataset, clip.subject, clip.name, clip.kind, clip.apex, clip.times, place(clip.video)]
    digest = hashlib.sha256(json.dumps(facts + [place(path) for path in clip.pictures]).encode()).hexdigest()
    return re.sub(r"[^A-Za-z0-9.]+", "_", f"{clip.subject}_{clip.name}")[:80] + f"-{digest[:10]}.npz"


def write(path: Path, data: bytes) -> None:
    """All or nothing: a run that is killed leaves no half a file under this name.

    Raises:
        OutputError: it cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(data)
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise OutputError(f"cannot write {path} ({error.strerror}): make room, or give another folder") from error


def write_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """An .npz of arrays of any shape and dtype, all or nothing.

    Raises:
        OutputError: it cannot be written.
    """
    content = io.BytesIO()
    np.savez(content, **cast(dict[str, Any], arrays))
    write(path, content.getvalue())


def write_tables(cache: Path, rows: list[Row], left: list[LeftOut]) -> None:
    """clips.csv and left_out.csv.

    Raises:
        OutputError: it cannot be written.
    """
    write_rows(cache / "clips.csv", Row, rows)
    write_rows(cache / "left_out.csv", LeftOut, left)


def write_rows(path: Path, kind: type, rows: list) -> None:
    """Dataclasses of one kind as a CSV table.

    Raises:
        OutputError: it cannot be written.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(field.name for field in fields(kind))
    table.writerows(map(astuple, rows))
    write(path, text.getvalue().encode())


def read_made(cache: Path) -> dict:
    if not cache.exists():
        name, place = (cache.name, "") if str(cache.parent) == "prepared" else ("NAME", f" data.cache={cache}")
        raise UsageError(f"no prepared set {cache}: mer-train prepare data={name} data.root=FOLDER{place} makes it")
    try:
        made = json.loads((cache / "made.json").read_text("utf-8"))
        if not isinstance(made, dict):
            raise ValueError(f"expected an object, got {type(made).__name__}")
        return made
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise UsageError(f"{cache} is no prepared set (made.json: {error}): mer-train prepare makes one") from error


def read_rows(cache: Path) -> list[Row]:
    """The clips of a prepared set.

    Raises:
        UsageError: there is none, or its preparation was broken off.
    """
    read_made(cache)
    try:
        with open(cache / "clips.csv", newline="", encoding="utf-8") as file:
            rows = [Row(**line) for line in csv.DictReader(file)]
        if short := next((row for row in rows if None in astuple(row)), None):
            raise ValueError(f"a row of {short.subject} ends too early")
        return rows
    except FileNotFoundError:
        raise UsageError(f"the preparation of {cache} was broken off (no clips.csv): the same mer-train prepare command finishes it") from None
    except (OSError, TypeError, ValueError, csv.Error) as error:
        columns = ", ".join(Row.__dataclass_fields__)
        raise UsageError(f"{cache / 'clips.csv'} is damaged or has other columns ({error}): expected {columns}; prepare again") from error


def write_sheet(cache: Path, rows: list[Row]) -> None:
    """Write `cache`/sheet.png: onset | apex | what changed between them, amplified, of each clip.

    Raises:
        OutputError: it cannot be written.
    """
    write(cache / "sheet.png", cv2.imencode(".png", sheet(cache, rows))[1].tobytes())


def sheet(cache: Path, rows: list[Row]) -> np.ndarray:
    """The sheet as one picture (uint8 BGR). A grey difference is none; a bright one is brighter at the apex."""
    chosen = [rows[i] for i in np.unique(np.linspace(0, len(rows) - 1, min(len(rows), MOST)).astype(int))]
    strips = [_strip(cache / "clips" / row.file, row) for row in chosen]
    strips += [np.zeros_like(strips[0])] * (-len(strips) % WIDE)
    return np.vstack([np.hstack(strips[i : i + WIDE]) for i in range(0, len(strips), WIDE)])


def _strip(file: Path, row: Row) -> np.ndarray:
    with np.load(file) as views:
        onset, apex = views["onset"], views["apex"]
    change = np.clip(128 + AMPLIFIED * (apex.astype(np.float32) - onset), 0, 255).astype(np.uint8)
    strip = np.hstack([cv2.resize(tile, (TILE, TILE), interpolation=cv2.INTER_AREA) for tile in (onset, apex, change)])
    strip = cv2.copyMakeBorder(strip, 0, BAND, 0, 6, cv2.BORDER_CONSTANT)
    what = f"{row.kind} {row.label}  {row.name if row.name.startswith(row.subject) else f'{row.subject} {row.name}'}"
    text = what.encode("ascii", "replace").decode()[:60]  # OpenCV draws no other letters
    cv2.putText(strip, text, (3, TILE + BAND - 5), cv2.FONT_HERSHEY_SIMPLEX, 0.33, (230, 230, 230), 1, cv2.LINE_AA)
    return strip
