"""One recording, worked through by `mer-replay`: every frame in order, and its results in a folder of its own."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from realtime.cli import common
from realtime.cli.batch import Batch, Record
from realtime.cli.beside import Beside, Frames
from realtime.cli.console import Console
from realtime.cli.running import work_through
from realtime.cli.window import paint
from realtime.judged import Trace
from realtime.names import printable
from realtime.naming.recognizer import Recognizer
from realtime.output import lanes
from realtime.output.exports import Found, replace_bytes, write
from realtime.output.frame_table import FrameFile, write_parquet
from realtime.output.recorder import read_markers
from realtime.output.sinks import CsvSink, JsonlSink
from realtime.output.timeline import draw
from realtime.output.video import AnnotatedVideo
from realtime.output.writer import Writer
from realtime.pipeline import Pipeline, Step
from realtime.records import Event, Keyframes, Marker
from realtime.sources import SourceInfo, SourceSettings, open_source
from realtime.watching import LiveSettings, Status, Watch, leading

PATIENCE = 60.0  # a recording can wait for a slow disk


class Takes(Protocol):
    """The event log, or what stands for it."""

    def write(self, event: Event | Marker) -> object: ...


def replay(
    clip: Path,
    name: Path,
    batch: Batch,
    chosen: LiveSettings,
    recognizer: Recognizer,
    log: Takes,
    writers: list[Any],  # `Writer`s, and what counts its `faults` as they do
    bar: Progress,
) -> Watch:
    """Work through one clip. Results lie in its folder also where the clip breaks off.

    Raises:
        SourceError: it cannot be read.
        OutputError: it cannot be written.
    """
    folder, wanted = batch.out / name, batch.wanted
    with ExitStack() as stack:
        source = stack.enter_context(open_source(clip, settings=chosen.source))
        batch.begin(clip, name)  # not before: of a clip that cannot be opened any more the older results are all there is
        found = Found(clip.name, [], Trace(), recognizer.classes, recognizer.name, path=clip if clip.is_file() else None)
        found.markers = read_markers(clip)
        pipeline = Pipeline(printable(clip), chosen, wait=True, recognizer=recognizer)
        stack.callback(pipeline.close)
        sinks = [CsvSink(folder / "events.csv", found.classes, separator=wanted.separator), JsonlSink(folder / "events.jsonl")]
        writer = stack.enter_context(Writer(sinks, common.complain("mer-replay"), patience_s=PATIENCE))
        writers.append(writer)
        film = stack.enter_context(Film("mer-replay", partial(_video, folder, source.info, clip, chosen.source) if wanted.video else None))
        frames = stack.enter_context(Frames("mer-replay", partial(FrameFile, folder / "frames.csv", wanted.separator) if wanted.frames else None))
        writers += [film, frames]
        task = bar.add_task(printable(clip.name), total=source.info.duration)

        def keep_event(event: Event, keyframes: Keyframes):
            found.events.append(event)
            if "report" in wanted.exports:
                found.see(event.event, keyframes)
            writer.write(event)
            log.write(event)

        def note(step: Step):
            found.trace.add(step.frame.pts, *leading(step))
            bar.update(task, completed=step.frame.pts)
            film.write(step, watch.status)
            frames.write(step)

        watch = Watch(source, pipeline, keep_event, note)
        work_through(watch)
        bar.remove_task(task)
        writer.close()  # what was found is safe before anything is drawn
        film.close()
        frames.close()
        for marker in found.markers:
            log.write(replace(marker, source=printable(clip)))
        if watch.interruption:
            return watch  # what is drawn of a part would be taken for the whole
        draw(folder / "timeline.png", found.trace, found.events, clip.name, found.markers)
        if wanted.plot and not frames.faults:
            found.measures = lanes.draw(folder / "frames.csv", wanted.plot, found.events, wanted.separator)
            replace_bytes(folder / "measures.png", found.measures)
        for kind in wanted.exports:
            write(kind, found, folder)
        if wanted.frames and "parquet" in wanted.exports and not frames.faults:
            write_parquet(folder / "frames.csv", folder / "frames.parquet", wanted.separator)
        faults = [fault.message for fault in (*writer.faults, *film.faults, *frames.faults)]
        failure = str(watch.error) if watch.error is not None else "; ".join(faults)
        judged = watch.status.judged.as_dict()
        Record.of(clip, name, wanted, classes=tuple(found.classes), judged=judged, failure=failure).keep(batch.out)
    return watch


class Film(Beside):
    """The annotated video, with the sound of the clip."""

    name = "video"

    def _write(self, step: Step, *more: Status) -> None:
        self._file.write(paint(step, *more), step.frame.pts)

    def _closed(self) -> None:
        if self._file.silent:
            self._say(self._file.silent)


def _video(folder: Path, info: SourceInfo, clip: Path, read: SourceSettings) -> AnnotatedVideo:
    return AnnotatedVideo(folder / "annotated.mp4", info.width, info.height, sound_of=clip if clip.is_file() else None, read=read)


def progress(console: Console) -> Progress:
    parts = TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.percentage:.0f} %"), TimeRemainingColumn()
    return Progress(*parts, console=console, transient=True)
