"""All recordings of a queue in one archive: two tables over all of them, and each for ELAN and as subtitles. No picture is in it."""

from __future__ import annotations

import zipfile
from pathlib import Path

from realtime.dashboard.replay.queued_recording import DONE, Job
from realtime.output.event_table import csv_text
from realtime.output.exports import KINDS, write_as
from realtime.output.exports.tables import RECORDING_COLUMNS, columns_of, recording_row, write_codebook, write_table

ARCHIVE = "mer-live-recordings.zip"
FOR_EACH = ("elan", "webvtt")  # kinds of `realtime.output.exports`


def everything(jobs: list[Job], folder: Path) -> Path:
    """Writes it into `folder`, over an older one, and says where. Raises OutputError, OSError."""
    here = folder / "all"
    here.mkdir(mode=0o700, exist_ok=True)
    found = [job.found for job in jobs if job.shown]
    files = [here / "events.csv", here / "events.xlsx", write_codebook(here, [*RECORDING_COLUMNS, *columns_of(found)])]
    for path in files[:2]:
        write_table(path, found)
    recordings = here / "recordings.csv"  # those without an event, too
    recordings.write_text(csv_text(RECORDING_COLUMNS, map(_row, jobs)), "utf-8", newline="")
    with zipfile.ZipFile(folder / ARCHIVE, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in (*files, recordings):
            packed.write(path, path.name)
        for one in found:
            for kind in FOR_EACH:
                ending = KINDS[kind][0]
                part = here / f"one{ending}"
                write_as(kind, one, part)
                packed.write(part, f"{one.name}{ending}")  # names are distinct, stems need not be
    return folder / ARCHIVE


def _row(job: Job) -> dict:
    """One that was cancelled, or still waits, has not failed, but is not whole either."""
    return recording_row(job.name, "", job.found, job.judged.as_dict() if job.judged else {}, job.message or ("" if job.state == DONE else job.state))
