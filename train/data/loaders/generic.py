"""Sets of one's own: any, by one CSV table with the columns path, subject, onset, apex, offset, label; and those of `mer-synth`.

`path` (relative to the table) is a folder of numbered frames, then onset, apex and offset are frame numbers; or a
video, then they are seconds in its own clock; or one picture, then they stay empty. An empty apex means the middle.
Optional columns: kind (micro, macro, image; micro unless given) and action_units.
"""

import os
from functools import cache
from pathlib import Path

from train.data import annotations, folders
from train.data.annotations import Clip, LeftOut, Row

FIELDS = ("path", "subject", "onset", "apex", "offset", "label", "kind", "action_units")
KINDS = ("micro", "macro", "image")
SYNTHETIC = {
    "subject": ("Subject",),
    "filename": ("Filename",),
    "onset": ("onset_s",),
    "apex": ("apex_s",),
    "offset": ("offset_s",),
    "action_units": ("Action Units",),
    "label": ("Estimated Emotion",),
    "kind": ("kind",),
}


def generic(root: Path) -> list[Clip | LeftOut]:
    """The rows of `root`, the table itself or a folder that holds one CSV.

    Raises:
        UsageError: as `annotations` does.
    """
    table = root if root.is_file() else annotations.find(root, "*", what="your table")
    columns = {field: (field,) for field in FIELDS}
    frames = cache(folders.frames)
    rows = annotations.read(table, columns, optional=("kind", "action_units"))
    return folders.checked([_clip(row, table.parent, frames) for row in rows], table)


def synthetic(root: Path) -> list[Clip | LeftOut]:
    """ROOT/truth.csv and ROOT/<clip>.mp4 (see `train.synthesis.clip`): every expression, micro and macro, as a span of its video.

    Those that a blink, speech or a head movement disturbs stay in: a live face does the same. One that begins before the video
    does (onset below 0) is left out.

    Raises:
        UsageError: the table or a column is missing.
    """
    table = annotations.find(root, "truth", what="a set made by mer-synth")
    found: list[Clip | LeftOut] = []
    for row in annotations.read(table, SYNTHETIC, optional=("action_units",)):
        video, kind = table.parent / row["filename"], row["kind"].lower()
        name = f"{video.stem}@{row['onset']}"
        times = moments(row["onset"], row["apex"], row["offset"])
        if isinstance(times, str):
            found.append(LeftOut(name, row.where, times))
        elif kind not in ("micro", "macro") or not row["label"]:
            why = f"the kind '{kind}' is not micro or macro, or there is no emotion ('{row['label']}')"
            found.append(LeftOut(name, row.where, why))
        elif not video.is_file():
            found.append(LeftOut(name, row.where, f"no video '{video}'"))
        else:
            facts = ("synthetic", row["subject"], name, kind, row["label"].lower(), row["action_units"])
            found.append(Clip(*facts, (), 0, row.where, video, times))
    return folders.checked(found, root)


def moments(onset: str, apex: str, offset: str) -> tuple[float, float, float] | str:
    """Onset, apex and offset in seconds; an empty apex is halfway.

    Returns:
        why not, where they cannot be used.
    """
    start, middle, end = (annotations.seconds(text) for text in (onset, apex, offset))
    if start is None or end is None or end <= start:
        return f"onset '{onset}' and offset '{offset}' are no seconds in rising order"
    if middle is None and apex not in ("", "/"):
        return f"the apex '{apex}' is no time in seconds"
    middle = (start + end) / 2 if middle is None else middle
    return (start, middle, end) if start <= middle <= end else f"the apex {apex} s is not between {onset} and {offset} s"


def _clip(row: Row, base: Path, frames) -> Clip | LeftOut:
    path, kind = base / row["path"], row["kind"].lower() or "micro"
    name = f"{row['path']}@{row['onset']}" if row["onset"] else row["path"]
    why = ""
    if not row["path"] or not row["subject"] or not row["label"]:
        why = f"no {next(field for field in ('path', 'subject', 'label') if not row[field])} is given"
    elif kind not in KINDS:
        why = f"the kind '{kind}' is none of {', '.join(KINDS)}"
    elif not os.path.exists(path):  # unlike Path.exists, it takes any name
        why = f"no file or folder '{path}'"
    elif (kind == "image") != (path.suffix.lower() in folders.IMAGES):
        why = f"'{path}' does not fit the kind '{kind}': an image is one picture, the others are a folder or a video"
    if why:
        return LeftOut(name, row.where, why)
    facts = ("generic", row["subject"], name, kind, row["label"].lower(), row["action_units"])
    if kind == "image":
        return Clip(*facts, (path,), 0, row.where)
    if path.is_dir():
        return folders.from_row(row, path, frames(path), "generic", row["subject"], name, kind)
    times = moments(row["onset"], row["apex"], row["offset"])
    return LeftOut(name, row.where, times) if isinstance(times, str) else Clip(*facts, (), 0, row.where, path, times)
