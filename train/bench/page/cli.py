"""`mer-bench page`: what the page's server holds while people come and go for as long as you like."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import click
import psutil

from engines import isolated
from realtime.cli import common
from realtime.cli.bench import machine
from realtime.cli.console import Console
from realtime.errors import BrokenSourceError, MissingPartError
from realtime.sources.demo import DEMO_CLIP
from train.bench.archive import cut

OFTEN = 2.0  # seconds between two looks at the server
PARTS = 10  # rows of the table
STEADY = 3  # rows after which nothing new is loaded
START_S = 180.0
SECONDS = 6.0  # of the demo clip: two events


@dataclass(frozen=True)
class Look:
    """The server at one moment. seconds: since the first visit; memory: resident, MiB."""

    seconds: float
    memory: float
    files: int
    threads: int


@click.command("page", cls=common.Command)
@click.option("--minutes", default=15.0, show_default=True, type=click.FloatRange(0, min_open=True), help="How long people come.")
def page(minutes):
    """Visits to the page, one after another, as fast as it goes: Live, Replay, Review, each with quick presses. What does its server hold?

    No browser is needed; the clip is the one that comes along. A row for each tenth of the time."""
    try:
        from train.bench.page.visit import visit
    except ModuleNotFoundError as error:
        raise MissingPartError(f"{error.name} is not installed: pip install 'mer-live[demo]'") from error
    console = Console(soft_wrap=True)
    console.print(machine(), style="dim")
    done: Counter[str] = Counter()
    ends: list[tuple[float, Counter]] = []
    looks: list[Look] = []
    over = threading.Event()
    with tempfile.TemporaryDirectory(prefix="mer-page-") as place, console.status("visits"), served(Path(place)) as (url, process):
        clip, begun = cut(DEMO_CLIP, Path(place) / "clip.mp4", SECONDS), time.monotonic()
        watcher = threading.Thread(target=_watch, args=(process, begun, looks, over), daemon=True)
        watcher.start()
        try:
            while (now := time.monotonic() - begun) < 60 * minutes:
                done.update(visit(url, clip, len(ends)))
                ends.append((now, Counter(done)))
        finally:
            over.set()
            watcher.join()
    console.markdown(markdown(looks, ends))


@contextmanager
def served(place: Path) -> Iterator[tuple[str, psutil.Process]]:
    """A `mer-demo` of its own: (its address, its process), with log and files in `place`.

    Raises:
        BrokenSourceError: it does not start.
    """
    env = os.environ | {"MER_LIVE_LOG": str(place / "log.sqlite3"), "TMPDIR": str(place)}
    words = isolated.command("realtime.cli.demo", "--no-browser", "--port", "0", unbuffered=True)
    with subprocess.Popen(words, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as child:
        said: list[str] = []
        timer = threading.Timer(START_S, child.kill)
        timer.start()
        for line in child.stdout:
            said.append(line.strip())
            if found := re.search(r"http://\S+:\d+/", line):
                break
        timer.cancel()
        if not said or not found:
            raise BrokenSourceError(f"mer-demo did not start: {' '.join(said[-1:])}")
        threading.Thread(target=lambda: said.extend(child.stdout), daemon=True).start()  # it must not wait for a reader
        try:
            yield found[0], psutil.Process(child.pid)
        finally:
            child.terminate()


def _watch(process: psutil.Process, begun: float, looks: list[Look], over: threading.Event) -> None:
    with suppress(psutil.NoSuchProcess):
        while not over.wait(OFTEN):
            with process.oneshot():
                memory = process.memory_info().rss / 2**20
                looks.append(Look(time.monotonic() - begun, memory, process.num_fds(), process.num_threads()))


def markdown(looks: list[Look], ends: list[tuple[float, Counter]]) -> str:
    """A row for each tenth of the time: what had been done by its end, and what the server held in it."""
    whole = looks[-1].seconds if looks else 0.0
    kinds = list(ends[-1][1]) if ends else []
    lines = [f"| minute | visits | {' | '.join(kinds)} | MiB, median | MiB, most | files | threads |", "|" + "---|" * (len(kinds) + 6)]
    for part in range(PARTS):
        since, until = whole * part / PARTS, whole * (part + 1) / PARTS
        here = [look for look in looks if since < look.seconds <= until]
        if not here:
            continue
        over = [sums for at, sums in ends if at <= until]
        sums = over[-1] if over else Counter()
        memory = [look.memory for look in here]
        figures = [f"{until / 60:.1f}", len(over), *(sums[kind] for kind in kinds), f"{statistics.median(memory):.0f}", f"{max(memory):.0f}"]
        lines.append(f"| {' | '.join(map(str, figures))} | {max(look.files for look in here)} | {max(look.threads for look in here)} |")
    steady = [look for look in looks if look.seconds > whole * STEADY / PARTS]
    if len(steady) > 2 and ends:
        slope = statistics.linear_regression([look.seconds / 60 for look in steady], [look.memory for look in steady]).slope
        lines += ["", f"From the {STEADY + 1}th row on it grows by {slope:+.1f} MiB a minute."]
    return "\n".join(lines)
