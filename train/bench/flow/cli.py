"""`mer-bench flow`: how long optical flow takes, and how right it is, by OpenCV and by us."""

from __future__ import annotations

from pathlib import Path

import click
from rich.progress import Progress

from realtime.cli.bench import machine
from realtime.cli.console import Console
from train import places


@click.command()
@click.option("--portraits", type=click.Path(path_type=Path), help="Folder of portraits.  [default: $MER_DATA/portraits, else the bundled one]")
@click.option(
    "--clip",
    "clips",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A recording of a face. May be repeated.  [default: the demo clip]",
)
@click.option("--pairs", default=20, show_default=True, type=click.IntRange(1), help="Pairs of faces out of the recordings.")
@click.option("--test", "tested", type=click.Path(path_type=Path), help="Instead: decisions on a prepared set with either flow.")
def flow(portraits, clips, pairs, tested):
    """Optical flow by OpenCV and by us: milliseconds a pair of faces, agreement, and error on known movements."""
    from train.bench.flow import compare
    from train.bench.flow import pairs as faces

    console = Console(soft_wrap=True)
    console.print(machine(), style="dim")
    if tested is not None:
        with Progress(console=console, transient=True) as bar:
            task = bar.add_task("clips", total=None)
            decided = compare.decide(tested, lambda done, of: bar.update(task, completed=done, total=of))
        console.print(compare.table_of_decisions(decided))
        return
    folder = portraits or (places.portraits() if places.portraits().is_dir() else None)
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("faces", total=None)
        recorded, rendered = faces.pairs(list(clips), pairs, folder)
        bar.update(task, description="flow", total=compare.steps(recorded, rendered))
        rows = compare.measure(recorded, rendered, lambda: bar.advance(task))
    console.print(
        f"{len(recorded)} pairs of faces out of recordings, {len(rendered)} rendered on {folder or 'the bundled portrait'}",
        style="dim",
    )
    console.print(compare.lacks_opencv() or f"as before: {compare.BEFORE}, used here until there was our own", style="dim")
    if not console.is_terminal:
        console.width = 200
    console.print(compare.table(rows))
