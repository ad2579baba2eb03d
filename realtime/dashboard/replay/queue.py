"""Recordings that wait for their turn, and the one thread that works through them, one at a time, as mer-replay does."""

from __future__ import annotations

import queue
import secrets
import shutil
import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from realtime.dashboard.live.readings import face_of
from realtime.dashboard.replay.queued_recording import CANCELLED, DONE, FAILED, WAITING, WORKING, Faces, Job, adjusted
from realtime.dashboard.replay.seekable_copy import Copy
from realtime.dashboard.shared import DemoSettings, Limits, Shared
from realtime.errors import MerError, OutputError
from realtime.judged import Trace
from realtime.output.event_table import clock
from realtime.output.exports import Found
from realtime.output.frame_table import FrameFile
from realtime.output.sound import extract_sound
from realtime.pipeline import Pipeline, Step
from realtime.records import Event, Keyframes
from realtime.sources import open_source
from realtime.watching import Watch, leading


class Owners:
    """Which page (Gradio's session hash) shows the queue of which key. All methods from any thread."""

    def __init__(self):
        self._pages: dict[str, str] = {}
        self._seen: dict[str, float] = {}  # key → when a page asked last, monotonic seconds
        self._guard = threading.Lock()

    def enter(self, page: str, key: object) -> str:
        """The key of a page that has just been opened: the one it hands back where it is one of ours, else a new one."""
        with self._guard:
            if not isinstance(key, str) or key not in self._seen:
                key = self._pages.get(page) or secrets.token_urlsafe(18)  # a page that asks often makes one key
            self._pages[page], self._seen[key] = key, time.monotonic()
            return key

    def of(self, page: str | None) -> str:
        """The key of a page; "" of one that has not entered."""
        return self._pages.get(page or "", "")

    def seen(self, key: str) -> bool:
        """Whether it is one of ours; if so, its page has just asked."""
        with self._guard:
            if key in self._seen:
                self._seen[key] = time.monotonic()
            return key in self._seen

    def leave(self, page: str) -> str:
        """The page is closed or reloaded; its key, which stays, or "" where another page shows the same queue."""
        with self._guard:
            key = self._pages.pop(page, "")
            return "" if key in self._pages.values() else key

    def forget(self, key: str) -> None:
        with self._guard:
            self._seen.pop(key, None)
            self._pages = {page: other for page, other in self._pages.items() if other != key}

    def idle(self, seconds: float) -> list[str]:
        """The keys that no page has shown for so long."""
        with self._guard:
            return [key for key, last in self._seen.items() if time.monotonic() - last > seconds]


MOST = 50  # recordings of one browser
MOST_RATE = 1000  # pictures for each second that has passed, and one more; a million within a second are no film of a face
IDLE_S = 12 * 3600  # without a page that shows them, after which recordings are removed
LOOK_S = 60.0  # between two looks at that


