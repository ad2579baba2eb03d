"""`mer-replay`: recordings, every frame in order, with a table, a timeline and (if asked) a video of each."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import click
from omegaconf import OmegaConf
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from realtime import settings, terminal
from realtime.cli import common
from realtime.cli.running import exit_code, log_session, totals
from realtime.errors import MerError, UsageError
from realtime.pipeline import Pipeline, Step
from realtime.records import Event
from realtime.sinks import CsvSink, JsonlSink, Writer
from realtime.sources import open_source
from realtime.timeline import Trace, draw
from realtime.video import AnnotatedVideo
from realtime.watch import LiveSettings, Watch, leading
from realtime.window import paint

EXAMPLES = """
  mer-replay clip.mp4 --out results                  results/clip/events.csv, events.jsonl, timeline.png
  mer-replay recordings/ --out results --video       every clip below the folder, with an annotated MP4 each
  mer-replay clip.mp4 --out results spotter.sensitivity=6"""
ENDINGS = {".mp4", ".m4v", ".mov", ".mkv", ".avi", ".mpg", ".mpeg", ".webm", ".wmv", ".flv", ".mts", ".m2ts", ".ts", ".ogv", ".3gp"}
PATIENCE = 60.0  # a recording can wait for a slow disk


@common.command("mer-replay", EXAMPLES)
@click.argument("clips", metavar="CLIP|FOLDER... [SETTING=VALUE]...", nargs=-1, required=True)
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="DIR", help="Where results go, a folder for each clip.")
@click.option("--video", is_flag=True, help="Also write an annotated MP4.")
@click.option("--faces", type=click.IntRange(1), help="How many faces to follow, the largest first.  [default: 1]")
@click.option("--model", metavar="NAME|FILE", help="Network of the zoo, or an .onnx file.  [default: dual_atme]")
@click.option("--quiet", is_flag=True, help="No progress and no summary.")
@click.option("--no-log", is_flag=True, help="Keep nothing in the event log (mer-log).")
def main(clips, out, video, faces, model, quiet, no_log):
    """Find micro-expressions in recordings."""
    overrides, words = common.split_words(clips)
    overrides += [f"{key}={value}" for key, value in {"faces.most": faces, "network": model}.items() if value is not None]
    config = settings.load("live", overrides, LiveSettings)
    chosen: LiveSettings = OmegaConf.to_object(config)
    jobs = find_clips(words)
    console = Console(quiet=quiet, highlight=False)
    Pipeline("", chosen).close()  # a model that cannot be had is said before the first clip is opened

    watches, writers, code = [], [], 0
    with ExitStack() as stack:
        log = None if no_log else log_session(chosen.network, [clip for clip, _ in jobs], config)
        log_writer = Writer([log] if log else [], common.complain("mer-replay"), patience_s=PATIENCE)
        writers.append(stack.enter_context(log_writer))
        bar = stack.enter_context(progress(console))
        for clip, name in jobs:
            try:
                watches.append(replay(clip, out / name, chosen, video, log_writer, writers, bar))
            except MerError as error:  # one bad clip does not cost the others their results
                click.echo(f"mer-replay: {error}", err=True)
                code = code or error.exit_code
                continue
            bar.console.print(terminal.summary(watches[-1]))
        if log:
            log.finish(*totals(watches, writers))
    return exit_code("mer-replay", watches, writers) or code


def find_clips(words: list[str]) -> list[tuple[Path, Path]]:
    """Clips and the name of each one's folder of results; folders are walked. Raises UsageError where there is none."""
    found: list[tuple[Path, Path]] = []
    for path in map(Path, words):
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in ENDINGS and p.is_file())
            if not inside:
                raise UsageError(f"no clip in the folder {path}: expected files ending in {', '.join(sorted(ENDINGS))}")
            found += [(clip, clip.relative_to(path).with_suffix("")) for clip in inside]
        else:
            found.append((path, Path(path.stem)))
    if not found:
        raise UsageError("no clip given: name files or folders before the settings")
    taken: dict[Path, int] = {}
    jobs = []
    for clip, name in found:
        taken[name] = taken.get(name, 0) + 1
        # a.mov beside a.mp4: the second becomes a-2
        jobs.append((clip, name if taken[name] == 1 else name.with_name(f"{name.name}-{taken[name]}")))
    return jobs


def replay(clip: Path, folder: Path, chosen: LiveSettings, video: bool, log: Writer, writers: list[Writer], bar: Progress) -> Watch:
    """Work through one clip. Results lie in `folder` also where the clip breaks off. Raises SourceError, OutputError."""
    with ExitStack() as stack:
        source = stack.enter_context(open_source(clip, settings=chosen.source))
        pipeline = Pipeline(str(clip), chosen)
        stack.callback(pipeline.close)
        sinks = [CsvSink(folder / "events.csv", pipeline.recognize.classes), JsonlSink(folder / "events.jsonl")]
        writer = stack.enter_context(Writer(sinks, common.complain("mer-replay"), patience_s=PATIENCE))
        writers.append(writer)
        film = stack.enter_context(AnnotatedVideo(folder / "annotated.mp4", source.info.width, source.info.height)) if video else None
        task = bar.add_task(clip.name, total=source.info.duration)
        trace, events = Trace(), []

        def found(event: Event):
            events.append(event)
            writer.write(event)
            log.write(event)

        def note(step: Step):
            trace.add(step.frame.pts, *leading(step))
            bar.update(task, completed=step.frame.pts)
            if film:
                film.write(paint(step, watch.status), step.frame.pts)

        watch = Watch(source, pipeline, found, note)
        watch.run()
        bar.remove_task(task)
        draw(folder / "timeline.png", trace, events, clip.name)
    return watch


def progress(console: Console) -> Progress:
    parts = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:.0f} %"), TimeRemainingColumn()
    return Progress(*parts, console=console, transient=True)
