"""What people say about the events of a log: accepted, corrected, rejected, or missed by the program and added.

A review stands beside the event, never over it. Of each reviewer the latest counts; earlier ones, and what was taken
back, stay as history. Times are seconds in the source's own clock.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from realtime import kept
from realtime.errors import OutputError, UsageError
from realtime.log import FIELDS, Log
from realtime.log_file import check_version, connect, connect_to_write, explained
from realtime.records import UNSURE

# the emotions that `train.data.grouping` knows; another label is kept, but mer-train cannot learn from it
LABELS = ("negative", "positive", "surprise", "happiness", "disgust", "anger", "fear", "sadness", "contempt",
          "repression", "others", "neutral")  # fmt: skip
LONGEST_NAME = 80
UNITS = re.compile(r"[LR]?\d{1,2}[A-E]?(\+[LR]?\d{1,2}[A-E]?)*")  # FACS: side, number, intensity
BEFORE_S, AFTER_S = 0.2, 0.24  # a missed event until it is corrected: CASME II's mean is near half a second


@dataclass(frozen=True)
class Marks:
    """What is said of a movement: its three moments in seconds, label, kind ("micro" or "macro"), action units ("1+2")."""

    onset_s: float
    apex_s: float
    offset_s: float
    label: str
    kind: str = "micro"
    action_units: str = ""
    note: str = ""


@dataclass(frozen=True)
class Review:
    """One reviewer's word on one event. verdict: accepted, corrected, rejected or added. at: ISO 8601, UTC."""

    id: int
    reviewer: str
    verdict: str
    marks: Marks
    at: str
    undone_at: str | None = None


@dataclass(frozen=True)
class Item:
    """An event with what was said of it. key: "e12" (row 12 of the log's events) or "m3" (the session's third missed one).

    event: its number as mer-log shows it, None where the program missed it. found: what the program said, or the first
    reviewer of a missed one. reviews: the latest of each reviewer.
    """

    session: int
    key: str
    event: int | None
    source: str
    face: int
    found: Marks
    scores: dict[str, float] = field(default_factory=dict, hash=False)
    reviews: dict[str, Review] = field(default_factory=dict, hash=False)

    def marks(self, reviewer: str) -> Marks:
        """As this reviewer left it; as it was found where they said nothing."""
        return self.reviews[reviewer].marks if reviewer in self.reviews else self.found

    def verdict(self, reviewer: str) -> str:
        return self.reviews[reviewer].verdict if reviewer in self.reviews else ""


