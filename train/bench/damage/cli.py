"""`mer-bench damage`: how many damaged things end in one line, and how many do not."""

from __future__ import annotations

import os
import tempfile
from collections import Counter, defaultdict
from functools import partial
from pathlib import Path

import click
from rich.progress import Progress

from realtime.cli import common
from realtime.cli.bench import machine
from realtime.cli.console import Console
from realtime.output.line_file import cannot_write
from train.bench.damage import intact, trial
from train.bench.damage.intact import KINDS, Case
from train.bench.damage.trial import Outcome

WRONG = ("crash", "hang", "memory", "traceback", "exit code")


@click.command("damage", cls=common.Command)
@click.option("--count", default=60, show_default=True, type=click.IntRange(1), metavar="N", help="Of each kind.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), metavar="S", help="Another seed damages otherwise.")
@click.option("--kind", "kinds", multiple=True, type=click.Choice(list(KINDS)), help="Only this one. May be repeated.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs/damage"), show_default=True, help="Where what went wrong is kept.")
@click.option("--jobs", type=click.IntRange(1), default=os.cpu_count(), help="Side by side.  [default: one a core]")
def damage(count, seed, kinds, out, jobs):
    """Damage films of every container, networks, manifests, logs, settings and tables, and give them to the commands that read them.

    None may crash, hang (60 s), take over 3 GiB, end in a traceback or with an exit code that says something else. Exit code 1 where one does."""
    console, kinds = Console(soft_wrap=True), kinds or tuple(KINDS)
    console.print(machine(), style="dim")
    with tempfile.TemporaryDirectory(prefix="mer-damage-") as place, console.status("making them whole"):
        one = intact.whole(Path(place), lambda words, folder: trial.run(words, folder).code)
    cases = [partial(intact.case, one, kind, seed, number) for kind in kinds for number in range(count)]
    ended: dict[str, list[tuple[str, Outcome]]] = defaultdict(list)
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("damaged", total=len(cases))
        for number, case, outcome in trial.play_all(cases, jobs):
            wrong = outcome.wrong(case.fine)
            ended[case.kind].append((wrong, outcome))
            if wrong:
                kept = out / f"{case.kind}-{seed}-{number % count}"
                keep(kept, case, outcome)
                bar.console.print(f"{case.kind}: {wrong} ({case.what}): {kept}", style="yellow", highlight=False)
            bar.advance(task)
    console.markdown(markdown(ended))
    return int(any(wrong for several in ended.values() for wrong, _ in several))


def keep(folder: Path, case: Case, outcome: Outcome) -> None:
    """What went wrong: its files, the command and its last words."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in case.files.items():
            (folder / name).write_bytes(data)
        (folder / "said.txt").write_text(
            f"{case.what}\n{list(case.command)}\nexit code {outcome.code}\n\n{outcome.said}", "utf-8", "backslashreplace"
        )
    except OSError as error:
        raise cannot_write(folder, error) from error


def markdown(ended: dict[str, list[tuple[str, Outcome]]]) -> str:
    lines = ["| damaged | number | exit codes | " + " | ".join(WRONG) + " | slowest, s | most memory, MiB |", "|" + "---|" * (len(WRONG) + 5)]
    for kind, several in ended.items():
        codes = ", ".join(f"{code}: {number}" for code, number in sorted(Counter(outcome.code for _, outcome in several).items()))
        wrong = Counter(wrong for wrong, _ in several)
        slowest, most = max(outcome.seconds for _, outcome in several), max(outcome.memory for _, outcome in several)
        lines.append(f"| {kind} | {len(several)} | {codes} | " + " | ".join(str(wrong[name]) for name in WRONG) + f" | {slowest:.1f} | {most:.0f} |")
    return "\n".join(lines)
