"""The event log: one SQLite file under the user's data folder, a row for each session and each event. Never a picture.

Two programs may write at once (WAL, and each waits for the other). Times of sessions are ISO 8601 in UTC, times of
events are seconds in their source's own clock.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import platformdirs

from realtime import __version__
from realtime.errors import OutputError, UsageError
from realtime.records import Event
from realtime.sinks import Sink, make_folder_of

VERSION = 1  # of the tables below, kept in PRAGMA user_version
WAIT_S = 5.0  # for another program that is writing
TABLES = """
CREATE TABLE sessions (
    id INTEGER PRIMARY KEY,
    started_at TEXT NOT NULL,
    ended_at TEXT,               -- empty while it runs, and for ever if it was killed
    version TEXT NOT NULL,
    model TEXT NOT NULL,
    sources TEXT NOT NULL,       -- JSON list
    settings TEXT NOT NULL,      -- JSON, the resolved configuration
    frames INTEGER,
    drops TEXT,                  -- JSON, cause → count
    faults TEXT                  -- JSON, cause → count
);
CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    session_id INTEGER NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,
    event INTEGER NOT NULL,
    source TEXT NOT NULL,
    face INTEGER NOT NULL,
    onset_s REAL NOT NULL,
    apex_s REAL NOT NULL,
    offset_s REAL NOT NULL,
    label TEXT NOT NULL,
    scores TEXT NOT NULL,        -- JSON, class → probability
    model TEXT NOT NULL,
    latency_ms REAL NOT NULL,
    kind TEXT NOT NULL,          -- micro or macro
    confidence REAL NOT NULL
);
CREATE INDEX events_of_session ON events(session_id);
"""
FIELDS = ("event", "source", "face", "onset_s", "apex_s", "offset_s", "label", "scores", "model", "latency_ms",
          "kind", "confidence")


def default_path() -> Path:
    """Where the log lies: MER_LIVE_LOG, or events.sqlite3 in the user's data folder."""
    chosen = os.environ.get("MER_LIVE_LOG")
    return Path(chosen) if chosen else Path(platformdirs.user_data_dir("mer-live", appauthor=False)) / "events.sqlite3"


@dataclass
class Session:
    """What a session was started with. settings: the resolved configuration, plain dicts and lists."""

    model: str
    sources: list[str]
    settings: dict
    started_at: str = field(default_factory=lambda: _now())


class SqliteSink(Sink):
    """Writes a session and its events. Call `finish` before the Writer is closed, from any thread."""

    def __init__(self, session: Session, path: str | Path | None = None):
        self.path = Path(path) if path else default_path()
        self.name = f"event log {self.path}"
        self.session = session
        self.id: int | None = None
        self._connection: sqlite3.Connection | None = None
        self._end: tuple[int | None, dict, dict] = (None, {}, {})

    def open(self) -> None:
        # here and not in __init__: an SQLite connection belongs to the thread that made it
        with _explained(self.path):
            self._connection = _connect_to_write(self.path)
            row = (self.session.started_at, __version__, self.session.model, _json(self.session.sources),
                   _json(self.session.settings))
            self.id = self._connection.execute(
                "INSERT INTO sessions (started_at, version, model, sources, settings) VALUES (?, ?, ?, ?, ?)", row
            ).lastrowid

    def write(self, event: Event) -> None:
        row = event.as_dict() | {"source": without_password(event.source), "scores": _json(event.as_dict()["scores"])}
        values = [self.id, *(_text(row[name]) for name in FIELDS)]
        with _explained(self.path):
            self._connection.execute(
                f"INSERT INTO events (session_id, {', '.join(FIELDS)}) VALUES ({', '.join('?' * len(values))})", values
            )

    def finish(self, frames: int, drops: dict[str, int], faults: dict[str, int]) -> None:
        """What is written at the end: frames seen, and counts of drops and faults by cause."""
        self._end = (frames, dict(drops), dict(faults))

    def close(self) -> None:
        if self._connection is None:
            return
        frames, drops, faults = self._end
        with closing(self._connection), _explained(self.path):
            self._connection.execute(
                "UPDATE sessions SET ended_at = ?, frames = ?, drops = ?, faults = ? WHERE id = ?",
                (_now(), frames, _json(drops), _json(faults), self.id),
            )


