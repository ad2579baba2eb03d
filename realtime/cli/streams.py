"""How many cameras one machine holds: streams of 30 frames/s side by side, shared out to processes as `mer-live` does, until frames come late."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from realtime import heap
from realtime.cli.terminal import percentiles
from realtime.errors import UsageError
from realtime.naming.recognizer import Recognizer
from realtime.output.video import AnnotatedVideo
from realtime.parallel.watches import shares, watch_elsewhere
from realtime.records import Event, Keyframes
from realtime.sources import open_source
from realtime.watching import LiveSettings, Watch, Watched, pipeline_of, side_by_side

FPS = 30.0
LIMIT = 100.0  # milliseconds from a frame's arrival to the end of its processing, p95 of each stream
WARM_SECONDS = 2.0  # before measuring: every face is found, and all streams have begun
LEGEND = """\
ms. p50, p95, p99: a frame, arrival to done; slowest: p95 of the stream that fares worst. label, event: p95 from the frame at
which an event was known, and from its offset frame, to the label. cores: busy on average, decoders included."""
PATIENCE = 10.0  # seconds for a stream to end


@dataclass(frozen=True)
class Held:
    """What `count` streams side by side came to in `seconds`. Latencies in milliseconds: of each stream's frames (the latest that `Status` keeps), and
    of events from the frame at which they were known (`known`) and from the offset frame (`offset`) to the label."""

    count: int
    seconds: float
    frames: int
    by_stream: list[list[float]]
    dropped: int
    known: list[float]
    offset: list[float]
    cores: float  # busy on average, decoders included

    @property
    def latencies(self) -> list[float]:
        return [ms for stream in self.by_stream for ms in stream]

    @property
    def slowest(self) -> float:
        """p95 of the stream that fares worst; infinite where one came to no frame at all."""
        return max(percentiles(stream, 95)[0] if stream else math.inf for stream in self.by_stream)

    @property
    def well(self) -> bool:
        return not self.dropped and self.slowest <= LIMIT


def show(source: str, chosen: LiveSettings, most: int, seconds: float, console: Console, busy: Callable[[], float]) -> None:
    """Try 1, 2, 4 … `most` streams for `seconds` each, then what lies between; print a row each, and the answer.

    Args:
        busy: CPU seconds that this program and its children have used so far.
    """
    with TemporaryDirectory(prefix="mer-bench-") as folder:
        clip = Path(folder) / "camera.mp4"
        fps = at_camera_speed(source, clip, seconds + WARM_SECONDS + 1.0)
        recognizer = Recognizer(chosen.network, chosen.engine)
        heap.settle()  # as mer-live does
        console.print(f"{source} at {fps:.4g} frames/s, as live, {seconds:g} s for each number of streams", style="dim")
        table = Table(box=None, header_style="dim", pad_edge=False)
        for name in ("streams", "frames/s", "p50", "p95", "p99", "slowest", "dropped", "events", "label", "event", "cores"):
            table.add_column(name, justify="right")
        rows: dict[int, Held] = {}
        for count in search(most, lambda count: rows[count].well):
            rows[count] = held = hold(clip, chosen, recognizer, count, seconds, busy)
            console.print(f"{count} streams: p95 of the slowest {held.slowest:.0f} ms, {held.dropped} dropped", style="dim")
    for count in sorted(rows):
        table.add_row(*cells(rows[count]))
    console.print(table)
    console.print(LEGEND, style="dim")
    console.print(answer(rows, most))


def search(most: int, well: Callable[[int], bool]) -> Iterator[int]:
    """The numbers to try: doubling up to `most` while it goes well, then halving what is between. Asks after each."""
    good, count = 0, 1
    while True:
        yield count
        if not well(count):
            break
        good = count
        if count == most:
            return
        count = min(2 * count, most)
    bad = count
    while bad - good > 1:
        count = (good + bad) // 2
        yield count
        good, bad = (count, bad) if well(count) else (good, count)


def hold(clip: Path, chosen: LiveSettings, recognizer: Recognizer, count: int, seconds: float, busy: Callable[[], float]) -> Held:
    """Run `count` streams of `clip`, as `mer-live` runs several cameras, and measure for `seconds`.

    Raises:
        MerError: a stream cannot be opened, or broke off.
    """
    with ExitStack() as stack:
        watches = _opened([str(clip)] * count, chosen, recognizer, stack)
        threads = side_by_side([watch.run for watch in watches])
        for thread in threads:  # cameras do not tick together: neither their frames nor what they see come at once
            thread.start()
            time.sleep((1 + 1 / FPS) / count)
        time.sleep(WARM_SECONDS - 1)
        before, used, begun = [watch.account for watch in watches], busy(), time.monotonic()
        while time.monotonic() - begun < seconds and any(thread.is_alive() for thread in threads):
            time.sleep(0.05)
        used, took = busy() - used, time.monotonic() - begun
        for watch in watches:
            watch.stop()
        for thread in threads:
            thread.join(PATIENCE)
        after = [watch.account for watch in watches]
    if failed := next((account.error for account in after if account.error is not None), None):
        raise failed
    frames = [last.status.frames - first.status.frames for first, last in zip(before, after, strict=True)]
    latencies = [list(last.status.latencies)[-number:] if number else [] for last, number in zip(after, frames, strict=True)]
    dropped = sum(last.counts.dropped - first.counts.dropped for first, last in zip(before, after, strict=True))
    known, offset = ([ms for last in after for ms in which(last)] for which in (attrgetter("label_ms"), attrgetter("event_ms")))
    return Held(count, took, sum(frames), latencies, dropped, known, offset, used / took)


def _opened(specs: list[str], chosen: LiveSettings, recognizer: Recognizer, stack: ExitStack) -> list[Watched]:
    """As `mer-live` watches as many."""
    if len(shares(specs)) > 1:
        return [*watch_elsewhere(specs, True, chosen, stack)]

    def nobody(event: Event, keyframes: Keyframes) -> None: ...

    watches: list[Watched] = []
    for spec in specs:
        source = stack.enter_context(open_source(spec, as_live=True, settings=chosen.source))
        watches.append(Watch(source, pipeline_of(source, chosen, recognizer), nobody))
    return watches


def cells(held: Held) -> list[str]:
    number = lambda values, p: f"{percentiles(values, p)[0]:.0f}" if values else "–"
    rate = held.frames / held.seconds
    frame = [number(held.latencies, p) for p in (50, 95, 99)]
    events = [str(len(held.known)), number(held.known, 95), number(held.offset, 95)]
    return [str(held.count), f"{rate:.0f}", *frame, f"{held.slowest:.0f}", str(held.dropped), *events, f"{held.cores:.1f}"]


def answer(rows: dict[int, Held], most: int) -> str:
    held = max((count for count, row in rows.items() if row.well), default=0)
    limit = f"p95 of {LIMIT:g} ms from a frame's arrival to done in each, none dropped"
    if held == most:
        return f"all {most} streams of 30 frames/s are held ({limit}); more were not tried"
    return f"this machine holds {held} stream{'s' * (held != 1)} of 30 frames/s ({limit})"


def at_camera_speed(source: str, path: Path, seconds: float) -> float:
    """Write `source`, over and over for `seconds`, to `path` with FPS frames/s at the most; returns its frames/s."""
    begin, frames, writer = 0.0, 0, None
    try:
        while begin < seconds:
            pts, due = 0.0, 0.0
            with open_source(source) as opened:
                writer = writer or AnnotatedVideo(path, opened.info.width, opened.info.height)
                for frame in opened:
                    pts = frame.pts
                    if begin + pts >= seconds:
                        break
                    if pts >= due - 1e-6:
                        due = max(due + 1 / FPS, pts)
                        writer.write(frame.pixels, begin + pts)
                        frames += 1
            if pts == 0:
                raise UsageError(f"{source} is a single picture: expected a recording")
            begin += pts + 1 / FPS
    finally:
        if writer is not None:
            writer.close()
    return frames / min(begin, seconds)
