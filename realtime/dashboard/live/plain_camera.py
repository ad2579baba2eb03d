"""Live without a WebSocket: Gradio's own webcam component, whose single pictures go through the very same session.

Slower (it sends some ten to twenty pictures a second), for pages behind a proxy that lets no WebSocket through.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace

import cv2
import numpy as np

from realtime.dashboard.live.choices import Choice
from realtime.dashboard.live.event_pictures import first
from realtime.dashboard.live.latest_events import Run
from realtime.dashboard.live.readings import LOST, listed
from realtime.dashboard.live.session import LiveSession, Seats, seats_of
from realtime.dashboard.pictures.event import label
from realtime.dashboard.shared import Shared
from realtime.errors import MerError
from realtime.judged import sentence
from realtime.records import Event
from realtime.sources.browser import Packets
from realtime.sources.packet import Packet
from realtime.watching import MOST_DROPPED

I420 = 1  # layout of a raw picture
QUEUE = 15  # pictures that may wait for the pipeline
SILENT = 4.0  # seconds without a picture: the person has stopped, or the page is gone
KEPT = 20  # events in the list
ENOUGH_FPS = 25  # below, a movement of a tenth of a second is three pictures or less
AGREE = "Tick the box first: everyone in view must know and agree."
STOPPED = "Stopped. Nothing is being watched."
WAIT = "Loading the model …"
FACE, GATED = (200, 211, 111), (98, 192, 240)  # BGR, the colours of page/live/stage.js


@dataclass(frozen=True)
class Shown:
    """An event and its small pictures: name → JPEG."""

    event: Event
    pictures: dict[str, bytes]


def drawn(pixels: np.ndarray, face: dict | None) -> np.ndarray:
    """A copy of the picture (BGR) with the face's box and regions, and in words why it is not judged, if so."""
    picture = pixels.copy()
    words = face["words"] if face else LOST
    if face:
        colour = GATED if face["gate"] else FACE
        left, top, right, bottom = (round(float(side)) for side in face["box"])
        cv2.rectangle(picture, (left, top), (right, bottom), colour, 2, cv2.LINE_AA)
        for quad in face["regions"]:
            cv2.polylines(picture, [np.int32(np.round(quad))], True, colour, 1, cv2.LINE_AA)
    if words:
        label(picture, words, (10, picture.shape[0] - 10), 18)
    return picture


