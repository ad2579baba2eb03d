"""What mer-live and mer-replay share: running watches to their end, and saying how it went."""

from __future__ import annotations

import threading
import time

import click
from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from rich.live import Live

from realtime import terminal
from realtime.log import Session, SqliteSink
from realtime.sinks import Writer
from realtime.sources import SourceInfo
from realtime.watch import Watch
from realtime.window import Window

REFRESH = 0.1  # seconds between two looks at the state
PATIENCE = 10.0  # seconds for a watch to end once it was told to


def policy(name: str, info: SourceInfo) -> str:
    """What was opened, and the choice between waiting and dropping; said once."""
    fps = f" at {info.fps:.4g} frames/s" if info.fps else ""
    way = "live: drops the oldest frames when it cannot keep up" if info.live else "recording: every frame is processed"
    return f"{name}: {info.width}×{info.height}{fps}; {way}"


def log_session(model: str, specs: list, config: DictConfig, files: dict[str, str] | None = None) -> SqliteSink:
    """The sink for the event log, with the resolved configuration of this session. files: see `Session`."""
    return SqliteSink(Session(model, [str(spec) for spec in specs], OmegaConf.to_container(config), files))


def follow(watches: list[Watch], console: Console, seconds: float | None, window: bool) -> None:
    """Run all watches until they end, `seconds` are over, the window is closed, or Ctrl-C."""
    picture = Window(watches) if window else None
    threads = [threading.Thread(target=watch.run, name=f"watch {i}", daemon=True) for i, watch in enumerate(watches)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + (seconds or float("inf"))
    try:
        with Live(console=console, auto_refresh=False) as screen:
            while any(thread.is_alive() for thread in threads) and time.monotonic() < deadline:
                if picture is not None and not picture.show():
                    break
                if console.is_terminal:
                    screen.update(terminal.view(watches), refresh=True)
                time.sleep(REFRESH if picture is None else 0.01)
            if console.is_terminal:
                screen.update(terminal.view(watches), refresh=True)
    except KeyboardInterrupt:
        pass  # the way to end a camera: not a mistake
    for watch in watches:
        watch.stop()
    for thread in threads:
        thread.join(PATIENCE)
    if picture is not None:
        picture.close()


def totals(watches: list[Watch], writers: list[Writer]) -> tuple[int, dict[str, int], dict[str, int]]:
    """(frames, drops by cause, faults by cause) of a session, for the event log."""
    drops: dict[str, int] = {}
    faults = {fault.message: max(fault.lost, 1) for writer in writers for fault in writer.faults}
    for watch in watches:
        counts = watch.source.counts
        for cause, number in counts.drops.items():
            drops[cause] = drops.get(cause, 0) + number
        for cause, number in counts.warnings.items():
            faults[cause] = faults.get(cause, 0) + number
        for gap in counts.gaps:
            faults[gap.cause] = faults.get(gap.cause, 0) + 1
        if watch.error is not None:
            faults[str(watch.error)] = 1
    return sum(watch.status.frames for watch in watches), drops, faults


def exit_code(command: str, watches: list[Watch], writers: list[Writer]) -> int:
    """Say what went wrong, a line each; the code of the first fault, or 0."""
    failures = [failure for watch in watches if (failure := watch.failure) is not None]
    for failure in failures:
        click.echo(f"{command}: {failure}", err=True)
    return next((code for code in [*(f.exit_code for f in failures), *(w.exit_code for w in writers)] if code), 0)
