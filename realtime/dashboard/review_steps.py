"""What happens at the press of a control of tab Review: a step at the desk, then everything that is drawn of it."""

from __future__ import annotations

import shutil
import threading
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import gradio as gr

from realtime.dashboard import review_view as view
from realtime.dashboard.review_desk import KEYS, Desk
from realtime.dashboard.review_films import Films
from realtime.dashboard.shared import Shared
from realtime.errors import MerError
from realtime.review_export import export

ARCHIVE = "mer-training.zip"
NEXT_S = 0.5  # after the chosen event: where a missed one is proposed
# what `Steps.step` returns, in this order; the second line only where the page may write
SHOWN = ("session", "source", "person", "table", "said", "progress", "pictures")
EDITED = ("label", "onset", "apex", "offset", "units", "kind", "note", "missed")


class Steps:
    """One desk for each open page (Gradio's session hash). All methods from any thread."""

    def __init__(self, shared: Shared):
        self.shared = shared
        self.films = Films(shared.log)
        self._desks: dict[str, Desk] = {}
        self._slow: set[str] = set()
        self._guard = threading.Lock()
        shared.at_session_end(self._leave)
        shared.at_end(self.films.forget)

    @property
    def outputs(self) -> tuple[str, ...]:
        return SHOWN if self.shared.read_only else SHOWN + EDITED

    def step(self, page: str, name: str, do: Callable[[Desk, str], str | None]) -> list:
        """Does it, and draws what came of it: a value for each of `outputs`. A mistake becomes a line on the page."""
        desk, name, wrong = self.desk(page), " ".join((name or "").split()), False
        desk.reviewer = name
        try:
            words = do(desk, name) or ""
        except MerError as error:
            words, wrong = str(error), True
        try:
            drawn = self._draw(desk, page, name) | {"said": view.said(words, wrong)}
        except MerError as error:  # the log itself cannot be read
            drawn = {"said": view.said(str(error), wrong=True)}
        return [drawn.get(box, gr.skip()) for box in self.outputs]

    def pictures(self, page: str):
        """The pictures of the chosen event, read where they are not at hand."""
        desk = self.desk(page)
        key = desk.chosen.key
        desk.fetch()
        # meanwhile another may have been chosen, whose own pictures are on their way
        return self._shown(desk, page) if desk.chosen.key == key else gr.skip()

    def slow_motion(self, page: str) -> None:
        """Switches it on or off."""
        with self._guard:
            self._slow ^= {page}

    def export(self, page: str, name: str, many: bool, own: bool, frames: bool) -> str:
        """Makes the training set, and says what came of it. many: of all sessions; own: only `name`'s word."""
        desk, name = self.desk(page), " ".join((name or "").split())
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

    def delete(self, desk: Desk) -> str:
        """Deletes the chosen session, and all training sets in the private folder: they may hold pictures of it."""
        said = desk.delete()
        for folder in self.shared.temp.glob("sessions/*/training"):
            shutil.rmtree(folder, ignore_errors=True)
        return said

    def desk(self, page: str) -> Desk:
        with self._guard:
            if page not in self._desks:
                self._desks[page] = Desk(self.shared.log, self.films, self.shared.read_only)
                with suppress(MerError):  # the next step says what is wrong with the log
                    self._desks[page].open(None)
            return self._desks[page]

    def _draw(self, desk: Desk, page: str, name: str) -> dict:
        now, reviews = desk.chosen, None if desk.chosen.session is None else desk.reviews()
        number = now.session["id"] if now.session else None
        sources = [(Path(source).name or source, source) for source in now.session["sources"]] if now.session else []
        drawn = {
            "session": gr.update(choices=[(view.session_line(one), one["id"]) for one in desk.sessions()], value=number),
            "source": gr.update(choices=sources, value=now.source or None, visible=len(sources) > 1),
            "person": reviews.people(number).get(now.source, "") if reviews else "",
            "table": view.table(now, name, blind=not self.shared.read_only),
            "progress": view.progress(now, reviews.items(number) if reviews else [], name),
            "pictures": self._shown(desk, page),
        }
        if now.item is None:
            empty = dict.fromkeys(EDITED) | {"label": gr.update(choices=[], value=None), "units": "", "note": ""}
            return drawn | empty
        marks = now.item.marks(name)
        labels = desk.labels() + ([] if marks.label in desk.labels() else [marks.label])
        choices = [(f"{place} {label}" if place <= KEYS else label, label) for place, label in enumerate(labels, 1)]
        return drawn | {
            "label": gr.update(choices=choices, value=marks.label),
            "onset": marks.onset_s, "apex": marks.apex_s, "offset": marks.offset_s,
            "units": marks.action_units, "kind": marks.kind, "note": marks.note, "missed": round(marks.offset_s + NEXT_S, 3),
        }  # fmt: skip

    def _shown(self, desk: Desk, page: str) -> str:
        """At once where they are at hand; otherwise a word, and `pictures` reads them."""
        item = desk.chosen.item
        if item is None:
            return ""
        marks = item.marks(desk.reviewer)
        known = self.films.known(item, marks)
        return view.waiting() if known is None else view.shown(known, marks, page in self._slow)

    def _leave(self, page: str) -> None:
        with self._guard:
            self._desks.pop(page, None)
            self._slow.discard(page)


def _zipped(folder: Path, archive: Path) -> Path:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as file:  # PNG is packed already
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                file.write(path, path.relative_to(folder))
    return archive
