"""`mer-log import` and `mer-log compare`: what human coders have marked, beside what the program found."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import click

from realtime.cli import common
from realtime.cli.console import Console, print_table
from realtime.errors import MissingPartError, UsageError
from realtime.review import Reviews
from realtime.review.codings import Coding, read_codings
from realtime.review.comparison import Comparison, alpha, compare, matched
from realtime.review.item import Item

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
    codings = [one for coding in read_codings(file, tiers) if (one := _meant(coding, _mapping(codes), shift)) is not None]
    if len(there := sorted({one.tier for one in codings})) > 1 and not tiers:
        raise UsageError(f"{file} has {len(there)} tiers: choose with --tier, one or several of {', '.join(map(repr, there))}")
    items = [item for item in reviews.items(facts["id"]) if item.source == source]
    ours = [item for item in items if item.event is not None]
    about = matched(ours, codings)
    for number, coding in enumerate(codings):
        _keep(reviews, facts["id"], source, reviewer, coding, about.get(number), items, kind)
    if complete:
        for item in ours:
            if item not in about.values() and not item.reviews.get(reviewer):
                reviews.judge(facts["id"], item.key, reviewer, reject=True)
    new = len(codings) - len(about)
    click.echo(f"{len(codings)} codings by {reviewer}: {len(about)} about events that were found, {new} added; mer-log compare {facts['id']}")


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
    print_table(
        ["who", "found", "missed", "false", "precision", "recall", "F1", "onset ms", "apex ms", "kappa"],
        [_cells(compare(items, name, iou)) for name in names],
    )
    console = Console(soft_wrap=True)
    console.print(f"found from an overlap of {iou:g} on (intersection over union); times: program less coder, median ± median distance", style="dim")
    try:
        whole = alpha(items)
    except MissingPartError as error:
        console.print(str(error), style="dim")
    else:
        console.print("Krippendorff's alpha of all, the program included: " + ("undefined" if whole is None else f"{whole:.2f}"))


def _cells(one: Comparison) -> list:
    shares = [f"{value:.2f}" if math.isfinite(value) else "" for value in (one.precision, one.recall, one.f1)]
    times = [f"{middle:+.0f} ± {apart:.0f}" if math.isfinite(middle) else "" for middle, apart in (one.onset_ms, one.apex_ms)]
    return [one.reviewer, one.found, one.missed, one.false, *shares, *times, "" if one.kappa is None else f"{one.kappa:.2f}"]


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


def _meant(coding: Coding, means: dict[str, str], shift: float) -> Coding | None:
    """With its label in place of its code, and its times moved; None for one that is left out."""
    label = means.get(coding.code, coding.code)
    apex = None if coding.apex_s is None else coding.apex_s + shift
    moved = Coding(coding.onset_s + shift, coding.offset_s + shift, label, coding.tier, apex, coding.action_units)
    return moved if label else None


def _keep(reviews: Reviews, session: int, source: str, reviewer: str, coding: Coding, item: Item | None, items: list[Item], kind: str | None) -> None:
    """Write one down; one that an earlier import has written stays one."""
    lasts = coding.offset_s - coding.onset_s
    apex = coding.apex_s
    if apex is None:  # not marked: the program's, if it lies within, else the middle
        inside = item is not None and coding.onset_s < item.found.apex_s <= coding.offset_s
        apex = item.found.apex_s if item is not None and inside else coding.onset_s + lasts / 2
    marks: dict[str, Any] = {"onset_s": coding.onset_s, "offset_s": coding.offset_s, "label": coding.code, "action_units": coding.action_units}
    marks["kind"] = kind or ("micro" if lasts <= 0.5 else "macro")
    if item is not None:
        reviews.judge(session, item.key, reviewer, apex_s=apex, **marks)
        return
    there = (one for one in items if one.event is None and reviewer in one.reviews)
    if not any(abs(one.found.onset_s - coding.onset_s) < 2e-3 and abs(one.found.offset_s - coding.offset_s) < 2e-3 for one in there):
        reviews.add(session, reviewer, source, apex, **marks)
