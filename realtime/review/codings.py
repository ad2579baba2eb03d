"""What human coders have marked in other programs: ELAN, BORIS, Praat, tables → codings of one recording.

    for coding in read_codings("coder.eaf", tiers=["AU"]):
        coding.onset_s, coding.offset_s, coding.code

A file is read as what anybody may have written: what cannot be used is said in one line.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from realtime.errors import MissingPartError, UsageError

MOST_BYTES = 2**26
# what columns are called: ours, those of BORIS's exports, of ELAN's and of the published data sets
COLUMNS = {
    "onset_s": ("onset_s", "onset", "start", "start (s)", "begin", "begin time - ss.msec", "start_s", "begin_s", "from"),
    "apex_s": ("apex_s", "apex", "peak"),
    "offset_s": ("offset_s", "offset", "stop", "stop (s)", "end", "end time - ss.msec", "end_s", "stop_s", "to"),
    "code": ("label", "code", "behavior", "emotion", "estimated emotion", "expression", "value", "annotation"),
    "tier": ("tier", "subject", "track"),
    "action_units": ("action_units", "action units", "au", "aus"),
}
NEEDED = ("onset_s", "offset_s", "code")


@dataclass(frozen=True)
class Coding:
    """One mark of a coder. Times are seconds from the recording's begin; apex_s is None where none is marked.

    Attributes:
        code: as the coder wrote it.
        tier: on which tier, or of which subject; "" where there are none.
        action_units: as "1+2"; "" where none are marked.
    """

    onset_s: float
    offset_s: float
    code: str
    tier: str = ""
    apex_s: float | None = None
    action_units: str = ""


def read_codings(file: Path, tiers: Sequence[str] = ()) -> list[Coding]:
    """The codings of a file, by their onset: ELAN's .eaf, BORIS's project (.boris) or exported events (.csv, .tsv), Praat's .TextGrid, or
    any table with a column for begin, end and code (COLUMNS), whatever its separator.

    Args:
        tiers: only these; by default all, and where that leaves a choice the caller asks for one (`one_tier`).

    Raises:
        UsageError: it is none of these, or damaged.
        MissingPartError: a TextGrid needs praatio.
    """
    readers: dict[str, Callable[[Path], Iterator[Coding]]] = {".eaf": _elan, ".boris": _boris, ".textgrid": _praat}
    try:
        if file.stat().st_size > MOST_BYTES:
            raise ValueError(f"it has more than {MOST_BYTES // 2**20} MiB")
        found = list(readers.get(file.suffix.lower(), _table)(file))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, csv.Error, ElementTree.ParseError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else f"{type(error).__name__}: {error}"
        raise UsageError(f"{file} cannot be read as codings ({' '.join(why.split())[:200]}): expected .eaf, .boris, .TextGrid or a table") from error
    there = sorted({one.tier for one in found})
    if missing := [name for name in tiers if name not in there]:
        raise UsageError(f"{file} has no tier '{missing[0]}': it has {', '.join(map(repr, there)) or 'none'}")
    found = [one for one in found if not tiers or one.tier in tiers]
    if wrong := next((one for one in found if not 0 <= one.onset_s < one.offset_s < 1e7), None):
        raise UsageError(f"{file}: '{wrong.code}' goes from {wrong.onset_s:g} to {wrong.offset_s:g} s: expected an end behind the begin")
    return sorted(found, key=lambda one: (one.onset_s, one.offset_s))


def _elan(file: Path) -> Iterator[Coding]:
    """Tiers with times of their own; of a parent and its children in time, all."""
    root = ElementTree.fromstring(file.read_bytes())
    slots = {slot.get("TIME_SLOT_ID"): slot.get("TIME_VALUE") for slot in root.iter("TIME_SLOT")}
    for tier in root.iter("TIER"):
        for one in tier.iter("ALIGNABLE_ANNOTATION"):
            begin, end = (slots[one.get(f"TIME_SLOT_REF{which}")] for which in (1, 2))
            if begin is None or end is None:  # an annotation between two others, without a time of its own
                continue
            yield Coding(int(begin) / 1000, int(end) / 1000, (one.findtext("ANNOTATION_VALUE") or "").strip(), tier.get("TIER_ID", ""))


def _praat(file: Path) -> Iterator[Coding]:
    """Interval tiers."""
    try:
        from praatio import textgrid
        from praatio.data_classes.interval_tier import IntervalTier
    except ModuleNotFoundError as error:
        raise MissingPartError("a TextGrid needs praatio: pip install 'mer-live[coders]'") from error
    try:
        grid = textgrid.openTextgrid(str(file), includeEmptyIntervals=False)
    except Exception as error:  # its own errors have no common kind
        raise ValueError(str(error)) from error
    for name in grid.tierNames:
        tier = grid.getTier(name)
        if isinstance(tier, IntervalTier):
            for begin, end, code in tier.entries:
                yield Coding(float(begin), float(end), code.strip(), name)


def _boris(file: Path) -> Iterator[Coding]:
    """A project's observations: state events are pairs, a point event lasts a hundredth of a second."""
    project = json.loads(file.read_text("utf-8-sig"))
    points = {one["code"] for one in project["behaviors_conf"].values() if "point" in one["type"].lower()}
    for observation in project["observations"].values():
        yield from _paired((float(at), subject, code, code in points) for at, subject, code, *_ in observation["events"])


