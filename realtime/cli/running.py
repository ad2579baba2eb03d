"""What mer-live and mer-replay share: running watches to their end, and saying how it went."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol, Self

from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from rich.live import Live

from engines.errors import notices
from realtime.cli import common, terminal
from realtime.cli.record import Recording
from realtime.cli.window import Window
from realtime.errors import MerError
from realtime.output.log import Session, SqliteSink, left_unfinished
from realtime.output.sinks import Sink
from realtime.output.writer import Writer
from realtime.records import Event, Marker
from realtime.sources import SourceInfo
from realtime.watching import Account, Watch, Watched, side_by_side

REFRESH = 0.1  # seconds between two looks at the state
SOON = 0.02  # the same where the next recording waits
KEPT = 100  # events that a view may choose from
PATIENCE = 10.0  # seconds for a watch to end once it was told to


def policy(name: str, info: SourceInfo) -> str:
    """What was opened, and the choice between waiting and dropping; said once."""
    fps = f" at {info.fps:.4g} frames/s" if info.fps else ""
    way = "live: drops the oldest frames when it cannot keep up" if info.live else "recording: every frame is processed"
    return f"{name}: {info.width}×{info.height}{fps}; {way}"


def log_session(command: str, model: str, specs: list, config: DictConfig, files: dict[str, str] | None = None, participant: str = "") -> SqliteSink:
    """The sink for the event log, with the resolved configuration of this session. Says it where an earlier session was killed.

    Args:
        files: see `Session`.
        participant: the same.
    """
    with suppress(MerError):  # an unusable log is said by whoever writes to it
        if line := left_unfinished():
            common.complain(command)(line)
    return SqliteSink(Session(model, [str(spec) for spec in specs], OmegaConf.to_container(config), files, participant=participant))


class Shown(Sink):
    """Events on the screen. The last of a Writer's sinks: a person sees what is already kept.

    Attributes:
        events: the latest, for a view.
    """

    name = "screen"

    def __init__(self, console: Console):
        self.events: deque[Event] = deque(maxlen=KEPT)
        self._console, self._begun = console, False

    def write(self, event: Event) -> None:
        self.events.append(event)
        if not self._console.is_terminal:  # a terminal has the view
            if not self._begun:
                self._console.print(terminal.HEAD, style="dim")
                self._begun = True
            self._console.print(terminal.event_line(event))

    def mark(self, marker: Marker) -> None:
        if not self._console.is_terminal:
            self._console.print(f"{marker.time_s:7.3f} s marker: {marker.label} ({marker.stream})", style="dim", markup=False)


def follow(
    watches: Sequence[Watched],
    console: Console,
    seconds: float | None,
    window: bool,
    shown: Shown,
    over: Callable[[], bool] = lambda: False,
    recording: Recording | None = None,
) -> KeyboardInterrupt | None:
    """Run all watches until they end, `seconds` have passed, the window is closed, `over` says so, or a person or a signal
    ends them: returns that interruption. A second Ctrl-C breaks off."""
    picture = Window([watch for watch in watches if isinstance(watch, Watch)], recording) if window else None
    threads = side_by_side([watch.run for watch in watches])
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + (seconds or float("inf"))
    interrupted = None
    with Live(console=console, auto_refresh=False) as screen:
        try:
            while any(thread.is_alive() for thread in threads) and time.monotonic() < deadline and not over():
                if picture is not None and not picture.show():
                    break
                if console.is_terminal:
                    screen.update(terminal.view([watch.account for watch in watches], list(shown.events)), refresh=True)
                else:
                    _say_too_busy([watch.account for watch in watches])
                time.sleep(REFRESH if picture is None else 0.01)
        except KeyboardInterrupt as told:  # the way to end a camera: not a mistake
            interrupted = told
        if console.is_terminal:
            screen.update(terminal.view([watch.account for watch in watches], list(shown.events)), refresh=True)
    for watch in watches:
        watch.stop()
    for thread in threads:
        thread.join(PATIENCE)
    if picture is not None:
        picture.close()
    return interrupted


def _say_too_busy(accounts: list[Account]) -> None:
    """As soon as it is so; a line is said once."""
    for account in accounts:
        if account.too_busy:
            notices.warning(f"{account.name}: too busy, frames are dropped: {terminal.INCOMPLETE}")


def work_through(watch: Watch) -> None:
    """Run a recording to its end, or until a person or a signal ends it (see `Watch.interruption`): what was found until
    then has been handed over."""
    thread = threading.Thread(target=watch.run, name="watch", daemon=True)  # so that it ends between two steps, not within one
    thread.start()
    try:
        while thread.is_alive():
            time.sleep(SOON)  # not `join`: an exception out of a signal would make a running thread pass for an ended one
    except KeyboardInterrupt as told:
        watch.interruption = told
        watch.stop()
        thread.join(PATIENCE)


@dataclass
class Totals:
    """What a session came to, for the event log.

    Attributes:
        drops: number by cause.
        faults: number by cause.
        judged: source → `Judged.as_dict`.
        incomplete: why its results are, one line; "" where they are not.
    """

    frames: int = 0
    drops: dict[str, int] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)
    judged: dict[str, dict] = field(default_factory=dict)
    incomplete: str = ""

    def add(self, other: Totals) -> Self:
        self.frames += other.frames
        for mine, more in ((self.drops, other.drops), (self.faults, other.faults)):
            for cause, number in more.items():
                mine[cause] = mine.get(cause, 0) + number
        self.judged |= other.judged
        self.incomplete = "; ".join(filter(None, (self.incomplete, other.incomplete)))
        return self


def totals(accounts: list[Account], writers: list[Writer], incomplete: Sequence[str] = ()) -> Totals:
    """Of all that was watched, and of what could not be written.

    Args:
        incomplete: why else.
    """
    whole = Totals(faults={fault.message: max(fault.lost, 1) for writer in writers for fault in writer.faults})
    lost = [f"{fault.lost} events are not in {fault.sink}" for writer in writers for fault in writer.faults if fault.lost]
    whole.incomplete = "; ".join([*incomplete, *lost])
    for account in accounts:
        counts, status = account.counts, account.status
        faults = Counter(counts.warnings) + Counter(gap.cause for gap in counts.gaps)
        faults.update([str(account.error)] if account.error is not None else [])
        whole.add(Totals(status.frames, counts.drops, dict(faults), {account.name: status.judged.as_dict()}, account.incomplete))
    return whole


class Coded(Protocol):
    """What may have failed, and says so at the end."""

    @property
    def exit_code(self) -> int: ...


def exit_code(command: str, accounts: list[Account], writers: Sequence[Coded], otherwise: int = 0) -> int:
    """Say what went wrong, a line each (a defect of ours with its traceback); the code of the first fault, or what it is
    otherwise."""
    failed = [common.told(command, account.error, account.name) for account in accounts if account.error is not None]
    return next((code for code in [*failed, *(writer.exit_code for writer in writers)] if code), otherwise)
