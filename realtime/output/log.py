"""The event log: one SQLite file under the user's data folder, a row for each session and each event. Never a picture.

Two programs may write at once (WAL, and each waits for the other). Times of sessions are ISO 8601 in UTC, times of
events are seconds in their source's own clock. What people say about events is in `realtime.review`.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections import deque
from contextlib import closing, suppress
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path

from realtime import __version__
from realtime.errors import OutputError, UsageError
from realtime.names import plain, printable
from realtime.output.log_health import myself, runs, whole_events, whole_markers, whole_session
from realtime.output.log_provisional import Told
from realtime.output.log_schema import busy, check_version, connect, connect_to_write, default_path, explained, no_room, version
from realtime.output.sinks import MOST_WAITING, Sink
from realtime.records import Event, Marker
from realtime.sources import lies_here
from realtime.sources.addresses import without_password

FIELDS = ("event", "source", "face", "onset_s", "apex_s", "offset_s", "label", "scores", "model", "latency_ms", "kind", "confidence")
NOT_ALWAYS = ("estimated_units", "unit_confidences", "utc")  # known of some events only, and not in logs of older versions
MARKS = tuple(one.name for one in fields(Marker))
PATIENCE_S = 60.0  # for another program that holds the log
LAST_S = 25.0  # the same at the end, when somebody waits


@dataclass
class Session:
    """What a session was started with.

    Attributes:
        settings: the resolved configuration, plain dicts and lists.
        files: where the recordings lie, source → path, for those who look at an event again; by default every source that is
            a file now.
        participant: who is in all of them, where that is known.
    """

    model: str
    sources: list[str]
    settings: dict
    files: dict[str, str] | None = None
    started_at: str = field(default_factory=lambda: _now())
    participant: str = ""


class SqliteSink(Sink):
    """Writes a session and its events. Call `finish` before the Writer is closed, from any thread.

    A log that another program holds is tried again for PATIENCE_S; beyond that, and where the disk is full, events wait in memory, and
    each further one, each beat and the end try again. Only what the end cannot write either is lost, and counted.
    """

    def __init__(self, session: Session, path: str | Path | None = None):
        self.path = Path(path) if path else default_path()
        self.name = f"event log {self.path}"
        self.session = session
        self.id: int | None = None
        self._connection: sqlite3.Connection | None = None
        self._waiting: deque[list] = deque()  # rows that are not in the log yet
        self._marks: deque[list] = deque(maxlen=MOST_WAITING)  # the same of markers
        self._told = Told()
        self._patience = PATIENCE_S
        self._held = ""  # why events wait, once that was said
        self._full = False  # and it is the disk, not another program
        self._end: tuple = (None, {}, {}, {}, "")
        self._closed = False

    def open(self) -> None:
        # here and not in __init__: an SQLite connection belongs to the thread that made it
        self._save()

    def write(self, event: Event) -> None:
        if len(self._waiting) >= MOST_WAITING:
            raise self._lost()
        row = event.as_dict() | {"source": without_password(printable(event.source))}
        row |= {name: _json(value) for name, value in row.items() if isinstance(value, dict)}
        self._waiting.append([_text(row.get(name)) for name in (*FIELDS, *NOT_ALWAYS)])
        self._told.add(event)
        self._save()

    def provisional(self, event: Event) -> None:
        self._told.add(event)
        self._save()

    def mark(self, marker: Marker) -> None:
        row = marker.as_dict() | {"source": without_password(printable(marker.source))}
        self._marks.append([_text(row[name]) for name in MARKS])
        self._save()

    def beat(self) -> None:
        self._save()

    def finish(self, frames: int, drops: dict[str, int], faults: dict[str, int], judged: dict[str, dict] | None = None, incomplete: str = "") -> None:
        """What is written at the end: frames seen, counts of drops and faults by cause, `Judged.as_dict` by source, and
        why the results are incomplete, if they are."""
        self._end = (frames, dict(drops), dict(faults), judged or {}, incomplete)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            self._save(last=True)
            if self._waiting or self.id is None:
                raise self._lost()
        finally:
            if self._connection is not None:
                self._connection.close()

    def _save(self, last: bool = False) -> None:
        """Raises OutputError where the log cannot be written, other than because another program holds it or its disk is full."""
        until = time.monotonic() + (LAST_S if last else self._patience)
        while True:
            try:
                with explained(self.path):
                    self._commit(last)
                self._patience, self._held = PATIENCE_S, ""
                return
            except OutputError as error:
                cause = error.__cause__
                if not isinstance(cause, sqlite3.Error) or not (busy(cause) or no_room(cause)):
                    raise
            self._full = not busy(cause)
            held = (
                f"the disk of the event log '{self.path}' takes no more ({cause})"
                if self._full
                else f"another program holds the event log '{self.path}'"
            )
            if held != self._held:
                self._held = held
                self.say(f"{held}: events wait until it {'does' if self._full else 'lets go'}")
            if self._full:
                return
            if time.monotonic() > until:
                self._patience = 0.0  # once: the other sinks want to go on
                return
            time.sleep(0.05)

    def _commit(self, last: bool) -> None:
        """All that waits, in one transaction; it is on disk when this returns."""
        if self._connection is None:
            self._connection = connect_to_write(self.path)
        do, number, rows, marks = self._connection.execute, self.id, list(self._waiting), list(self._marks)
        do("BEGIN IMMEDIATE")
        try:
            number = self._begin() if number is None else number
            there = do("UPDATE sessions SET alive_at = ? WHERE id = ?", (_now(), number)).rowcount
            if (rows or marks or self._told) and not there:
                raise OutputError(f"session {number} was deleted from the event log: nothing more of it is kept")
            for row in rows:
                do(f"INSERT INTO events (session_id, {', '.join((*FIELDS, *NOT_ALWAYS))}) VALUES ({', '.join('?' * (len(row) + 1))})", (number, *row))
            for row in marks:
                do(f"INSERT INTO markers (session_id, {', '.join(MARKS)}) VALUES (?, ?, ?, ?, ?)", (number, *row))
            told = self._told.write(self._connection, number)
            if last:
                frames, drops, faults, judged, incomplete = self._end
                do(
                    "UPDATE sessions SET ended_at = ?, frames = ?, drops = ?, faults = ?, judged = ?, incomplete = ? WHERE id = ?",
                    (_now(), frames, _json(drops), _json(faults), _json(judged), without_password(incomplete), number),
                )
            do("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                do("ROLLBACK")
            raise
        self.id = number
        for _ in rows:
            self._waiting.popleft()
        for _ in marks:
            self._marks.popleft()
        self._told.written(told)

    def _begin(self) -> int:
        """The session's row; its number."""
        row = (
            self.session.started_at,
            __version__,
            self.session.model,
            _json([printable(source) for source in self.session.sources]),
            _json(self.session.settings),
            _json(_files(self.session)),
            myself(),
        )
        number = self._connection.execute(
            "INSERT INTO sessions (id, started_at, version, model, sources, settings, files, process) SELECT max("
            " (SELECT coalesce(max(id), 0) FROM sessions), (SELECT coalesce(max(session_id), 0) FROM gone)) + 1,"
            " ?, ?, ?, ?, ?, ?, ?",
            row,
        ).lastrowid
        who = _text(self.session.participant.strip())
        people = [(number, without_password(printable(source)), who) for source in dict.fromkeys(self.session.sources)] if who else []
        self._connection.executemany("INSERT INTO people (session_id, source, subject) VALUES (?, ?, ?)", people)
        return number

    def _lost(self) -> OutputError:
        why = "found no room" if self._full else "stayed locked by another program"
        error = OutputError(f"event log '{self.path}' {why}: {len(self._waiting)} events are not in it")
        error.lost = len(self._waiting)
        self._waiting.clear()
        return error


