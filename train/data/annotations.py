"""Annotation tables (`sheets`), read so that every message can name the file, the row and the column."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from realtime.errors import UsageError
from train.data import sheets

HEADER_WITHIN = 40  # rows in which the line of column names is looked for: SAMM's stands in row 14, below a preface


@dataclass(frozen=True)
class Row:
    """One line of a table. where: "table.xlsx row 17", as a spreadsheet counts. cells: stripped text, "" if empty."""

    where: str
    cells: Mapping[str, str]

    def __getitem__(self, field: str) -> str:
        return self.cells.get(field, "")


def find(root: Path, *patterns: str, what: str, required: bool = True) -> Path | None:
    """The one table below `root` (at most three folders deep) whose name fits one of `patterns`, whatever its case.

    Raises UsageError where there is none (unless not `required`) or more than one.
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
        if len(found) > 1:
            names = ", ".join(str(path.relative_to(root)) for path in found)
            raise UsageError(f"{len(found)} tables in '{root}' ({names}), expected one: keep the one to be read")
        if found:
            return found[0]
    if required:
        names = " or ".join(f"{pattern}.xlsx" for pattern in patterns)
        raise UsageError(f"no table {names} (or .csv) in '{root}': set data.root to the folder that holds {what}")
    return None


def read(path: Path, columns: Mapping[str, tuple[str, ...]], optional: tuple[str, ...] = (), sheet: str = "") -> list[Row]:
    """The filled rows of a table. columns: our name → the names that the column may have, case and spaces set aside.

    optional: those of our names that may be missing. sheet: read where there is one of this name, else the first.
    Raises UsageError for a file that cannot be read or lacks a column, naming it and the columns that are there.
    """
    known = {_plain(name): field for field, names in columns.items() for name in names}
    heads = [(line, way) for way in sheets.lines(path, sheet) for line in way if line[0] <= HEADER_WITHIN]
    (place, header), lines = max(heads, key=lambda head: len({known.get(_plain(c)) for c in head[0][1]}), default=((0, []), []))
    at = {known[_plain(cell)]: i for i, cell in reversed(list(enumerate(header))) if _plain(cell) in known}
    missing = [field for field in columns if field not in at and field not in optional]
    if missing:
        there = ", ".join(cell for cell in header if cell)[:300] or "none"
        names = ", ".join(f"'{columns[field][0]}'" for field in missing)
        raise UsageError(f"{path} has no column {names}; its columns are: {there}. Use the table as it came")
    rows = []
    for index, line in lines:
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


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
