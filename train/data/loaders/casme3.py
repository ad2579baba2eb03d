"""CAS(ME)³ part A (Li et al. 2022): 860 micro- and 3143 macro-expressions of 100 people at 30 fps.

ROOT/…/cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx              sheet label
ROOT/…/cas(me)3_part_A_MaE_label_JpgIndex_v2_emotion.xlsx     (optional: the macro-expressions)
ROOT/…/spNO.1/a/color/123.jpg           (or, of the edition cut into clips, spNO.1_a_123/123.jpg, 123 the onset)
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from train.data import annotations, folders
from train.data.clip import Clip, LeftOut

COLUMNS = {
    "subject": ("Subject", "sub"),
    "filename": ("Filename", "seq"),
    "onset": ("Onset",),
    "apex": ("Apex",),
    "offset": ("Offset",),
    "action_units": ("AU", "AUs"),
    "label": ("emotion",),
}


def casme3(root: Path) -> list[Clip | LeftOut]:
    """The rows of both tables. Rows whose apex is not after the onset are left out: there is no motion in them.

    Raises UsageError where the table of micro-expressions, a column or the folders of frames are missing.
    """
    tables = {"micro": annotations.find(root, "cas(me)3_part_A_ME_label*", what="CAS(ME)³ part A")}
    tables["macro"] = annotations.find(root, "cas(me)3_part_A_MaE_label*", what="CAS(ME)³ part A", required=False)
    base = folders.holding(root, "spNO.[0-9]*", "CAS(ME)³ part A")
    frames = cache(folders.frames)  # a folder is a long video with many clips in it
    found: list[Clip | LeftOut] = []
    for kind, table in tables.items():
        for row in annotations.read(table, COLUMNS, optional=("action_units",), sheet="label") if table else []:
            subject, video = row["subject"], row["filename"]
            folder, alone = base / subject / video / "color", base / f"{subject}_{video}_{row['onset']}"
            folder = alone if alone.is_dir() else folder
            name = f"{kind}/{subject}/{video}/{row['onset']}-{row['offset']}"
            found.append(folders.from_row(row, folder, frames(folder), "casme3", subject, name, kind))
    return folders.checked(found, root)