def lies_at(log: Path, session: int, source: str, path: Path) -> None:
    """From now on a source of a session is a recording, which lies at `path`.

    Raises:
        OutputError: it cannot be written.
        UsageError: there is no such session.
    """
    files = Log(log).session(session)["files"]
    with explained(log), closing(connect_to_write(log)) as connection:
        connection.execute("UPDATE sessions SET files = ? WHERE id = ?", (_json(files | {source: str(path)}), session))


class Log:
    """Reads a log.

    Raises:
        UsageError: there is none yet.
        OutputError: it cannot be read.
    """

    def __init__(self, path: str | Path | None = None):
        self.path = Path(path) if path else default_path()
        if not self.path.exists():
            raise UsageError(f"no event log at '{self.path}' yet: mer-live and mer-replay write it unless --no-log is given")

    def sessions(self, limit: int = -1) -> list[dict]:
        """The latest sessions, newest first, with the number of their `events`; drops, faults and judged as dicts.

        files: source → path of the recording, of those that had one; see `Session`. unfinished: it was killed.
        incomplete: why its results are, "" where they are not (logs of older versions do not say).
        """
        return self._sessions("ORDER BY id DESC LIMIT ?", limit)

    def not_ended(self) -> list[dict]:
        """The same of those that still run or were killed, however many others there are."""
        return self._sessions("WHERE ended_at IS NULL ORDER BY id DESC")

    def _sessions(self, which: str, *values) -> list[dict]:
        rows = self._rows(f"SELECT *, (SELECT count(*) FROM events WHERE session_id = sessions.id) AS events FROM sessions {which}", *values)
        rows = [whole_session(row) for row in rows]
        for row in rows:
            row["sources"] = [_text(source) for source in row["sources"]]
            files = _guessed(row["sources"]) if row["files"] is None else row["files"]
            row["files"] = {_text(source): path for source, path in files.items()}
        return [row | _ending(row) for row in rows]

    def session(self, number: int | None = None) -> dict:
        """One session, the latest by default.

        Raises:
            UsageError: there is no such session.
        """
        sessions = self.sessions()
        if not sessions:
            raise UsageError(f"the event log '{self.path}' holds no session yet")
        for session in sessions:
            if number in (None, session["id"]):
                return session
        raise UsageError(f"no session {number} in the log: the latest is {sessions[0]['id']} (mer-log list shows them)")

    def events(self, session: int | None = None) -> list[dict]:
        """Events in the order found, as `Event.as_dict` with the `session` in front; of all sessions by default."""
        rows = self._rows("SELECT *, session_id AS session FROM events WHERE ? IS NULL OR session_id = ? ORDER BY id", session, session)
        names = ("session", *FIELDS, *NOT_ALWAYS)
        return whole_events({name: row[name] for name in names if name not in NOT_ALWAYS or row.get(name) is not None} for row in rows)

    def outcomes(self, session: int) -> list[str | None]:
        """What became of each that was told at its apex: "confirmed", "withdrawn" or None; logs of older versions have none."""
        if not self._rows("SELECT 1 FROM sqlite_master WHERE name = 'provisional'"):
            return []
        return [row["outcome"] for row in self._rows("SELECT outcome FROM provisional WHERE session_id = ? ORDER BY rowid", session)]

    def markers(self, session: int) -> list[Marker]:
        """What other instruments marked during a session, by time; logs of older versions have none."""
        if not self._rows("SELECT 1 FROM sqlite_master WHERE name = 'markers'"):
            return []
        return whole_markers(self._rows(f"SELECT {', '.join(MARKS)} FROM markers WHERE session_id = ? ORDER BY time_s, rowid", session))

    def _rows(self, query: str, *values) -> list[dict]:
        with explained(self.path, "read"), closing(connect(self.path, "ro")) as connection:
            if version(connection) == 0 and not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
                return []  # another program is just making it
            check_version(connection, self.path)
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(query, values)]


