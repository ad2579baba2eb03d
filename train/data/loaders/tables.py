"""Published sets whose table says, by frame numbers, where in their folders of frames an expression lies.

CASME II (Yan et al. 2014): 255 micro-expressions of 26 people at 200 fps.
    ROOT/CASME2-coding-20140508.xlsx
    ROOT/…/sub01/EP02_01f/img46.jpg        (CASME2-RAW, CASME2_RAW_selected)
    ROOT/…/sub01/EP02_01f/reg_img46.jpg    (Cropped; read only where the raw frames are not there)
SAMM (Davison et al. 2018): 159 micro-expressions of 29 people at 200 fps, grey.
    ROOT/SAMM_Micro_FACS_Codes_v2.xlsx     sheet MICRO_ONLY, column names in row 14
    ROOT/…/006/006_1_2/006_05562.jpg
CAS(ME)³ part A (Li et al. 2022): 860 micro- and 3143 macro-expressions of 100 people at 30 fps.
    ROOT/…/cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx              sheet label
    ROOT/…/cas(me)3_part_A_MaE_label_JpgIndex_v2_emotion.xlsx     (optional: the macro-expressions)
    ROOT/…/spNO.1/a/color/123.jpg          (or, of the edition cut into clips, spNO.1_a_123/123.jpg, 123 the onset)
MMEW (Ben et al. 2021): 300 micro- and 900 macro-expressions of 36 people at 90 fps.
    ROOT/MMEW_Micro_Exp.xlsx
    ROOT/…/Micro_Expression/happiness/S01-01-001/1.jpg
    ROOT/…/Macro_Expression/…/anger/S01-07-001.jpg       (optional: one picture; or a folder of frames of that name)

Each function gives every row as a `Clip`, or as the `LeftOut` that says why not, and raises UsageError where the table, a column or
the folders of frames are missing.
"""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from realtime.errors import UsageError
from train.data import annotations, folders
from train.data.annotations import Clip, LeftOut, Row


def _columns(onset: str, apex: str, offset: str) -> dict[str, tuple[str, ...]]:
    moments = {"onset": (onset,), "apex": (apex,), "offset": (offset,)}
    return {"subject": ("Subject",), "filename": ("Filename",), **moments, "action_units": ("Action Units",), "label": ("Estimated Emotion",)}


CASME2 = MMEW = _columns("OnsetFrame", "ApexFrame", "OffsetFrame")
SAMM = _columns("Onset Frame", "Apex Frame", "Offset Frame")
CASME3 = {
    "subject": ("Subject", "sub"),
    "filename": ("Filename", "seq"),
    "onset": ("Onset",),
    "apex": ("Apex",),
    "offset": ("Offset",),
    "action_units": ("AU", "AUs"),
    "label": ("emotion",),
}


def casme2(root: Path) -> list[Clip | LeftOut]:
    """Micro-expressions; one without an apex ("/" in later editions) gets the middle frame."""

    def place(row: Row) -> tuple[str, str]:
        subject = f"sub{row['subject'].lower().removeprefix('sub').zfill(2)}"
        return subject, f"{subject}/{row['filename']}"

    return _by_subject(root, "casme2", "CASME II", "CASME2-coding*", "sub[0-9]*", CASME2, place)


def samm(root: Path) -> list[Clip | LeftOut]:
    """Micro-expressions. Subjects are text of three digits ("006"), also where a spreadsheet made them 6."""

    def place(row: Row) -> tuple[str, str]:
        return row["subject"].zfill(3), row["filename"]

    return _by_subject(root, "samm", "SAMM", "SAMM_Micro_FACS_Codes*", "[0-9][0-9][0-9]", SAMM, place, "MICRO_ONLY")


