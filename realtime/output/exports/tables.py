"""The events of one or several recordings as one table, and a table over the recordings: CSV, Excel, JSON lines, Parquet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path

from realtime.errors import MissingPartError
from realtime.judged import causes
from realtime.output.event_table import cells, codebook, columns, csv_text, decimals, harmless, known
from realtime.output.exports.found import Found, clean, number_of, replace, write_text
from realtime.output.sinks import json_line
from realtime.records import Marker

TABLES = {".csv": "csv", ".xlsx": "excel", ".jsonl": "jsonl", ".parquet": "parquet", ".sav": "spss"}
RECORDING_COLUMNS = ("clip", "folder", "recording_s", "events", "micro", "macro", "judged", "not_judged", "failure")
PARQUET_FIRST = ("event", "source", "face", "onset_s", "apex_s", "offset_s", "label")
PARQUET_LAST = ("model", "latency_ms", "kind", "confidence", "estimated_units", "certainty_units")
PARQUET_WHOLE = ("session", "event", "face")
PARQUET_WORDS = (
    "source",
    "label",
    "model",
    "kind",
    "reviewer",
    "verdict",
    "incomplete",
    "action_units",
    "note",
    "utc",
    "estimated_units",
    "certainty_units",
)
MARKER_COLUMNS = [one.name for one in fields(Marker)]
EXCEL_WIDTHS = {"source": 28, "clip": 28, "folder": 20, "meaning": 100, "note": 40, "failure": 60, "not_judged": 50}
EXCEL_WIDEST = 22


def write_table(path: Path, several: Sequence[Found], separator: str = ",") -> None:
    """In the format of `path`'s ending, one of TABLES.

    Raises:
        OutputError: it cannot be written.
        MissingPartError: Parquet needs pyarrow.
    """
    kind = TABLES[path.suffix.lower()]
    replace(path, lambda part: write_part(kind, part, several, separator))


def write_codebook(folder: Path, names: Sequence[str], separator: str = ",") -> Path:
    """folder/codebook.csv: what stands in the columns of the tables beside it.

    Raises:
        OutputError: it cannot be written.
    """
    path = Path(folder) / "codebook.csv"
    text = csv_text(("column", "meaning"), codebook(names), separator)
    replace(path, lambda part: write_text(part, text))
    return path


def write_markers(path: Path, several: Sequence[Found], separator: str = ",") -> bool:
    """What was marked in the recordings, a CSV; False where nothing was, and then nothing is written.

    Raises:
        OutputError: it cannot be written.
    """
    rows = [({"session": found.session} if found.session else {}) | marker.as_dict() for found in several for marker in found.markers]
    names = ["session"] * any("session" in row for row in rows) + MARKER_COLUMNS
    if rows:
        replace(path, lambda part: write_text(part, csv_text(names, rows, separator)))
    return bool(rows)


def columns_of(several: Sequence[Found]) -> list[str]:
    """Of all their classes; with the session where they are of one, and what reviewers said where they did."""
    return columns(_classes(several), *_around(several))


def rows_of(several: Sequence[Found]) -> list[dict]:
    """See `event_table.cells`."""
    return [cells(_row(found, event)) | {"event": number_of(event), "certainty_label": event.score} for found in several for event in found.events]


def write_part(kind: str, path: Path, several: Sequence[Found], separator: str = ",") -> None:
    """Write one of the values of TABLES to `path`.

    Raises:
        OSError: it cannot be written.
        MissingPartError: Parquet needs pyarrow.
    """
    if kind == "csv":
        write_text(path, csv_text(columns_of(several), rows_of(several), separator))
    elif kind == "excel":
        write_excel(path, {"events": (columns_of(several), rows_of(several))})
    elif kind == "jsonl":
        write_text(path, "".join(json_line(_row(found, event)) for found in several for event in found.events))
    elif kind == "spss":
        from realtime.output.exports.for_studies import spss

        spss(path, columns_of(several), rows_of(several))
    else:
        write_parquet(path, _classes(several), [_row(found, event) for found in several for event in found.events], *_around(several))


def _classes(several: Sequence[Found]) -> list[str]:
    return list(dict.fromkeys(name for found in several for name in found.classes))


def _around(several: Sequence[Found]) -> tuple[list[str], list[str]]:
    """The columns before and after an event's own."""
    session = any(found.session is not None for found in several)
    judged = any(hasattr(event, "reviewer") for found in several for event in found.events)
    utc = any(event.utc for found in several for event in found.events)
    after = ["action_units", "note"] * judged + ["incomplete"] * session + ["utc"] * utc
    return ["session"] * session + ["reviewer", "verdict"] * judged, after


