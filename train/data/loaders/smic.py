"""SMIC-HS (Li et al. 2013): 164 micro-expressions of 16 people at 100 fps, three classes, no table.

ROOT/…/HS/s1/micro/negative/s1_ne_01/reg_image001.bmp    (ROOT may also be the folder HS itself)
"""

from __future__ import annotations

import re
from pathlib import Path

from realtime.errors import UsageError
from train.data import folders
from train.data.clip import Clip, LeftOut


def smic(root: Path) -> list[Clip | LeftOut]:
    """Every folder of frames as a micro-expression, first frame to last; no apex is annotated: the middle frame.

    The label is the folder's (negative, positive, surprise), the subject "s01" of `s1` or `s01`.
    Raises UsageError where there is no such folder.
    """
    base = root if any(root.glob("s[0-9]*/micro")) else folders.holding(root, "HS", "SMIC (its part HS)") / "HS"
    found: list[Clip | LeftOut] = []
    for folder in sorted(base.glob("s[0-9]*/micro/*/*/")):
        subject = f"s{int(re.findall(r'[0-9]+', folder.parents[2].name)[0]):02d}"
        where, pictures = str(folder.relative_to(base)), tuple(folders.frames(folder).values())
        if len(pictures) < 3:
            found.append(LeftOut(folder.name, where, f"{len(pictures)} frames in '{folder}', expected 3 or more"))
            continue
        label = folder.parent.name.strip().lower()
        found.append(Clip("smic", subject, folder.name, "micro", label, "", pictures, len(pictures) // 2, where))
    if not found:
        raise UsageError(f"no folders s*/micro/*/* in '{base}': set data.root to the folder that holds SMIC's HS")
    return folders.checked(found, root)
