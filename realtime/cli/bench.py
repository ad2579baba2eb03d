"""`mer-bench`: how fast and how steady it runs, for the machine it runs on."""

from __future__ import annotations

import os
import platform
import time
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import click
import psutil
from omegaconf import OmegaConf
from rich.table import Table

from realtime import heap, settings
from realtime.cli import common
from realtime.cli import streams as many
from realtime.cli.console import Console
from realtime.cli.running import policy
from realtime.cli.terminal import percentiles
from realtime.errors import UsageError
from realtime.pipeline import Pipeline
from realtime.records import Event, Keyframes
from realtime.sources import open_source
from realtime.watching import LiveSettings, Watch

EXAMPLES = """
  mer-bench live --source clip.mp4                       as fast as it goes
  mer-bench live --source clip.mp4 --as-live             at the clip's own clock, dropping like a camera
  mer-bench live --source clip.mp4 --as-live --seconds 600   the clip over and over for ten minutes
  mer-bench live --source clip.mp4 --streams 16          how many cameras of 30 frames/s this machine holds"""
STAGES = {
    "faces": "faces (tracking, landmarks)",
    "landmarks": "landmarks (beside the stream)",
    "spotting": "spotting",
    "naming": "naming (flow, network; beside the stream)",
    "delay": "event: offset to known (spotting)",
    "label": "event: known to label",
    "event": "event: offset to label",
    "early": "provisional: apex to told (spotting)",
    "early label": "provisional: apex to label",
}
STREAM_SECONDS = 10.0


@common.group("mer-bench", EXAMPLES)
def main():
    """Measure this program on this machine."""


@main.command()
@click.option("--source", required=True, metavar="FILE", help="A recording.")
@click.option("--as-live", is_flag=True, help="Play at the file's own clock, dropping frames as a camera would.")
@click.option("--seconds", type=click.FloatRange(0, min_open=True), help="Go on for this long, over and over.  [default: once]")
@click.option(
    "--streams", type=click.IntRange(1), metavar="N", help="Try up to N streams of 30 frames/s, each number of them for --seconds.  [default: 10]"
)
@click.argument("settings_", metavar="[SETTING=VALUE]...", nargs=-1)
def live(source, as_live, seconds, streams, settings_):
    """Frames a second, each stage's p50/p95/p99 in milliseconds, and memory."""
    overrides = common.only_overrides(settings_, "a file goes after --source")
    if streams is not None and as_live:
        raise UsageError("--streams plays as live in any case: leave --as-live out")
    chosen: LiveSettings = OmegaConf.to_object(settings.load("live", overrides, LiveSettings))
    heap.bound()  # as mer-live does
    console = Console(soft_wrap=True)
    console.print(machine(), style="dim")
    if streams is not None:
        many.show(source, chosen, streams, seconds or STREAM_SECONDS, console, busy)
        return
    run = Run(source, as_live, chosen)
    run.go(seconds)
    console.print(policy(source, run.info), style="dim")
    console.print(run.table())
    for line in run.lines():
        console.print(line)
    if run.watch.failure:
        raise run.watch.failure


