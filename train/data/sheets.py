"""A table that somebody made in a spreadsheet (.xlsx, .csv), as lines of text: what is there, not what a sheet could hold."""

from __future__ import annotations

import csv
import io
import re
import warnings
import zipfile
from bisect import bisect_left
from pathlib import Path
from xml.parsers import expat

from realtime.errors import MissingPartError, UsageError

DELIMITERS = (",", ";", "\t")  # the second is what a European Excel writes
MOST_BYTES = 200 * 2**20  # unpacked; the largest published table has some hundred kilobytes
MOST_COLUMNS = 200
MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]{1,3})(\d{1,7}):[A-Z]{1,3}(\d{1,7})"')
Line = tuple[int, list[str]]  # its number, as a spreadsheet counts, and its cells: stripped text, "" if empty


def lines(path: Path, sheet: str = "") -> list[list[Line]]:
    """Every way to read the table, one at least: the filled lines. sheet: of this name, else the first.

    A merged cell's text stands in each of its rows. Raises UsageError for a file that cannot be read.
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
