"""The event log's file: its tables, how an older file gets those of today, and how it is opened."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import platformdirs

from engines.errors import notices
from realtime.errors import OutputError
from realtime.output.line_file import make_folder_of

VERSION = 7  # of the tables below, kept in PRAGMA user_version
WAIT_S = 5.0  # for another program that is writing
# what was found and what is said of it have these columns in common
MOVEMENT = """source TEXT NOT NULL,
    face INTEGER NOT NULL,
    onset_s REAL NOT NULL,
    apex_s REAL NOT NULL,
    offset_s REAL NOT NULL,
    label TEXT NOT NULL"""
TABLES_1 = f"""
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
    {MOVEMENT},
    scores TEXT NOT NULL,        -- JSON, class → probability
    model TEXT NOT NULL,
    latency_ms REAL NOT NULL,
    kind TEXT NOT NULL,          -- micro or macro
    confidence REAL NOT NULL
);
CREATE INDEX events_of_session ON events(session_id);
"""
# Since version 2. What a person says stands beside what the program found, never over it: a review is a row of its own,
# a later one of the same reviewer counts instead, and what was taken back keeps its row. sessions.files: JSON, source →
# the recording's absolute path. gone: sessions deleted, since a number that a writer may still hold is never given twice.
TABLES_2 = f"""
ALTER TABLE sessions ADD COLUMN files TEXT;
CREATE TABLE reviews (
    id INTEGER PRIMARY KEY,
    session_id INTEGER NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,
    event_id INTEGER REFERENCES events(id) ON DELETE CASCADE,
    missed INTEGER,              -- instead of event_id: number of an event that the program missed, within its session
    reviewer TEXT NOT NULL,
    verdict TEXT NOT NULL CHECK (verdict IN ('accepted', 'corrected', 'rejected', 'added')),
    {MOVEMENT},
    kind TEXT NOT NULL,
    action_units TEXT NOT NULL,
    note TEXT NOT NULL,
    at TEXT NOT NULL,
    undone_at TEXT,
    CHECK ((event_id IS NULL) <> (missed IS NULL))
);
CREATE INDEX reviews_of_session ON reviews(session_id);
CREATE TABLE people (
    session_id INTEGER NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,
    source TEXT NOT NULL,
    subject TEXT NOT NULL,       -- the participant's name or number, as a reviewer typed it
    PRIMARY KEY (session_id, source)
);
CREATE TABLE gone (session_id INTEGER NOT NULL);
"""
# Since version 3: how well a session went. judged: JSON, source → `Judged.as_dict`. incomplete: why its results are, empty
# where they are not. alive_at, process: its last sign of life, and whose (`realtime.output.log_health`).
TABLES_3 = """
ALTER TABLE sessions ADD COLUMN judged TEXT;
ALTER TABLE sessions ADD COLUMN incomplete TEXT;
ALTER TABLE sessions ADD COLUMN alive_at TEXT;
ALTER TABLE sessions ADD COLUMN process TEXT;
"""
# Since version 4: `Event.utc`, empty for recordings.
TABLES_4 = """
ALTER TABLE events ADD COLUMN utc TEXT;
"""
# Since version 5: what other instruments marked (`records.Marker`).
TABLES_5 = """
CREATE TABLE markers (
    session_id INTEGER NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,
    source TEXT NOT NULL,
    time_s REAL NOT NULL,        -- in the source's own clock
    label TEXT NOT NULL,
    stream TEXT NOT NULL         -- who said it
);
CREATE INDEX markers_of_session ON markers(session_id);
"""
# Since version 6: `Event.units`. unit_confidences: JSON, unit → confidence. Both NULL where nothing was estimated.
TABLES_6 = """
ALTER TABLE events ADD COLUMN estimated_units TEXT;
ALTER TABLE events ADD COLUMN unit_confidences TEXT;
"""
# Since version 7: what was told at its apex (`Event.provisional`), and what became of it (`realtime.output.log_provisional`).
TABLES_7 = """
CREATE TABLE provisional (
    session_id INTEGER NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,
    event INTEGER NOT NULL,      -- as in events, where it was confirmed
    source TEXT NOT NULL,
    face INTEGER NOT NULL,
    onset_s REAL NOT NULL,
    apex_s REAL NOT NULL,
    label TEXT NOT NULL,
    scores TEXT NOT NULL,        -- JSON, class → probability
    kind TEXT NOT NULL,
    latency_ms REAL NOT NULL,    -- from the apex's arrival
    outcome TEXT                 -- confirmed or withdrawn; empty until it is known
);
CREATE INDEX provisional_of_session ON provisional(session_id);
"""
STEPS = (TABLES_1, TABLES_2, TABLES_3, TABLES_4, TABLES_5, TABLES_6, TABLES_7)  # the n-th makes version n from the one before


def default_path() -> Path:
    """Where the log lies: MER_LIVE_LOG, or events.sqlite3 in the user's data folder."""
    chosen = os.environ.get("MER_LIVE_LOG")
    return Path(chosen) if chosen else Path(platformdirs.user_data_dir("mer-live", appauthor=False)) / "events.sqlite3"


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """Opens the log as it is.

    Args:
        mode: "ro" to read, "rw" or "rwc" to write. Autocommit: what is written is on disk when `execute` returns.
    """
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    connection = sqlite3.connect(uri, uri=True, timeout=WAIT_S, isolation_level=None, check_same_thread=False)
    connection.text_factory = lambda text: text.decode("utf-8", "replace")  # of a damaged row
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def hold_open(path: Path) -> sqlite3.Connection:
    """A connection that does nothing but stay, until any thread closes it. Raises sqlite3.Error where there is no log yet.

    Whoever closes a log last writes its journal back: a line that is written alone waits for the disk five times, not two.
    """
    connection = connect(path, "rw")
    try:
        version(connection)  # opened only when something is read
    except BaseException:
        connection.close()
        raise
    return connection


