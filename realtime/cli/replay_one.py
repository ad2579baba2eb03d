"""One recording, worked through by `mer-replay`: every frame in order, and its results in a folder of its own."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from realtime.cli import common
from realtime.cli.batch import Batch, Record
from realtime.cli.console import Console
from realtime.cli.running import work_through
from realtime.cli.window import paint
from realtime.errors import OutputError
from realtime.judged import Trace
from realtime.names import printable
from realtime.naming.recognizer import Recognizer
from realtime.output.exports import Found, write
from realtime.output.sinks import CsvSink, Fault, JsonlSink, Writer
from realtime.output.timeline import draw
from realtime.output.video import AnnotatedVideo
from realtime.pipeline import Pipeline, Step
from realtime.records import Event, Keyframes
from realtime.sources import SourceInfo, SourceSettings, open_source
from realtime.watch import LiveSettings, Status, Watch, leading

PATIENCE = 60.0  # a recording can wait for a slow disk


class Takes(Protocol):
    """The event log, or what stands for it."""

    def write(self, event: Event) -> object: ...


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
        found = Found(clip.name, [], Trace(), recognizer.classes, recognizer.name, path=clip)
        pipeline = Pipeline(printable(clip), chosen, wait=True, recognizer=recognizer)
        stack.callback(pipeline.close)
        sinks = [CsvSink(folder / "events.csv", found.classes, separator=wanted.separator), JsonlSink(folder / "events.jsonl")]
        writer = stack.enter_context(Writer(sinks, common.complain("mer-replay"), patience_s=PATIENCE))
        writers.append(writer)
        film = stack.enter_context(Film(folder / "annotated.mp4", source.info, clip if wanted.video else None, chosen.source))
        writers.append(film)
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

        watch = Watch(source, pipeline, keep_event, note)
        work_through(watch)
        bar.remove_task(task)
        writer.close()  # what was found is safe before anything is drawn
        film.close()
        if watch.interruption:
            return watch  # what is drawn of a part would be taken for the whole
        draw(folder / "timeline.png", found.trace, found.events, clip.name)
        for kind in wanted.exports:
            write(kind, found, folder)
        faults = [fault.message for fault in (*writer.faults, *film.faults)]
        failure = str(watch.error) if watch.error is not None else "; ".join(faults)
        judged = watch.status.judged.as_dict()
        Record.of(clip, name, wanted, classes=tuple(found.classes), judged=judged, failure=failure).keep(batch.out)
    return watch


class Film:
    """The annotated video, with the sound of `clip`, where that is given and read as `read` says. A disk that
    fills up ends the video, not the work on the clip."""

    def __init__(self, path: Path, info: SourceInfo, clip: Path | None, read: SourceSettings):
        self.faults: list[Fault] = []
        self._video = AnnotatedVideo(path, info.width, info.height, sound_of=clip, read=read) if clip else None

    def write(self, step: Step, status: Status) -> None:
        if self._video:
            with self._counted():
                self._video.write(paint(step, status), step.frame.pts)

    @property
    def exit_code(self) -> int:
        return OutputError.exit_code if self.faults else 0

    def __enter__(self) -> Film:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        if self._video:
            with self._counted():
                self._video.close()
                if self._video.silent:
                    common.complain("mer-replay")(self._video.silent)

    @contextmanager
    def _counted(self):
        try:
            yield
        except OutputError as error:
            common.complain("mer-replay")(str(error))
            self.faults.append(Fault("video", str(error)))
            self._video = None


def progress(console: Console) -> Progress:
    parts = TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.percentage:.0f} %"), TimeRemainingColumn()
    return Progress(*parts, console=console, transient=True)
