"""The calm view of a terminal: what each source is doing, and what was found last."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from realtime.records import Event
from realtime.watch import CURVE_SECONDS, KEPT_EVENTS, Watch

BARS = "▁▂▃▄▅▆▇█"
WIDTH = 72  # characters of the curve
COLOURS = {"negative": "red", "positive": "green", "surprise": "yellow", "unsure": "white"}
STATES = {"running": "green", "opening": "cyan", "stalled": "yellow", "reopening": "yellow", "ended": "dim"}


def view(watches: list[Watch], events: Iterable[Event]) -> Group:
    """All sources, one panel each. events: the latest of them all, those to show."""
    return Group(*(_panel(watch, [e for e in events if e.source == watch.pipeline.source][-KEPT_EVENTS:]) for watch in watches))


def sparkline(curve: list[tuple[float, float, float, str | None]], width: int = WIDTH) -> Text:
    """The last CURVE_SECONDS of the difference curve as `width` bars; the middle of a bar is the threshold.

    curve: (pts, difference, threshold, gate). Each bar is the highest moment of its share of the time: yellow above
    the threshold, dim while a gate holds, a dot where there is nothing to compare.
    """
    bars: list[tuple[float, float, str | None] | None] = [None] * width
    for pts, difference, threshold, gate in curve:
        place = width - 1 - int((curve[-1][0] - pts) / CURVE_SECONDS * width)
        known = place >= 0 and not (math.isnan(difference) or math.isnan(threshold))
        if known and (bars[place] is None or difference > bars[place][0]):
            bars[place] = difference, threshold, gate
    text = Text()
    for bar in bars:
        if bar is None:
            text.append("·", "dim")
            continue
        difference, threshold, gate = bar
        height = (difference - 1) / max(2 * (threshold - 1), 1e-6)
        sign = BARS[int(np.clip(height * len(BARS), 0, len(BARS) - 1))]
        text.append(sign, "dim" if gate else "bold yellow" if difference > threshold else "cyan")
    return text


def event_line(event: Event) -> Text:
    """One event in words: when, how long, what, how sure."""
    colour = COLOURS.get(event.label, "cyan")
    text = Text.assemble(
        (f"{event.apex_s:9.3f} s ", "bold"),
        (f"{event.label:<9}", f"bold {colour}"),
        (" macro" if event.kind == "macro" else "", "dim"),
        (f" {(event.offset_s - event.onset_s) * 1000:4.0f} ms  ", "dim"),
    )
    for name, score in event.scores.items():
        text.append(f"{name} {score:.2f}  ", colour if name == event.label else "dim")
    return text


def percentiles(values, *which: float) -> list[float]:
    """Percentiles of what was measured; NaN for nothing."""
    values = list(values)
    return [float(np.percentile(values, p)) if values else math.nan for p in which]


def _panel(watch: Watch, events: list[Event]) -> Panel:
    status, counts, state = watch.status, watch.source.counts, watch.source.state
    p50, p95 = percentiles(status.latencies, 50, 95)
    face = Text("face found", "green") if status.face_found else Text("no face", "yellow")
    facts = Table.grid(padding=(0, 3))
    facts.add_row(
        Text(state, STATES.get(state, "white")),
        f"{status.fps():.0f} frames/s",
        Text(f"{counts.dropped} dropped", "yellow" if counts.dropped else "dim"),
        face,
        Text(f"latency p50 {p50:.0f} ms  p95 {p95:.0f} ms", "dim"),
        Text(f"{status.pts:.1f} s", "dim"),
    )
    found = [event_line(event) for event in events]
    lines = [facts, sparkline(list(status.curve)), *(found or [Text("no event yet", "dim")])]
    info = watch.source.info
    title = f"{watch.pipeline.source}  {info.width}×{info.height}"
    return Panel(Group(*lines), title=Text(title), title_align="left", border_style="dim", padding=(0, 1))


def summary(watch: Watch) -> Text:
    """What a session came to, a few lines of plain words."""
    status, counts = watch.status, watch.source.counts
    held = {cause: n for cause, n in watch.pipeline.counts.items() if cause not in ("spotted", "macro") and n}
    nothing = not status.events_total and not status.judged.share  # is no finding
    found = "nothing could be judged" if nothing else f"{status.events_total} events"
    lines = [
        f"{watch.pipeline.source}: {found} in {status.pts:.1f} s, {status.frames} frames",
        f"  {status.judged}",
    ]
    if counts.dropped:
        lines.append("  dropped: " + ", ".join(f"{n} ({cause})" for cause, n in counts.drops.items() if n))
    for gap in counts.gaps:
        lines.append(f"  away for {gap.seconds:.1f} s after {gap.pts:.1f} s: {gap.cause}")
    lines += [f"  {warning}" for warning in counts.said]
    lines += [f"  {remark}" for remark in watch.pipeline.remarks]
    if held:
        lines.append("  held back: " + ", ".join(f"{n} {cause}" for cause, n in held.items()))
    if status.frames and not status.frames_with_face:
        lines.append("  no face was found: check the light, the angle, and that the face is at least an eighth of the picture wide")
    return Text("\n".join(lines))
