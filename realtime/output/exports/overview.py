"""One table over many recordings, those without an event and those that failed included."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from realtime.judged import causes
from realtime.output.event_table import csv_text
from realtime.output.exports.excel import write_excel
from realtime.output.exports.found import Found, replace, write_text
from realtime.output.exports.tables import columns_of, rows_of, write_codebook

COLUMNS = ("clip", "folder", "recording_s", "events", "micro", "macro", "judged", "not_judged", "failure")


def write_overview(folder: Path, recordings: Sequence[dict], several: Sequence[Found], separator: str = ",") -> list[Path]:
    """Into `folder`: recordings.csv, a line for each recording (see COLUMNS); events_all.csv, the events of `several`;
    events_all.xlsx with both; and codebook.csv. Raises OutputError."""
    folder, names, events = Path(folder), columns_of(several), rows_of(several)
    files = {
        "recordings.csv": lambda part: write_text(part, csv_text(COLUMNS, recordings, separator)),
        "events_all.csv": lambda part: write_text(part, csv_text(names, events, separator)),
        "events_all.xlsx": lambda part: write_excel(part, {"recordings": (COLUMNS, recordings), "events": (names, events)}),
    }
    for name, write_it in files.items():
        replace(folder / name, write_it)
    return [*(folder / name for name in files), write_codebook(folder, [*COLUMNS, *names], separator)]


def row(clip: str, folder: str, found: Found | None, judged: dict, failure: str = "") -> dict:
    """The line of a recording. judged: as `Judged.as_dict`, {} where it was not opened; failure: why it ended early."""
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
