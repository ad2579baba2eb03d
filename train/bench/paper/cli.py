"""`mer-bench paper`: a paper's table or figure, measured here."""

from __future__ import annotations

from pathlib import Path

import click

from realtime.cli import common
from realtime.cli.bench import machine
from realtime.cli.console import Console
from realtime.errors import UsageError
from realtime.output.line_file import cannot_write


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs/paper"), show_default=True, help="Where runs and tables go.")
@click.option(
    "--people", multiple=True, metavar="NAME", help="For a figure: whom it shows, such as casme2/sub01. May be repeated.  [default: the paper's]"
)
@click.argument("words", metavar="[TABLE] [SETTING=VALUE]...", nargs=-1)
def paper(out, people, words):
    """A table of one of the four papers, measured here: its numbers beside ours.

    Without TABLE, or with a paper's name alone, lists them with the data that each takes. data=NAME chooses one of those; without it, all
    that are prepared are measured. Other settings are `mer-train`'s (schedule=cpu, seeds=[0], launcher=processes workers=4). What is
    measured stays, and the same command goes on where it was broken off. Exit code 2 where data are not prepared."""
    from train.bench.paper import tables

    overrides, names = common.split_words(words)
    if len(names) > 1:
        raise UsageError(f"unexpected '{names[1]}': one table, then settings written name=value")
    known, console = tables.tables(), Console(soft_wrap=True)
    if not names or names[0] in tables.PAPERS:
        for line in tables.listed([one for one in known.values() if not names or one.name.startswith(f"{names[0]}.")]):
            console.print(line, highlight=False)
        return
    table = tables.table(names[0])
    console.print(machine(), style="dim")
    try:
        if table.draws:
            from train.bench.paper import figures

            console.print(f"the figure is {figures.draw(table, overrides, people, out, console)}")
            return
        from train.bench.paper import measure

        text = measure.measure(table, overrides, out, console)
    except OSError as error:
        raise cannot_write(out, error) from error
    console.markdown(text)
    console.print(f"the table is in {out / table.name}.md and .json, each run in a folder beside it")
