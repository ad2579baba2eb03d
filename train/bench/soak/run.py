"""The soak itself: minute by minute a visit before the camera, faults when they are due, and a look at what is held."""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from train.bench.soak import faults
from train.bench.soak.camera import START_S, Camera
from train.bench.soak.child import Child
from train.bench.soak.films import KINDS, Film, Sent
from train.bench.soak.growth import Sample
from train.bench.soak.page import Page
from train.bench.soak.receiver import Receiver
from train.bench.soak.schedule import MINUTE, OF_THE_PAGE, OF_THE_SOURCE, VISIT_AT, Fault

PAGE_EVERY = 4  # minutes from one in which the page is open to the next
LEAD = 0.5  # seconds from the slate to the clip
AFTER = 2.0  # seconds after a visit until what lasts that long is over


@dataclass
class Life:
    """One start of `mer-live`, to its end.

    Attributes:
        slates: visit → its slate's pts.
        code: exit code, None where it was killed.
    """

    child: Child
    slates: dict[int, float] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)
    code: int | None = None


@dataclass
class Opened:
    """A page, once, between two simulated seconds."""

    at: float
    page: Page
    left: float = float("inf")


@dataclass
class Course:
    """What happened: simulated seconds of what went wrong, by whom it was felt."""

    struck: list[Fault] = field(default_factory=list)
    source: list[float] = field(default_factory=list)
    page: list[float] = field(default_factory=list)


class Soak:
    """`run` plays it; then all that it came to lies here, for `judge`."""

    def __init__(self, folder: Path, seconds: float, note: Callable[[int, str], None] = lambda minute, words: None):
        """
        Args:
            folder: empty; what is written lies there.
            seconds: how much of the clip a visit shows.
            note: told of each minute that is over, and of each fault.
        """
        self.folder, self.log, self.seconds, self._note = folder, folder / "events.sqlite3", seconds, note
        self.films = {kind: Film(kind, seconds) for kind in KINDS}
        self.course, self.receiver = Course(), Receiver()
        self.lives: list[Life] = []
        self.opened: list[Opened] = []
        self.served: list[Sample] = []
        self._lasting: list[tuple[float, Callable[[], object]]] = []  # (until when, what ends it)
        self.page: Page | None = None

    def run(self, minutes: int, planned: list[Fault]) -> None:
        self._faults = list(planned)
        self.server = Child("train.bench.soak.page_server:play", self.folder / "page", self.log)
        self.camera = Camera(self.films["usual"], lambda: self.lives[-1].child.done, lambda: faults.spare_decoders(self))
        try:
            self._port = self.server.wait_for("port", START_S)[1]
            self.start(0.0)
            for minute in range(minutes):
                self._minute(minute)
            self._end_all()
        finally:
            self.camera.close()
            for child in (self.server, *(life.child for life in self.lives)):
                child.kill()
            self.receiver.close()

    # --- a minute

    def _minute(self, minute: int) -> None:
        with_page = minute % PAGE_EVERY == 0 or any(fault.kind == "page" and fault.at < (minute + 1) * MINUTE for fault in self._faults)
        if with_page:
            self.open_page(minute * MINUTE)
        for at, picture in self._pictures(minute):
            while self._faults and self._faults[0].at <= at:
                self.camera.drain()
                self.strike(self._faults.pop(0), minute)
            self._ease(at)
            self.camera.send(at, picture)
            if self.page:
                self.page.send(at, picture)
        self.camera.drain()
        self.hear()
        if self.page:
            self.page.stop()
            self.page = None
            self.served.append(self.server.sample(minute * MINUTE))
        with suppress(psutil.Error):
            self.lives[-1].samples.append(self.lives[-1].child.sample(minute * MINUTE))
        self._note(minute, "")

    def _pictures(self, minute: int) -> Iterator[tuple[float, Sent]]:
        """The room, a slate, the clip, the room: each as the camera has it at that moment."""
        begin = minute * MINUTE
        for second in range(int(VISIT_AT)):
            yield begin + second, self.camera.film.room
        yield begin + VISIT_AT - LEAD, self.camera.film.slate(minute)
        shown = -1.0
        while True:
            clip = self.camera.film.shown
            place = bisect_right(clip, shown + 1e-6, key=lambda one: one[0])
            if place == len(clip):
                break
            shown, picture = clip[place]
            yield begin + VISIT_AT + shown, picture
        for second in range(int(VISIT_AT + self.seconds) + 1, int(MINUTE)):
            yield begin + second, self.camera.film.room

    def strike(self, fault: Fault, minute: int) -> None:
        self._ease(float("inf"))  # one thing at a time
        self.course.struck.append(fault)
        if fault.kind in (*OF_THE_SOURCE, "kill"):
            self.course.source.append(fault.at)
        if fault.kind in OF_THE_PAGE:
            self.course.page.append(fault.at)
        faults.STRIKES[fault.kind](self, fault)
        self._note(minute, fault.kind)

    def until_visited(self, fault: Fault, over: Callable[[], object]) -> None:
        """It lasts until the next visit that ends after its begin is over."""
        visited = fault.at // MINUTE * MINUTE + VISIT_AT + self.seconds
        self._lasting.append(((visited if fault.at < visited else visited + MINUTE) + AFTER, over))

    def _ease(self, at: float) -> None:
        while self._lasting and self._lasting[0][0] <= at:
            self._lasting.pop(0)[1]()

    # --- who is there

    def start(self, at: float) -> None:
        number = len(self.lives) + 1
        folder = self.folder / f"program{number}"
        words = ["--source", f"tcp://127.0.0.1:{self.camera.port}", "--events", str(folder / "found.jsonl"), "--webhook", self.receiver.url]
        words += ["source.stall_seconds=5", "source.max_backoff=0.5", "source.queue=100"]  # the wall's clock is slower than the simulated one
        self.camera.forget()
        self.lives.append(Life(Child("train.bench.soak.program:play", folder, self.log, words)))
        self.camera.rouse(at)

    def open_page(self, at: float) -> None:
        self.page = Page(self._port, self.films["usual"], at, self.camera.idle)
        self.opened.append(Opened(at, self.page))

    def hear(self) -> None:
        for _, number, pts in self.lives[-1].child.heard():
            self.lives[-1].slates.setdefault(number, pts)

    def _end_all(self) -> None:
        self._ease(float("inf"))
        self.lives[-1].code = self.lives[-1].child.end()
        self.server_code = self.server.end()
        with suppress(sqlite3.Error), closing(sqlite3.connect(self.log)) as log:
            log.execute("PRAGMA wal_checkpoint(TRUNCATE)")
