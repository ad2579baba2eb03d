"""Annotation tables as people and their programs leave them (.xlsx, .csv), read so that every message can name the file, the row
and the column; and what a row becomes: a `Clip`, or a `LeftOut`.
"""

from __future__ import annotations

import csv
import io
import re
import warnings
import zipfile
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from xml.parsers import expat

from realtime.errors import MissingPartError, UsageError

HEADER_WITHIN = 40  # rows in which the line of column names is looked for: SAMM's stands in row 14, below a preface
DELIMITERS = (",", ";", "\t")  # the second is what a European Excel writes
MOST_BYTES = 200 * 2**20  # unpacked; the largest published table has some hundred kilobytes
MOST_COLUMNS = 200
MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]{1,3})(\d{1,7}):[A-Z]{1,3}(\d{1,7})"')
Line = tuple[int, list[str]]  # its number, as a spreadsheet counts, and its cells: stripped text, "" if empty


@dataclass(frozen=True)
class Row:
    """One line of a table.

    Attributes:
        where: "table.xlsx row 17", as a spreadsheet counts.
        cells: stripped text, "" if empty.
    """

    where: str
    cells: Mapping[str, str]

    def __getitem__(self, field: str) -> str:
        return self.cells.get(field, "")


@dataclass(frozen=True)
class Clip:
    """Where the frames of one annotated expression lie, and what its annotation says.

    Attributes:
        dataset: the loader's name.
        subject: as in the set's own folders ("sub01", "006"); one person of that set.
        name: unique within the set.
        kind: "micro", "macro" or "image" (a labelled still face).
        label: the emotion as annotated, stripped and in lower case.
        action_units: as annotated, may be empty.
        pictures: the frames from onset to offset, in order (an image: one).
        apex: index into `pictures`.
        row: where the annotation stands, for messages ("table.xlsx row 17").
        video: instead of `pictures`.
        times: with a video, the seconds of onset, apex and offset in its own clock.
    """

    dataset: str
    subject: str
    name: str
    kind: str
    label: str
    action_units: str
    pictures: tuple[Path, ...]
    apex: int
    row: str
    video: Path | None = None
    times: tuple[float, float, float] | None = None

    @property
    def still(self) -> bool:
        """Whether the apex is the onset itself, as it is annotated with some clips of CAS(ME)³: there is no motion between them."""
        return self.kind != "image" and (self.apex == 0 if self.times is None else self.times[0] == self.times[1])


@dataclass(frozen=True)
class LeftOut:
    """An annotated clip that cannot be used: which (`name`, `row`) and why, in words for a person."""

    name: str
    row: str
    why: str


def find(root: Path, *patterns: str, what: str, required: bool = True) -> Path | None:
    """The one table below `root` (at most three folders deep) whose name fits one of `patterns`, whatever its case.

    Raises:
        UsageError: there is none (unless not `required`) or more than one.
    """
    found = find_all(root, *patterns, what=what, required=required)
    if len(found) > 1:
        names = ", ".join(str(path.relative_to(root)) for path in found)
        raise UsageError(f"{len(found)} tables in '{root}' ({names}), expected one: keep the one to be read")
    return found[0] if found else None


def find_all(root: Path, *patterns: str, what: str, required: bool = True) -> list[Path]:
    """As `find`: all of them that lie in the fewest folders.

    Raises:
        UsageError: there is none (unless not `required`).
    """
    if not root.is_dir():
        raise UsageError(f"no folder '{root}': set data.root to the folder that holds {what}")
    for depth in range(4):
        found = [
            path
            for path in sorted(root.glob("*/" * depth + "*"))
            if path.suffix.lower() in (".xlsx", ".xls", ".csv")
            and not path.name.startswith(("~$", "."))  # a lock file of Excel's, a shadow of macOS's
            and any(fnmatch(path.stem.lower(), pattern.lower()) for pattern in patterns)
        ]
        if found:
            return found
    if required:
        names = " or ".join(f"{pattern}.xlsx" for pattern in patterns)
        raise UsageError(f"no table {names} (or .csv) in '{root}': set data.root to the folder that holds {what}")
    return []


