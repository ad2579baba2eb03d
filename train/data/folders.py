"""Folders of numbered frames, and how an annotation row and such a folder become a clip."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from realtime.errors import UsageError
from train.data.annotations import Clip, LeftOut, Row, number

IMAGES = (".jpg", ".jpeg", ".png", ".bmp")


def holding(root: Path, pattern: str, what: str) -> Path:
    """The folder that holds the folders called `pattern`: `root` or one at most three deep.

    The first by depth and name; one of cropped faces only where there is no other, since `realtime` finds, cuts and aligns faces
    by itself.

    Raises:
        UsageError: there is none.
    """
    if not root.is_dir():
        raise UsageError(f"no folder '{root}': set data.root to the folder that holds {what}")
    cropped: list[Path] = []
    for depth in range(4):
        found = sorted({path.parent for path in root.glob("*/" * depth + pattern) if path.is_dir()})
        raw = [path for path in found if "crop" not in str(path.relative_to(root)).lower()]
        if raw:
            return raw[0]
        cropped += found
    if cropped:
        return cropped[0]
    raise UsageError(f"no folders '{pattern}' in '{root}': set data.root to the folder that holds {what}")


def called(root: Path, name: str) -> Path | None:
    """The folder `name`, whatever its case: `root` itself or one at most three deep; None where there is none."""
    levels = [[root], *(sorted(root.glob("*/" * depth + "*")) for depth in range(3))]
    found = (path for level in levels for path in level if path.name.lower() == name.lower())
    return next((path for path in found if path.is_dir()), None)


def images(folder: Path) -> list[Path]:
    """The pictures in a folder, by name; hidden files are none."""
    if not os.path.isdir(folder):  # unlike Path.is_dir, it takes any name
        return []
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in IMAGES and not p.name.startswith("."))


def frames(folder: Path) -> dict[int, Path]:
    """The frames in a folder by the last number in their names, in order ("img46.jpg", "reg_img46.jpg": 46)."""
    found = {int(n[-1]): path for path in images(folder) if (n := re.findall(r"\d+", path.stem))}
    return dict(sorted(found.items()))


def cut(files: Mapping[int, Path], row: Row, trimmed: bool) -> tuple[tuple[Path, ...], int] | str:
    """(the pictures from onset to offset, the apex's index among them) of row["onset"], row["apex"], row["offset"].

    A row without an apex ("/", empty, -1) gets the middle picture. Frames between the three may be missing. The apex may be the
    onset or the offset or both (`Clip.still`).

    Args:
        trimmed: the folder holds this clip alone. Then its numbers may count from 1 where the table counts in the whole
            recording; and where the offset is no number after the onset, or lies beyond the last frame, that frame stands in
            (CASME II's sub16/EP01_08, one of MEGC2019's clips, ends 14 frames early on disk).

    Returns:
        why it cannot be used, where it cannot.
    """
    onset, apex, offset = (number(row[field]) for field in ("onset", "apex", "offset"))
    if onset is None:
        return f"the onset '{row['onset']}' is no frame number"
    numbers = list(files)
    first, last = numbers[0], numbers[-1]
    if trimmed and offset is not None and offset > last and len(files) == offset - onset + 1 == last - first + 1:
        files = {n - first + onset: path for n, path in files.items()}
        first, last = onset, offset
    if trimmed and (offset is None or offset <= onset or offset > last) and onset in files:
        offset = last
    if offset is None or offset < onset or offset == onset != apex:
        return f"the offset '{row['offset']}' is not after the onset {onset}"
    if apex is not None and apex < onset:
        return f"the apex {apex} is before the onset {onset}"
    if apex is not None and apex > offset:
        return f"the apex {apex} is after the offset {offset}"
    for moment, n in (("onset", onset), ("apex", apex), ("offset", offset)):
        if n is not None and n not in files:
            return f"no picture of the {moment} {n} (the folder holds {first}…{last})"
    inside = [n for n in files if onset <= n <= offset]
    return tuple(files[n] for n in inside), len(inside) // 2 if apex is None else inside.index(apex)


def from_row(
    row: Row,
    folder: Path,
    files: Mapping[int, Path],
    dataset: str,
    subject: str,
    name: str,
    kind: str = "micro",
    trimmed: bool = False,
) -> Clip | LeftOut:
    """The clip of a row with the fields onset, apex, offset, label and action_units, whose frames lie in `folder`."""
    if not row["label"]:
        return LeftOut(name, row.where, "no emotion is annotated")
    if not files:
        return LeftOut(name, row.where, f"no frames in '{folder}'")
    found = cut(files, row, trimmed)
    if isinstance(found, str):
        return LeftOut(name, row.where, f"{found} (folder '{folder}')")
    return Clip(dataset, subject, name, kind, row["label"].lower(), row["action_units"], *found, row.where)


def checked(found: list[Clip | LeftOut], root: Path) -> list[Clip | LeftOut]:
    """`found`, with every second clip of one name left out.

    Raises:
        UsageError: no clip can be used at all.
    """
    seen: dict[str, str] = {}
    result: list[Clip | LeftOut] = []
    for one in found:
        if isinstance(one, Clip) and one.name in seen:
            one = LeftOut(one.name, one.row, f"the same clip twice (also in {seen[one.name]})")
        elif isinstance(one, Clip):
            seen[one.name] = one.row
        result.append(one)
    if not seen:
        why = f"{found[0].row}: {getattr(found[0], 'why', '')}" if found else "nothing is there"
        raise UsageError(f"no usable clip in '{root}' (of {len(found)}; the first: {why}): check data.root")
    return result
