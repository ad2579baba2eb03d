"""Recordings that wait for their turn, and the one thread that works through them, one at a time, as mer-replay does."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from realtime.dashboard.live.figures import face_of
from realtime.dashboard.replay.copy import Copy
from realtime.dashboard.replay.faces import Faces
from realtime.dashboard.replay.job import CANCELLED, DONE, FAILED, WAITING, WORKING, Job
from realtime.dashboard.shared import Shared
from realtime.errors import MerError, OutputError
from realtime.exports import Found, Remembering
from realtime.pipeline import Pipeline, Step
from realtime.sources import open_source
from realtime.trace import Trace
from realtime.watch import Watch, leading

MOST = 50  # recordings of one page
MOST_RATE = 240  # pictures a second; a film of a million within one second is no film of a face


class Queue:
    """One for each program. All methods may be called from any thread."""

    def __init__(self, shared: Shared, on_done: Callable[[Job], None] = lambda job: None):
        """on_done: called with each job that was worked through, from the worker."""
        self._shared, self._on_done = shared, on_done
        self._jobs: dict[str, Job] = {}
        self._guard = threading.Lock()
        self._turn: queue.Queue[Job | None] = queue.Queue()
        self._worker: threading.Thread | None = None
        shared.at_session_end(self.forget)
        shared.at_end(self.close)

    def add(self, job: Job) -> Job:
        """Raises MerError where the page has too many."""
        with self._guard:
            if sum(one.session == job.session for one in self._jobs.values()) >= MOST:
                raise MerError(f"{job.name}: {MOST} recordings are on this page already; reload the page to begin anew")
            self._jobs[job.token] = job
            if self._worker is None:
                self._worker = threading.Thread(target=self._run, name="replay", daemon=True)
                self._worker.start()
        self._turn.put(job)
        return job

    def job(self, token: str) -> Job | None:
        return self._jobs.get(token)

    def of(self, session: str) -> list[Job]:
        with self._guard:
            return [job for job in self._jobs.values() if job.session == session]

    def cancel(self, token: str) -> None:
        job = self.job(token)
        if job is None or job.over:
            return
        job.stopped.set()
        if job.watch is not None:
            job.watch.stop()
        elif job.state == WAITING:
            job.state = CANCELLED

    def forget(self, session: str) -> None:
        """The page has gone."""
        for job in self.of(session):
            self.cancel(job.token)
            with self._guard:
                self._jobs.pop(job.token, None)

    def close(self) -> None:
        for job in list(self._jobs.values()):
            self.cancel(job.token)
        self._turn.put(None)
        if self._worker is not None:
            self._worker.join(5.0)

    def _run(self) -> None:
        while (job := self._turn.get()) is not None:
            if job.stopped.is_set():
                job.state = CANCELLED
                continue
            job.state = WORKING
            try:
                work(job, self._shared)
                self._on_done(job)
                job.state = CANCELLED if job.stopped.is_set() else FAILED if job.message else DONE
            except MerError as error:
                stopped = job.stopped.is_set()  # before its first frame: a person's wish is no fault
                job.message, job.state = ("", CANCELLED) if stopped else (plain(error, job), FAILED)
            except Exception as error:  # a defect of ours ends this recording, not the queue
                import logging

                logging.getLogger(__name__).exception("replay of a recording failed")
                job.message = f"{job.name}: the program failed ({type(error).__name__}); its terminal says more"
                job.state = FAILED


def work(job: Job, shared: Shared) -> None:
    """Work through one recording. What was found before it broke off or was cancelled is kept. Raises MerError."""
    settings, hours = shared.settings, shared.settings.limits.hours
    most = hours * 3600 * MOST_RATE
    recognizer = shared.recognizer(job.model, job.engine)
    with open_source(job.clip, settings=settings.source) as source:
        info = source.info
        job.seconds, job.faces = info.duration, Faces(info.width, info.height)
        job.found = found = Found(job.name, [], Trace(), classes=recognizer.classes, model=recognizer.name)
        with Copy(job.folder / "copy.mp4", info.width, info.height) as job.copy:
            pipeline = Pipeline(job.name, settings, wait=True, recognizer=Remembering(recognizer, job.keep))

            def note(step: Step) -> None:
                found.trace.add(step.frame.pts, *leading(step))
                job.copy.write(step.frame.pixels, step.frame.pts)
                job.faces.add(face_of(pipeline, step))
                job.progress = min(1.0, step.frame.pts / info.duration) if info.duration else 0.0
                if step.frame.pts > hours * 3600:  # the file stated no length, or a wrong one
                    job.message = f"{job.name} is longer than {hours:g} hours (limits.hours): the rest was left out"
                    job.watch.stop()
                elif len(job.copy.times) >= most:
                    job.message = f"{job.name} has more than {most:g} pictures, {MOST_RATE} for each second of {hours:g} hours (limits.hours): the rest was left out"
                    job.watch.stop()

            job.watch = Watch(source, pipeline, found.events.append, note)
            if job.stopped.is_set():
                job.watch.stop()
            job.watch.run()
    if job.watch.failure is not None and not job.stopped.is_set():
        job.message = plain(job.watch.failure, job)
    if job.message == "":
        job.progress = 1.0 if not job.stopped.is_set() else job.progress
    if not job.copy.times:
        raise OutputError(job.message or f"{job.name} was stopped before its first frame")


def plain(error: Exception, job: Job) -> str:
    """The error's line with the recording's name in place of where it lies here."""
    return " ".join(str(error).replace(str(job.clip), job.name).replace(str(job.folder), "").split())
