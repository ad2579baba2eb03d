"""CASME II (Yan et al. 2014): 255 micro-expressions of 26 people at 200 fps.

ROOT/CASME2-coding-20140508.xlsx
ROOT/…/sub01/EP02_01f/img46.jpg        (CASME2-RAW, CASME2_RAW_selected)
ROOT/…/sub01/EP02_01f/reg_img46.jpg    (Cropped; read only where the raw frames are not there)
"""

from __future__ import annotations

from pathlib import Path

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


def casme2(root: Path) -> list[Clip | LeftOut]:
    """Every row as a micro-expression; one without an apex ("/" in later editions) gets the middle frame.

    Raises UsageError where the table, a column or the folders of frames are missing.
    """
    table = annotations.find(root, "CASME2-coding*", what="CASME II")
    base = folders.holding(root, "sub[0-9]*", "CASME II")
    found: list[Clip | LeftOut] = []
    for row in annotations.read(table, COLUMNS, optional=("action_units",)):
        subject = f"sub{row['subject'].lower().removeprefix('sub').zfill(2)}"
        name, folder = f"{subject}/{row['filename']}", base / subject / row["filename"]
        files = folders.frames(folder) if row["filename"] else {}
        found.append(folders.from_row(row, folder, files, "casme2", subject, name, trimmed=True))
    return folders.checked(found, root)