def read(path: Path, columns: Mapping[str, tuple[str, ...]], optional: tuple[str, ...] = (), sheet: str = "") -> list[Row]:
    """The filled rows of a table.

    Args:
        columns: our name → the names that the column may have, case and spaces set aside.
        optional: those of our names that may be missing.
        sheet: read where there is one of this name, else the first.

    Raises:
        UsageError: the file cannot be read or lacks a column; it and the columns that are there are named.
    """
    known = {_plain(name): field for field, names in columns.items() for name in names}
    heads = [(line, way) for way in lines(path, sheet) for line in way if line[0] <= HEADER_WITHIN]
    (place, header), filled = max(heads, key=lambda head: len({known.get(_plain(c)) for c in head[0][1]}), default=((0, []), []))
    at = {known[_plain(cell)]: i for i, cell in reversed(list(enumerate(header))) if _plain(cell) in known}
    missing = [field for field in columns if field not in at and field not in optional]
    if missing:
        there = ", ".join(cell for cell in header if cell)[:300] or "none"
        names = ", ".join(f"'{columns[field][0]}'" for field in missing)
        raise UsageError(f"{path} has no column {names}; its columns are: {there}. Use the table as it came")
    rows = []
    for index, line in filled:
        if index <= place:
            continue
        cells = {field: line[i] if i < len(line) else "" for field, i in at.items()}
        if any(cells.values()):
            rows.append(Row(f"{path.name} row {index}", cells))
    return rows


def number(text: str) -> int | None:
    """A frame number; None for anything else ("/", "", "-1")."""
    return int(float(text)) if re.fullmatch(r"\d{1,9}(\.0{1,9})?", text) else None


def seconds(text: str) -> float | None:
    """A time in seconds, not negative, "0.52" or "0,52"; None for anything else."""
    return float(text.replace(",", ".")) if re.fullmatch(r"\d{1,9}([.,]\d{0,20})?|[.,]\d{1,20}", text) else None


def lines(path: Path, sheet: str = "") -> list[list[Line]]:
    """Every way to read the table, one at least: the filled lines.

    A merged cell's text stands in each of its rows.

    Args:
        sheet: of this name, else the first.

    Raises:
        UsageError: the file cannot be read.
    """
    if path.suffix.lower() == ".csv":
        return _csv(path)
    if path.suffix.lower() == ".xls":
        raise UsageError(f"'{path}' is in Excel's old format: save it as .xlsx")
    return [_xlsx(path, sheet)]


def _csv(path: Path) -> list[list[Line]]:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(f"it has more than {MOST_BYTES // 2**20} MB")
        text = path.read_bytes().decode("utf-8-sig")
        readers = [csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) for delimiter in DELIMITERS]
        return [_filled(enumerate(reader, 1)) for reader in readers]
    except (OSError, ValueError, csv.Error) as error:  # UnicodeDecodeError is a ValueError
        raise UsageError(f"cannot read '{path}' ({error}): expected a CSV file in UTF-8") from error


def _xlsx(path: Path, sheet: str) -> list[Line]:
    try:
        from openpyxl import load_workbook
    except ImportError as error:
        raise MissingPartError("openpyxl is missing, which reads .xlsx: pip install 'mer-live[train]'") from error
    try:
        with zipfile.ZipFile(path) as packed, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and the like
            if sum(part.file_size for part in packed.infolist()) > MOST_BYTES:
                raise ValueError(f"it unpacks to more than {MOST_BYTES // 2**20} MB")
            # read only: otherwise each cell of a range is made, of one that reaches to the sheet's far corner 17 billion
            book = load_workbook(path, read_only=True, data_only=True)
            page = book[sheet] if sheet in book.sheetnames else book.worksheets[0]
            rows = enumerate(page.iter_rows(max_col=MOST_COLUMNS, values_only=True), 1)
            found = _filled((number, row) for number, row in rows if row.count(None) < len(row))
            xml = packed.read(page._worksheet_path.lstrip("/"))
            strings = [name for name in packed.namelist() if name.endswith("sharedStrings.xml")]
            for part in (xml, *map(packed.read, strings)):
                expat.ParserCreate().Parse(part, True)  # a damaged end is passed over by openpyxl
            _fill_merged(found, xml)
            return found
    except Exception as error:  # a damaged file fails in zipfile, in the XML parser or in openpyxl, each in its own way
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise UsageError(f"cannot read '{path}' ({reason}): expected an .xlsx table") from error


def _filled(rows) -> list[Line]:
    texts = ((number, [_text(cell) for cell in row]) for number, row in rows)
    return [(number, cells) for number, cells in texts if any(cells)]


def _fill_merged(found: list[Line], xml: bytes) -> None:
    numbers = [number for number, _ in found]
    for letters, first, last in MERGED.findall(xml):
        column = 0
        for letter in letters:
            column = 26 * column + letter - 64
        place = bisect_left(numbers, int(first))
        if column > MOST_COLUMNS or place == len(found) or numbers[place] != int(first):
            continue
        text = found[place][1][column - 1]
        for number, cells in found[place + 1 :]:
            if number > int(last):
                break
            cells[column - 1] = cells[column - 1] or text


def _text(cell: object) -> str:
    """A cell as it shows in the spreadsheet: a whole number without ".0"."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        cell = int(cell)
    return "" if cell is None else str(cell).strip()


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
