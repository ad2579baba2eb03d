"""`mer-synth`: clips of synthetic micro-expressions on portraits, with exact truth."""

from __future__ import annotations

from pathlib import Path

import click
import cv2

from realtime.cli.common import command
from realtime.cli.console import Console
from train.synthesis.conditions import PRESETS

EXAMPLES = """\
  mer-synth /tmp/set --portraits portraits --people 2 --minutes 0.5 --fps 100 --seed 0
  mer-synth /tmp/speech --portraits portraits --people 5 --conditions speaking
  mer-synth /tmp/quiet --portraits portraits --without speech --without head
"""


@command("mer-synth", EXAMPLES)
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
@click.option("--portraits", required=True, type=click.Path(path_type=Path), help="Folder: one portrait a person.")
@click.option("--people", default=2, show_default=True, help="How many people, one clip each.")
@click.option("--first", default=0, show_default=True, help="Skip this many portraits: other people than before.")
@click.option("--minutes", default=1.0, show_default=True, help="Length of each clip.")
@click.option("--fps", default=100.0, show_default=True, help="Nominal frames a second (25, 30, 60, 100, 200).")
@click.option("--seed", default=0, show_default=True, help="The same seed gives the same frames and truth.")
@click.option("--conditions", type=click.Choice(list(PRESETS)), default="all", show_default=True)
@click.option("--without", multiple=True, metavar="NAME", help="Leave this out (micro, macro, speech, blink, …).")
@click.option("--only", multiple=True, metavar="NAME", help="Leave everything else out.")
@click.option("--jobs", type=int, default=None, help="Processes; by default one for each core.")
def main(out, portraits, people, first, minutes, fps, seed, conditions, without, only, jobs):
    """Write clips with known truth into OUT: <clip>.mp4 and .png, truth.csv, nuisances.csv, clips.csv."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from train.synthesis.clip import make_set

    cv2.setNumThreads(1)
    wanted = PRESETS[conditions].without(*without)
    wanted = wanted.only(*only) if only else wanted
    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("frames", total=round(people * minutes * 60 * fps))
        made = make_set(
            out,
            portraits,
            people,
            minutes,
            fps,
            seed,
            wanted,
            first,
            jobs,
            tell=lambda frames: progress.advance(task, frames),
            say=lambda line: progress.console.print(f"mer-synth: {line}", highlight=False),
        )
        progress.update(task, completed=sum(int(row["frames"]) for row in made.clips))
    micro = sum(row["kind"] == "micro" for row in made.truth)
    click.echo(f"{len(made.clips)} clips, {micro} micro- and {len(made.truth) - micro} macro-expressions, {len(made.nuisances)} nuisances in '{out}'")


if __name__ == "__main__":
    main()
