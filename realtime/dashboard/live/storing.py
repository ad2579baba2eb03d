"""What a live session stores, if a person wants it: events in the log, and their pictures beside it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

from realtime.dashboard.live.choices import Choice
from realtime.dashboard.shared import Shared
from realtime.judged import Judged
from realtime.output.log import Session, SqliteSink
from realtime.output.stored_pictures import Keeper, beside
from realtime.output.writer import Writer
from realtime.pipeline import Step
from realtime.records import Event, Keyframes
from realtime.sources import SourceCounts
from realtime.watching import too_busy

PATIENCE, LOOK = 5.0, 0.05  # seconds for the log to give a session its number, and between two looks


@dataclass
class _Log:
    """Of the time since it was switched on. frames: that were analysed."""

    writer: Writer
    sink: SqliteSink
    frames: int = 0
    judged: Judged = field(default_factory=Judged)


@dataclass(frozen=True)
class Stored:
    """An event that went to the log; `pictures` of it may follow."""

    sink: SqliteSink
    keeper: Keeper | None

    def pictures(self, event: Event, keyframes: Keyframes) -> None:
        """Waits for the session's number, which the log's own thread gives.

        Raises:
            MerError: where they cannot be written.
        """
        if self.keeper is None:
            return
        until = time.monotonic() + PATIENCE
        while self.sink.id is None:
            if time.monotonic() > until:
                return
            time.sleep(LOOK)
        self.keeper.keep(self.sink.id, event, keyframes)


class Keeping:
    """Off at first. Methods may be called from any thread. problem(line): what went wrong in the log's own thread."""

    def __init__(self, shared: Shared, problem: Callable[[str], None]):
        self._shared, self._problem = shared, problem
        self._guard = threading.Lock()
        self._log: _Log | None = None
        self._keeper: Keeper | None = None

    @property
    def words(self) -> str:
        """What is being stored; empty where nothing is."""
        return "" if self._log is None else "events and their pictures" if self._keeper else "events"

    def on(self, choice: Choice, source: str, pictures: bool) -> None:
        """From now on events are written.

        Args:
            source: its name.
            pictures: whether theirs are kept, too.

        Raises:
            MerError: where the log cannot be written.
        """
        with self._guard:
            self._keeper = Keeper(beside(self._shared.log)) if pictures else None
            if self._log is None:
                session = Session(choice.model, [source], asdict(choice.applied(self._shared.settings)))
                sink = SqliteSink(session, self._shared.log)
                self._log = _Log(Writer([sink], report=self._problem), sink)

    def note(self, step: Step) -> None:
        """A frame was analysed."""
        with self._guard:
            if self._log is not None:
                self._log.frames += 1
                self._log.judged.add(step)

    def off(self, counts: SourceCounts) -> None:
        with self._guard:
            before, self._log, self._keeper = self._log, None, None
        if before is not None:
            source = before.sink.session.sources[0]
            judged = {source: before.judged.as_dict()}
            before.sink.finish(before.frames, counts.drops, counts.warnings, judged, too_busy(counts, source))
            before.writer.close()

    def write(self, event: Event) -> Stored | None:
        with self._guard:
            if self._log is None:
                return None
            self._log.writer.write(event)
            return Stored(self._log.sink, self._keeper)