class Log:
    """Reads a log. Raises UsageError where there is none yet, OutputError where it cannot be read."""

    def __init__(self, path: str | Path | None = None):
        self.path = Path(path) if path else default_path()
        if not self.path.exists():
            raise UsageError(f"no event log at '{self.path}' yet: mer-live and mer-replay write it "
                             "unless --no-log is given")

    def sessions(self, limit: int = -1) -> list[dict]:
        """The latest sessions, newest first, with the number of their `events`; drops and faults as dicts."""
        rows = self._rows(
            "SELECT *, (SELECT count(*) FROM events WHERE session_id = sessions.id) AS events"
            " FROM sessions ORDER BY id DESC LIMIT ?", limit)
        return [row | {name: json.loads(row[name] or "{}") for name in ("sources", "settings", "drops", "faults")}
                for row in rows]

    def session(self, number: int | None = None) -> dict:
        """One session, the latest by default. Raises UsageError where there is no such session."""
        sessions = self.sessions()
        if not sessions:
            raise UsageError(f"the event log '{self.path}' holds no session yet")
        for session in sessions:
            if number in (None, session["id"]):
                return session
        raise UsageError(f"no session {number} in the log: the latest is {sessions[0]['id']} (mer-log list shows them)")

    def events(self, session: int | None = None) -> list[dict]:
        """Events in the order found, as `Event.as_dict` with the `session` in front; of all sessions by default."""
        rows = self._rows(f"SELECT session_id AS session, {', '.join(FIELDS)} FROM events"
                          " WHERE ?1 IS NULL OR session_id = ?1 ORDER BY id", session)
        return [row | {"scores": json.loads(row["scores"])} for row in rows]

    def _rows(self, query: str, *values) -> list[dict]:
        with _explained(self.path, "read"), closing(_connect(self.path, "ro")) as connection:
            _check_version(connection, self.path)
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(query, values)]


def without_password(source: str) -> str:
    """rtsp://user:secret@host → rtsp://host: logs are kept and passed on."""
    return re.sub(r"(\w+://)[^/@\s\"]+@", r"\1", source)


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    # autocommit: each event is on disk when its INSERT returns
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    connection = sqlite3.connect(uri, uri=True, timeout=WAIT_S, isolation_level=None)
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _connect_to_write(path: Path) -> sqlite3.Connection:
    new_folder = not path.parent.exists()
    make_folder_of(path)
    if new_folder:
        path.parent.chmod(0o700)  # what somebody's face showed is nobody else's business
    connection = _connect(path, "rwc")
    try:
        _use_wal(connection)
        connection.execute("BEGIN IMMEDIATE")  # of two programs that start at once, one makes the tables
        if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
            for statement in TABLES.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
        _check_version(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _use_wal(connection: sqlite3.Connection) -> None:
    """SQLite does not wait by itself where two programs change the journal of a new file at once."""
    deadline = time.monotonic() + WAIT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _check_version(connection: sqlite3.Connection, path: Path) -> None:
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found != VERSION:
        raise OutputError(f"event log '{path}' has tables of version {found}, this program knows {VERSION}: "
                          "update it, or set MER_LIVE_LOG to another file")


@contextmanager
def _explained(path: Path, verb: str = "write") -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise OutputError(f"cannot {verb} event log '{path}': {error}; move it away if it is damaged, "
                          "or set MER_LIVE_LOG to another file") from error


def _json(value) -> str:
    return without_password(json.dumps(value))


def _text(value):
    """SQLite takes UTF-8 only; a file name may hold bytes that are not."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
