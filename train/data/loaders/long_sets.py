"""The sets of long recordings, by the name that `mer-bench spotting data=` takes, as they were published.

samm_lv     ROOT/…/SAMM_LongVideos_V3_Release.xlsx (names in row 10)      ROOT/…/006_1/006_1_0001.jpg, 200 frames/s
cas_me2     ROOT/…/CAS(ME)^2code_final.xlsx (no names; its rules beside)  ROOT/…/rawpic/s15/15_0101disgustingteeth/img1.jpg, 30
casme3      ROOT/…/cas(me)3_part_A_ME_label….xlsx, …_MaE_label….xlsx      ROOT/…/spNO.1/a/color/123.jpg, 30
megc        ROOT/…/SAMM…/<name>/….jpg, 200 frames/s; ROOT/…/CAS…/<name>/….jpg, 30: the challenges' unseen test set, no annotation
generic     ROOT/….csv: path, subject, kind, onset, apex, offset; optional label, fps
"""

import os
import re
from collections import Counter
from pathlib import Path

from realtime.errors import UsageError
from train.data import annotations, folders
from train.data.annotations import LeftOut, Row
from train.data.loaders.generic import moments
from train.data.loaders.tables import SAMM, casme3_rows, casme3_tables
from train.data.long_recordings import KINDS, Expression, LongRecording, LongSet

SAMM_LV = {
    "subject": ("Subject",),
    "filename": ("Filename",),
    "onset": ("Onset", "Onset Frame"),
    "apex": ("Apex", "Apex Frame"),
    "offset": ("Offset", "Offset Frame"),
    "kind": ("Type",),
}
MEGC_PARTS = {"samm": 200, "cas": 30}  # what a folder is called → frames a second
GENERIC = ("path", "subject", "kind", "onset", "apex", "offset", "label", "fps")


def samm_lv(root: Path) -> LongSet:
    """SAMM Long Videos (Yap et al. 2020): 147 recordings, 159 micro- and 343 macro-expressions, 200 frames/s.

    Emotions stand in the table of SAMM's micro-expressions alone: where `SAMM_Micro_FACS_Codes_v2.xlsx` lies in ROOT, they are
    taken from there, by the events' names.

    Raises:
        UsageError: the table or the recordings are missing.
    """
    table = annotations.find(root, "SAMM_LongVideos*", what="SAMM Long Videos")
    found = {path.name: _pictures(path.name, path.name[:3], 200, path) for path in _called(root, r"\d{3}_\d+")}
    made, emotions = LongSet("SAMM Long Videos", list(found.values())), _samm_emotions(root)
    for row in annotations.read(table, SAMM_LV, sheet="FACS_Movement_Only"):
        recording = found.get("_".join(row["filename"].split("_")[:2]))
        made.add(recording, row, row["kind"].lower()[:5], emotions.get(row["filename"], ""))
    return made.checked(root)


def cas_me2(root: Path) -> LongSet:
    """CAS(ME)² (Qu et al. 2017): 98 recordings, 57 micro- and 300 macro-expressions, 30 frames/s.

    Its sheet has no names of columns; "naming rule1" tells a person's number from its folder (s15: 1), "naming rule2" an
    occasion's code from its name (0101: disgust1).

    Raises:
        UsageError: a sheet or the recordings are missing.
    """
    table = annotations.find(root, "CAS(ME)^2code*", "CAS(ME)2code*", what="CAS(ME)²")
    people = {line[-1]: "s" + line[-2].lstrip("s") for line in _rule(table, "naming rule1", r"s?\d+", -2)}
    codes = {line[1]: line[0].zfill(4) for line in _rule(table, "naming rule2", r"\d{3,4}", 0)}
    base = folders.called(root, "rawpic") or folders.holding(root, "s[0-9]*", "CAS(ME)²")
    found = {}
    for path in sorted(base.glob("s[0-9]*/*")):
        if path.is_dir() and (code := re.match(r"\d+_(\d{4})", path.name)):
            found[path.parent.name, code[1]] = _pictures(f"{path.parent.name}/{path.name}", path.parent.name, 30, path)
    made = LongSet("CAS(ME)²", list(found.values()))
    for index, line in annotations.lines(table)[0]:
        cells = [*line, *[""] * 9]
        place = next((i for i, cell in enumerate(line) if cell.lower().endswith("-expression")), None)
        named = dict(zip(("subject", "filename", "onset", "apex", "offset"), cells, strict=False))
        row = Row(f"{table.name} row {index}", named | {"kind": line[place] if place else cells[7]})
        called = codes.get(row["filename"].rsplit("_", 1)[0]) or codes.get(row["filename"].split("_")[0])
        # before the kind stands what the coders took it for, after it what the person said
        label = cells[place - 1] if place and place > 6 else cells[(place or 6) + 1]
        made.add(found.get((people.get(row["subject"], ""), called)), row, row["kind"].lower().removesuffix("-expression"), label)
    return made.checked(root)


def casme3(root: Path) -> LongSet:
    """CAS(ME)³ part A (Li et al. 2022): 1,300 recordings, 943 micro- and 3,143 macro-expressions, 30 frames/s.

    Raises:
        UsageError: the micro-expressions' table or the recordings are missing.
    """
    tables = casme3_tables(root)
    base, found = folders.holding(root, "spNO.[0-9]*", "CAS(ME)³ part A"), {}
    for path in sorted(base.glob("spNO.[0-9]*/*/color")):
        subject, name = path.parts[-3:-1]
        found[subject, name] = _pictures(f"{subject}/{name}", subject, 30, path)
    made = LongSet("CAS(ME)³ part A", list(found.values()))
    for kind, row in casme3_rows(tables):
        made.add(found.get((row["subject"], row["filename"])), row, kind, row["label"])
    return made.checked(root)