def _row(found: Found, event) -> dict:
    if found.session is None:
        return event.as_dict()
    return {"session": found.session, **event.as_dict(), "incomplete": found.incomplete}


def write_excel(path: Path, sheets: dict[str, tuple[Sequence[str], Iterable[dict]]]) -> None:
    """An Excel workbook, with a sheet "codebook" that says what the columns mean. Text stays text: no cell is a formula.

    Args:
        sheets: name → (columns, rows).

    Raises:
        OSError: it cannot be written.
    """
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
        sheet.column_dimensions[get_column_letter(place)].width = EXCEL_WIDTHS.get(name, min(EXCEL_WIDEST, max(9, len(name) + 2)))
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


def write_parquet(path: Path, classes: Iterable[str], rows: list[dict], before: Iterable[str] = (), after: Iterable[str] = ()) -> None:
    """Events for machines: the fields of `Event.as_dict`, with a column for each score.

    Numbers are float64 also where there are no rows: files of one kind have one schema.

    Args:
        classes: whose scores have a column.
        rows: as `Event.as_dict`, with what `before` and `after` name.
        before: names of further columns.
        after: the same.

    Raises:
        MissingPartError: pyarrow is not installed.
        OSError: it cannot be written.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet
    except ImportError as error:
        raise MissingPartError('Parquet needs pyarrow: pip install "mer-live[parquet]", or take CSV') from error
    names = [*before, *PARQUET_FIRST, *(f"score_{name}" for name in classes), *PARQUET_LAST, *after]
    kinds = dict.fromkeys(PARQUET_WHOLE, pa.int64()) | dict.fromkeys(PARQUET_WORDS, pa.string())
    schema = pa.schema([(name, kinds.get(name, pa.float64())) for name in names])
    flat = [row | {name: value for name, value in cells(row).items() if name == "certainty_units" or name.startswith("score_")} for row in rows]
    pyarrow.parquet.write_table(pa.Table.from_pylist([{name: row.get(name) for name in names} for row in flat], schema), path)


def write_overview(folder: Path, recordings: Sequence[dict], several: Sequence[Found], separator: str = ",") -> list[Path]:
    """Into `folder`: recordings.csv, a line for each recording (see RECORDING_COLUMNS); events_all.csv, the events of
    `several`; events_all.xlsx with both; and codebook.csv.

    Raises:
        OutputError: it cannot be written.
    """
    folder, names, events = Path(folder), columns_of(several), rows_of(several)
    files = {
        "recordings.csv": lambda part: write_text(part, csv_text(RECORDING_COLUMNS, recordings, separator)),
        "events_all.csv": lambda part: write_text(part, csv_text(names, events, separator)),
        "events_all.xlsx": lambda part: write_excel(part, {"recordings": (RECORDING_COLUMNS, recordings), "events": (names, events)}),
    }
    for name, write_it in files.items():
        replace(folder / name, write_it)
    return [*(folder / name for name in files), write_codebook(folder, [*RECORDING_COLUMNS, *names], separator)]


def recording_row(clip: str, folder: str, found: Found | None, judged: dict, failure: str = "") -> dict:
    """The line of a recording.

    Args:
        judged: as `Judged.as_dict`, {} where it was not opened.
        failure: why it ended early.
    """
    counts = {kind: found.count_of(kind) if found else 0 for kind in ("micro", "macro")}
    return {
        "clip": clip,
        "folder": folder,
        "recording_s": judged.get("seconds"),
        "events": sum(counts.values()),
        **counts,
        "judged": judged.get("share"),
        "not_judged": ", ".join(causes(judged.get("not_judged", {}))),
        "failure": failure,
    }
