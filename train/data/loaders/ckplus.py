"""CK+ (Lucey et al. 2010): posed macro-expressions, from neutral to the apex; 327 of 593 sequences have an emotion.

ROOT/…/cohn-kanade-images/S005/001/S005_001_00000001.png
ROOT/…/Emotion/S005/001/S005_001_00000011_emotion.txt         one number
"""

from __future__ import annotations

from pathlib import Path

from realtime.errors import UsageError
from train.data import folders
from train.data.clip import Clip, LeftOut

EMOTIONS = ("neutral", "anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")


def ckplus(root: Path) -> list[Clip | LeftOut]:
    """Every sequence with an emotion as a macro-expression: first frame neutral, last frame the apex.

    A sequence ends at its apex, so the first frame stands in for the offset too (SKD-TSTSAN, Sec. 4.2): it is the last
    of `pictures` once more. Raises UsageError where a folder is missing.
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
        label = _emotion(notes[0])
        if label is None:
            found.append(LeftOut(name, where, "its text is no number from 0 to 7"))
        elif len(pictures) < 2:
            found.append(LeftOut(name, where, f"{len(pictures)} frames in '{folder}', expected 2 or more"))
        else:
            apex = len(pictures) - 1
            found.append(Clip("ckplus", subject, name, "macro", label, "", (*pictures, pictures[0]), apex, where))
    return folders.checked(found, root)


def _emotion(path: Path) -> str | None:
    try:
        return EMOTIONS[int(float(path.read_text().strip()))]
    except (ValueError, IndexError, OverflowError):
        return None
