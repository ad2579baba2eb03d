"""SAMM (Davison et al. 2018): 159 micro-expressions of 29 people at 200 fps, grey.

ROOT/SAMM_Micro_FACS_Codes_v2.xlsx     sheet MICRO_ONLY, column names in row 14
ROOT/…/006/006_1_2/006_05562.jpg
"""

from __future__ import annotations

from pathlib import Path

from train.data import annotations, folders
from train.data.clip import Clip, LeftOut

COLUMNS = {
    "subject": ("Subject",),
    "filename": ("Filename",),
    "onset": ("Onset Frame",),
    "apex": ("Apex Frame",),
    "offset": ("Offset Frame",),
    "action_units": ("Action Units",),
    "label": ("Estimated Emotion",),
}


def samm(root: Path) -> list[Clip | LeftOut]:
    """Every row as a micro-expression. Subjects are text of three digits ("006"), also where a spreadsheet made them 6.

    Raises UsageError where the table, a column or the folders of frames are missing.
    """
    table = annotations.find(root, "SAMM_Micro_FACS_Codes*", what="SAMM")
    base = folders.holding(root, "[0-9][0-9][0-9]", "SAMM")
    found: list[Clip | LeftOut] = []
    for row in annotations.read(table, COLUMNS, optional=("action_units",), sheet="MICRO_ONLY"):
        subject, name = row["subject"].zfill(3), row["filename"]
        folder = base / subject / name
        files = folders.frames(folder) if name else {}
        found.append(folders.from_row(row, folder, files, "samm", subject, name, trimmed=True))
    return folders.checked(found, root)
