"""Tables as an Excel workbook, with a sheet that says what the columns mean."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from realtime.output.event_table import codebook, decimals, harmless, known
from realtime.output.exports.found import clean

WIDTHS = {"source": 28, "clip": 28, "folder": 20, "meaning": 100, "note": 40, "failure": 60, "not_judged": 50}
WIDEST = 22


def write_excel(path: Path, sheets: dict[str, tuple[Sequence[str], Iterable[dict]]]) -> None:
    """sheets: name → (columns, rows); a sheet "codebook" is added. Text stays text: no cell is a formula. Raises OSError."""
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.active)
    explained = {name: None for names, _ in sheets.values() for name in names}
    for title, (names, rows) in {**sheets, "codebook": (("column", "meaning"), codebook(list(explained)))}.items():
        _fill(book.create_sheet(title), names, rows)
    book.save(path)


def _fill(sheet, names: Sequence[str], rows: Iterable[dict]) -> None:
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    sheet.append([clean(name) for name in names])
    for number, row in enumerate(rows, 2):
        for place, name in enumerate(names, 1):
            if known(row.get(name)):
                _put(sheet.cell(number, place), row[name], decimals(name))
    sheet.freeze_panes = "A2"
    for place, name in enumerate(names, 1):
        sheet.cell(1, place).font = Font(bold=True)
        sheet.column_dimensions[get_column_letter(place)].width = WIDTHS.get(name, min(WIDEST, max(9, len(name) + 2)))
    sheet.auto_filter.ref = sheet.dimensions


def _put(cell, value, places: int | None) -> None:
    if isinstance(value, str):
        cell.value = clean(value)
        cell.data_type = "s"  # openpyxl takes what begins with "=" for a formula
        cell.quotePrefix = harmless(value) != value  # and Excel does when the cell is edited
    else:
        cell.value = value
        if places:
            cell.number_format = f"0.{'0' * places}"
