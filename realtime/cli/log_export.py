"""`mer-log export`: logged events for other programs, as they were found or as reviewers left them."""

from __future__ import annotations

from pathlib import Path

import click

from realtime.cli import common
from realtime.errors import UsageError
from realtime.output.event_table import separator_of
from realtime.output.exports import KINDS, Found, write_all, write_as
from realtime.output.exports.tables import TABLES, write_table
from realtime.output.log import Log
from realtime.review import Reviews
from realtime.review.corrected import as_found, corrected

OF_ONE = {ending: kind for kind, (ending, _) in KINDS.items() if ending not in TABLES}


@click.command("export", cls=common.Command)
@click.argument("target", metavar="FILE|FOLDER", type=click.Path(path_type=Path))
@click.option("--session", type=int, help="Only this session.  [default: all for a table, else the latest]")
@click.option("--reviewed", is_flag=True, help="As reviewers left them: corrected, without what they rejected, with what they added.")
@click.option("--csv-separator", default=",", metavar=", | ; | tab", help="Of a CSV; a semicolon goes with decimal commas.")
def export(target, session, reviewed, csv_separator):
    """Write events to FILE.csv, .xlsx, .jsonl or .parquet, or those of one recording to FILE.eaf (ELAN), .vtt, .html or .pdf.
    A FOLDER gets all of them for one session, a file for each recording."""
    separator, ending = separator_of(csv_separator), target.suffix.lower()
    if ending in TABLES:
        numbers = [one["id"] for one in reversed(Log().sessions())] if session is None else [session]
        several = [found for number in numbers for found in _found(number, reviewed)]
        write_table(target, several, separator)
    elif ending in OF_ONE:
        several = _found(session, reviewed)
        if len(several) != 1:
            raise UsageError(f"session {several[0].session} has {len(several)} recordings: name a folder, each gets a file there")
        write_as(OF_ONE[ending], several[0], target)
    elif ending == "" or target.is_dir():
        several = _found(session, reviewed)
        write_all(several, target, separator)
    else:
        raise UsageError(f"cannot tell the format of '{target}': name it {', '.join((*TABLES, *OF_ONE))}, or name a folder")
    click.echo(f"{sum(len(found.events) for found in several)} events in {target}")


def _found(session: int | None, reviewed: bool) -> list[Found]:
    return corrected(Reviews(), session) if reviewed else as_found(Log(), session)
