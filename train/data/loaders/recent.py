"""Sets that came after the four papers. Nobody here has them: what is marked with a star was read in public code, the rest is a guess
that asks for little.

DFME (Zhao et al. 2023): 7,526 micro-expressions of 671 people, recorded at 500, 300 and 200 frames/s, seven emotions.
    ROOT/…/training_full_with_AU.xlsx*, …testB_full_with_AU.xlsx* (also without _with_AU, or coding.xlsx*), one or several
        Subject*, Filename*, OnsetFrame*, ApexFrame*, OffsetFrame, Emotion*; the column of the action units goes by AU
    ROOT/…/train_data/<Filename>/00000.png*, ROOT/…/test_data_B/…*; the frames of a clip count from 0*
    The challenge's tables of test clips have no emotion, those of the full release do.
4DME (Li et al. 2022): 267 micro- and 189 macro-expressions; of its recordings those in grey, 60 frames/s, are read.
    ROOT/…/Micro_and_Macro-expression_labels….xlsx*
        SubID*, fold_name*, Onset*, Apex*, Offset, Emotion (Positive, Negative, Surprise, Repression, Others*; or several of them)
    ROOT/…/micro_short_gray_video/<SubID>/<fold_name>/Frame_000001826.jpg*; macro-expressions where a folder above says "macro"
    The frames count in the whole recording*. A clip with several emotions is labelled with all ("negative+surprise"), see
    `train.data.grouping`.

Each function gives every row as a `Clip`, or as the `LeftOut` that says why not, and raises UsageError where the table, a column or
the folders of frames are missing.
"""

import re
from glob import escape
from pathlib import Path

from realtime.errors import UsageError
from train.data import annotations, folders
from train.data.annotations import Clip, LeftOut, Row

DEPTH = 5  # folders below ROOT in which a clip's own is looked for: archives unpack into a folder of their own name
GIVEN_UP = 8  # clips of a table without a folder, after which the tree is not walked again for the next ones: it holds a million frames
DFME = {
    "subject": ("Subject",),
    "filename": ("Filename",),
    "onset": ("OnsetFrame", "Onset"),
    "apex": ("ApexFrame", "Apex"),
    "offset": ("OffsetFrame", "Offset"),
    "label": ("Emotion", "Estimated Emotion"),
    "action_units": ("AU", "AUs", "Action Units"),
}
FOURDME = {
    "subject": ("SubID", "Subject"),
    "filename": ("fold_name", "folder_name", "Filename"),
    "onset": ("Onset", "OnsetFrame"),
    "apex": ("Apex", "ApexFrame"),
    "offset": ("Offset", "OffsetFrame"),
    "label": ("Emotion", "Emotions", "Estimated Emotion", "Emotion label"),
    "action_units": ("AU", "AUs", "Action Units"),
}


def dfme(root: Path) -> list[Clip | LeftOut]:
    """Micro-expressions of every table that is there, or of the one that `root` is (the official split: its clips lie below the
    folder above its own, at the furthest); one without an apex gets the middle frame."""
    if root.is_file():
        tables, root = [root], root.parents[1]
    else:
        tables = annotations.find_all(root, "*with_AU*", what="DFME", required=False)
        tables = tables or annotations.find_all(root, "*training*", "*train*", "*test*", "coding*", what="DFME")
    places, found = _Places(root), []
    for table in tables:
        places.missed = 0
        for row in annotations.read(table, DFME, optional=("label", "action_units")):
            folder = places.of(row["filename"])
            found.append(_clip(row, folder, "dfme", row["subject"], row["filename"], row["label"]))
    return _checked(found, root, places, "DFME")


def fourdme(root: Path) -> list[Clip | LeftOut]:
    """Micro- and macro-expressions; one without an apex gets the middle frame."""
    table = annotations.find(root, "Micro*Macro*label*", what="4DME")
    places, found = _Places(root, r"gr[ae]y"), []
    for row in annotations.read(table, FOURDME, optional=("action_units",)):
        folder = places.of(f"{row['subject']}/{row['filename']}")
        kind = "macro" if folder and "macro" in str(folder.parent).lower().removeprefix(str(root).lower()) else "micro"
        label = "+".join(filter(None, re.split(r"[^a-z]+(?:and[^a-z]+)?", row["label"].lower())))
        found.append(_clip(row, folder, "4dme", row["subject"], f"{row['subject']}/{row['filename']}", label, kind))
    return _checked(found, root, places, "4DME")


class _Places:
    """Where below `root` the folders of clips are, by their names or by "person/name".

    Of several that of the fewest folders above it, in which is said what `wanted` (a pattern) says; cropped ones last.
    """

    def __init__(self, root: Path, wanted: str = ""):
        self._root, self._wanted = root, wanted
        self.bases: list[Path] = []
        self.missed = 0  # clips in a row of which there is no folder

    def of(self, name: str) -> Path | None:
        for base in self.bases:
            if name and (base / name).is_dir():
                return base / name
        found = self._look(name) if name and self.missed < GIVEN_UP else None
        if found is None:
            self.missed += 1
            return None
        self.missed = 0
        self.bases.append(found.parents[name.count("/")])
        return found

    def _look(self, name: str) -> Path | None:
        for depth in range(DEPTH):
            found = [path for path in self._root.glob("*/" * depth + escape(name)) if path.is_dir()]
            if found:
                return min(found, key=self._last)
        return None

    def _last(self, path: Path) -> tuple[bool, bool, str]:
        above = str(path.relative_to(self._root)).lower()
        return not re.search(self._wanted, above), "crop" in above, above


def _clip(row: Row, folder: Path | None, dataset: str, subject: str, name: str, label: str, kind: str = "micro") -> Clip | LeftOut:
    if folder is None:
        return LeftOut(name, row.where, f"no folder '{name}' of its frames")
    row = Row(row.where, {**row.cells, "label": label})
    return folders.from_row(row, folder, folders.frames(folder), dataset, subject, name, kind, trimmed=True)


def _checked(found: list[Clip | LeftOut], root: Path, places: _Places, what: str) -> list[Clip | LeftOut]:
    if found and not places.bases:
        raise UsageError(f"no folder of a clip that the table names in '{root}': set data.root to the folder that holds {what}")
    return folders.checked(found, root)