def connect_to_write(path: Path) -> sqlite3.Connection:
    """Opens the log, makes it where there is none, and brings an older one to VERSION.

    Raises:
        OutputError: it cannot be made, or is of a newer version.
        sqlite3.Error: as SQLite says it, see `explained`.
    """
    new_folder = not path.parent.exists()
    make_folder_of(path)
    if new_folder:
        path.parent.chmod(0o700)
    _only_the_owners(path)
    connection = connect(path, "rwc")
    try:
        _use_wal(connection)
        # of two programs that start at once, one makes the tables; one that breaks off leaves the file as it was
        connection.execute("BEGIN IMMEDIATE")
        for number, step in list(enumerate(STEPS, 1))[version(connection) :]:
            for statement in step.split(";\n"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")
        connection.execute("COMMIT")
        check_version(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _only_the_owners(path: Path) -> None:
    """What somebody's face showed is nobody else's business, whatever folder the log lies in. SQLite gives its journal
    the log's own mode, so the log is made before SQLite would; one that others may read is narrowed."""
    with suppress(OSError):  # it is there, or SQLite will say why it cannot be
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    for file in (path, *(path.with_name(path.name + ending) for ending in ("-wal", "-shm"))):
        with suppress(FileNotFoundError):
            if not file.is_file() or not file.stat().st_mode & 0o077:
                continue
            try:
                file.chmod(0o600)
            except OSError:
                notices.warning(f"others may read the event log '{file}': it is not yours to change (chmod 600)")


def busy(error: sqlite3.Error) -> bool:
    """Whether another program holds the log just now."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def no_room(error: sqlite3.Error) -> bool:
    """Whether the disk takes nothing just now: full, a quota used up, a network disk that is away."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


def version(connection: sqlite3.Connection) -> int:
    return connection.execute("PRAGMA user_version").fetchone()[0]


def check_version(connection: sqlite3.Connection, path: Path) -> int:
    """The version of the tables, which readers take from 1 on.

    Raises:
        OutputError: a file that is too new.
    """
    found = version(connection)
    if not 1 <= found <= VERSION:
        raise OutputError(
            f"event log '{path}' has tables of version {found}, this program knows {VERSION}: update it, or set MER_LIVE_LOG to another file"
        )
    return found


@contextmanager
def explained(path: Path, verb: str = "write") -> Iterator[None]:
    """SQLite's complaints as one line for a person: an OutputError."""
    try:
        yield
    except (sqlite3.Error, UnicodeDecodeError) as error:  # the latter: of a damaged name of a column
        raise OutputError(f"cannot {verb} event log '{path}': {error}; move it away if it is damaged, or set MER_LIVE_LOG to another file") from error


def _use_wal(connection: sqlite3.Connection) -> None:
    """SQLite does not wait by itself where two programs change the journal of a new file at once."""
    deadline = time.monotonic() + WAIT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if not busy(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
