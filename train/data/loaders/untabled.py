"""Sets without a table: what their folders and files are called says what they show.

SMIC-HS (Li et al. 2013): 164 micro-expressions of 16 people at 100 fps, three classes.
    ROOT/…/HS/s1/micro/negative/s1_ne_01/reg_image001.bmp         (ROOT may also be the folder HS itself)
CK+ (Lucey et al. 2010): posed macro-expressions, from neutral to the apex; 327 of 593 sequences have an emotion.
    ROOT/…/cohn-kanade-images/S005/001/S005_001_00000001.png
    ROOT/…/Emotion/S005/001/S005_001_00000011_emotion.txt         one number
Labelled faces, for SA-AT's teacher.
    ROOT/<emotion>/<person>_<anything>.jpg
"""

from __future__ import annotations

import re
from pathlib import Path

from realtime.errors import UsageError
from train.data import folders
from train.data.annotations import Clip, LeftOut

CKPLUS = ("neutral", "anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")


def smic(root: Path) -> list[Clip | LeftOut]:
    """Every folder of frames as a micro-expression, first frame to last; no apex is annotated: the middle frame.

    The label is the folder's (negative, positive, surprise), the subject "s01" of `s1` or `s01`.

    Raises:
        UsageError: there is no such folder.
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


def ckplus(root: Path) -> list[Clip | LeftOut]:
    """Every sequence with an emotion as a macro-expression: first frame neutral, last frame the apex.

    A sequence ends at its apex, so the first frame stands in for the offset too (SKD-TSTSAN, Sec. 4.2): it is the last of
    `pictures` once more.

    Raises:
        UsageError: a folder is missing.
    """
    base, labels = folders.called(root, "cohn-kanade-images"), folders.called(root, "Emotion")
    if base is None or labels is None:
        missing = "Emotion" if base else "cohn-kanade-images"
        raise UsageError(f"no folder '{missing}' in '{root}': set data.root to the folder that holds CK+")
    found: list[Clip | LeftOut] = []
    for folder in sorted(base.glob("S[0-9]*/[0-9]*/")):
        subject, name = folder.parent.name, f"{folder.parent.name}/{folder.name}"
        notes = sorted((labels / subject / folder.name).glob("[!.]*_emotion.txt"))
        if not notes:
            found.append(LeftOut(name, f"Emotion/{name}", "no emotion is annotated"))
            continue
        where, pictures = str(notes[0].relative_to(labels.parent)), tuple(folders.frames(folder).values())
        label = _ckplus_emotion(notes[0])
        if label is None:
            found.append(LeftOut(name, where, "its text is no number from 0 to 7"))
        elif len(pictures) < 2:
            found.append(LeftOut(name, where, f"{len(pictures)} frames in '{folder}', expected 2 or more"))
        else:
            apex = len(pictures) - 1
            found.append(Clip("ckplus", subject, name, "macro", label, "", (*pictures, pictures[0]), apex, where))
    return folders.checked(found, root)


def images(root: Path) -> list[Clip | LeftOut]:
    """Every picture as an image of its folder's emotion.

    The subject is the file's name up to the first "_", or the whole name where there is none: then every picture counts as a
    person of its own.

    Raises:
        UsageError: there is no picture.
    """
    if not root.is_dir():
        raise UsageError(f"no folder '{root}': set data.root to one that holds a folder of pictures for each emotion")
    found: list[Clip | LeftOut] = []
    for folder in sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")):
        for path in folders.images(folder):
            name = f"{folder.name}/{path.name}"
            label = folder.name.strip().lower()
            found.append(Clip("images", path.stem.split("_")[0], name, "image", label, "", (path,), 0, name))
    if not found:
        raise UsageError(f"no pictures in '{root}': expected folders named after emotions, with .jpg, .png or .bmp")
    return folders.checked(found, root)


def _ckplus_emotion(path: Path) -> str | None:
    try:
        return CKPLUS[int(float(path.read_text().strip()))]
    except (ValueError, IndexError, OverflowError):
        return None
