"""What one reviewer has before them: a session, one of its recordings, one event, and the pictures of it.

A desk is laid for each request and says nothing of the one before: what is chosen, and what the reviewer had seen, comes with the
request. Knows of no page.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from realtime.dashboard.review.film_cache import Films
from realtime.errors import UsageError
from realtime.records import UNSURE
from realtime.review import Reviews
from realtime.review.film import Film
from realtime.review.item import LABELS, MOMENTS, Item

KEYS = 9  # labels that have a number on the keyboard
AHEAD = 8  # events whose pictures are read in one go, the chosen one first
SHORTLY_S = 60.0  # that a mark waits for the pictures by whose frames it moves: the keys after it wait, too


@dataclass
class Chosen:
    """What is before the reviewer.

    Attributes:
        items: the events of `source` in `session`, by onset.
        item: the chosen one of them.
    """

    session: dict | None = None
    source: str = ""
    items: tuple[Item, ...] = ()
    key: str = ""

    @property
    def item(self) -> Item | None:
        return next((item for item in self.items if item.key == self.key), None)


class Desk:
    """Methods raise MerError with one line for the person; what was chosen stays.

    Attributes:
        reviewer: who it is, "" where nobody said.
    """

    def __init__(self, log: Path, films: Films, read_only: bool, reviewer: str):
        self._path, self._read_only = log, read_only
        self.films = films
        self.reviewer = " ".join(reviewer.split())
        self.chosen = Chosen()

    def reviews(self) -> Reviews:
        return Reviews(self._path, self._read_only)

    def sessions(self) -> list[dict]:
        """Newest first; none where there is no log yet."""
        try:
            return self.reviews().log.sessions()
        except UsageError:
            return []

    def open(self, number: int | None, source: str | None = None, key: str = "") -> None:
        """Chooses a session (None: the latest that holds an event, else the latest) and one of its sources."""
        sessions = self.sessions()
        session = next((one for one in sessions if one["id"] == number), None)
        session = session or next((one for one in sessions if one["events"]), sessions[0] if sessions else None)
        if session is None:
            self.chosen = Chosen()
            return
        items = self.reviews().items(session["id"])
        if source not in session["sources"]:
            with_events = [one for one in session["sources"] if any(item.source == one for item in items)]
            source = (with_events or session["sources"] or [""])[0]
        mine = tuple(item for item in items if item.source == source)
        if key not in {item.key for item in mine}:
            key = mine[0].key if mine else ""
        self.chosen = Chosen(session, source, mine, key)

    def refresh(self) -> None:
        """Looks again at what the log holds; what was chosen stays chosen where it is still there."""
        now = self.chosen
        self.open(now.session["id"] if now.session else None, now.source, now.key)

    def choose(self, key: str) -> None:
        if any(item.key == key for item in self.chosen.items):
            self.chosen = replace(self.chosen, key=key)

    def step(self, by: int) -> None:
        """The next event (1) or the one before (-1), also of the recording after or before; the ends hold."""
        now, keys = self.chosen, [item.key for item in self.chosen.items]
        place = keys.index(now.key) + by if now.key in keys else 0
        if 0 <= place < len(keys):
            self.choose(keys[place])
        elif now.session is not None:
            items = self.reviews().items(now.session["id"])
            sources = [one for one in now.session["sources"] if one == now.source or any(item.source == one for item in items)]
            other = sources.index(now.source) + by if now.source in sources else -1
            if 0 <= other < len(sources):
                self.open(now.session["id"], sources[other])
                if by < 0 and self.chosen.items:
                    self.choose(self.chosen.items[-1].key)

    def labels(self) -> list[str]:
        """All that can be chosen, the network's own classes first; the first KEYS have a number."""
        own = [name for item in self.chosen.items for name in item.scores]
        return list(dict.fromkeys([*own, *LABELS]))

    def judge(self, reject: bool = False, seen: int | None = None, **changes) -> str:
        """A verdict on the chosen event; what was said, in words.

        Args:
            seen, changes: as in `Reviews.judge`.
        """
        item = self._item()
        try:
            review = self.reviews().judge(item.session, item.key, self.reviewer, reject, seen, **changes)
        finally:
            self.refresh()
        said = {"rejected": "Rejected", "accepted": "Accepted", "corrected": "Corrected", "added": "Changed"}[review.verdict]
        return f"{said}: event {self.number()}, {review.marks.label}."

    def move(self, moment: str, frames: int, seen: int | None = None, **marks) -> str:
        """Moves "onset", "apex" or "offset" of the chosen event by whole frames, as far as they can be known.

        Args:
            seen: as in `Reviews.judge`.
            marks: what it has before that, as shown to the reviewer; by default as the log has it.
        """
        item, field = self._item(), MOMENTS[moment]
        before = replace(item.marks(self.reviewer), **marks)
        end = time.monotonic() + SHORTLY_S
        self.fetch(lambda: time.monotonic() < end)
        found = self.films.known(item, before)
        if found is None:
            raise UsageError(f"the pictures are still being read: move the {moment} when they are there, or type its second")
        since = getattr(before, field)
        after = found.moved(since, frames) if isinstance(found, Film) else round(max(0.0, since + frames / 30), 3)  # no picture to go by
        said = self.judge(seen=seen, **marks | {field: after})
        return f"{said.partition(', ')[0]}, {moment} {after:.3f} s."

    def add(self, apex_s: float | None, key: str = "") -> str:
        """An event that the program missed, in the chosen recording.

        Args:
            apex_s: seconds, or None where nothing was typed.
            key: the one that the new event is to have, see `Reviews.add`.
        """
        if apex_s is None:
            raise UsageError("type the second at which the movement peaks, then press Enter")
        now = self.chosen
        if now.session is None:
            raise UsageError("choose a session first")
        item = self.reviews().add(now.session["id"], self.reviewer, now.source, float(apex_s), UNSURE, key)
        self.open(now.session["id"], now.source, item.key)
        return f"Added: event {self.number()} at {apex_s:.3f} s. Now give it a label."

    def last_word(self) -> int | None:
        """The number of what this reviewer said last in this session, and did not take back."""
        items = self.reviews().items(self.chosen.session["id"]) if self.chosen.session else []
        return max((item.reviews[self.reviewer].id for item in items if self.reviewer in item.reviews), default=None)

    def undo(self, review: int | None) -> str:
        """Takes back one word of this reviewer.

        Args:
            review: as `last_word` gave it.
        """
        now = self.chosen
        if now.session is None:
            raise UsageError("there is nothing to undo")
        key = None if review is None else self.reviews().undo(now.session["id"], self.reviewer, review)
        if key is None:
            raise UsageError("there is nothing of yours left to undo in this session")
        items = self.reviews().items(now.session["id"])
        source = next((item.source for item in items if item.key == key), now.source)
        self.open(now.session["id"], source, key if any(item.key == key for item in items) else now.key)
        return "Taken back: your last step."

    def person(self) -> str:
        """The participant of the chosen recording, "" where nobody said."""
        now = self.chosen
        return self.reviews().people(now.session["id"]).get(now.source, "") if now.session else ""

    def name(self, subject: str, before: str) -> str:
        """Who is seen in the chosen recording.

        Args:
            subject: "" takes the name back.
            before: who it was as the page showed it.
        """
        now, here = self.chosen, self.person()
        if now.session is None:
            raise UsageError("choose a session first")
        if here not in (before, " ".join(subject.split())):
            raise UsageError(f"this recording was named in another window meanwhile: it shows {here or 'nobody'}")
        self.reviews().name(now.session["id"], now.source, subject)
        return f"Saved: this recording shows {subject.strip()}." if subject.strip() else "The name is removed."

    def delete(self) -> str:
        if self.chosen.session is None:
            raise UsageError("choose a session first")
        number = self.chosen.session["id"]
        try:
            self.reviews().delete(number)
        finally:
            self.films.forget()
            self.open(None)
        return f"Session {number} and everything derived from it are deleted."

    def number(self) -> str:
        """The chosen event's number for a person: its place in the table."""
        places = {item.key: place for place, item in enumerate(self.chosen.items, 1)}
        return str(places.get(self.chosen.key, "?"))

    def fetch(self, wanted: Callable[[], bool] = lambda: True) -> None:
        """Waits for the pictures of the chosen event, or until they are not `wanted` any more."""
        now = self.chosen
        if now.item is None:
            return
        place = now.items.index(now.item)
        several = [(item, item.marks(self.reviewer)) for item in now.items[place : place + AHEAD]]
        self.films.get(now.session, several, wanted)

    def _item(self) -> Item:
        item = self.chosen.item
        if item is None:
            raise UsageError("choose an event first")
        return item
