"""Reviewed events as a data set: `mer-train prepare data=generic data.root=FOLDER` takes what is written here as it is.

    FOLDER/events.csv       path, subject, onset, apex, offset, label, kind, action_units
    FOLDER/frames/…         pictures, where a recording is to be taken along or only pictures were kept
    FOLDER/left_out.txt     what could not be exported, and why
"""

from __future__ import annotations

import csv
import re
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from realtime import kept
from realtime.errors import SourceError, UsageError
from realtime.records import UNSURE
from realtime.review import LABELS, Item, Marks, Reviews
from realtime.review_agreement import called
from realtime.review_film import recording
from realtime.sinks import cannot_write
from realtime.sources import open_source

COLUMNS = ("path", "subject", "onset", "apex", "offset", "label", "kind", "action_units")
OURS = {"events.csv", "frames", "left_out.txt"}
SAME = 0.5  # two sessions of one recording: movements that overlap by more (intersection over union) are one


@dataclass
class Exported:
    """rows: of the table. left_out: (which event, why). stand_ins: sources whose participant nobody has named."""

    folder: Path
    rows: list[dict] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    stand_ins: list[str] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class _Chosen:
    item: Item
    marks: Marks
    subject: str
    name: str  # for messages
    video: Path | None
    kept: kept.Kept | None


def export(
    reviews: Reviews, folder: Path, sessions: Iterable[int] = (), reviewer: str = "", frames: bool = False,
    said: Callable[[str], None] = lambda line: None,
) -> Exported:  # fmt: skip
    """Writes every event that was accepted, corrected or added into `folder`.

    sessions: only these (default: all). reviewer: their word alone; by default everybody's, and an event that two
    reviewers call differently is left out. frames: copy the pictures of each event out of its recording, so that the
    folder stands on its own; otherwise paths point to the recordings, wherever they lie. said: told what is being read.
    Raises UsageError for a folder that holds other things, OutputError where it cannot be written.
    """
    result = Exported(folder)
    try:
        _prepare(folder)
        chosen = _without_twins(list(_choose(reviews, set(sessions), reviewer, result)), result)
        copied = defaultdict(list)
        for one in chosen:
            if one.video is None:
                _add(result, one, _kept_frames(one, folder))
            elif frames:
                copied[one.video].append(one)
            else:
                _add(result, one, [str(one.video), *(f"{moment:.3f}" for moment in _moments(one.marks))])
        for video, those in copied.items():
            said(f"copying the pictures of {len(those)} events out of {video.name}")
            for one, cells in _copied(video, those, folder):
                _add(result, one, cells)
        _write(result)
    except OSError as error:
        raise cannot_write(folder, error) from error
    return result


def _prepare(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"'{folder}' is a file: name a folder")
    foreign = sorted(path.name for path in folder.iterdir() if path.name not in OURS) if folder.exists() else []
    if foreign:
        raise UsageError(f"'{folder}' holds other files ({foreign[0]}): name a new folder, mer-train reads the one table in it")
    folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder / "frames", ignore_errors=True)


def _choose(reviews: Reviews, sessions: set[int], reviewer: str, result: Exported):
    """Everything that was judged to be a movement and can be shown to a trainer."""
    unnamed: dict[tuple[int, str], str] = {}
    for session in reversed(reviews.log.sessions()):
        if sessions and session["id"] not in sessions:
            continue
        items, people = reviews.items(session["id"]), reviews.people(session["id"])
        faces = {source: {item.face for item in items if item.source == source and item.event is not None}
                 for source in session["sources"]}
        for item in items:
            marks, why = _judged(item, reviewer)
            if marks is None and not why:
                continue
            name = f"session {item.session}, {Path(item.source).name}, {(marks or item.found).onset_s:.3f} s"
            video, pictures = recording(session, item.source), None
            if not why:
                pictures = kept.find(kept.beside(reviews.path), item.session, item.source, item.event)
                several = len(faces.get(item.source, ())) > 1
                why, video, pictures = _seen(item, session, video, pictures, several)
            if why:
                result.left_out.append((name, why))
                continue
            subject = people.get(item.source)
            if not subject:
                stem = re.sub(r"\W+", "-", Path(item.source).stem).strip("-")
                subject = unnamed.setdefault((item.session, item.source), f"session-{item.session}-{stem}")
            yield _Chosen(item, marks, subject, name, video, pictures)
    result.stand_ins = sorted(set(unnamed.values()))


def _judged(item: Item, reviewer: str) -> tuple[Marks | None, str]:
    """(what counts, ""), or (None, why it cannot be taken); (None, "") for what nobody accepted."""
    said = {name: review for name, review in item.reviews.items() if reviewer in ("", name)}
    if not said:
        return None, ""
    classes = {called(item, name) for name in said}
    latest = max(said.values(), key=lambda review: review.id)
    if len(classes) > 1:
        return None, f"reviewers disagree ({', '.join(sorted(classes))}): settle it, or export one reviewer's word"
    if latest.verdict == "rejected":
        return None, ""
    if latest.marks.label == UNSURE:
        return None, "accepted without a label: choose one"
    if latest.marks.label not in LABELS:
        return None, f"mer-train knows no label '{latest.marks.label}': expected one of {', '.join(LABELS)}"
    return latest.marks, ""


