"""The calm view of a terminal: what each source is doing, and what was found last."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from realtime.judged import MEANING
from realtime.records import Event
from realtime.watching import CURVE_SECONDS, KEPT_EVENTS, Account

BARS = "▁▂▃▄▅▆▇█"
WIDTH = 72  # characters of the curve
ENOUGH = 0.5  # share of time judged below which the summary explains what was in the way
COLOURS = {"negative": "red", "positive": "green", "surprise": "yellow", "unsure": "white"}
STATES = {  # of a source: in words, and their colour
    "running": ("watching", "green"),
    "opening": ("opening it", "cyan"),
    "stalled": ("no picture comes", "yellow"),
    "reopening": ("gone, opening it again", "yellow"),
    "ended": ("ended", "dim"),
}
CURVE = f"movement, last {CURVE_SECONDS:.0f} s (half height: threshold; dim: blink, head; ·: unknown)"
HEAD = f"{'apex':>7}   {'label':<9} {'kind':<5} {'lasted':<6} how likely each class is"
GAPS = 5  # of a source that was away, told one by one
INCOMPLETE = "results are incomplete; mer-replay sees every frame of a recording"
HELD = {  # what the spotter counts, in words that go after a number
    "blink": "in a blink",
    "motion": "while the head moved",
    "lost": "as the face went out of view",
    "speech": "of speech",
    "head": "of the head",
    "too short": "too short for an expression",
    "too long": "too long for a micro-expression",
    "too small": "too small for a macro-expression",
    "pictures lost": "where pictures were lost",
}


def view(accounts: list[Account], events: Iterable[Event]) -> Group:
    """All sources, one panel each.

    Args:
        events: the latest of them all, those to show.
    """
    return Group(*(_panel(account, [e for e in events if e.source == account.name][-KEPT_EVENTS:]) for account in accounts))


def sparkline(curve: list[tuple[float, float, float, str | None]], width: int = WIDTH) -> Text:
    """The last CURVE_SECONDS of the difference curve as `width` bars; the middle of a bar is the threshold.

    Each bar is the highest moment of its share of the time: yellow above the threshold, dim while a gate holds, a dot where
    there is nothing to compare.

    Args:
        curve: (pts, difference, threshold, gate) of each moment, seconds and multiples of the resting difference.
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
    """One event in words, below HEAD: when, what, how long, how sure."""
    colour = COLOURS.get(event.label, "cyan")
    text = Text.assemble(
        (f"{event.apex_s:7.3f} s ", "bold"),
        (f"{event.label:<9}", f"bold {colour}"),
        (f" {event.kind:<5} {(event.offset_s - event.onset_s) * 1000:3.0f} ms ", "dim"),
    )
    for name, score in event.scores.items():
        text.append(f" {name} {score:.2f}", colour if name == event.label else "dim")
    if event.estimated_units:
        text.append(f"  units, estimated: {event.estimated_units}", "dim")
    return text


def percentiles(values, *which: float) -> list[float]:
    """Percentiles of what was measured; NaN for nothing."""
    values = list(values)
    return [float(np.percentile(values, p)) if values else math.nan for p in which]


def _panel(account: Account, events: list[Event]) -> Panel:
    status, counts, state = account.status, account.counts, account.state
    typical = percentiles(status.latencies, 50)[0]
    face = Text("face found", "green") if status.face_found else Text("no face", "yellow")
    words, colour = STATES.get(state, (state, "white"))
    facts = Table.grid(padding=(0, 2))
    facts.add_row(
        Text(words, colour),
        Text(f"{status.pts:.1f} s", "dim"),
        f"{status.fps():.0f} frames/s",
        face,
        f"judged {100 * status.judged.share:.0f} %",
        Text("" if math.isnan(typical) else f"{typical:.0f} ms behind", "dim"),
    )
    lines: list[RenderableType] = [facts]
    if account.too_busy:
        lines.append(Text(f"{account.too_busy}: {INCOMPLETE}", "bold yellow"))
    elif counts.dropped:
        lines.append(Text(f"{counts.dropped} of {counts.frames} frames dropped", "dim"))
    lines += [Text(CURVE, "dim"), sparkline(list(status.curve))]
    lines += [Text(HEAD, "dim"), *map(event_line, events)] if events else [Text("no event yet", "dim")]
    title = f"{account.name}  {account.info.width}×{account.info.height}"
    return Panel(Group(*lines), title=Text(title), title_align="left", border_style="dim", padding=(0, 1))


def summary(account: Account) -> Text:
    """What a session came to, a few lines of plain words."""
    status, counts = account.status, account.counts
    held = {cause: n for cause, n in account.movements.items() if cause not in ("spotted", "macro") and n}
    nothing = not status.events_total and not status.judged.share  # is no finding
    found = "nothing could be judged" if nothing else f"{status.events_total} events"
    worst = next(iter(status.judged.why()), None) if status.judged.share < ENOUGH else None
    lines = [
        f"{account.name}: {found} in {status.pts:.1f} s, {status.frames} frames",
        f"  {status.judged}" + (f" ({MEANING[worst]})" if worst in MEANING else ""),
    ]
    if account.too_busy:
        lines.append(f"  {account.too_busy}: {INCOMPLETE}")
    elif counts.dropped:
        lines.append(f"  {counts.dropped} of {counts.frames} frames were dropped: too few to matter")
    for gap in counts.gaps[:GAPS]:
        lines.append(f"  away for {gap.seconds:.1f} s after {gap.pts:.1f} s: {gap.cause}")
    if more := counts.gaps[GAPS:]:
        lines.append(f"  away {len(more)} times more, {sum(gap.seconds for gap in more):.0f} s in all")
    lines += [f"  {warning}" for warning in counts.said]
    lines += [f"  {remark}" for remark in account.remarks]
    if held:
        lines.append("  movements not reported: " + ", ".join(f"{n} {HELD.get(cause, cause)}" for cause, n in held.items()))
    if status.frames and not status.frames_with_face:
        lines.append("  no face was found: check the light, the angle, and that the face is at least an eighth of the picture wide")
    return Text("\n".join(lines))
