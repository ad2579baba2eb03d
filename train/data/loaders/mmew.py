"""MMEW (Ben et al. 2021): 300 micro- and 900 macro-expressions of 36 people at 90 fps.

ROOT/MMEW_Micro_Exp.xlsx
ROOT/…/Micro_Expression/happiness/S01-01-001/1.jpg
ROOT/…/Macro_Expression/…/anger/S01-07-001.jpg       (optional: one picture; or a folder of frames of that name)
"""

from __future__ import annotations

from pathlib import Path

from realtime.errors import UsageError
from train.data import annotations, folders
from train.data.clip import Clip, LeftOut

COLUMNS = {
    "subject": ("Subject",),
    "filename": ("Filename",),
    "onset": ("OnsetFrame",),
    "apex": ("ApexFrame",),
    "offset": ("OffsetFrame",),
    "action_units": ("Action Units",),
    "label": ("Estimated Emotion",),
}


def mmew(root: Path) -> list[Clip | LeftOut]:
    """The table's rows as micro-expressions, and the macro-expressions where their folder is there.

    The folder of a clip is found by the clip's own name, for not every edition sorts `others` alike.
    Raises UsageError where the table, a column or the folders of frames are missing.
    """
    table = annotations.find(root, "MMEW_Micro_Exp*", what="MMEW")
    base = folders.called(root, "Micro_Expression")
    if base is None:
        raise UsageError(f"no folder 'Micro_Expression' in '{root}': set data.root to the folder that holds MMEW")
    where = _clips(base)
    found: list[Clip | LeftOut] = []
    for row in annotations.read(table, COLUMNS, optional=("action_units",)):
        name = row["filename"]
        folder = where.get(name, base / row["label"].lower() / name)
        files = folders.frames(folder) if name in where else {}
        found.append(folders.from_row(row, folder, files, "mmew", _subject(name), name, trimmed=True))
    macro = folders.called(root, "Macro_Expression")
    return folders.checked(found + (_macro(macro) if macro else []), root)


def _clips(base: Path) -> dict[str, Path]:
    """The folders called like clips ("S01-01-001"), by name."""
    return {path.name: path for path in sorted(base.rglob("S[0-9]*-*-*")) if path.is_dir()}


def _subject(name: str) -> str:
    return name.split("-")[0]


def _macro(base: Path) -> list[Clip | LeftOut]:
    """A folder of frames is a macro-expression (no table: its middle frame is the apex), a lone picture an image."""
    found: list[Clip | LeftOut] = []
    for path in sorted(base.rglob("S[0-9]*-*-*")):
        name, label, where = f"macro/{path.stem}", path.parent.name.lower(), str(path.relative_to(base.parent))
        if path.is_dir():
            pictures = tuple(folders.frames(path).values())
            if len(pictures) < 3:
                found.append(LeftOut(name, where, f"{len(pictures)} frames in '{path}', expected 3 or more"))
                continue
            apex = len(pictures) // 2
            found.append(Clip("mmew", _subject(path.name), name, "macro", label, "", pictures, apex, where))
        elif path.suffix.lower() in folders.IMAGES and path.parent.name != path.stem and "-" not in path.parent.name:
            found.append(Clip("mmew", _subject(path.stem), name, "image", label, "", (path,), 0, where))
    return found