def _seen(item: Item, session: dict, video: Path | None, pictures: kept.Kept | None, several: bool):
    """(why not, the recording, the kept pictures): of the latter two, one is there where nothing speaks against it."""
    if video is not None and not several:
        return _utf8(video), video, None
    if pictures is not None:  # of this very face
        return "", None, pictures
    if video is not None:
        return "the recording shows several faces, and mer-train would take the largest; no pictures were kept", None, None
    if item.source in session["files"]:
        return f"the recording is no longer at {session['files'][item.source]}, and no pictures were kept", None, None
    return "it was a camera, a stream or a file dropped into the page, and no pictures were kept", None, None


def _utf8(path: Path) -> str:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return "the recording's name is not UTF-8: rename it"
    return ""


def _without_twins(chosen: list[_Chosen], result: Exported) -> list[_Chosen]:
    """One recording replayed twice, or added by two reviewers: of movements that are the same, the latest word stays."""
    chosen.sort(key=lambda one: max(review.id for review in one.item.reviews.values()), reverse=True)
    left: list[_Chosen] = []
    for one in chosen:
        twin = next((other for other in left if one.video and other.video == one.video and _overlap(one.marks, other.marks) > SAME), None)
        if twin is None:
            left.append(one)
        else:
            result.left_out.append((one.name, f"the same movement of the same recording as {twin.name}"))
    return sorted(left, key=lambda one: (one.item.session, one.item.source, one.marks.onset_s))


def _overlap(a: Marks, b: Marks) -> float:
    both = min(a.offset_s, b.offset_s) - max(a.onset_s, b.onset_s)
    return max(0.0, both) / (max(a.offset_s, b.offset_s) - min(a.onset_s, b.onset_s))


def _kept_frames(one: _Chosen, folder: Path) -> list | str:
    times = np.array(one.kept.times)
    space = float(np.diff(times).max()) if len(times) > 1 else 0.0
    if one.marks.onset_s < times[0] - space or one.marks.offset_s > times[-1] + space:
        return f"its onset and offset were moved beyond the pictures kept ({times[0]:.3f} to {times[-1]:.3f} s)"
    cells = _numbers(one, times)
    if isinstance(cells, list):
        place = _place(one, folder)
        for number, file in enumerate(one.kept.files, 1):
            if cells[1] <= number <= cells[3]:
                shutil.copyfile(file, place / f"{number:06d}.png")
    return cells


def _copied(video: Path, those: list[_Chosen], folder: Path):
    """(event, its cells or why not) of one recording, decoded once; never more than one frame is held."""
    half, last, end = 0.0, None, max(one.marks.offset_s for one in those)
    times: dict[int, list[float]] = {id(one): [] for one in those}
    why = f"{video.name} ends before the event does"
    try:
        with open_source(video) as source:
            half = 0.5 / (source.info.fps or 30)
            for frame in source:
                half = half if last is None else (frame.pts - last) / 2
                last = frame.pts
                for one in those:
                    if one.marks.onset_s - half <= last <= one.marks.offset_s + half:
                        times[id(one)].append(last)
                        file = _place(one, folder) / f"{len(times[id(one)]):06d}.png"
                        if not cv2.imwrite(str(file), frame.pixels):
                            raise cannot_write(file, OSError("the picture could not be written"))
                if last > end + half:
                    break
    except SourceError as error:
        why = f"the recording cannot be read ({error})"
    for one in those:
        mine = np.array(times[id(one)])
        yield one, _numbers(one, mine) if len(mine) and mine[-1] >= one.marks.offset_s - 2 * half else why


def _numbers(one: _Chosen, times: np.ndarray) -> list | str:
    """The cells of a folder of pictures 1, 2, …, taken at `times`."""
    onset, apex, offset = (1 + int(np.abs(times - moment).argmin()) for moment in _moments(one.marks))
    if not onset < apex <= offset:
        return "its onset, apex and offset fall on one picture"
    return [f"frames/{one.item.session}-{one.item.key}", onset, apex, offset]


def _place(one: _Chosen, folder: Path) -> Path:
    place = folder / "frames" / f"{one.item.session}-{one.item.key}"
    place.mkdir(parents=True, exist_ok=True)
    return place


def _moments(marks: Marks) -> tuple[float, float, float]:
    return marks.onset_s, marks.apex_s, marks.offset_s


def _add(result: Exported, one: _Chosen, cells: list | str) -> None:
    if isinstance(cells, str):
        shutil.rmtree(result.folder / "frames" / f"{one.item.session}-{one.item.key}", ignore_errors=True)
        result.left_out.append((one.name, cells))
        return
    path, onset, apex, offset = cells
    values = (path, one.subject, onset, apex, offset, one.marks.label, one.marks.kind, one.marks.action_units)
    result.rows.append(dict(zip(COLUMNS, values, strict=True)))


def _write(result: Exported) -> None:
    with open(result.folder / "events.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(result.rows)
    lines = [f"{name}: {why}" for name, why in result.left_out]
    (result.folder / "left_out.txt").write_text("".join(f"{line}\n" for line in lines or ["nothing"]), "utf-8", "backslashreplace")
