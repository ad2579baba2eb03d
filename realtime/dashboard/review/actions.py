"""What a page asks of the review, done, and everything that it shows then. Each request carries its session and event, and what it
sets: it may come late, twice, or after this program was started anew, and does no harm.
"""

from __future__ import annotations

import shutil
import sqlite3
import threading
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields
from pathlib import Path

from realtime.dashboard.review import downloads, view
from realtime.dashboard.review.film_cache import Films
from realtime.dashboard.review.reviewer import Desk
from realtime.dashboard.server.browser_json import NOT_SOUND
from realtime.dashboard.shared import Shared
from realtime.errors import MerError, UsageError
from realtime.names import plain
from realtime.output.log_schema import hold_open
from realtime.review.data_set import export
from realtime.review.item import MOMENTS, Marks

ARCHIVE = "mer-training.zip"
MARKS = {one.name: float if one.name in MOMENTS.values() else str for one in fields(Marks)}
MOST_FRAMES = 100  # by which a mark moves at once
NOT_UTF8 = "this recording's name is not UTF-8, so nothing can be written of it: rename the file"


class Actions:
    """One for each program; all methods from any thread. asked: what a page sent, see `page/review/desk.js`."""

    def __init__(self, shared: Shared):
        self.shared = shared
        self.films = Films(shared.log)
        self._present: dict[str, tuple[str, int | None]] = {}  # page → reviewer and session
        self._waiting: dict[str, object] = {}  # page → its latest request for pictures
        self._guard = threading.Lock()
        self._held = None
        shared.at_session_end(self._leave)
        shared.at_end(self.films.close)
        shared.at_end(self._let_go)

    def tell(self, asked: dict, what: str = "look") -> dict:
        """Does it and gives what the page shows then.

        Args:
            what: one of `DO`.

        Returns:
            `view.state`, and "said": HTML, what came of it. A mistake becomes a line on the page; where the log cannot be read, that line is
            all.

        Raises:
            UsageError: for what no page of ours asks.
        """
        page, desk, wrong = _text(asked, "page"), self._desk(asked), False
        self._hold()
        try:
            said = self._done(desk, asked, what)
        except MerError as error:
            said, wrong = str(error), True
        except UnicodeEncodeError:
            said, wrong = NOT_UTF8, True
        try:
            if "shown" in asked:  # another one than what was asked about
                _open(desk, _object(asked, "shown"))
            told = view.state(desk, asked.get("slow") is True, self.shared.read_only, self._twice(page, desk))
        except MerError as error:
            return {"said": view.said(str(error), wrong=True)}
        return told | {"said": view.said(said, wrong)}

    def pictures(self, asked: dict) -> dict:
        """The pictures of an event, read where they are not at hand; nothing where this page asked again meanwhile."""
        page, desk = _text(asked, "page"), self._desk(asked)
        with self._guard:
            self._waiting[page] = mine = object()

        def wanted() -> bool:
            return self._waiting.get(page) is mine

        try:
            _open(desk, asked)
            # one request of a page waits at a time: a browser has few, and keys need theirs
            desk.fetch(wanted)
            return {"pictures": view.pictures_of(desk, asked.get("slow") is True, wait=True)} if wanted() else {}
        except MerError:
            return {}  # the next request says what is wrong with the log

    def export(self, asked: dict) -> dict:
        """Makes the training set, and says what came of it. "many": of all sessions; "own": only the reviewer's word; "frames"."""
        page, desk = _text(asked, "page"), self._desk(asked)
        many, own, frames = (asked.get(name) is True for name in ("many", "own", "frames"))
        if own and not desk.reviewer:
            return {"said": view.said("type your name first: your own word was asked for", wrong=True)}
        here = self.shared.folder(page) / "training"
        try:
            _open(desk, asked)
            sessions = () if many or desk.chosen.session is None else (desk.chosen.session["id"],)
            done = export(desk.reviews(), here / "set", sessions, desk.reviewer if own else "", frames)
            address = self.shared.offer(_zipped(here / "set", here / ARCHIVE), page) if done.rows else None
            return {"said": view.exported(done, address)}
        except MerError as error:
            return {"said": view.said(str(error), wrong=True)}

    def corrected(self, asked: dict) -> dict:
        """A session as its reviewers left it, in the format "kind" of `downloads.MENU`, and a word of it."""
        page, desk, kind = _text(asked, "page"), self._desk(asked), _text(asked, "kind")
        if kind not in downloads.MENU:
            raise UsageError(NOT_SOUND)
        try:
            _open(desk, asked)
            if desk.chosen.session is None:
                return {"said": view.said("choose a session first", wrong=True)}
            made = downloads.make(kind, desk.reviews(), desk.chosen.session["id"], self.shared.folder(page) / "training")
            return {"said": view.ready(self.shared.offer(made, page))}
        except (MerError, OSError) as error:
            return {"said": view.said(str(error), wrong=True)}

    def _desk(self, asked: dict) -> Desk:
        return Desk(self.shared.log, self.films, self.shared.read_only, _text(asked, "reviewer"))

    def _done(self, desk: Desk, asked: dict, what: str) -> str:
        found = _open(desk, asked)
        if not found and what != "delete":
            return f"Session {asked['session']} was deleted in another window."
        if what in ("judge", "move") and desk.chosen.key != _text(asked, "key"):
            raise UsageError("that event is not there any more: choose one, then judge it")
        said = DO[what](desk, asked)
        if what == "delete":  # training sets may hold pictures of it
            for folder in self.shared.temp.glob("sessions/*/training"):
                shutil.rmtree(folder, ignore_errors=True)
        return said

    def _twice(self, page: str, desk: Desk) -> bool:
        """Whether another page reviews the same session under the same name."""
        session = desk.chosen.session
        with self._guard:
            self._present[page] = mine = desk.reviewer, session and session["id"]
            return bool(desk.reviewer) and session is not None and mine in [one for key, one in self._present.items() if key != page]

    def _hold(self) -> None:
        """Keeps the log open from the first request on: keys come fast, and each is a line of it."""
        with self._guard, suppress(sqlite3.Error):
            if self._held is None and not self.shared.read_only:
                self._held = hold_open(self.shared.log)

    def _let_go(self) -> None:
        with self._guard:
            if self._held is not None:
                self._held.close()

    def _leave(self, page: str) -> None:
        with self._guard:
            self._present.pop(page, None)
            self._waiting.pop(page, None)


