"""`mer-bench spotting`, `baseline` and `trials`: what the spotter finds in made clips and in recordings."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import platformdirs
from omegaconf import OmegaConf
from rich.progress import Progress

from realtime import settings
from realtime.cli import common
from realtime.cli.bench import machine
from realtime.cli.console import Console
from realtime.errors import SourceError, UsageError
from realtime.output.line_file import cannot_write
from realtime.watching import LiveSettings
from train import places

ABLATION: dict[str, dict[str, Any]] = {  # what is switched off, one at a time
    "without verifier": {"verifier": None},
    "without verifier, refinement": {"verifier": None, "refine": False},
    "without verifier, gates": {"verifier": None, "blink_gate": False, "motion_gate": False},
    "without displacement": {"displacement": False},
    "without refinement": {"refine": False},
}


@click.command()
@click.option(
    "--portraits",
    type=click.Path(path_type=Path),
    default=places.portraits,
    help="Folder of frontal portraits, at least 130: train/README.md says where from.  [default: $MER_DATA/portraits]",
)
@click.option("--clips", type=click.Path(path_type=Path), help="Where the clips lie or will lie.  [default: the user's cache]")
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs/spotting"), show_default=True, help="Where results go.")
@click.option("--ablation", is_flag=True, help="Also measure the spotter with one part at a time switched off.")
@click.option(
    "--rate",
    default=0.25,
    show_default=True,
    type=click.FloatRange(0, min_open=True),
    metavar="R",
    help="Say how many of ten alarms are true where people make R micro-expressions a minute.",
)
@click.option("--jobs", type=click.IntRange(1), default=os.cpu_count(), help="Processes.  [default: one a core]")
@click.argument("settings_", metavar="[SETTING=VALUE]...", nargs=-1)
def spotting(portraits, clips, out, ablation, rate, jobs, settings_):
    """Precision, recall, F1, false alarms, apex error and delay on the standard set of synthetic clips.

    With data=samm_lv, cas_me2, casme3, megc or generic and data.root=FOLDER: on real long recordings, by the grand challenges' protocol."""
    from train.settings import BenchSettings

    overrides = common.only_overrides(settings_, "folders go after their flags, or after data.root=")
    words = {word.split("=")[0] for word in overrides}
    if "data.root" in words and "data" not in words:
        raise UsageError("data.root of which set? Give data=samm_lv, cas_me2, casme3, megc or generic, too")
    config = settings.load("bench", overrides, BenchSettings)
    console = Console(soft_wrap=True)
    if config.data is not None:
        _recordings(OmegaConf.to_object(config), config, out, rate, jobs, console)
        return
    _standard(config, portraits, clips, out, ablation, rate, jobs, console)


def _standard(config, portraits, clips, out, ablation, rate, jobs, console):
    from train.bench.spotting import report, standard

    chosen = OmegaConf.to_object(config).spotter
    several = {"spotter": chosen}
    if ablation:
        several |= {name: replace(chosen, **change) for name, change in ABLATION.items()}
    place = clips or Path(platformdirs.user_cache_dir("mer-live", appauthor=False)) / standard.NAME
    console.print(machine(), style="dim")
    with Progress(console=console, transient=True) as bar:
        making = bar.add_task("clips", total=len(standard.PARTS))
        folders = standard.generate(place, portraits, jobs=jobs, done=lambda: bar.advance(making))
        watching = bar.add_task("spotting", total=sum(part.people for part in standard.PARTS))
        runs = standard.run(folders, several, jobs, lambda: bar.advance(watching))
    results = {name: report.results(*standard.by_part(runs, name), rate) for name in several}
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "results.json").write_text(json.dumps(results, indent=1))
        (out / "results.md").write_text("\n".join(f"## {name}\n\n{report.markdown(result)}" for name, result in results.items()))
        (out / "settings.yaml").write_text(OmegaConf.to_yaml(config))
        report.plot(out / "precision-recall.png", results)
    except OSError as error:
        raise cannot_write(out, error) from error
    console.markdown(report.markdown(results["spotter"]))
    console.print(f"tables, figures and plot in {out}")


