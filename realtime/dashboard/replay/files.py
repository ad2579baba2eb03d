"""What a recording on the page can be taken away as."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from realtime.dashboard.replay.job import Job
from realtime.dashboard.shared import Shared
from realtime.exports import write
from realtime.kept import Keeper, beside
from realtime.log import Log, Session, SqliteSink, lies_at
from realtime.sources import open_source
from realtime.video import SPAN_S, AnnotatedVideo, annotate

BUTTONS = {
    "csv": "CSV", "jsonl": "JSONL", "parquet": "Parquet", "elan": "ELAN", "webvtt": "WebVTT", "video": "Annotated video",
    "report": "Report (HTML)", "pdf": "Report (PDF)",
}  # fmt: skip
SLOW = ("video", "report", "pdf")  # they read the recording


def make(kind: str, job: Job, shared: Shared) -> Path:
    """The finished file, in the page's own folder. Raises MerError."""
    folder = job.folder / "exports"
    folder.mkdir(mode=0o700, exist_ok=True)
    if kind == "video":
        return _video(job, folder / f"{job.found.stem}-annotated.mp4", shared)
    if kind in ("report", "pdf"):
        for event in job.found.events:
            if event.event not in job.found.thumbnails:
                try:
                    job.found.see(event.event, job.keyframes(event.event))
                except KeyError:
                    continue
    return write(kind, job.found, folder)


def _video(job: Job, path: Path, shared: Shared) -> Path:
    """The recording once more, decoded but not judged again: what is drawn in is what was found."""
    trace = job.found.trace
    t, points = trace.t, list(zip(trace.t, trace.difference, trace.threshold, strict=True))
    events = sorted(job.found.events, key=lambda event: event.offset_s)
    first, known, latest = 0, 0, {}
    with open_source(job.clip, settings=shared.settings.source) as source:
        width, height = source.info.width, source.info.height
        with AnnotatedVideo(path, width, height, sound_of=job.clip) as video:
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


def store(job: Job, shared: Shared, recording: bool = False) -> int:
    """Put the events into the event log, with their pictures beside it, as a session for Review; its number. recording:
    the whole recording, too. A second call adds only what is not there. Raises MerError, also where mer-demo was started
    with --read-only.
    """
    shared.refuse_if_read_only("Keeping events for review")
    keeper = Keeper(beside(shared.log))
    if job.stored is None or not _logged(job.stored, shared):
        job.stored, job.whole = _session(job, shared), False
        for event in job.found.events:
            try:
                keeper.keep(job.stored, event, job.keyframes(event.event))
            except KeyError:
                continue
    if recording and not job.whole:
        lies_at(shared.log, job.stored, job.name, keeper.keep_recording(job.stored, job.clip))
        job.whole = True
    return job.stored


def _session(job: Job, shared: Shared) -> int:
    sink = SqliteSink(Session(job.found.model, [job.name], asdict(shared.settings), files={}), shared.log)
    sink.open()
    try:
        for event in job.found.events:
            sink.write(event)
        judged = {job.name: job.watch.status.judged.as_dict()} if job.watch else {}
        sink.finish(len(job.copy.times), {}, {job.message: 1} if job.message else {}, judged, job.message)
    finally:
        sink.close()
    return sink.id


def _logged(number: int, shared: Shared) -> bool:
    """Whether a session is still there: Review may have deleted it."""
    return shared.log.exists() and any(session["id"] == number for session in Log(shared.log).sessions())
