"""`mer-log`: what past sessions found."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime
from pathlib import Path

import click
from rich.text import Text

from engines.errors import on_notice
from realtime.cli import common, log_baseline, log_codings, log_review
from realtime.cli.console import Console, print_table
from realtime.errors import UsageError
from realtime.judged import sentence
from realtime.output.event_table import separator_of
from realtime.output.exports import KINDS, Found, replace_bytes, write_all, write_as
from realtime.output.exports.elan import eaf
from realtime.output.exports.tables import TABLES, write_markers, write_table
from realtime.output.log import Log
from realtime.output.log_provisional import in_words
from realtime.review import Reviews
from realtime.review.corrected import as_found, corrected

OF_ONE = {Path(f"a{ending}").suffix.lower(): kind for kind, (ending, _) in KINDS.items() if ending not in TABLES}
EXAMPLES = """
  mer-log list                           the last sessions
  mer-log show                           the latest session and its events
  mer-log export events.xlsx             every event of every session; also .csv, .jsonl, .parquet
  mer-log export FOLDER --reviewed       the latest session as its reviewers left it: tables, ELAN, WebVTT, report
  mer-log export s12.eaf --reviewed --session 12
  mer-log review export training         reviewed events as a training set
  mer-log import coder.eaf --reviewer Ada        what a coder marked in ELAN, BORIS, Praat or a table
  mer-log compare                        the latest session beside its coders: precision, recall, times, kappa, alpha
  mer-log baseline list                  participants whose usual blinks, speech and rest are known
  mer-log delete 12                      a session and everything derived from it