def _look(desk: Desk, asked: dict) -> str:
    by = asked.get("by")
    if by in (-1, 1):
        desk.step(by)
    return ""


def _judge(desk: Desk, asked: dict) -> str:
    return desk.judge(asked.get("reject") is True, _seen(asked), **_marks(asked))


def _move(desk: Desk, asked: dict) -> str:
    moment, frames = _text(asked, "moment"), asked.get("frames")
    if moment not in MOMENTS or type(frames) is not int or abs(frames) > MOST_FRAMES:
        raise UsageError(NOT_SOUND)
    return desk.move(moment, frames, _seen(asked), **_marks(asked))


def _add(desk: Desk, asked: dict) -> str:
    apex = asked.get("apex_s")
    if apex is not None and type(apex) not in (int, float):
        raise UsageError(NOT_SOUND)
    return desk.add(apex, _text(asked, "new"))


def _undo(desk: Desk, asked: dict) -> str:
    review = asked.get("review")
    return desk.undo(review if type(review) is int else None)


def _delete(desk: Desk, asked: dict) -> str:
    if desk.chosen.session is None or desk.chosen.session["id"] != asked["session"]:
        return f"Session {asked['session']} and everything derived from it are deleted."
    return desk.delete()


DO: dict[str, Callable[[Desk, dict], str]] = {
    "look": _look,
    "judge": _judge,
    "move": _move,
    "add": _add,
    "undo": _undo,
    "name": lambda desk, asked: desk.name(_text(asked, "subject"), _text(asked, "before")),
    "delete": _delete,
}


def _open(desk: Desk, told: dict) -> bool:
    """Chooses what a request is about; whether its session is still there."""
    number, source, key = told.get("session"), _text(told, "source"), _text(told, "key")
    if number is not None and type(number) is not int:
        raise UsageError(NOT_SOUND)
    session = next((one for one in desk.sessions() if one["id"] == number), None)
    desk.open(number, next((one for one in session["sources"] if plain(one) == source), None) if session else None, key)
    return number is None or session is not None


def _text(told: dict, name: str) -> str:
    word = told.get(name, "")
    if not isinstance(word, str):
        raise UsageError(NOT_SOUND)
    return word


def _object(told: dict, name: str) -> dict:
    if not isinstance(found := told.get(name, {}), dict):
        raise UsageError(NOT_SOUND)
    return found


def _seen(asked: dict) -> int | None:
    return asked["seen"] if type(asked.get("seen")) is int else None


def _marks(asked: dict) -> dict:
    """What is set: fields of `Marks`."""
    marks = _object(asked, "marks")
    for name, value in marks.items():
        if not isinstance(value, (int, float) if MARKS.get(name) is float else MARKS.get(name, ())) or isinstance(value, bool):
            raise UsageError(NOT_SOUND)
    return marks


def _zipped(folder: Path, archive: Path) -> Path:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as file:  # PNG is packed already
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                file.write(path, path.relative_to(folder))
    return archive
