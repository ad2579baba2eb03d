"""`mer-study`: recordings of several participants and conditions, worked through once, told in one table."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import click

from realtime.cli import common, replay
from realtime.cli.clips import find_clips
from realtime.cli.console import print_table
from realtime.errors import UsageError
from realtime.output.baselines import listed
from realtime.parallel.cluster import connected
from realtime.sources import lies_here
from realtime.study import Recording, Study, by_pattern, by_table
from realtime.study import report as reports
from realtime.study.summary import grouped, tell

EXAMPLES = """
  mer-study init anger                                                      a folder for the study
  mer-study add anger videos/ --pattern "{participant}_{condition}"         p03_calm.mp4 is participant p03, condition calm
  mer-study add anger videos/ --table people.csv                            columns file, participant, condition, session
  mer-study run anger                                                       what is new or changed alone
  mer-study summary anger                                                   summary.csv, by_condition.csv, report.html, …"""
FOLDER = click.argument("folder", metavar="FOLDER", type=click.Path(path_type=Path))


@common.group("mer-study", EXAMPLES)
def main():
    """Work through the recordings of a study, and sum up what was found."""


@main.command()
@FOLDER
def init(folder):
    """Make a study in FOLDER."""
    study = Study.make(folder)
    click.echo(f"{study.folder} is a study without recordings: mer-study add {folder} RECORDING…")


@main.command()
@FOLDER
@click.argument("recordings", nargs=-1, required=True, metavar="RECORDING|FOLDER...")
@click.option("--pattern", help="What their names say, such as {participant}_{condition}_{session}.")
@click.option("--table", type=click.Path(path_type=Path), metavar="FILE", help="A table that says it: columns file, participant, condition, session.")
@click.option("--participant", default="", help="Of all of them.")
@click.option("--condition", default="", help="Of all of them.")
@click.option("--session", default="", help="Of all of them.")
def add(folder, recordings, pattern, table, participant, condition, session):
    """Add recordings; those that are there already are not added twice."""
    study = Study(folder)
    paths = [clip for clip, _ in find_clips(list(recordings)).jobs]
    if absent := [path for path in paths if not lies_here(path)]:
        raise UsageError(f"there is no recording {absent[0]}")
    if pattern and table:
        raise UsageError("--pattern and --table say the same: give one of them")
    given = [Recording(str(path.absolute()), participant, condition, session) for path in paths]
    if table:
        given += by_table(table, paths)
    for path in paths if pattern else ():
        if (named := by_pattern(path, pattern)) is None:
            raise UsageError(f"{path.name} does not fit --pattern {pattern}")
        given.append(named)
    new, changed = study.add(given)
    bare = sum(not one.participant for one in study.recordings)
    click.echo(
        f"{new} recordings added, {changed} told more of; {len(study.recordings)} in {study.table}" + f", {bare} without a participant" * bool(bare)
    )


@main.command()
@FOLDER
@click.option("--launcher", type=click.Choice(["inline", "ray"]), default="inline", show_default=True, help="Where recordings go, as in mer-replay.")
@click.option("--again", is_flag=True, help="Do anew what is done.")
@click.option("--baselines", is_flag=True, help="Use the participants' baselines (mer-log baseline list), where they have one.")
def run(folder, launcher, again, baselines):
    """Work through what is new or changed, with the settings and exports of FOLDER/study.yaml."""
    study = Study(folder)
    if not study.recordings:
        raise UsageError(f"{study.table} names no recordings: mer-study add {folder} RECORDING…")
    options = ["--out", str(study.results), "--launcher", launcher, *(["--again"] if again else [])]
    options += ["--export", ",".join(study.export)] if study.export else []
    known = {one.participant for one, _ in listed()} if baselines else set()
    groups: dict[str, list[str]] = {}
    for one in study.recordings:
        groups.setdefault(one.participant if one.participant in known else "", []).append(str(study.place(one)))
    codes = []
    with connected() if launcher == "ray" else nullcontext():  # one for all participants
        for participant, paths in groups.items():
            whose = ["--participant", participant] if participant else []
            codes.append(replay.main.main([*paths, *options, *whose, *study.settings], standalone_mode=False))
    return next(filter(None, codes), 0)


@main.command()
@FOLDER
def summary(folder):
    """Sum up: a row a recording, rates by condition and participant, one picture, one report."""
    study = Study(folder)
    told = tell(study)
    written = reports.write(study, told)
    print_table(
        ["condition", "recordings", "judged s", "micro", "macro", "micro a minute"],
        [
            [one.facts["condition"], one.recordings, f"{one.judged:.0f}", one.micro, one.macro, one.a_minute(one.micro) if one.judged else ""]
            for one in grouped(told, lambda one: (one.facts["condition"],))
        ],
    )
    for one in told:
        if one.failure:
            click.echo(f"not in the sums: {one.recording}: {one.failure}", err=True)
    click.echo(f"wrote {', '.join(path.name for path in written)} in {study.folder}")


if __name__ == "__main__":
    main()
