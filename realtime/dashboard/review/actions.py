"""What happens at the press of a control of tab Review: a step at the desk, then everything that is drawn of it."""

from __future__ import annotations

import shutil
import sqlite3
import threading
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import gradio as gr

from realtime.dashboard.review import downloads, view
from realtime.dashboard.review.boxes import EDITED, SHOWN, draw, shown
from realtime.dashboard.review.film_cache import Films
from realtime.dashboard.review.reviewer import Desk
from realtime.dashboard.shared import Shared
from realtime.errors import MerError, UsageError
from realtime.output.log_schema import hold_open
from realtime.review.data_set import export

ARCHIVE = "mer-training.zip"
# of a page that is older than the program, or was asleep: the event that it shows need not be the chosen one
LOST = "nothing was done: this page had lost touch with mer-demo"


class Steps:
    """One desk for each open page (Gradio's session hash). All methods from any thread."""

    def __init__(self, shared: Shared):
        self.shared = shared
        self.films = Films(shared.log)
        self._desks: dict[str, Desk] = {}
        self._still: set[str] = set()  # pages without slow motion
        self._guard = threading.Lock()
        self._held = None
        shared.at_session_end(self._leave)
        shared.at_end(self.films.close)
        shared.at_end(self._let_go)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The boxes that `step` draws, in its order."""
        return SHOWN if self.shared.read_only else SHOWN + EDITED

    def step(self, page: str, name: str, do: Callable[[Desk, str], str | None] | None) -> list:
        """Does it, and draws what came of it: a value for each of `outputs`. do → what to say of it; None leaves what was
        said. A mistake becomes a line on the page. A page begins with a step in which nothing is done (`do` is None).
        """
        begun = page in self._desks
        desk, name, wrong = self._desk(page), " ".join((name or "").split()), False
        desk.reviewer = name
        self._hold()
        try:
            if do is not None and not begun:
                raise UsageError(f"{LOST}. See which event is chosen, then press again")
            words = (desk.left_behind() or do(desk, name)) if do is not None else None
        except MerError as error:
            words, wrong = str(error), True
        except UnicodeEncodeError:
            words, wrong = "this recording's name is not UTF-8, so nothing can be written of it: rename the file", True
        try:
            drawn = draw(desk, name, page not in self._still, self.shared.read_only, self._twice(page, desk))
            if words is not None or desk.unread:
                drawn["said"] = view.said(words or "", wrong)
            desk.unread = False
        except MerError as error:
            desk.unread, drawn = True, {"said": view.said(str(error), wrong=True)}
        return [drawn.get(box, gr.skip()) for box in self.outputs]

    def pictures(self, page: str) -> list:
        """The pictures of the chosen event, read where they are not at hand: above and below the verdict."""
        desk = self._desks.get(page)
        if desk is None:  # closed, or lost touch
            return [gr.skip()] * 2
        before, desk.asked = desk.chosen, (mine := object())
        # one request of a page waits at a time: a browser has few, and keys need theirs
        desk.fetch(lambda: desk.asked is mine)
        # meanwhile another may have been chosen, whose own pictures are on their way
        current = desk.asked is mine and desk.same(before)
        return list(shown(desk, page not in self._still, wait=True)) if current else [gr.skip()] * 2

    def slow_motion(self, page: str) -> None:
        """Switches it on or off."""
        with self._guard:
            self._still ^= {page}

    def export(self, page: str, name: str, many: bool, own: bool, frames: bool) -> str:
        """Makes the training set, and says what came of it. many: of all sessions; own: only `name`'s word."""
        desk, name = self._desks.get(page), " ".join((name or "").split())
        if desk is None:
            return view.said(f"{LOST}. Press Refresh, then make it again", wrong=True)
        if own and not name:
            return view.said("type your name first: your own word was asked for", wrong=True)
        here = self.shared.folder(page) / "training"
        sessions = () if many or desk.chosen.session is None else (desk.chosen.session["id"],)
        try:
            done = export(desk.reviews(), here / "set", sessions, name if own else "", frames)
            address = self.shared.offer(_zipped(here / "set", here / ARCHIVE), page) if done.rows else None
            return view.exported(done, address)
        except MerError as error:
            return view.said(str(error), wrong=True)

    def corrected(self, page: str, kind: str) -> str:
        """The chosen session as its reviewers left it, in a format of `files.MENU`, and a word of it."""
        desk = self._desks.get(page)
        if desk is None or kind not in downloads.MENU:
            return view.said(f"{LOST}. Press Refresh, then choose again", wrong=True)
        if desk.chosen.session is None:
            return view.said("choose a session first", wrong=True)
        here = self.shared.folder(page) / "training"
        try:
            return view.ready(self.shared.offer(downloads.make(kind, desk.reviews(), desk.chosen.session["id"], here), page))
        except (MerError, OSError) as error:
            return view.said(str(error), wrong=True)

    def delete(self, desk: Desk) -> str:
        """Deletes the chosen session, and all training sets in the private folder: they may hold pictures of it."""
        said = desk.delete()
        for folder in self.shared.temp.glob("sessions/*/training"):
            shutil.rmtree(folder, ignore_errors=True)
        return said

    def _desk(self, page: str) -> Desk:
        with self._guard:
            if page not in self._desks:
                self._desks[page] = Desk(self.shared.log, self.films, self.shared.read_only)
                with suppress(MerError):  # the next step says what is wrong with the log
                    self._desks[page].open(None)
            return self._desks[page]

    def _twice(self, page: str, desk: Desk) -> bool:
        """Whether another page reviews the same session under the same name."""
        session = desk.chosen.session
        with self._guard:
            others = [other for key, other in self._desks.items() if key != page and other.reviewer == desk.reviewer]
        numbers = [other.chosen.session["id"] for other in others if other.chosen.session]
        return bool(desk.reviewer) and session is not None and session["id"] in numbers

    def _hold(self) -> None:
        """Keeps the log open from the first step on: keys come fast, and each is a line of it."""
        with self._guard, suppress(sqlite3.Error):
            if self._held is None and not self.shared.read_only:
                self._held = hold_open(self.shared.log)

    def _let_go(self) -> None:
        with self._guard:
            if self._held is not None:
                self._held.close()

    def _leave(self, page: str) -> None:
        with self._guard:
            self._desks.pop(page, None)
            self._still.discard(page)


def _zipped(folder: Path, archive: Path) -> Path:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as file:  # PNG is packed already
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                file.write(path, path.relative_to(folder))
    return archive