class Reviews:
    """The reviews of the log at `path` (default: the user's). An older log is brought up to date by the first review.

    Methods that write raise UsageError for what makes no sense and under `read_only`, OutputError where they cannot.
    """

    def __init__(self, path: str | Path | None = None, read_only: bool = False):
        self.log = Log(path)
        self.path, self.read_only = self.log.path, read_only

    def items(self, session: int) -> list[Item]:
        """The events of a session and those added to it, by their onset."""
        with self._reading() as connection:
            return _items(connection, session)

    def item(self, session: int, key: str) -> Item:
        for item in self.items(session):
            if item.key == key:
                return item
        raise UsageError(f"session {session} has no event {key} any more")

    def judge(self, session: int, key: str, reviewer: str, reject: bool = False, **changes) -> Review:
        """Accept an event as it stands, with `changes` to its `Marks`; or reject it."""
        reviewer = checked_name(reviewer, "your name")
        with self._writing() as connection:
            item = next((one for one in _items(connection, session) if one.key == key), None)
            if item is None:
                raise UsageError(f"session {session} has no event {key} any more")
            marks = _checked(replace(item.marks(reviewer), **changes))
            return _insert(connection, item, reviewer, _verdict(item, reviewer, reject, marks), marks)

    def add(self, session: int, reviewer: str, source: str, apex_s: float, label: str = UNSURE, **marks) -> Item:
        """An event that the program missed, its apex at `apex_s`; onset and offset are guessed where not given."""
        reviewer = checked_name(reviewer, "your name")
        marks = {"onset_s": max(0.0, apex_s - BEFORE_S), "offset_s": apex_s + AFTER_S} | marks
        said = _checked(Marks(apex_s=apex_s, label=label, **marks))
        if source not in self.log.session(session)["sources"]:
            raise UsageError(f"session {session} has no source '{source}'")
        with self._writing() as connection:
            query = "SELECT coalesce(max(missed), 0) + 1 FROM reviews WHERE session_id = ?"
            number = connection.execute(query, (session,)).fetchone()[0]
            item = Item(session, f"m{number}", None, source, 0, said)
            _insert(connection, item, reviewer, "added", said)
        return self.item(session, item.key)

    def undo(self, session: int, reviewer: str) -> str | None:
        """Takes the reviewer's latest word in this session back; returns the event's key, None where there is none."""
        with self._writing() as connection:
            row = connection.execute(
                "SELECT id, event_id, missed FROM reviews WHERE session_id = ? AND reviewer = ? AND undone_at IS NULL"
                " ORDER BY id DESC LIMIT 1", (session, reviewer.strip())).fetchone()
            if row is None:
                return None
            connection.execute("UPDATE reviews SET undone_at = ? WHERE id = ?", (_now(), row["id"]))
            return _key(row)

    def history(self, session: int, key: str) -> list[Review]:
        """Everything that was ever said of an event, in order, also what was taken back."""
        with self._reading() as connection:
            return [_review(row) for row in _rows(connection, session, undone=True) if _key(row) == key]

    def people(self, session: int) -> dict[str, str]:
        """Source → the participant's name, where one was typed."""
        with self._reading() as connection:
            if check_version(connection, self.path) < 2:
                return {}
            return dict(connection.execute("SELECT source, subject FROM people WHERE session_id = ?", (session,)).fetchall())

    def name(self, session: int, source: str, subject: str) -> None:
        """Who is seen in a source; an empty name takes it back."""
        subject = checked_name(subject, "the participant") if subject.strip() else ""
        with self._writing() as connection:
            connection.execute("DELETE FROM people WHERE session_id = ? AND source = ?", (session, source))
            if subject:
                connection.execute("INSERT INTO people VALUES (?, ?, ?)", (session, source, subject))

    def delete(self, session: int) -> None:
        """Removes a session for good: events, reviews, names, and the pictures that were kept.

        The file is rewritten without it (secure_delete, VACUUM, an emptied journal), so that not even its bytes stay.
        A program that still writes this session is told so at its next event. Raises UsageError where there is none.
        """
        self.log.session(session)
        with self._writing() as connection:
            connection.execute("DELETE FROM sessions WHERE id = ?", (session,))
            connection.execute("INSERT INTO gone VALUES (?)", (session,))
            connection.execute("DELETE FROM gone WHERE session_id < (SELECT max(session_id) FROM gone)")
            known = {row[0] for row in connection.execute("SELECT id FROM sessions")}
        kept.sweep(kept.beside(self.path), known, max(known | {session}))  # a session that begins just now is left alone
        with explained(self.path), closing(connect(self.path, "rw")) as connection:
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("VACUUM")
            if connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                raise OutputError(f"session {session} is deleted, but another program is reading '{self.path}': some of its "
                                  "bytes stay in the journal until that program ends")

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with explained(self.path, "read"), closing(connect(self.path, "ro")) as connection:
            check_version(connection, self.path)
            connection.row_factory = sqlite3.Row
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: of two reviewers, the second sees what the first has written."""
        if self.read_only:
            raise UsageError("reviews are only shown here: the page was started with --read-only")
        with explained(self.path), closing(connect_to_write(self.path)) as connection:
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")


def checked_name(name: str, what: str) -> str:
    """A person's name as it is kept. Raises UsageError for an empty or an endless one."""
    name = " ".join(name.split())
    if not 0 < len(name) <= LONGEST_NAME:
        raise UsageError(f"{what} is missing: type it first" if not name else
                         f"{what} has {len(name)} letters, expected at most {LONGEST_NAME}")
    return name