class Run:
    """A recording watched once, or over and over for some seconds; what was measured meanwhile."""

    def __init__(self, source: str, as_live: bool, chosen: LiveSettings):
        self._source, self._as_live, self._chosen = source, as_live, chosen
        self._memory: list[tuple[float, float]] = []  # (seconds since the beginning, MiB)
        # packed: what is measured over hours must not be the bench's own memory
        self._stages: dict[str, array[float]] = defaultdict(lambda: array("f"))
        self._latencies = array("f")
        self.frames = self.events = self.dropped = 0
        self._early: Counter[str] = Counter()  # provisional events: told, withdrawn, confirmed, kind and label as they were told
        self.busy = 0.0
        self._worked: list[tuple[float, int]] = []  # of one time through: (CPU seconds, frames) at first and last
        self._work: list[tuple[float, int]] = []  # of each time through: CPU seconds and frames between the two
        self.first_frame: float | None = None

    def go(self, seconds: float | None) -> None:
        begun = time.monotonic()
        while True:
            self._once(begun, seconds)
            if self.watch.failure or seconds is None or time.monotonic() - begun >= seconds:
                return

    def _once(self, begun: float, seconds: float | None) -> None:
        with ExitStack() as stack:
            pipeline = Pipeline(self._source, self._chosen)
            stack.callback(pipeline.close)
            opened = stack.enter_context(open_source(self._source, as_live=self._as_live, settings=self._chosen.source))
            self.info = opened.info
            told: dict[int, Event] = {}
            note = lambda step: self._note(begun, seconds)
            self.watch = Watch(opened, pipeline, partial(self._became, told), note, partial(self._provisional, told))
            started = time.monotonic()
            self._worked = []
            if not self.frames:
                heap.settle()  # as mer-live does
            self.watch.run()
            if self._worked:
                (before, first), (after, last) = self._worked[0], self._worked[-1]
                self._work.append((after - before, last - first))
            self.busy += time.monotonic() - started
            self.frames += self.watch.status.frames
            self.events += self.watch.status.events_total
            self.dropped += opened.counts.dropped
            for stage, taken in pipeline.timings.items():
                self._stages[stage].extend(taken)
            self._latencies.extend(self.watch.status.latencies)

    def _provisional(self, told: dict[int, Event], event: Event, _: Keyframes) -> None:
        self._early["withdrawn" if event.withdrawn else "told"] += 1
        told[event.event] = event

    def _became(self, told: dict[int, Event], event: Event, _: Keyframes) -> None:
        if event.provisional is False:
            before = told[event.event]
            self._early.update({"confirmed": 1, "kind": before.kind == event.kind, "label": before.label == event.label})

    def _note(self, begun: float, seconds: float | None) -> None:
        if self.first_frame is None:
            self.first_frame = time.time() - psutil.Process().create_time()
        now = time.monotonic() - begun
        if not self._memory or now - self._memory[-1][0] >= 0.2:
            self._memory.append((now, memory()))
            self._worked = [*self._worked[:1], (busy(), self.watch.status.frames)]
        if seconds is not None and now >= seconds:
            self.watch.stop()

    def table(self) -> Table:
        table = Table(box=None, header_style="dim", pad_edge=False)
        for name in ("stage, ms", "p50", "p95", "p99", "number"):
            table.add_column(name, justify="left" if name.startswith("stage") else "right")
        rows = {text: self._stages[stage] for stage, text in STAGES.items()}
        rows["frame, arrival to done" + ("" if self._as_live else " (waiting for its turn included)")] = self._latencies
        for text, taken in rows.items():
            numbers = [f"{value:.1f}" for value in percentiles(taken, 50, 95, 99)] if taken else ["–"] * 3
            table.add_row(text, *numbers, str(len(taken)))
        return table

    def lines(self) -> list[str]:
        """Rate, drops and memory in words."""
        rate = self.frames / self.busy if self.busy else 0.0
        fifth = -(-len(self._memory) // 5)  # rounded up
        early, late = ([mib for _, mib in part] for part in (self._memory[:fifth], self._memory[-fifth:]))
        lines = [
            f"{rate:.1f} frames/s over {self.busy:.1f} s: {self.frames} frames, {self.dropped} dropped, {self.events} events",
        ]
        if told := self._early:
            lines.append(
                f"{told['told']} provisional: {told['confirmed']} confirmed, {told['withdrawn']} withdrawn; "
                f"of the confirmed the kind stayed with {told['kind']}, the label with {told['label']}"
            )
        if self.first_frame is not None:
            lines.append(f"first frame processed {self.first_frame:.1f} s after the program's start")
        worked, frames = (sum(part) for part in zip(*self._work)) if self._work else (0.0, 0)
        if frames:
            lines.append(f"processor, decoder included: {1000 * worked / frames:.1f} ms a frame")
        if self._memory:
            lines.append(f"memory, decoder included: {max(early):.0f} MiB at most in the first fifth, {max(late):.0f} MiB in the last")
        return lines


def memory(pid: int | None = None) -> float:
    """Resident memory of a process (this one, where none is named) and its children, MiB; 0 of one that is gone."""
    return _summed(lambda process: process.memory_info().rss, pid) / 2**20


def busy() -> float:
    """CPU seconds that this program and its children have used."""
    return _summed(lambda process: sum(process.cpu_times()[:2]))


def _summed(of: Callable[[psutil.Process], float], pid: int | None = None) -> float:
    total = 0.0
    with suppress(psutil.NoSuchProcess):
        me = psutil.Process(pid)
        for process in [me, *me.children(recursive=True)]:
            with suppress(psutil.Error):
                total += of(process)
    return total


def machine() -> str:
    """What the figures were measured on."""
    model = platform.processor() or platform.machine()
    with suppress(OSError):
        named = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
        model = named[0].split(":", 1)[1].strip() if named else model
    libraries = []
    for name in ("mer-live", "mediapipe", "opencv-contrib-python", "onnxruntime", "onnxruntime-gpu"):
        with suppress(PackageNotFoundError):
            libraries.append(f"{name} {version(name)}")
    return f"{model}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}; {', '.join(libraries)}"


if __name__ == "__main__":
    main()
