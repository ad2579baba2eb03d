"""`mer-log review` and `mer-log delete`: what people said of the events, and a session that must go."""

from __future__ import annotations

import shlex
from pathlib import Path

import click
from rich.text import Text

from realtime.cli import common
from realtime.cli.console import Console, print_table
from realtime.errors import UsageError
from realtime.review import Reviews
from realtime.review.agreement import agreements

EXAMPLES = """
  mer-log review show 12                         what was said of session 12, and how far reviewers agree
  mer-log review export training --frames        a data set: mer-train prepare data=generic data.root=training
Reviews are made in the dashboard: mer-demo, tab Review."""


@click.group("review", cls=common.Group, epilog=f"Examples:{EXAMPLES}")
def review():
    """Corrections of events: show them, export them as a training set."""


@review.command()
@click.argument("session", required=False, type=int)
def show(session):
    """Show a session (the latest by default) with every reviewer's word, and their agreement."""
    reviews = Reviews()
    number = reviews.log.session(session)["id"]
    items, people = reviews.items(number), reviews.people(number)
    console = Console()
    console.print(Text(f"session {number}", "bold"), f" {sum(bool(item.reviews) for item in items)} of {len(items)} events reviewed")
    for source, subject in people.items():
        console.print(f"{Path(source).name} shows {subject}")
    rows = []
    for item in items:
        words = [("mer-live", "found" if item.event else "missed", item.found)] if item.event else []
        words += [(name, said.verdict, said.marks) for name, said in item.reviews.items()]
        for who, verdict, marks in words:
            times = [f"{moment:.3f}" for moment in (marks.onset_s, marks.apex_s, marks.offset_s)]
            rows.append([item.event or item.key, who, verdict, *times, marks.label, marks.action_units, marks.note])
    if rows:
        print_table(["event", "who", "said", "onset", "apex", "offset", "label", "units", "note"], rows)
    for one in agreements(items):
        console.print(one.words)


@review.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--session", "sessions", type=int, multiple=True, help="Only this session (may be repeated; default: all).")
@click.option("--reviewer", default="", metavar="NAME", help="Only this reviewer's word (default: everybody's, where they agree).")
@click.option("--frames", is_flag=True, help="Copy the pictures into FOLDER instead of pointing to the recordings.")
def export(folder, sessions, reviewer, frames):
    """Write reviewed events into FOLDER as a training set."""
    from realtime.review.data_set import export as write

    reviews = Reviews()
    for session in sessions:
        reviews.log.session(session)
    done = write(reviews, folder, sessions, reviewer.strip(), frames, lambda line: click.echo(line, err=True))
    for name, why in done.left_out:
        click.echo(f"left out: {name}: {why}", err=True)
    for subject in done.stand_ins:
        click.echo(f"no participant is named: '{subject}' stands in; one person under two names makes a test too easy", err=True)
    if not done.rows:
        raise UsageError("no event can be exported: accept, correct or add some first (mer-demo, tab Review)")
    click.echo(f"{len(done.rows)} events in {folder}: mer-train prepare data=generic {shlex.quote(f'data.root={folder}')}")


@click.command("delete", cls=common.Command)
@click.argument("session", type=int)
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(session, yes):
    """Delete SESSION for good: its events, reviews and all that was kept of it. Your own recordings and exports stay."""
    reviews = Reviews()
    found = reviews.log.session(session)
    if not yes:
        click.confirm(f"delete session {session} with its {found['events']} events, reviews and all that was kept of it", abort=True)
    reviews.delete(session)
    click.echo(f"session {session} is deleted")
