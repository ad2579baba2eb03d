"""`mer-log import` and `mer-log compare`: what human coders have marked, beside what the program found."""

from __future__ import annotations

from pathlib import Path

import click

from realtime.cli import common
from realtime.cli.console import Console, print_table
from realtime.errors import MissingPartError, UsageError
from realtime.review import Reviews
from realtime.review.coders import Coder, meant, take_in
from realtime.review.codings import read_codings
from realtime.review.comparison import COLUMNS, FROM, alpha, compare

LEAST_IOU, MOST_IOU = 0.0, 1.0


@click.command("import", cls=common.Command)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--reviewer", required=True, metavar="NAME", help="Whose codings they are.")
@click.option("--session", type=int, help="The session that they are about.  [default: the latest]")
@click.option("--source", default="", metavar="NAME", help="Its recording, where the session has several.")
@click.option("--tier", "tiers", multiple=True, metavar="NAME", help="Only this tier or subject (may be repeated).")
@click.option("--map", "codes", multiple=True, metavar="CODE=LABEL", help="What a code means (may be repeated); CODE= leaves it out.")
@click.option("--kind", type=click.Choice(["micro", "macro"]), help="Of all of them.  [default: micro up to half a second]")
@click.option("--shift", type=float, default=0.0, metavar="SECONDS", help="Added to all times, where the coder's recording began elsewhere.")
@click.option("--complete", is_flag=True, help="The coder looked at all of it: what is not coded was nothing, and the program's are rejected.")
def import_codings(file, reviewer, session, source, tiers, codes, kind, shift, complete):
    """Take what a coder marked in ELAN, BORIS, Praat or a table into the log, as a reviewer."""
    reviews = Reviews()
    facts = reviews.log.session(session)
    source = _source(facts, source)
    codings = meant(read_codings(file, tiers), _mapping(codes), shift)
    if len(there := sorted({one.tier for one in codings})) > 1 and not tiers:
        raise UsageError(f"{file} has {len(there)} tiers: choose with --tier, one or several of {', '.join(map(repr, there))}")
    about = take_in(reviews, facts["id"], source, Coder(reviewer, tuple(codings), kind or "", complete))
    new = len(codings) - about
    click.echo(f"{len(codings)} codings by {reviewer}: {about} about events that were found, {new} added; mer-log compare {facts['id']}")


@click.command("compare", cls=common.Command)
@click.argument("session", required=False, type=int)
@click.option(
    "--iou", default=0.5, show_default=True, type=click.FloatRange(LEAST_IOU, MOST_IOU, min_open=True), help="From which overlap one is found."
)
def compare_coders(session, iou):
    """Compare SESSION (the latest by default) with everybody who judged it: precision, recall, F1, times, kappa, alpha."""
    reviews = Reviews()
    number = reviews.log.session(session)["id"]
    items = reviews.items(number)
    names = sorted({name for item in items for name in item.reviews})
    if not names:
        raise UsageError(f"nobody has judged session {number}: mer-log import FILE --reviewer NAME, or mer-demo, tab Review")
    print_table(list(COLUMNS), [compare(items, name, iou).cells for name in names])
    console = Console(soft_wrap=True)
    console.print(FROM.format(iou), style="dim")
    try:
        whole = alpha(items)
    except MissingPartError as error:
        console.print(str(error), style="dim")
    else:
        console.print("Krippendorff's alpha of all, the program included: " + ("undefined" if whole is None else f"{whole:.2f}"))


def _source(facts: dict, wanted: str) -> str:
    """The one recording of a session that is meant, by its name or the end of it."""
    found = [source for source in facts["sources"] if source.endswith(wanted)]
    if len(found) != 1:
        names = ", ".join(Path(source).name for source in facts["sources"])
        raise UsageError(f"session {facts['id']} has {len(facts['sources'])} recordings ({names}): name one with --source")
    return found[0]


def _mapping(codes: tuple[str, ...]) -> dict[str, str]:
    for word in codes:
        if "=" not in word:
            raise UsageError(f"--map {word}: expected CODE=LABEL, such as 'AU12=positive'")
    return dict(word.split("=", 1) for word in codes)
