"""What was told at its apex, in the log: a row of its own for each, and what became of it.

The table of events holds events for good, so that nobody who counts, exports, reviews or reads it has to ask which of them
are. A row without an outcome is one that a kill left.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, deque
from collections.abc import Iterable

from realtime.names import plain, printable
from realtime.output.sinks import MOST_WAITING
from realtime.records import Event
from realtime.sources.addresses import without_password

COLUMNS = ("event", "source", "face", "onset_s", "apex_s", "label", "scores", "kind", "latency_ms")
CONFIRMED, WITHDRAWN = "confirmed", "withdrawn"


class Told:
    """What waits to be written of it: `add` each event, `write` within a transaction, `written` after it."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[str, tuple]] = deque(maxlen=MOST_WAITING)

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, event: Event) -> None:
        """A provisional event, one that is withdrawn, or the event that one became; of others there is nothing to say."""
        if event.provisional is None:
            return
        source = plain(without_password(printable(event.source)))
        if event.final or event.withdrawn:
            outcome = WITHDRAWN if event.withdrawn else CONFIRMED
            self._waiting.append(
                ("UPDATE provisional SET outcome = ? WHERE source = ? AND event = ? AND session_id = ?", (outcome, source, event.event))
            )
            return
        row = event.as_dict() | {"source": source, "scores": json.dumps(event.as_dict()["scores"])}
        into = f"INSERT INTO provisional ({', '.join(COLUMNS)}, session_id) VALUES ({', '.join('?' * (len(COLUMNS) + 1))})"
        self._waiting.append((into, tuple(row[name] for name in COLUMNS)))

    def write(self, connection: sqlite3.Connection, session: int) -> int:
        """How many were written."""
        waiting = list(self._waiting)
        for statement, values in waiting:
            connection.execute(statement, (*values, session))
        return len(waiting)

    def written(self, number: int) -> None:
        for _ in range(number):
            self._waiting.popleft()


def in_words(outcomes: Iterable[str | None]) -> str:
    """Of a session's rows: "5 told at their apex: 3 confirmed, 1 withdrawn, 1 left open"; "" where there are none."""
    counted = Counter(outcome if outcome in (CONFIRMED, WITHDRAWN) else "left open" for outcome in outcomes)
    parts = [f"{counted[name]} {name}" for name in (CONFIRMED, WITHDRAWN, "left open") if counted[name]]
    return f"{counted.total()} told at their apex: {', '.join(parts)}" if parts else ""
