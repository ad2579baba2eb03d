"""What a recording on the page can be taken away as, and all of a queue in one archive."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from realtime.dashboard.replay.coders import table
from realtime.dashboard.replay.queue import settings_of
from realtime.dashboard.replay.queued_recording import DONE, Job
from realtime.dashboard.shared import Shared
from realtime.output import lanes
from realtime.output.event_table import csv_text
from realtime.output.exports import KINDS, write, write_as
from realtime.output.exports.found import replace
from realtime.output.exports.tables import RECORDING_COLUMNS, columns_of, recording_row, write_codebook, write_table
from realtime.output.frame_table import write_parquet
from realtime.output.log import Log, Session, SqliteSink, lies_at
from realtime.output.stored_pictures import Keeper, beside
from realtime.output.video import SPAN_S, AnnotatedVideo, annotate
from realtime.review import Reviews
from realtime.review.coders import take_in
from realtime.sources import open_source

# kind → (its name, what it is for); where a file holds pictures of a face, that is said
MENU = {
    "excel": ("Excel", "the events as a table, with a sheet that says what the columns mean"),
    "csv": ("CSV", "the same for other programs"),
    "elan": ("ELAN", "tiers to put beside the recording"),
    "webvtt": ("WebVTT", "the events as subtitles, for a player"),
    "report": ("Report (HTML)", "one page with the curve; holds pictures of the face"),
    "pdf": ("Report (PDF)", "the same on paper; holds pictures of the face"),
    "video": ("Annotated video", "the recording with what was found drawn in; shows the face"),
    "jsonl": ("JSONL", "for programs, one event a line"),
    "parquet": ("Parquet", "for programs, as a data frame"),
}
FRAMES = {  # of a recording that was measured frame by frame
    "frames": ("Every frame (CSV)", "head pose, gaze, 52 blendshapes and the curve: a row a frame, numbers only"),
    "frames_parquet": ("Every frame (Parquet)", "the same for programs, as a data frame"),
}
SLOW = ("video", "report", "pdf", "frames_parquet")  # they read the recording


def menu(job: Job) -> dict[str, tuple[str, str]]:
    """What it can be taken away as."""
    return MENU | (FRAMES if job.measured else {})


def make(kind: str, job: Job, shared: Shared, columns: Sequence[str] = ()) -> Path:
    """The finished file, in the page's own folder.

    Args:
        kind: of `menu(job)`.
        columns: of frames.csv, drawn in reports.

    Raises:
        MerError: where it cannot be written.
    """
    folder = job.folder / "exports"
    folder.mkdir(mode=0o700, exist_ok=True)
    if kind == "video":
        return _video(job, folder / f"{job.found.stem}-annotated.mp4", shared)
    if kind in FRAMES:
        return _frames(job, folder / f"{job.found.stem}-frames.{'csv' if kind == 'frames' else 'parquet'}")
    if kind in ("report", "pdf"):
        job.found.coders, job.found.coders_note = table(job)
        job.found.measures = lanes.draw(job.frames, columns, job.found.events) if job.measured and columns else b""
        for event in job.found.events:
            if event.event not in job.found.thumbnails:
                try:
                    job.found.see(event.event, job.keyframes(event.event))
                except KeyError:
                    continue
    return write(kind, job.found, folder)


def _frames(job: Job, path: Path) -> Path:
    """frames.csv under the recording's name, or Parquet made of it."""
    replace(path, lambda part: (write_parquet if path.suffix == ".parquet" else shutil.copyfile)(job.frames, part))
    return path


def _video(job: Job, path: Path, shared: Shared) -> Path:
    """The recording once more, decoded but not judged again: what is drawn in is what was found."""
    trace = job.found.trace
    t, points = trace.t, list(zip(trace.t, trace.difference, trace.threshold, strict=True))
    events = sorted(job.found.events, key=lambda event: event.offset_s)
    first, known, latest = 0, 0, {}
    with open_source(job.clip, settings=shared.settings.source) as source:
        width, height = source.info.width, source.info.height
        with AnnotatedVideo(path, width, height, sound_of=job.clip, read=shared.settings.source) as video:
            for number, frame in enumerate(source):
                if number >= len(t):
                    break  # cancelled there
                while known < len(events) and events[known].offset_s <= frame.pts:
                    latest[events[known].face] = latest[None] = events[known]
                    known += 1
                while t[first] < frame.pts - SPAN_S:
                    first += 1
                box = job.faces.box(number)
                faces = []
                if box:
                    box = tuple(round(share * side) for share, side in zip(box, (width, height) * 2, strict=True))
                    faces = [(box, latest.get(job.faces.who(number)))]
                drawn = annotate(frame.pixels, faces, points[first : number + 1], latest.get(None), frame.pts)
                video.write(drawn, frame.pts)
    return path


