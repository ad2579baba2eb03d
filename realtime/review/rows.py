"""Reviews as rows of the event log. A connection's `row_factory` must be sqlite3.Row."""

from __future__ import annotations

import sqlite3
from dataclasses import asdict, fields
from datetime import UTC, datetime

from realtime.output.log_damage import whole_events, whole_reviews
from realtime.output.log_schema import version
from realtime.review.item import Item, Marks, Review

MARKS = [one.name for one in fields(Marks)]


def items(connection: sqlite3.Connection, session: int) -> list[Item]:
    """The events of a session and those added to it, by source and onset, each with what counts of what was said."""
    found = {}
    logged = connection.execute("SELECT * FROM events WHERE session_id = ? ORDER BY id", (session,))
    for row in whole_events(dict(row) for row in logged):
        marks = Marks(row["onset_s"], row["apex_s"], row["offset_s"], row["label"], row["kind"])
        key = f"e{row['id']}"
        found[key] = Item(session, key, row["event"], row["source"], row["face"], marks, row["scores"], {})
    for row in rows(connection, session):
        review, key = review_of(row), key_of(row)
        if key not in found and row["event_id"] is not None:
            continue  # of an event whose row is damaged
        if key not in found:
            found[key] = Item(session, key, None, row["source"], row["face"], review.marks, {}, {})
        found[key].reviews[review.reviewer] = review
    return sorted(found.values(), key=lambda item: (item.source, item.found.onset_s, item.key))


def rows(connection: sqlite3.Connection, session: int, undone: bool = False) -> list[dict]:
    """In the order said; with `undone` also what was taken back. None in a log of version 1."""
    if version(connection) < 2:
        return []
    query = "SELECT * FROM reviews WHERE session_id = ? AND (?2 OR undone_at IS NULL) ORDER BY id"
    return whole_reviews(dict(row) for row in connection.execute(query, (session, undone)))


def insert(connection: sqlite3.Connection, item: Item, reviewer: str, verdict: str, marks: Marks) -> Review:
    kind, number = item.key[0], int(item.key[1:])
    row = {
        "session_id": item.session,
        "event_id": number if kind == "e" else None,
        "missed": number if kind == "m" else None,
        "reviewer": reviewer,
        "verdict": verdict,
        "source": item.source,
        "face": item.face,
        "at": now(),
    } | asdict(marks)
    query = f"INSERT INTO reviews ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})"
    new = connection.execute(query, list(row.values())).lastrowid
    return Review(new, reviewer, verdict, marks, row["at"])


def review_of(row: dict) -> Review:
    marks = Marks(**{name: row[name] for name in MARKS})
    return Review(row["id"], row["reviewer"], row["verdict"], marks, row["at"], row["undone_at"])


def key_of(row: dict | sqlite3.Row) -> str:
    """As in `Item.key`."""
    return f"e{row['event_id']}" if row["event_id"] is not None else f"m{row['missed']}"


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