class PlainPage:
    """One page's pictures, from the first to the last: `take` each, then show `view`, `words`, `figures` and `events`.

    Attributes:
        found: all events of the latest run, for as long as the page is open.
    """

    def __init__(self, shared: Shared, seats: Seats):
        self._shared, self._seats = shared, seats
        self._guard = threading.Lock()
        self._session: LiveSession | None = None
        self.found = Run()
        self._choice: Choice | None = None
        self._refused = ""  # why its pictures are not taken, until it has stopped once
        self._latest = 0.0
        self._shown: list[Shown] = []
        self._changes = self._told = 0

    def take(self, picture: np.ndarray, choice: Choice) -> None:
        """H×W×3 uint8 RGB, of now."""
        now = time.monotonic()
        with self._guard:
            fresh, self._latest = now - self._latest > SILENT, now
            if fresh:
                self._refused = ""
            if self._session is None and not self._refused:
                self._begin(picture, choice)
            session, before, self._choice = self._session, self._choice, choice
        if session is not None:
            if choice != before:
                session.change(choice)
            info = session.source.info
            planes = cv2.cvtColor(_sized(picture, info.width, info.height), cv2.COLOR_RGB2YUV_I420)
            session.source.feed(Packet(round(now * 1e6), True, planes.tobytes(), now, I420))

    def _begin(self, picture: np.ndarray, choice: Choice) -> None:
        if not self._seats.take(self, over=False):
            self._refused = f"{self._seats.full} Stop it there, then start here again."
            return
        height, width = (side & ~1 for side in picture.shape[:2])
        settings = replace(self._shared.settings.source, queue=QUEUE)
        try:
            source = Packets("plain camera", "raw", width, height, settings)
        except MerError as error:
            self._seats.leave(self)
            self._refused = str(error)
            return
        session = LiveSession(self._shared, choice, source, lambda *told: self._hear(session, *told))
        self._session, self._choice, self._shown, self._changes = session, choice, [], self._changes + 1
        self.found = session.found
        session.start()
        threading.Thread(target=self._until_silent, args=(session,), name="plain camera", daemon=True).start()

    def _until_silent(self, session: LiveSession) -> None:
        while self._session is session:
            time.sleep(0.5)
            if time.monotonic() - self._latest > SILENT:
                self._leave(session)

    def _hear(self, session: LiveSession, kind: str, content: dict) -> None:
        """From the session's threads."""
        if session is not self._session:
            return
        if kind == "problem":
            self._refused = content["text"]
        elif kind == "ended":
            self._leave(session)
        elif kind == "pictures":
            event = content["event"]
            self._shown = [Shown(event, dict(first(event, content["keyframes"]))), *self._shown][:KEPT]
            self._changes += 1

    def _leave(self, session: LiveSession) -> None:
        with self._guard:
            if self._session is not session:
                return
            self._session = None
        self._seats.leave(self)
        session.stop()

    def end(self) -> None:
        """The page is gone, the program ends, or nobody agrees any more."""
        if (session := self._session) is not None:
            self._leave(session)
            session.join()

    def put_out(self) -> None:
        self._refused = "Live now runs in another tab or window. Stop here, then start again to have it back."
        if (session := self._session) is not None:
            self._leave(session)

    # --- what to show

    @property
    def running(self) -> bool:
        return self._session is not None

    def view(self) -> np.ndarray | None:
        """H×W×3 uint8 BGR: the latest picture with face box and regions; None where there is none."""
        session = self._session
        step = session.watch.latest if session and session.watch else None
        return None if step is None else drawn(step.frame.pixels, session.state()["face"])

    def words(self) -> str:
        session = self._session
        if session is None or self._refused:
            return self._refused or STOPPED
        health = session.health()
        if not health.get("frames"):
            return WAIT
        fps = health["fps_out"]
        few = f" That is few: below {ENOUGH_FPS} the briefest movements are missed." if fps < ENOUGH_FPS else ""
        return f"Running, {fps:.1f} pictures a second with {health['model']}.{few}"

    def figures(self) -> list[str]:
        """How much was judged, what was set aside, what is lost; a line each, none while nothing is watched."""
        session = self._session
        told = session.health() if session else {}
        if not told.get("frames"):
            return []
        judged = sentence(told["judged"])
        found = [f"{judged[0].upper()}{judged[1:]}."]
        if told["set_aside"]:
            found.append(f"Set aside: {listed(told['set_aside'])}.")
        if lost := sum(told["drops"].values()):
            many = lost > MOST_DROPPED * (told["frames"] + lost)
            found.append(f"Pictures missed: {listed(told['drops'])}{', so results are incomplete' if many else ''}.")
        return found

    def events(self) -> list[Shown] | None:
        """The newest first; None where the list is as it was at the last call."""
        changes = self._changes
        if changes == self._told:
            return None
        self._told = changes
        return self._shown


class PlainPages:
    """All of them, by Gradio's session."""

    def __init__(self, shared: Shared):
        self._shared, self._pages = shared, {}
        shared.at_session_end(self.end)

    def of(self, session: str) -> PlainPage:
        if session not in self._pages:
            self._pages[session] = PlainPage(self._shared, seats_of(self._shared))
        return self._pages[session]

    def end(self, session: str) -> None:
        if (page := self._pages.pop(session, None)) is not None:
            page.end()


def _sized(picture: np.ndarray, width: int, height: int) -> np.ndarray:
    """A camera that is turned, or one line too many."""
    if picture.shape[0] - height in (0, 1) and picture.shape[1] - width in (0, 1):
        return picture[:height, :width]
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