def _checked(marks: Marks) -> Marks:
    """Times to the millisecond, action units as "1+2". Raises UsageError."""
    times = [round(float(getattr(marks, name)), 3) for name in ("onset_s", "apex_s", "offset_s")]
    if not 0 <= times[0] < times[1] <= times[2]:
        onset, apex, offset = (f"{time:.3f}" for time in times)
        raise UsageError(f"a movement begins, peaks, then ends: got onset {onset}, apex {apex}, offset {offset} s")
    units = re.sub(r"\s*[+,; ]\s*", "+", marks.action_units.strip().upper().replace("AU", ""))
    if units and not UNITS.fullmatch(units):
        raise UsageError(f"'{marks.action_units}' are no action units: write them like 1+2 or 6+L12C")
    label = " ".join(marks.label.split()).lower()
    if not 0 < len(label) <= LONGEST_NAME:
        raise UsageError("the label is empty: choose one")
    if marks.kind not in ("micro", "macro"):
        raise UsageError(f"the kind '{marks.kind}' is neither micro nor macro")
    return Marks(*times, label, marks.kind, units, marks.note.strip()[:1000])


def _verdict(item: Item, reviewer: str, reject: bool, marks: Marks) -> str:
    if reject:
        return "rejected"
    if item.event is None and min(item.reviews.values(), key=lambda one: one.id).reviewer == reviewer:
        return "added"
    # action units and notes add to what was found, they do not gainsay it
    return "accepted" if replace(marks, action_units="", note="") == replace(item.found, action_units="", note="") else "corrected"


def _items(connection: sqlite3.Connection, session: int) -> list[Item]:
    found = {}
    for row in connection.execute(f"SELECT id, {', '.join(FIELDS)} FROM events WHERE session_id = ? ORDER BY id", (session,)):
        marks = Marks(row["onset_s"], row["apex_s"], row["offset_s"], row["label"], row["kind"])
        key = f"e{row['id']}"
        found[key] = Item(session, key, row["event"], row["source"], row["face"], marks, json.loads(row["scores"]), {})
    for row in _rows(connection, session):
        review, key = _review(row), _key(row)
        if key not in found:
            found[key] = Item(session, key, None, row["source"], row["face"], review.marks, {}, {})
        found[key].reviews[review.reviewer] = review
    return sorted(found.values(), key=lambda item: (item.source, item.found.onset_s, item.key))


def _rows(connection: sqlite3.Connection, session: int, undone: bool = False) -> list[sqlite3.Row]:
    if connection.execute("PRAGMA user_version").fetchone()[0] < 2:
        return []
    query = "SELECT * FROM reviews WHERE session_id = ? AND (?2 OR undone_at IS NULL) ORDER BY id"
    return connection.execute(query, (session, undone)).fetchall()


def _insert(connection: sqlite3.Connection, item: Item, reviewer: str, verdict: str, marks: Marks) -> Review:
    kind, number = item.key[0], int(item.key[1:])
    row = {"session_id": item.session, "event_id": number if kind == "e" else None, "missed": number if kind == "m" else None,
           "reviewer": reviewer, "verdict": verdict, "source": item.source, "face": item.face, "at": _now()} | asdict(marks)
    query = f"INSERT INTO reviews ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})"
    new = connection.execute(query, list(row.values())).lastrowid
    return Review(new, reviewer, verdict, marks, row["at"])


def _review(row: sqlite3.Row) -> Review:
    marks = Marks(*(row[name] for name in ("onset_s", "apex_s", "offset_s", "label", "kind", "action_units", "note")))
    return Review(row["id"], row["reviewer"], row["verdict"], marks, row["at"], row["undone_at"])


def _key(row: sqlite3.Row) -> str:
    return f"e{row['event_id']}" if row["event_id"] is not None else f"m{row['missed']}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
