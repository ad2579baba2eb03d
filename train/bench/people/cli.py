"""`mer-bench people`: real people's movements named by a ladder of recipes, each person unseen."""

from __future__ import annotations

import os
from pathlib import Path

import click
from rich.progress import Progress

from realtime.cli.bench import machine
from realtime.cli.console import Console
from realtime.output.line_file import cannot_write
from train.synthesis.real_motion import maps_file


@click.command()
@click.option("--maps", type=click.Path(dir_okay=False, path_type=Path), help="The flow maps.  [default: $MER_DATA/megc2019/flow_28x28.npz]")
@click.option("--portraits", type=click.Path(path_type=Path), help="Folder of portraits to render on.  [default: beside it]")
@click.option("--held-out", type=click.Choice(["person", "dataset"]), default="person", show_default=True, help="Who is predicted by the others.")
@click.option("--seeds", default=3, show_default=True, type=click.IntRange(1), help="How many.")
@click.option("--each", "number", default=40, show_default=True, type=click.IntRange(4), help="Maps rendered of each portrait.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path("runs/people"), show_default=True, help="Where results go.")
@click.option("--jobs", type=click.IntRange(1), default=os.cpu_count(), help="Processes that render.  [default: one a core]")
def people(maps, portraits, held_out, seeds, number, out, jobs):
    """Six recipes on real people (MEGC2019), each person unseen: every one of them, and the one that the other people choose.

    What they are, and what was expected of them, stands in train/bench/people/ladder.py. What is rendered and learnt is kept in --out
    and used again. Half an hour on two cores."""
    from train.bench.people import report, run

    file = maps or maps_file()
    console = Console(soft_wrap=True)
    console.print(machine(), style="dim")
    with Progress(console=console, transient=True) as bar:
        tasks: dict = {}

        def done(what: str, count: int, of: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what)
            bar.update(tasks[what], completed=count, total=of)

        try:
            result = run.climb(file, portraits or file.parents[1] / "portraits", out, held_out, list(range(seeds)), number, jobs, done)
            words = report.markdown(result, held_out)
            (out / f"results-{held_out}.md").write_text(words, "utf-8")
        except OSError as error:
            raise cannot_write(out, error) from error
    console.markdown(words)
    console.print(f"tables and predictions in {out}")