def left_unfinished(path: str | Path | None = None) -> str | None:
    """One line about sessions that were killed, and from then on no more of them; None where there is none to tell of."""
    path = Path(path) if path else default_path()
    if not path.exists():
        return None
    killed = [session for session in Log(path).not_ended() if session["unfinished"] and session.get("told") is None]
    if not killed:
        return None
    with explained(path), closing(connect_to_write(path)) as connection:
        connection.executemany("UPDATE sessions SET incomplete = ? WHERE id = ?", [(session["incomplete"], session["id"]) for session in killed])
    first, number = killed[0], ", ".join(str(session["id"]) for session in reversed(killed))
    which = f"session {number} was" if len(killed) == 1 else f"sessions {number} were"
    return f"{which} left unfinished in the event log (the last one: {first['incomplete']}); what was found is kept: mer-log show {first['id']}"


def _files(session: Session) -> dict[str, str]:
    found = session.files
    if found is None:
        found = {source: source for source in session.sources if lies_here(source)}
    return {printable(source): str(Path(path).absolute()) for source, path in found.items()}


def _ending(row: dict) -> dict:
    """unfinished and incomplete, and what the row says itself as told."""
    told, alive_at, process = (row.get(name) for name in ("incomplete", "alive_at", "process"))  # since version 3
    unfinished = row["ended_at"] is None and not runs(process, alive_at)
    killed = f"killed, last alive {alive_at}" if alive_at else "killed, when is not known"
    return {"told": told, "unfinished": unfinished, "incomplete": told or (killed if unfinished else ""), "alive_at": alive_at, "process": process}


def _guessed(sources: list[str]) -> dict[str, str]:
    """Version 1 did not say which sources were files: those that look like one."""
    return {source: source for source in sources if "://" not in source and Path(source).suffix}


def _json(value) -> str:
    return without_password(json.dumps(value))


def _text(value):
    """SQLite takes UTF-8 only; a file name may hold bytes that are not."""
    return plain(value) if isinstance(value, str) else value


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
