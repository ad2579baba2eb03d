"""`mer-bench soak`: what was lost, and what grew."""

from __future__ import annotations

import math
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.progress import Progress

from realtime.cli import common
from realtime.cli.bench import machine
from realtime.cli.console import Console
from realtime.errors import MissingPartError
from train.bench.soak.films import truth
from train.bench.soak.schedule import FAULTS, schedule

if TYPE_CHECKING:  # scipy and the page's server come with extras, and mer-bench starts without them
    from train.bench.soak.growth import Slope
    from train.bench.soak.judge import Found

A_DAY = 1440  # minutes
SECONDS = 5.6  # of the demo clip that each visit shows: a second at rest and two movements
UNITS = {"memory": "MiB", "files": "descriptors", "threads": "", "children": "", "temporary": "files"}


@click.command("soak", cls=common.Command)
@click.option("--hours", default=1.0, show_default=True, type=click.FloatRange(0, min_open=True), metavar="H", help="Of simulated time.")
@click.option("--faults", default=1.0, show_default=True, type=click.FloatRange(0), metavar="PER_MINUTE", help="How many, a simulated minute.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), metavar="S", help="Another seed draws other faults at other times.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Keep log, files and what was said there.  [default: nowhere]"
)
def soak(hours, faults, seed, out):
    """Play known clips to mer-live and to the page, in simulated time as fast as it goes, while something fails every so often.

    Every minute somebody sits before the camera for some seconds and moves twice; else the room is empty and comes at one picture a second, so that
    a simulated day takes hours. All of it is the program as it is: decoder, tracking, spotting, naming, log, file, webhook, page. Exit
    code 1 where a movement that nothing disturbed is not in the log once, a line is said more often than something happened, or something grows."""
    try:
        from train.bench.soak.growth import slopes
        from train.bench.soak.judge import judge
        from train.bench.soak.run import Soak
    except ModuleNotFoundError as error:
        raise MissingPartError(f"{error.name} is not installed: pip install 'mer-live[demo,train]'") from error
    console, minutes = Console(soft_wrap=True), max(1, math.ceil(60 * hours - 1e-9))
    console.print(machine(), style="dim")
    begun = time.monotonic()
    with ExitStack() as stack:
        folder = out or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mer-soak-")))
        folder.mkdir(parents=True, exist_ok=True)
        bar = stack.enter_context(Progress(console=console, transient=True))
        task = bar.add_task("minutes", total=minutes)
        played = Soak(folder.absolute(), SECONDS, lambda minute, fault: bar.update(task, completed=minute, description=fault or "minutes"))
        played.run(minutes, schedule(minutes, faults, seed, SECONDS))
        found = judge(played, minutes)
    wall = time.monotonic() - begun
    grown = {"mer-live": slopes([life.samples for life in played.lives]), "the page's server": slopes([played.served])}
    struck = Counter(fault.kind for fault in played.course.struck)
    console.markdown(markdown(found, grown))
    console.print(f"{minutes / 60:.3g} simulated hours in {wall / 60:.1f} minutes: a day would take {wall / minutes * A_DAY / 3600:.1f} hours")
    console.print("faults: " + ", ".join(f"{struck[kind]} {kind}" for kind in FAULTS if struck[kind]), style="dim", highlight=False)
    if held := len(played.camera.held) + sum(len(opened.page.held) for opened in played.opened):
        console.print(f"the machine was too busy {held} times: movements nearby are not counted", style="yellow", highlight=False)
    wrong = [line for one in found for line in one.wrong]
    for line in wrong:
        console.print(line, style="yellow", highlight=False, markup=False)
    return int(bool(wrong) or any(slope.grows for several in grown.values() for slope in several))


def markdown(found: tuple[Found, Found], grown: dict[str, list[Slope]]) -> str:
    """Two tables: events, and what is held."""
    moves = len(truth(SECONDS))
    lines = [f"| of {moves} movements a visit | undisturbed | in the log once | events in the log | not right |", "|---|---|---|---|---|"]
    for name, one in zip(grown, found, strict=True):
        lines.append(f"| {name} | {one.ought} | {one.once} | {one.rows} | {len(one.wrong)} |")
    lines += ["", "| held | median | more an hour (95 %) | grows |", "|---|---|---|---|"]
    for name, several in grown.items():
        for slope in several:
            unit = UNITS[slope.name]
            lines.append(
                f"| {name}: {slope.name} | {slope.middle:.0f} {unit} | {slope.an_hour:.2f} ({slope.low:.2f} to {slope.high:.2f}) | {'yes' if slope.grows else 'no'} |"
            )
    return "\n".join(lines)