class Queue:
    """One for each program. All methods may be called from any thread."""

    def __init__(self, shared: Shared):
        self._shared = shared
        self._jobs: dict[str, Job] = {}
        self._guard = threading.Lock()
        self._turn: queue.Queue[Job | None] = queue.Queue()
        self._worker: threading.Thread | None = None
        self.owners = Owners()
        shared.at_session_end(self._leave)
        shared.at_end(self.close)

    def add(self, job: Job) -> Job:
        """Gives it a name of its own.

        Raises:
            MerError: where the browser has too many.
        """
        with self._guard:
            others = [one.name for one in self._jobs.values() if one.owner == job.owner]
            if len(others) >= MOST:
                raise MerError(f"{job.name}: {MOST} recordings are here already; remove some first")
            job.name = _another(job.name, others)
            self._jobs[job.token] = job
            if self._worker is None:
                self._worker = threading.Thread(target=self._run, name="replay", daemon=True)
                self._worker.start()
        self._turn.put(job)
        return job

    def job(self, token: str) -> Job | None:
        return self._jobs.get(token)

    def of(self, owner: str) -> list[Job]:
        with self._guard:
            return [job for job in self._jobs.values() if job.owner == owner]

    def cancel(self, token: str) -> None:
        job = self.job(token)
        if job is None or job.over:
            return
        job.stopped.set()
        if (watch := job.watch) is not None:
            watch.stop()
        elif job.state == WAITING:
            job.state = CANCELLED

    def remove(self, job: Job) -> None:
        """With all its files."""
        self.cancel(job.token)
        with self._guard:
            self._jobs.pop(job.token, None)
        shutil.rmtree(job.folder, ignore_errors=True)

    def tidy(self) -> None:
        """Removes what nobody has looked at for long; work under way counts as a look."""
        for owner in self.owners.idle(IDLE_S):
            jobs = self.of(owner)
            if not all(job.over for job in jobs):
                self.owners.seen(owner)
                continue
            self.owners.forget(owner)
            for job in jobs:
                self.remove(job)
            self._shared.end_session(owner)

    def _leave(self, page: str) -> None:
        """A page is closed: what it dropped stays for the next page of its browser."""
        owner = self.owners.leave(page)
        if owner and not self.of(owner):
            self.owners.forget(owner)

    def close(self) -> None:
        for job in list(self._jobs.values()):
            self.cancel(job.token)
        self._turn.put(None)
        if self._worker is not None:
            self._worker.join(5.0)

    def _run(self) -> None:
        while True:
            try:
                job = self._turn.get(timeout=LOOK_S)
            except queue.Empty:
                self.tidy()
                continue
            if job is None:
                return
            if job.stopped.is_set():
                job.state = CANCELLED
                continue
            job.state, job.began = WORKING, time.monotonic()
            try:
                work(job, self._shared)
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
    """Work through one recording. What was found before it broke off or was cancelled is kept.

    Raises:
        MerError: where it broke off.
    """
    settings, limits = settings_of(job, shared), shared.settings.limits
    recognizer = shared.recognizer(job.model, job.engine)
    with open_source(job.clip, settings=settings.source) as source:
        info = source.info
        job.seconds, job.faces = info.duration, Faces(info.width, info.height)
        job.found = found = Found(job.name, [], Trace(), classes=recognizer.classes, model=recognizer.name)
        with Copy(job.folder / "copy.mp4", info.width, info.height) as job.copy, ExitStack() as stack:
            frames = FrameFile(job.frames) if job.measured else None
            if frames is not None:
                stack.callback(frames.close)
            pipeline = Pipeline(job.name, settings, wait=True, recognizer=recognizer)

            def keep(event: Event, keyframes: Keyframes) -> None:
                found.events.append(event)
                job.keep(event.event, keyframes)

            def note(step: Step) -> None:
                found.trace.add(step.frame.pts, *leading(step))
                job.copy.write(step.frame.pixels, step.frame.pts)
                if frames is not None:
                    frames.write(step)
                job.faces.add(face_of(pipeline, step))
                job.progress = min(1.0, step.frame.pts / info.duration) if info.duration else 0.0
                if why := too_much(job, step.frame.pts, limits):
                    job.message = f"{job.name} {why}: what comes after {clock(step.frame.pts)} was left out"
                    job.watch.stop()  # not `watch`: each would keep the other

            watch = job.watch = Watch(source, pipeline, keep, note)
            job.judged = watch.status.judged
            try:
                if job.stopped.is_set():
                    watch.stop()
                watch.run()
            finally:
                job.watch = None  # with it go its networks and the decoder's pictures, 65 MB; the job itself may stay for hours
    sound = job.folder / "sound.m4a"
    job.sound = sound if not job.stopped.is_set() and extract_sound(job.clip, sound, settings.source) else None
    if watch.failure is not None and not job.stopped.is_set():
        job.message = plain(watch.failure, job)
    if job.message == "":
        job.progress = 1.0 if not job.stopped.is_set() else job.progress
    if not job.copy.times:
        raise OutputError(job.message or f"{job.name} was stopped before its first frame")


def too_much(job: Job, pts: float, limits: Limits) -> str:
    """Why a recording goes no further than this frame, at `pts` seconds; "" where it does."""
    if pts > limits.hours * 3600:  # the file stated no length, or a wrong one
        return f"is longer than {limits.hours:g} hours (limits.hours)"
    if len(job.copy.times) > MOST_RATE * (max(pts, 0.0) + 1):
        return f"has more than {MOST_RATE} pictures a second"
    if time.monotonic() - job.began > limits.work_hours * 3600:
        return f"has been worked on for {limits.work_hours:g} hours (limits.work_hours; mer-replay has no such limit)"
    return ""


def settings_of(job: Job, shared: Shared) -> DemoSettings:
    """What it is worked through with."""
    settings = shared.settings
    faces = replace(settings.faces, measures=job.measured)
    return replace(settings, spotter=adjusted(settings.spotter, job.sensitivity), faces=faces)


def _another(name: str, others: list[str]) -> str:
    """As "clip.mp4", and where that is taken "clip (2).mp4": in tables and archives a name stands for one recording."""
    path, number = Path(name), 2
    while name in others:
        name, number = f"{path.stem} ({number}){path.suffix}", number + 1
    return name


def plain(error: Exception, job: Job) -> str:
    """The error's line with the recording's name in place of where it lies here."""
    return " ".join(str(error).replace(str(job.clip), job.name).replace(str(job.folder), "").split())
