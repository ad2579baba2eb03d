"""What people say about the events of a log: accepted, corrected, rejected, or missed by the program and added.

A review stands beside the event, never over it. Of each reviewer the latest counts; earlier ones, and what was taken
back, stay as history.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from pathlib import Path

from realtime.errors import OutputError, UsageError
from realtime.output import stored_pictures
from realtime.output.log import Log
from realtime.output.log_health import whole_events, whole_people, whole_reviews
from realtime.output.log_schema import check_version, connect, connect_to_write, explained, version
from realtime.records import UNSURE
from realtime.review.item import Item, Marks, Review, checked, checked_name

BEFORE_S, AFTER_S = 0.2, 0.24  # a missed event until it is corrected: CASME II's mean is near half a second
MARKS = [one.name for one in fields(Marks)]


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
        with self._reading() as connection:
            return _item(connection, session, key)

    def newest(self, session: int) -> dict[tuple[str, str], int]:
        """(event's key, reviewer) → the number of what they said of it last, also where it was taken back."""
        with self._reading() as connection:
            return _newest(connection, session)

    def judge(self, session: int, key: str, reviewer: str, reject: bool = False, seen: int | None = None, **changes) -> Review:
        """Accept an event as it stands, with `changes` to its `Marks`; or reject it. What is said already is not written again.

        Args:
            seen: what the reviewer had said of it last when it was before them, as in `newest`; 0 for nothing. Where the same name
                has said something else since then (in another window, or by somebody else who uses it), nothing is written:
                UsageError.
            changes: with all of the marks in it, a request may come twice.
        """
        reviewer = checked_name(reviewer, "your name")
        with self._writing() as connection:
            item = _item(connection, session, key)
            marks, now = checked(replace(item.marks(reviewer), **changes)), item.reviews.get(reviewer)
            verdict = "rejected" if reject else item.verdict_of(reviewer, marks)
            current = seen is None or seen == _newest(connection, session).get((key, reviewer), 0)
            if now is not None and (now.verdict, now.marks) == (verdict, marks) and (current or len(changes) == len(MARKS)):
                return now
            if not current:
                raise UsageError(f"'{reviewer}' has judged this event in another window meanwhile: look again, then judge it")
            return _insert(connection, item, reviewer, verdict, marks)

    def add(self, session: int, reviewer: str, source: str, apex_s: float, label: str = UNSURE, key: str = "", **marks) -> Item:
        """An event that the program missed, its apex at `apex_s`; onset and offset are guessed where not given.

        Args:
            key: the one that it is to have, so that the same event is not added twice; another where that is somebody else's.
        """
        reviewer = checked_name(reviewer, "your name")
        marks = {"onset_s": max(0.0, apex_s - BEFORE_S), "offset_s": apex_s + AFTER_S} | marks
        said = checked(Marks(apex_s=apex_s, label=label, **marks))
        if source not in self.log.session(session)["sources"]:
            raise UsageError(f"session {session} has no source '{source}'")
        with self._writing() as connection:
            first = next((row for row in _rows(connection, session, undone=True) if _key_of(row) == key), None)
            if first is None or (first["reviewer"], first["source"], first["apex_s"]) != (reviewer, source, said.apex_s):
                query = "SELECT coalesce(max(missed), 0) + 1 FROM reviews WHERE session_id = ?"
                number = connection.execute(query, (session,)).fetchone()[0]
                item = Item(session, f"m{number}", None, source, 0, said)
                _insert(connection, item, reviewer, "added", said)
                key = item.key
        return self.item(session, key)

    def undo(self, session: int, reviewer: str, review: int | None = None) -> str | None:
        """Takes the reviewer's latest word in this session back, or `review`, where it is theirs.

        Returns:
            The event's key, also where that was taken back before; None where there is none.
        """
        which = "undone_at IS NULL" if review is None else "id = ?3"
        with self._writing() as connection:
            row = connection.execute(
                f"SELECT id, event_id, missed FROM reviews WHERE session_id = ?1 AND reviewer = ?2 AND {which} ORDER BY id DESC LIMIT 1",
                (session, reviewer.strip(), *([] if review is None else [review])),
            ).fetchone()
            if row is None:
                return None
            connection.execute("UPDATE reviews SET undone_at = coalesce(undone_at, ?) WHERE id = ?", (_now(), row["id"]))
            return _key_of(row)

    def history(self, session: int, key: str) -> list[Review]:
        """Everything that was ever said of an event, in order, also what was taken back."""
        with self._reading() as connection:
            return [_review_of(row) for row in _rows(connection, session, undone=True) if _key_of(row) == key]

    def people(self, session: int) -> dict[str, str]:
        """Source → the participant's name, where one was typed."""
        with self._reading() as connection:
            if check_version(connection, self.path) < 2:
                return {}
            found = connection.execute("SELECT source, subject FROM people WHERE session_id = ?", (session,))
            return whole_people(session, map(tuple, found))

    def name(self, session: int, source: str, subject: str) -> None:
        """Who is seen in a source; an empty name takes it back."""
        subject = checked_name(subject, "the participant") if subject.strip() else ""
        self.log.session(session)
        with self._writing() as connection:
            connection.execute("DELETE FROM people WHERE session_id = ? AND source = ?", (session, source))
            if subject:
                connection.execute("INSERT INTO people VALUES (?, ?, ?)", (session, source, subject))

    def delete(self, session: int) -> None:
        """Removes a session for good: events, reviews, names, and the pictures that were kept.

        The file is rewritten without it (secure_delete, VACUUM, an emptied journal), so that not even its bytes stay. A
        program that still writes this session is told so at its next event.

        Raises:
            UsageError: there is none.
        """
        self.log.session(session)
        with self._writing() as connection:
            connection.execute("DELETE FROM sessions WHERE id = ?", (session,))
            connection.execute("INSERT INTO gone VALUES (?)", (session,))
            connection.execute("DELETE FROM gone WHERE session_id < (SELECT max(session_id) FROM gone)")
            known = {row[0] for row in connection.execute("SELECT id FROM sessions")}
        stored_pictures.sweep(stored_pictures.beside(self.path), known, max(known | {session}))  # a session that begins just now is left alone
        with explained(self.path), closing(connect(self.path, "rw")) as connection:
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("VACUUM")
            if connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                raise OutputError(
                    f"session {session} is deleted, but another program is reading '{self.path}': some of its "
                    "bytes stay in the journal until that program ends"
                )

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


def _item(connection: sqlite3.Connection, session: int, key: str) -> Item:
    for item in _items(connection, session):
        if item.key == key:
            return item
    raise UsageError(f"session {session} has no event {key} any more")


def _items(connection: sqlite3.Connection, session: int) -> list[Item]:
    """The events of a session and those added to it, by source and onset, each with what counts of what was said."""
    found = {}
    logged = connection.execute("SELECT * FROM events WHERE session_id = ? ORDER BY id", (session,))
    for row in whole_events(dict(row) for row in logged):
        marks = Marks(row["onset_s"], row["apex_s"], row["offset_s"], row["label"], row["kind"])
        key = f"e{row['id']}"
        found[key] = Item(session, key, row["event"], row["source"], row["face"], marks, row["scores"], {}, row.get("estimated_units") or "")
    for row in _rows(connection, session):
        review, key = _review_of(row), _key_of(row)
        if key not in found and row["event_id"] is not None:
            continue  # of an event whose row is damaged
        if key not in found:
            found[key] = Item(session, key, None, row["source"], row["face"], review.marks, {}, {})
        found[key].reviews[review.reviewer] = review
    return sorted(found.values(), key=lambda item: (item.source, item.found.onset_s, item.key))


def _rows(connection: sqlite3.Connection, session: int, undone: bool = False) -> list[dict]:
    """In the order said; with `undone` also what was taken back. None in a log of version 1."""
    if version(connection) < 2:
        return []
    query = "SELECT * FROM reviews WHERE session_id = ? AND (? OR undone_at IS NULL) ORDER BY id"
    return whole_reviews(dict(row) for row in connection.execute(query, (session, undone)))


def _newest(connection: sqlite3.Connection, session: int) -> dict[tuple[str, str], int]:
    """(event's key, reviewer) → the id of what they said of it last, also where it was taken back."""
    return {(_key_of(row), row["reviewer"]): row["id"] for row in _rows(connection, session, undone=True)}


def _insert(connection: sqlite3.Connection, item: Item, reviewer: str, verdict: str, marks: Marks) -> Review:
    kind, number = item.key[0], int(item.key[1:])
    at = _now()
    row = {
        "session_id": item.session,
        "event_id": number if kind == "e" else None,
        "missed": number if kind == "m" else None,
        "reviewer": reviewer,
        "verdict": verdict,
        "source": item.source,
        "face": item.face,
        "at": at,
    } | asdict(marks)
    query = f"INSERT INTO reviews ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})"
    new = connection.execute(query, list(row.values())).lastrowid
    return Review(new, reviewer, verdict, marks, at)


def _review_of(row: dict) -> Review:
    marks = Marks(**{name: row[name] for name in MARKS})
    return Review(row["id"], row["reviewer"], row["verdict"], marks, row["at"], row["undone_at"])


def _key_of(row: dict | sqlite3.Row) -> str:
    """As in `Item.key`."""
    return f"e{row['event_id']}" if row["event_id"] is not None else f"m{row['missed']}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
