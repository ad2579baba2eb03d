"""The event log: one SQLite file under the user's data folder, a row for each session and each event. Never a picture.

Two programs may write at once (WAL, and each waits for the other). Times of sessions are ISO 8601 in UTC, times of
events are seconds in their source's own clock. What people say about events is in `realtime.review`.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import platformdirs

from realtime import __version__
from realtime.errors import OutputError, UsageError
from realtime.log_file import check_version, connect, connect_to_write, explained
from realtime.records import Event
from realtime.sinks import Sink

FIELDS = ("event", "source", "face", "onset_s", "apex_s", "offset_s", "label", "scores", "model", "latency_ms",
          "kind", "confidence")


def default_path() -> Path:
    """Where the log lies: MER_LIVE_LOG, or events.sqlite3 in the user's data folder."""
    chosen = os.environ.get("MER_LIVE_LOG")
    return Path(chosen) if chosen else Path(platformdirs.user_data_dir("mer-live", appauthor=False)) / "events.sqlite3"


@dataclass
class Session:
    """What a session was started with. settings: the resolved configuration, plain dicts and lists.

    files: where the recordings lie, source → path, for those who look at an event again; by default every source that
    is a file now.
    """

    model: str
    sources: list[str]
    settings: dict
    files: dict[str, str] | None = None
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
        with explained(self.path):
            self._connection = connect_to_write(self.path)
            row = (self.session.started_at, __version__, self.session.model, _json(self.session.sources),
                   _json(self.session.settings), _json(_files(self.session)))
            self.id = self._connection.execute(
                "INSERT INTO sessions (id, started_at, version, model, sources, settings, files) SELECT max("
                " (SELECT coalesce(max(id), 0) FROM sessions), (SELECT coalesce(max(session_id), 0) FROM gone)) + 1,"
                " ?, ?, ?, ?, ?, ?", row
            ).lastrowid

    def write(self, event: Event) -> None:
        row = event.as_dict() | {"source": without_password(event.source), "scores": _json(event.as_dict()["scores"])}
        values = [self.id, *(_text(row[name]) for name in FIELDS)]
        with explained(self.path):
            try:
                self._connection.execute(
                    f"INSERT INTO events (session_id, {', '.join(FIELDS)}) VALUES ({', '.join('?' * len(values))})", values
                )
            except sqlite3.IntegrityError as error:
                raise OutputError(f"session {self.id} was deleted from the event log: nothing more of it is kept") from error

    def finish(self, frames: int, drops: dict[str, int], faults: dict[str, int]) -> None:
        """What is written at the end: frames seen, and counts of drops and faults by cause."""
        self._end = (frames, dict(drops), dict(faults))

    def close(self) -> None:
        if self._connection is None:
            return
        frames, drops, faults = self._end
        with closing(self._connection), explained(self.path):
            self._connection.execute(
                "UPDATE sessions SET ended_at = ?, frames = ?, drops = ?, faults = ? WHERE id = ?",
                (_now(), frames, _json(drops), _json(faults), self.id),
            )


def lies_at(log: Path, session: int, source: str, path: Path) -> None:
    """From now on a source of a session is a recording, which lies at `path`. Raises OutputError, UsageError."""
    files = Log(log).session(session)["files"]
    with explained(log), closing(connect_to_write(log)) as connection:
        connection.execute("UPDATE sessions SET files = ? WHERE id = ?", (_json(files | {source: str(path)}), session))


class Log:
    """Reads a log. Raises UsageError where there is none yet, OutputError where it cannot be read."""

    def __init__(self, path: str | Path | None = None):
        self.path = Path(path) if path else default_path()
        if not self.path.exists():
            raise UsageError(f"no event log at '{self.path}' yet: mer-live and mer-replay write it "
                             "unless --no-log is given")

    def sessions(self, limit: int = -1) -> list[dict]:
        """The latest sessions, newest first, with the number of their `events`; drops and faults as dicts.

        files: source → path of the recording, of those that had one; see `Session`.
        """
        rows = self._rows(
            "SELECT *, (SELECT count(*) FROM events WHERE session_id = sessions.id) AS events"
            " FROM sessions ORDER BY id DESC LIMIT ?", limit)
        rows = [row | {name: json.loads(row[name] or "{}") for name in ("sources", "settings", "drops", "faults")} for row in rows]
        return [row | {"files": json.loads(row["files"]) if row.get("files") else _guessed(row["sources"])} for row in rows]

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
        with explained(self.path, "read"), closing(connect(self.path, "ro")) as connection:
            check_version(connection, self.path)
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(query, values)]


def without_password(source: str) -> str:
    """rtsp://user:secret@host → rtsp://host: logs are kept and passed on."""
    return re.sub(r"(\w+://)[^/@\s\"]+@", r"\1", source)


def _files(session: Session) -> dict[str, str]:
    found = session.files
    if found is None:
        found = {source: source for source in session.sources if "://" not in source and Path(source).is_file()}
    return {source: str(Path(path).absolute()) for source, path in found.items()}


def _guessed(sources: list[str]) -> dict[str, str]:
    """Version 1 did not say which sources were files: those that look like one."""
    return {source: source for source in sources if "://" not in source and Path(source).suffix}


def _json(value) -> str:
    return without_password(json.dumps(value))


def _text(value):
    """SQLite takes UTF-8 only; a file name may hold bytes that are not."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
