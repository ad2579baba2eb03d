"""`mer-bench early`: how soon a provisional event is told, and what becomes of it, on clips whose truth is known."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import click
from rich.progress import Progress

from realtime.cli.bench import machine
from realtime.cli.console import Console
from realtime.cli.terminal import percentiles
from realtime.errors import SourceError
from realtime.output.line_file import cannot_write
from realtime.parallel import each
from realtime.pipeline import Pipeline, PipelineSettings
from realtime.records import UNSURE, Event
from realtime.sources import open_source
from realtime.spotting.kinds import BESIDE
from train.bench.spotting.detect import Truth, read_truth

HEAD = (
    "told at the apex",
    "a minute",
    "confirmed",
    "of a true movement",
    "kind stays",
    "label stays",
    "after its apex, ms, median / 95 %",
    "after the true apex",
    "events for good, told before",
    "these known after their apex",
)


@dataclass(frozen=True)
class Told:
    """One that was told at its apex.

    Attributes:
        true_apex_s: of the movement that it is about, seconds; None where there was none.
        kind: as it was told, and so label; final_kind, final_label: of the event that it became, None where it was withdrawn.
    """

    apex_s: float
    told_s: float
    kind: str
    label: str
    true_apex_s: float | None
    final_kind: str | None
    final_label: str | None


@dataclass(frozen=True)
class Seen:
    """One clip. finals: of each event for good, whether it was told at its apex before, and how long after that it was known, seconds."""

    fps: float
    seconds: float
    told: tuple[Told, ...]
    finals: tuple[tuple[bool, float], ...]


@click.command()
@click.argument("folders", nargs=-1, required=True, metavar="DIR...", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path("runs/early"), show_default=True, help="Where results go.")
@click.option("--jobs", type=click.IntRange(1), default=os.cpu_count(), help="Processes.  [default: one a core]")
def early(folders, out, jobs):
    """How soon provisional events are told, and how many are confirmed: on clips of mer-synth, a row a folder.

    Those of mer-bench spotting lie in the user's cache, a folder each; times are in the clips' own clock, naming (mer-bench live) comes to it."""
    console = Console(soft_wrap=True)
    console.print(machine(), style="dim")
    parts: dict[str, list[Seen]] = {}
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("clips", total=None)
        for folder in folders:
            parts[folder.name] = _seen(folder, jobs, lambda: bar.advance(task))
    text = markdown(parts)
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "results.md").write_text(text + "\n", "utf-8")
        (out / "results.json").write_text(json.dumps({name: [asdict(one) for one in seen] for name, seen in parts.items()}, indent=1))
    except OSError as error:
        raise cannot_write(out, error) from error
    console.markdown(text)
    console.print(f"table and each movement in {out}")


def watched(clip: Path, truth: Truth) -> Seen:
    """The whole live loop over a clip, as fast as it goes."""
    with open_source(clip) as source:
        pipeline = Pipeline(clip.name, PipelineSettings(action_units=None))
        known = [one.event for step in map(pipeline, source) for one in step.known] + [one.event for one in pipeline.finish()]
    finals = [event for event in known if event.final]
    early = {event.event: event for event in known if not event.final and not event.withdrawn}
    outcome = {event.event: event for event in finals}
    delays = [seconds / 1000 for seconds in pipeline.timings["delay"]]
    late = tuple((event.provisional is False, event.offset_s + delay - event.apex_s) for event, delay in zip(finals, delays, strict=True))
    return Seen(truth.fps, truth.seconds, tuple(_told(event, outcome.get(number), truth) for number, event in early.items()), late)


def _told(event: Event, became: Event | None, truth: Truth) -> Told:
    about = [one for one in truth.micro + truth.macro if one.onset - BESIDE <= event.apex_s <= one.offset + BESIDE]
    nearest = min(about, key=lambda one: abs(one.apex - event.apex_s), default=None)
    true_apex = nearest.apex if nearest else None
    ended = (became.kind, became.label) if became else (None, None)
    return Told(event.apex_s, event.offset_s, event.kind, event.label, true_apex, *ended)


def _seen(folder: Path, jobs: int, done: Callable[[], None]) -> list[Seen]:
    try:
        clips = {folder / truth.name: truth for truth in read_truth(folder)}
    except (OSError, KeyError, ValueError) as error:
        raise SourceError(f"no clips with their truth in '{folder}' ({error}): mer-synth {folder} makes some") from error
    found = []
    for _, seen in each(_one, clips, sorted(clips), "processes", jobs):
        found.append(seen)
        done()
    return found


def _one(clips: dict[Path, Truth], clip: Path) -> Seen:
    return watched(clip, clips[clip])


def markdown(parts: dict[str, list[Seen]]) -> str:
    lines = [f"| | {' | '.join(HEAD)} |", "|---" * (len(HEAD) + 1) + "|"]
    for name, seen in parts.items():
        lines.append(f"| {name} | {' | '.join(_cells(seen))} |")
    return "\n".join(lines)


def _cells(seen: list[Seen]) -> list[str]:
    told = [one for clip in seen for one in clip.told]
    finals = [one for clip in seen for one in clip.finals]
    confirmed = [one for one in told if one.final_kind is not None]
    named = [one for one in confirmed if UNSURE not in (one.label, one.final_label)]
    minutes = sum(clip.seconds for clip in seen) / 60
    return [
        str(len(told)),
        f"{len(told) / minutes:.1f}" if minutes else "–",
        _of(confirmed, told),
        _of([one for one in told if one.true_apex_s is not None], told),
        _of([one for one in confirmed if one.kind == one.final_kind], confirmed),
        _of([one for one in named if one.label == one.final_label], named),
        _ms([one.told_s - one.apex_s for one in told]),
        _ms([one.told_s - one.true_apex_s for one in told if one.true_apex_s is not None]),
        _of([one for one in finals if one[0]], finals),
        _ms([after for before, after in finals if before]),
    ]


def _of(some: list, all_: list) -> str:
    return f"{len(some)} of {len(all_)}" if all_ else "–"


def _ms(seconds: list[float]) -> str:
    return " / ".join(f"{1000 * value:.0f}" for value in percentiles(seconds, 50, 95)) if seconds else "–"