The log is one SQLite file; MER_LIVE_LOG=FILE names another. It holds no picture; those kept for review lie beside it."""


@common.group("mer-log", EXAMPLES)
def main():
    """Read the log of sessions and events that mer-live and mer-replay keep."""
    click.get_current_context().with_resource(on_notice(common.complain("mer-log")))


main.add_command(log_baseline.baseline)
main.add_command(log_review.review)
main.add_command(log_review.delete)
main.add_command(log_codings.import_codings)
main.add_command(log_codings.compare_coders)


@main.command("list")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), help="How many sessions, newest first.")
def list_sessions(limit):
    """List the last sessions."""
    sessions = Log().sessions(limit)
    print_table(
        ["id", "started", "lasted", "model", "source", "frames", "drops", "faults", "judged", "events", "incomplete"],
        [
            [
                session["id"],
                _local(session["started_at"]),
                _lasted(session),
                session["model"],
                _short(session["sources"]),
                "" if session["frames"] is None else session["frames"],
                sum(session["drops"].values()),
                sum(session["faults"].values()),
                _share(session["judged"]),
                session["events"],
                _word(session["incomplete"]),
            ]
            for session in sessions
        ],
    )
    for session in sessions:
        if session["incomplete"]:
            Console(soft_wrap=True).print(f"session {session['id']} is incomplete: {session['incomplete']}", style="yellow")


@main.command()
@click.argument("session", required=False, type=int)
def show(session):
    """Show a session (the latest by default), its counts and its events."""
    log, console = Log(), Console()
    found = log.session(session)
    events = log.events(found["id"])
    counts = ", ".join(f"{count} {label}" for label, count in Counter(e["label"] for e in events).most_common())
    console.print(
        Text(f"session {found['id']}", "bold"), f" {_local(found['started_at'])}, {_lasted(found)}, {found['model']}, mer-live {found['version']}"
    )
    for source in found["sources"]:
        console.print(f"source  {source}")
    frames = "unknown" if found["frames"] is None else found["frames"]
    console.print(f"frames  {frames}\ndrops   {_causes(found['drops'])}\nfaults  {_causes(found['faults'])}")
    for source, judged in found["judged"].items():
        console.print(f"{_short([source])}: {sentence(judged)}" if len(found["judged"]) > 1 else sentence(judged))
    if found["incomplete"]:
        console.print(Text("incomplete", "yellow"), f" {found['incomplete']}")
    console.print(f"events  {counts or 'none'}")
    if told := in_words(log.outcomes(found["id"])):
        console.print(f"        {told}")
    markers = log.markers(found["id"])
    if events:
        _print_events(found, events)
    if markers:
        console.print(f"markers {len(markers)}")
        print_table(["time", "marker", "of", "source"], [[f"{one.time_s:.3f}", one.label, one.stream, _short([one.source])] for one in markers])


def _print_events(found: dict, events: list[dict]) -> None:
    several, classes = len(found["sources"]) > 1, _classes(events)
    units = any("estimated_units" in event for event in events)
    names = [
        "event",
        *(["source"] if several else []),
        "face",
        "onset",
        "apex",
        "offset",
        "label",
        *classes,
        *["units (estimated)"] * units,
        "ms late",
    ]
    print_table(
        names,
        [
            [
                event["event"],
                *([_short([event["source"]])] if several else []),
                event["face"],
                *(f"{event[name]:.3f}" for name in ("onset_s", "apex_s", "offset_s")),
                event["label"],
                *(f"{event['scores'][name]:.2f}" if name in event["scores"] else "" for name in classes),
                *[event.get("estimated_units", "")] * units,
                f"{event['latency_ms']:.1f}",
            ]
            for event in events
        ],
    )


@main.command("export")
@click.argument("target", metavar="FILE|FOLDER", type=click.Path(path_type=Path))
@click.option("--session", type=int, help="Only this session.  [default: all for a table, else the latest]")
@click.option("--reviewed", is_flag=True, help="As reviewers left them: corrected, without what they rejected, with what they added.")
@click.option("--csv-separator", default=",", metavar=", | ; | tab", help="Of a CSV; a semicolon goes with decimal commas.")
@click.option(
    "--into", type=click.Path(path_type=Path), metavar="CODER.eaf", help="With FILE.eaf: keep what a coder's ELAN file has, and add our tiers."
)
def export(target, session, reviewed, csv_separator, into):
    """Write events to FILE.csv, .xlsx, .sav (SPSS), .jsonl or .parquet, or those of one recording to FILE.eaf (ELAN), .TextGrid (Praat),
    .txt (BORIS: paste events), .tsv (BIDS: events.tsv), .vtt, .html or .pdf.
    A FOLDER gets all of them for one session, a file for each recording."""
    separator, ending = separator_of(csv_separator), target.suffix.lower()
    if into is not None and ending != ".eaf":
        raise UsageError(f"--into {into} goes with a FILE.eaf, not with '{target}'")
    if ending in TABLES:
        numbers = [one["id"] for one in reversed(Log().sessions())] if session is None else [session]
        several = [found for number in numbers for found in _found(number, reviewed)]
        write_table(target, several, separator)
        if write_markers(target.with_suffix(".markers.csv"), several, separator):
            click.echo(f"markers in {target.with_suffix('.markers.csv')}")
    elif ending in OF_ONE:
        several = _found(session, reviewed)
        if len(several) != 1:
            raise UsageError(f"session {several[0].session} has {len(several)} recordings: name a folder, each gets a file there")
        if into is None:
            write_as(OF_ONE[ending], several[0], target)
        else:
            _write_into(several[0], target, into)
    elif ending == "" or target.is_dir():
        several = _found(session, reviewed)
        write_all(several, target, separator)
    else:
        raise UsageError(f"cannot tell the format of '{target}': name it {', '.join((*TABLES, *OF_ONE))}, or name a folder")
    click.echo(f"{sum(len(found.events) for found in several)} events in {target}")


def _write_into(found: Found, target: Path, into: Path) -> None:
    from realtime.output.exports.elan_merged import merged

    try:
        theirs = into.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {into}: {error.strerror}") from error
    replace_bytes(target, merged(theirs, eaf(found, target.parent), str(into)))


def _found(session: int | None, reviewed: bool) -> list[Found]:
    return corrected(Reviews(), session) if reviewed else as_found(Log(), session)


def _classes(events: list[dict]) -> list[str]:
    """The classes of all events, in the order first seen: sessions may have had different networks."""
    return list(dict.fromkeys(name for event in events for name in event["scores"]))


def _short(sources: list[str]) -> str:
    """["/data/a.mp4", "/data/b.mp4"] → "a.mp4 +1"."""
    if not sources:
        return ""
    first = sources[0] if "://" in sources[0] else Path(sources[0]).name
    return first + (f" +{len(sources) - 1}" if len(sources) > 1 else "")


def _local(moment: str) -> str:
    return f"{datetime.fromisoformat(moment).astimezone():%Y-%m-%d %H:%M}"


def _lasted(session: dict) -> str:
    if not session["ended_at"]:
        return "" if session["unfinished"] else "running"
    ended, started = (datetime.fromisoformat(session[name]) for name in ("ended_at", "started_at"))
    return str(ended - started)


def _share(judged: dict[str, dict]) -> str:
    """Of the time of all sources that was judged: "84 %"; "" where that is not known."""
    seconds = sum(one["seconds"] for one in judged.values())
    return f"{100 * sum(one['share'] * one['seconds'] for one in judged.values()) // seconds:.0f} %" if seconds else ""


def _word(incomplete: str) -> str:
    """From "too busy: 453 of 700 frames …" → "too busy"."""
    return re.split("[:,;]", incomplete)[0][:24]


def _causes(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {cause}" for cause, count in counts.items() if count) or "none"


if __name__ == "__main__":
    main()