def _paired(events: Iterator[tuple[float, str, str, bool]]) -> Iterator[Coding]:
    """(time, subject, code, whether it is a point) → from each start to the stop of the same code and subject."""
    begun: dict[tuple[str, str], float] = {}
    for at, subject, code, point in sorted(events):
        key = subject, code
        if point:
            yield Coding(at, at + 0.01, code, subject)
        elif key in begun:
            yield Coding(begun.pop(key), at, code, subject)
        else:
            begun[key] = at
    if begun:
        (subject, code), at = next(iter(begun.items()))
        raise ValueError(f"'{code}' begins at {at:g} s and never ends")


def _table(file: Path) -> Iterator[Coding]:
    text = file.read_bytes().decode("utf-8-sig")
    lines = [line for line in text.splitlines() if line.strip()]
    head = next((number for number, line in enumerate(lines) if _named(re.split(r"[,;\t|]", line.lower().replace('"', "")))), None)
    if head is None:
        raise ValueError(f"no line names its columns; expected {', '.join('/'.join(COLUMNS[name][:3]) for name in NEEDED)}")
    separator = max(",;\t|", key=lines[head].count)
    rows = list(csv.DictReader(io.StringIO("\n".join(lines[head:])), delimiter=separator))
    column = _named([name.lower().strip() for name in rows[0]] if rows else [])
    rows = [{key.lower().strip(): (value or "").strip() for key, value in row.items() if isinstance(key, str)} for row in rows]
    if rows and "behavior type" in rows[0] and "time" in rows[0]:  # BORIS's tabular events
        of = column.get("tier", "")
        yield from _paired((_seconds(row["time"]), row.get(of, ""), row["behavior"], row["behavior type"].upper() == "POINT") for row in rows)
        return
    for row in rows:
        get = {name: row[there] for name, there in column.items()}
        apex = _seconds(get["apex_s"]) if get.get("apex_s") else None
        yield Coding(_seconds(get["onset_s"]), _seconds(get["offset_s"]), get["code"], get.get("tier", ""), apex, get.get("action_units", ""))


def _named(words: Sequence[str]) -> dict[str, str]:
    """What a table's columns stand for → its own name of them; {} where what is needed is not there."""
    there = [word.strip() for word in words]
    found = {name: next((one for one in names if one in there), None) for name, names in COLUMNS.items()}
    known = {name: one for name, one in found.items() if one is not None}
    tabular = "time" in there and "behavior type" in there and "code" in known
    return known if tabular or all(name in known for name in NEEDED) else {}


def _seconds(word: str) -> float:
    """From "12.41", "12,41", "0:12.41" or "1:02:12.41"."""
    total = 0.0
    for part in word.replace(",", ".").split(":"):
        total = 60 * total + float(part)
    return total
