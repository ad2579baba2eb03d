"""`mer-bench`: `live` comes with the stream; all others need what is in `train`."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import platformdirs
from omegaconf import OmegaConf
from rich.markdown import Markdown
from rich.progress import Progress

from engines import device
from realtime import settings
from realtime.cli import common
from realtime.cli.bench import machine, main
from realtime.cli.console import Console
from realtime.errors import MissingPartError, SourceError, UsageError
from realtime.output.line_file import cannot_write
from realtime.watching import LiveSettings
from train.bench.archive import archive
from train.bench.damage.cli import damage
from train.bench.early import early
from train.bench.page.cli import page
from train.bench.people.cli import people
from train.bench.soak.cli import soak
from train.bench.units import units

DATA = Path(os.environ.get("MER_DATA", "../shared/data"))
PORTRAITS = DATA / "portraits"
HAS = "torch,numpy,numba,llvmlite,onnx,opencv-contrib-python"  # as on machines that are lent
ABLATION: dict[str, dict[str, Any]] = {  # what is switched off, one at a time
    "without verifier": {"verifier": None},
    "without verifier, refinement": {"verifier": None, "refine": False},
    "without verifier, gates": {"verifier": None, "blink_gate": False, "motion_gate": False},
    "without displacement": {"displacement": False},
    "without refinement": {"refine": False},
}


@main.command()
@click.option(
    "--portraits",
    type=click.Path(path_type=Path),
    default=PORTRAITS,
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
    console.print(Markdown(report.markdown(results["spotter"])))
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
    console.print(Markdown(words))
    console.print(f"tables, rows that were left out or mended, and what was said in {place}")


@main.command()
@click.option("--portraits", type=click.Path(path_type=Path), default=PORTRAITS, help="Folder of frontal portraits.  [default: $MER_DATA/portraits]")
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
    console.print(Markdown(baselines.markdown(outcomes, learnt)))


@main.command()
@click.option(
    "--portraits", type=click.Path(path_type=Path), default=PORTRAITS, help="Without DIR: faces to make clips of.  [default: $MER_DATA/portraits]"
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
    console.print(Markdown(those.markdown(found)))
    if table is not None:
        cache.write_rows(table, those.Trial, found)
        console.print(f"each trial in {table}")


@main.command()
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
    from train.bench import flow, flow_pairs

    console = Console(soft_wrap=True)
    console.print(machine(), style="dim")
    if tested is not None:
        with Progress(console=console, transient=True) as bar:
            task = bar.add_task("clips", total=None)
            decided = flow.decide(tested, lambda done, of: bar.update(task, completed=done, total=of))
        console.print(flow.table_of_decisions(decided))
        return
    folder = portraits or (PORTRAITS if PORTRAITS.is_dir() else None)
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("faces", total=None)
        recorded, rendered = flow_pairs.pairs(list(clips), pairs, folder)
        bar.update(task, description="flow", total=flow.steps(recorded, rendered))
        rows = flow.measure(recorded, rendered, lambda: bar.advance(task))
    console.print(
        f"{len(recorded)} pairs of faces out of recordings, {len(rendered)} rendered on {folder or 'the bundled portrait'}",
        style="dim",
    )
    console.print(flow.lacks_opencv() or f"as before: {flow.BEFORE}, used here until there was our own", style="dim")
    if not console.is_terminal:
        console.width = 200
    console.print(flow.table(rows))


@main.command()
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
    console.print(Markdown(ablation.markdown(found)))
    console.print(f"the table is in {out / 'results.md'}")


@main.command()
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
    console.print(Markdown(text))
    console.print(f"the table is in {out / table.name}.md and .json, each run in a folder beside it")


@main.command()
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="The report.  [default: engines/reports/NAME-OF-THE-GPU.md]")
def gpu(out):
    """On a machine with a GPU: its tests, its kernels, naming and training, in one report (six minutes at most).

    Exit code 1 where a step failed, 7 where there is no GPU."""
    from train.bench.gpu import steps

    name = steps.gpu()
    if not name:
        raise MissingPartError(f"no GPU: {device.why_not()}; everything else is proved by make test")
    console, outcomes = Console(soft_wrap=True), []
    file = out or steps.file_of(name)
    for outcome in steps.run(steps.plan(), begin=lambda step: console.print(f"{step.title} …", style="dim")):
        outcomes.append(outcome)
        console.print(f"{outcome.step.title}: {outcome.ended}, {outcome.seconds:.0f} s", style=None if outcome.good else "yellow")
        try:  # after every step: whatever ends this program, what it has found is there
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(steps.report(name, outcomes), "utf-8")
        except OSError as error:
            raise cannot_write(file, error) from error
    console.print(f"the report is in {file}")
    return int(not all(one.good or one.step.lacks for one in outcomes))


@main.command("gpu-bundle")
@click.option("--python", default="3.12", show_default=True, metavar="VERSION", help="Of the machine that it is for.")
@click.option("--has", default=HAS, show_default=True, metavar="NAMES", help="Packages that are there already.")
@click.option("--with", "more", multiple=True, metavar="PACKAGE", help="Bring this, too, such as onnxruntime-gpu (250 MB). May be repeated.")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=Path("build/gpu-bundle"), show_default=True, help="Where the parts go."
)
def gpu_bundle(python, has, more, out):
    """Pack what a bare machine with a GPU and no network needs for `mer-bench gpu`."""
    from train.bench.gpu import bundle

    console = Console(soft_wrap=True)
    try:
        with console.status("packing"):
            parts = bundle.pack(out, python, {bundle.normal(name) for name in has.split(",") if name}, list(more))
    except OSError as error:
        raise cannot_write(out, error) from error
    for part in parts:
        console.print(f"{part}: {part.stat().st_size / 1e6:.0f} MB")
    console.print(f"There, with all parts in one folder:\n\n{bundle.UNPACK}\n", markup=False)


main.add_command(people)
main.add_command(archive)
main.add_command(damage)
main.add_command(early)
main.add_command(page)
main.add_command(soak)
main.add_command(units)

if __name__ == "__main__":
    main()