def megc(root: Path) -> LongSet:
    """The unseen test set of MEGC 2023 to 2025: 10 recordings of SAMM at 200 frames/s and 20 of CAS(ME)³ at 30, without annotations.

    Every folder of pictures is one, SAMM's or CAS(ME)³'s by what it or a folder above it is called (read in public code:
    SAMM_Test_cropped, CAS_Test_cropped, SAMM_data, CAS_data). What is found goes into the two tables of a submission.

    Raises:
        UsageError: there is none.
    """
    made = LongSet("MEGC's unseen test set", [], annotated=False)
    folder_names = [root, *(path for depth in range(4) for path in sorted(root.glob("*/" * depth + "*")) if path.is_dir())]
    for path in folder_names:
        frames = folders.frames(path)
        if len(frames) < 2:
            continue
        above = str(path.relative_to(root)).lower()
        part = next((part for part in MEGC_PARTS if part in above), None)
        if part is None:
            made.left.append(LeftOut(path.name, above, "neither this folder's name nor one above it says samm or cas"))
        else:
            made.recordings.append(LongRecording(path.name, path.name, MEGC_PARTS[part], frames, table=f"{part}_pred"))
    return made.checked(root)


def generic(root: Path) -> LongSet:
    """Any recordings, by one CSV with a line for each expression. A path, relative to the table, is a video: onset, apex and
    offset are seconds in its own clock; or a folder of numbered frames: they are frame numbers, and fps says how many
    frames a second. A line with a path and a subject alone is a recording without expressions.
    """
    table = root if root.is_file() else annotations.find(root, "*", what="your table")
    found: dict[str, LongRecording] = {}
    made = LongSet("the table", [])
    for row in annotations.read(table, {name: (name,) for name in GENERIC}, optional=("label", "fps")):
        path, fps = table.parent / row["path"], annotations.seconds(row["fps"])
        row = Row(row.where, {**row.cells, "filename": row["path"]})
        if row["path"] not in found:
            if not row["path"] or not row["subject"] or not os.path.exists(path):
                what = f"no file or folder '{path}'" if row["path"] and row["subject"] else "no path or no subject is given"
                made.left.append(LeftOut(row["path"] or "?", row.where, what))
                continue
            if path.is_dir() and not fps:
                made.left.append(LeftOut(row["path"], row.where, "a folder of frames needs its fps (frames a second)"))
                continue
            is_folder = path.is_dir()
            one = _pictures(row["path"], row["subject"], fps, path) if is_folder else LongRecording(row["path"], row["subject"], 0.0, video=path)
            found[row["path"]] = one
            made.recordings.append(one)
        if row["onset"] or row["offset"] or row["kind"]:
            _add(made, found[row["path"]], row)
    return made.checked(table)


def _add(made: LongSet, recording: LongRecording, row: Row) -> None:
    kind = row["kind"].lower()
    if recording.video is None or kind not in KINDS:
        made.add(recording, row, kind, row["label"])
        return
    times = moments(row["onset"], row["apex"], row["offset"])
    if isinstance(times, str):
        made.left.append(LeftOut(row["path"], row.where, times))
    else:
        recording.expressions.append(Expression(kind, *times, row["label"].lower()))


def _pictures(name: str, subject: str, fps: float, folder: Path) -> LongRecording:
    return LongRecording(name, subject, fps, folders.frames(folder))


def _called(root: Path, pattern: str) -> list[Path]:
    """The folders of frames of one such name each, `root` or up to three deep; cropped ones only where there are no others."""
    every = [path for depth in range(4) for path in sorted(root.glob("*/" * depth + "*")) if re.fullmatch(pattern, path.name) and path.is_dir()]
    raw = [path for path in every if "crop" not in str(path.relative_to(root)).lower()] or every
    if twice := [name for name, times in Counter(path.name for path in raw).items() if times > 1]:
        raise UsageError(f"the folder {twice[0]} is there twice in '{root}': keep the one to be read")
    return raw


def _samm_emotions(root: Path) -> dict[str, str]:
    """{event: emotion} of SAMM's micro-expressions, empty where their table is not there."""
    table = annotations.find(root, "SAMM_Micro_FACS_Codes*", what="SAMM", required=False)
    rows = annotations.read(table, SAMM, optional=("action_units",), sheet="MICRO_ONLY") if table else []
    return {row["filename"]: row["label"] for row in rows}


def _rule(table: Path, sheet: str, code: str, place: int) -> list[list[str]]:
    """The lines of a sheet of rules, those whose cell `place` is such a code. Raises UsageError where none is."""
    filled = [[cell for cell in line if cell] for _, line in annotations.lines(table, sheet)[0]]
    found = [line for line in filled if len(line) >= 2 and re.fullmatch(code, line[place])]
    if not found:
        raise UsageError(f"{table} has no sheet '{sheet}', by which its names are told: use the workbook as it came (.xlsx)")
    return found


LONG = {"samm_lv": samm_lv, "cas_me2": cas_me2, "casme3": casme3, "megc": megc, "generic": generic}