def casme3(root: Path) -> list[Clip | LeftOut]:
    """Micro- and macro-expressions. The apex of some is their onset (`Clip.still`)."""
    tables = casme3_tables(root)
    base = folders.holding(root, "spNO.[0-9]*", "CAS(ME)³ part A")
    frames = cache(folders.frames)  # a folder is a long video with many clips in it
    found: list[Clip | LeftOut] = []
    for kind, row in casme3_rows(tables):
        subject, video = row["subject"], row["filename"]
        folder, alone = base / subject / video / "color", base / f"{subject}_{video}_{row['onset']}"
        folder = alone if alone.is_dir() else folder
        name = f"{kind}/{subject}/{video}/{row['onset']}-{row['offset']}"
        found.append(folders.from_row(row, folder, frames(folder), "casme3", subject, name, kind))
    return folders.checked(found, root)


def casme3_tables(root: Path) -> dict[str, Path]:
    """{kind: table}; that of the macro-expressions may be missing."""
    tables = {"micro": annotations.find(root, "cas(me)3_part_A_ME_label*", what="CAS(ME)³ part A")}
    tables["macro"] = annotations.find(root, "cas(me)3_part_A_MaE_label*", what="CAS(ME)³ part A", required=False)
    return {kind: table for kind, table in tables.items() if table}


def casme3_rows(tables: dict[str, Path]) -> Iterator[tuple[str, Row]]:
    """(kind, row) of all tables."""
    for kind, table in tables.items():
        for row in annotations.read(table, CASME3, optional=("action_units",), sheet="label"):
            yield kind, row


def mmew(root: Path) -> list[Clip | LeftOut]:
    """The table's micro-expressions, and the macro-expressions where their folder is there.

    The folder of a clip is found by the clip's own name, for not every edition sorts `others` alike.
    """
    table = annotations.find(root, "MMEW_Micro_Exp*", what="MMEW")
    base = folders.called(root, "Micro_Expression")
    if base is None:
        raise UsageError(f"no folder 'Micro_Expression' in '{root}': set data.root to the folder that holds MMEW")
    where = {path.name: path for path in sorted(base.rglob("S[0-9]*-*-*")) if path.is_dir()}
    found: list[Clip | LeftOut] = []
    for row in annotations.read(table, MMEW, optional=("action_units",)):
        name = row["filename"]
        folder = where.get(name, base / row["label"].lower() / name)
        files = folders.frames(folder) if name in where else {}
        found.append(folders.from_row(row, folder, files, "mmew", _mmew_subject(name), name, trimmed=True))
    macro = folders.called(root, "Macro_Expression")
    return folders.checked(found + (_mmew_macro(macro) if macro else []), root)


def _by_subject(
    root: Path,
    dataset: str,
    what: str,
    table: str,
    subjects: str,
    columns: dict[str, tuple[str, ...]],
    place: Callable[[Row], tuple[str, str]],
    sheet: str = "",
) -> list[Clip | LeftOut]:
    """A folder for each subject, called as the pattern `subjects`, in it one for each clip. place: (subject, clip's name) of a row."""
    path = annotations.find(root, table, what=what)
    base = folders.holding(root, subjects, what)
    found: list[Clip | LeftOut] = []
    for row in annotations.read(path, columns, optional=("action_units",), sheet=sheet):
        subject, name = place(row)
        folder = base / subject / row["filename"]
        files = folders.frames(folder) if row["filename"] else {}
        found.append(folders.from_row(row, folder, files, dataset, subject, name, trimmed=True))
    return folders.checked(found, root)


def _mmew_subject(name: str) -> str:
    return name.split("-")[0]


def _mmew_macro(base: Path) -> list[Clip | LeftOut]:
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
            found.append(Clip("mmew", _mmew_subject(path.name), name, "macro", label, "", pictures, apex, where))
        elif path.suffix.lower() in folders.IMAGES and path.parent.name != path.stem and "-" not in path.parent.name:
            found.append(Clip("mmew", _mmew_subject(path.stem), name, "image", label, "", (path,), 0, where))
    return found