def store(jobs: list[Job], shared: Shared, recording: bool = False) -> list[int]:
    """Put the events into the event log, with their pictures beside it, for Review: one session for each network; coders' marks as
    reviewers' words. A second call adds only what is not there.

    Args:
        recording: the whole recordings, too.

    Returns:
        The sessions' numbers.

    Raises:
        MerError: where they cannot be written, also where mer-demo was started with --read-only.
    """
    shared.refuse_if_read_only("Keeping events for review")
    new = [job for job in jobs if job.stored is None or not _logged(job.stored, shared)]
    for model in dict.fromkeys(job.found.model for job in new):
        _session([job for job in new if job.found.model == model], shared)
    for job in jobs:
        for coder in job.coders.values():
            take_in(Reviews(shared.log), job.stored, job.name, coder)
    keeper = Keeper(beside(shared.log))
    for job in jobs if recording else ():
        if not job.whole:
            lies_at(shared.log, job.stored, job.name, keeper.keep_recording(job.stored, job.name, job.clip))
            job.whole = True
    return sorted({job.stored for job in jobs})


def _session(jobs: list[Job], shared: Shared) -> None:
    names, keeper = [job.name for job in jobs], Keeper(beside(shared.log))
    sink = SqliteSink(Session(jobs[0].found.model, names, asdict(settings_of(jobs[0], shared)), files={}), shared.log)
    sink.open()
    try:
        for job in jobs:
            for event in job.found.events:
                sink.write(event)
        frames, faults = sum(len(job.copy.times) for job in jobs), [job.message for job in jobs if job.message]
        judged = {job.name: job.judged.as_dict() for job in jobs if job.judged}
        sink.finish(frames, {}, dict.fromkeys(faults, 1), judged, "; ".join(faults))
    finally:
        sink.close()
    for job in jobs:
        job.stored, job.whole = sink.id, False
        for event in job.found.events:
            with suppress(KeyError):  # its pictures are gone
                keeper.keep(sink.id, event, job.keyframes(event.event))


def _logged(number: int, shared: Shared) -> bool:
    """Whether a session is still there: Review may have deleted it."""
    return shared.log.exists() and any(session["id"] == number for session in Log(shared.log).sessions())


ARCHIVE = "mer-live-recordings.zip"
FOR_EACH = ("elan", "webvtt")  # kinds of `realtime.output.exports`


def everything(jobs: list[Job], folder: Path) -> Path:
    """Writes it into `folder`, over an older one, and says where.

    Raises:
        OutputError: where it cannot be written.
        OSError: where the folder has gone with its page.
    """
    here = folder / "all"
    here.mkdir(mode=0o700, exist_ok=True)
    found = [job.found for job in jobs if job.shown]
    files = [here / "events.csv", here / "events.xlsx", write_codebook(here, [*RECORDING_COLUMNS, *columns_of(found)])]
    for path in files[:2]:
        write_table(path, found)
    recordings = here / "recordings.csv"  # those without an event, too
    recordings.write_text(csv_text(RECORDING_COLUMNS, map(_row, jobs)), "utf-8", newline="")
    with zipfile.ZipFile(folder / ARCHIVE, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in (*files, recordings):
            packed.write(path, path.name)
        for job in jobs:
            if job.shown and job.measured:
                packed.write(job.frames, f"{job.name}-frames.csv")
        for one in found:
            for kind in FOR_EACH:
                ending = KINDS[kind][0]
                part = here / f"one{ending}"
                write_as(kind, one, part)
                packed.write(part, f"{one.name}{ending}")  # names are distinct, stems need not be
    return folder / ARCHIVE


def _row(job: Job) -> dict:
    """One that was cancelled, or still waits, has not failed, but is not whole either."""
    return recording_row(job.name, "", job.found, job.judged.as_dict() if job.judged else {}, job.message or ("" if job.state == DONE else job.state))
