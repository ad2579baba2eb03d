"""`mer-bench methods`: the papers and the baselines, whole and with each part switched off."""

from __future__ import annotations

import os
from pathlib import Path

import click
from rich.progress import Progress

from realtime.cli import common
from realtime.cli.bench import machine
from realtime.cli.console import Console
from realtime.errors import UsageError
from realtime.output.line_file import cannot_write


@click.command()
@click.option("--train", "training", required=True, type=click.Path(path_type=Path), help="Prepared set to train on (mer-train prepare).")
@click.option("--test", "tested", required=True, type=click.Path(path_type=Path), help="Prepared set of other people to test on.")
@click.option("--method", "methods", multiple=True, metavar="NAME", help="One of them. May be repeated.  [default: all]")
@click.option("--seeds", default=1, show_default=True, type=click.IntRange(1), help="How many seeds each.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs/methods"), show_default=True, help="Where results go.")
@click.option("--jobs", type=click.IntRange(1), default=os.cpu_count(), help="Processes.  [default: one a core]")
@click.argument("settings_", metavar="[SETTING=VALUE]...", nargs=-1)
def methods(training, tested, methods, seeds, out, jobs, settings_):
    """The four papers and the baselines on people unseen in training, each part switched off in turn."""
    from train.measure import ablation

    words = common.only_overrides(settings_, "folders go after their flags")
    if unknown := set(methods) - set(ablation.VARIANTS):
        raise UsageError(f"unknown method '{unknown.pop()}': expected one of {', '.join(ablation.VARIANTS)}")
    for flag, folder in (("--train", training), ("--test", tested)):  # now, not after hours of the other one
        if not (folder / "clips.csv").is_file():
            what = "holds no prepared set (no clips.csv)" if folder.is_dir() else "is no folder"
            raise UsageError(f"{flag} {folder} {what}: mer-train prepare data=NAME data.root=FOLDER data.cache={folder} makes one")
    words = [f"data.cache=[{training}]", f"data.test=[{tested}]", *words]
    commands = ablation.runs(list(methods or ablation.VARIANTS), words, out, list(range(seeds)))
    console = Console(soft_wrap=True)
    console.print(machine(), style="dim")
    with Progress(console=console) as bar:
        task = bar.add_task("methods", total=len(commands))

        def done(key):
            bar.advance(task)
            bar.console.print(f"done: {key[0]}, {key[1]}")

        found = ablation.measure(commands, jobs, done)
    try:
        (out / "results.md").write_text(ablation.markdown(found) + "\n", "utf-8")
    except OSError as error:
        raise cannot_write(out, error) from error
    console.markdown(ablation.markdown(found))
    console.print(f"the table is in {out / 'results.md'}")