def _recordings(chosen, config, out, rate, jobs, console):
    from train.bench.spotting import long, report
    from train.data import cache
    from train.data.annotations import LeftOut

    found = long.load(chosen.data.name, chosen.data.root)
    console.print(machine(), style="dim")
    expressions = [e.kind for one in found.recordings for e in one.expressions]
    console.print(
        f"{found.name}: {len(found.recordings)} recordings, {expressions.count('micro')} micro- and {expressions.count('macro')} "
        f"macro-expressions; {len(found.left)} rows left out, {len(found.mended)} mended"
    )
    place = out / chosen.data.name
    try:
        place.mkdir(parents=True, exist_ok=True)
        (place / "settings.yaml").write_text(OmegaConf.to_yaml(config))
        for name, rows in (("left_out", found.left), ("mended", found.mended)):
            cache.write_rows(place / f"{name}.csv", LeftOut, rows)
        with Progress(console=console, transient=True) as bar:
            task = bar.add_task("recordings", total=len(found.recordings))
            watched = long.watch_all(found.recordings, chosen, place / "watched.jsonl", jobs, lambda: bar.advance(task))
        for one in watched:
            if one.failed:
                console.print(f"not measured: {one.name}: {one.failed}", style="yellow")
        tables = long.predictions(found.recordings, watched)
        for name, found_there in tables.items():
            cache.write_rows(place / f"{name}.csv", long.Prediction, found_there)
        if not found.annotated:
            console.print(f"{sum(map(len, tables.values()))} expressions found: {', '.join(f'{name}.csv' for name in tables)} in {place}")
            return
        result = long.results(found.recordings, watched, rate)
        words = report.of_recordings(result, found.name, chosen.network)
        (place / "results.json").write_text(json.dumps(result, indent=1))
        (place / "results.md").write_text(words, "utf-8")
    except OSError as error:
        raise cannot_write(place, error) from error
    console.markdown(words)
    console.print(f"tables, rows that were left out or mended, and what was said in {place}")


@click.command()
@click.option(
    "--portraits", type=click.Path(path_type=Path), default=places.portraits, help="Folder of frontal portraits.  [default: $MER_DATA/portraits]"
)
@click.option("--clips", type=click.Path(path_type=Path), help="Where the clips lie or will lie.  [default: the user's cache]")
@click.option("--people", default=12, show_default=True, type=click.IntRange(1, 20), help="How many, whom nothing was trained on.")
@click.option("--jobs", type=click.IntRange(1), default=os.cpu_count(), help="Processes.  [default: one a core]")
@click.argument("settings_", metavar="[SETTING=VALUE]...", nargs=-1)
def baseline(portraits, clips, people, jobs, settings_):
    """What a person's baseline changes: false alarms, recall, how soon the spotter is ready, on made clips."""
    from train.bench.spotting import baselines

    overrides = common.only_overrides(settings_, "folders go after their flags")
    chosen = OmegaConf.to_object(settings.load("live", overrides, LiveSettings)).spotter
    console = Console(soft_wrap=True)
    console.print(machine(), style="dim")
    place = clips or Path(platformdirs.user_cache_dir("mer-live", appauthor=False)) / "spotting-baseline"
    with Progress(console=console, transient=True) as bar:
        making = bar.add_task("clips", total=1)
        folders = baselines.generate(place, portraits, people, jobs)
        bar.advance(making)
        watching = bar.add_task("spotting", total=people)
        outcomes, learnt = baselines.measure(folders, chosen, jobs, lambda: bar.advance(watching))
    console.markdown(baselines.markdown(outcomes, learnt))


@click.command()
@click.option(
    "--portraits",
    type=click.Path(path_type=Path),
    default=places.portraits,
    help="Without DIR: faces to make clips of.  [default: $MER_DATA/portraits]",
)
@click.option("--clips", default=7, show_default=True, type=click.IntRange(1), help="Without DIR: how many are made.")
@click.option("--fps", default=100.0, show_default=True, type=click.FloatRange(10, 1000), help="Of clips that are folders of pictures, or made.")
@click.option("--jobs", type=click.IntRange(1), default=os.cpu_count(), help="Processes.  [default: one a core]")
@click.option("--table", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.csv", help="Also write a line for each trial.")
@click.argument("words", metavar="[DIR] [SETTING=VALUE]...", nargs=-1)
def trials(portraits, clips, fps, jobs, table, words):
    """Clips cut from onset to offset, set into two seconds of stillness with four endings: how many are found?

    DIR holds your own (videos, or folders of pictures; in a folder called like an emotion, that is the label); without it
    they are made, of people that nothing was trained on."""
    from train.bench.spotting import trials as those
    from train.data import cache

    overrides, others = common.split_words(words)
    if len(others) > 1:
        raise UsageError(f"unexpected '{others[1]}': one folder, then settings written name=value")
    chosen = OmegaConf.to_object(settings.load("live", overrides, LiveSettings))
    makers = those.own(Path(others[0]), fps) if others else those.generated(portraits, clips, fps)
    console = Console(soft_wrap=True)
    console.print(machine(), style="dim")
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("clips", total=len(makers))
        found = those.try_all(makers, chosen, jobs, lambda: bar.advance(task))
    if all(trial.failed for trial in found):
        raise SourceError(f"no clip could be tried: {found[0].name}: {found[0].failed}")
    for trial in found[:: len(those.WAYS)]:
        if trial.failed:
            console.print(f"not tried: {trial.name}: {trial.failed}", style="yellow", highlight=False)
    console.markdown(those.markdown(found))
    if table is not None:
        cache.write_rows(table, those.Trial, found)
        console.print(f"each trial in {table}")
