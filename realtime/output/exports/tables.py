"""The events of one or several recordings as one table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from realtime.output.event_table import cells, codebook, columns, csv_text
from realtime.output.exports.found import Found, number_of, replace, write_text
from realtime.output.sinks import json_line

TABLES = {".csv": "csv", ".xlsx": "excel", ".jsonl": "jsonl", ".parquet": "parquet"}


def write_table(path: Path, several: Sequence[Found], separator: str = ",") -> None:
    """In the format of `path`'s ending, one of TABLES. Raises OutputError, MissingPartError."""
    kind = TABLES[path.suffix.lower()]
    replace(path, lambda part: write_part(kind, part, several, separator))


def write_codebook(folder: Path, names: Sequence[str], separator: str = ",") -> Path:
    """folder/codebook.csv: what stands in the columns of the tables beside it. Raises OutputError."""
    path = Path(folder) / "codebook.csv"
    text = csv_text(("column", "meaning"), codebook(names), separator)
    replace(path, lambda part: write_text(part, text))
    return path


def columns_of(several: Sequence[Found]) -> list[str]:
    """Of all their classes; with the session where they are of one, and what reviewers said where they did."""
    return columns(_classes(several), *_around(several))


def rows_of(several: Sequence[Found]) -> list[dict]:
    """See `event_table.cells`."""
    return [cells(_row(found, event)) | {"event": number_of(event), "certainty_label": event.score} for found in several for event in found.events]


def write_part(kind: str, path: Path, several: Sequence[Found], separator: str = ",") -> None:
    """Raises OSError, MissingPartError."""
    if kind == "csv":
        write_text(path, csv_text(columns_of(several), rows_of(several), separator))
    elif kind == "excel":
        from realtime.output.exports.excel import write_excel

        write_excel(path, {"events": (columns_of(several), rows_of(several))})
    elif kind == "jsonl":
        write_text(path, "".join(json_line(_row(found, event)) for found in several for event in found.events))
    else:
        from realtime.output.exports.parquet import write_parquet

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
