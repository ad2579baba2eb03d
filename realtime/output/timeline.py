"""The picture of a recording: the difference curve, its threshold, the events, and where nothing could be judged.

A long recording has several pictures of a few minutes each, a row for each minute.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from realtime.judged import GATES, Trace, envelope
from realtime.names import printable
from realtime.output.event_table import clock
from realtime.output.line_file import cannot_write, make_folder_of
from realtime.output.styling import colour
from realtime.records import Event, Marker

INK, SOFT, CURVE, FAINT, THRESHOLD = "#333333", "#808080", "#4a5a6a", "#b4bcc4", "#c08a3e"
SHADES = {"lost": "#e2e2e2", "motion": "#f3e9d2", "blink": "#e6e0f0"}  # where nothing could be judged
MARKER, MARKER_LONGEST = "#7a3e9d", 24  # its colour, and characters of its words
DPI = 150
PLOT_HEIGHT, LANE, MAX_LANES = 2.6, 0.21, 8  # inches, inches, rows of labels
ROW_S, ROWS = 60.0, 5  # seconds of a row, rows of a picture
ROW_HEIGHT, TICKS = 1.3, 0.42  # inches, of one row of several, and of the times below it
HEAD, FOOT = 0.78, 0.9  # inches: the title above, the legend below
NARROW, WIDE = 9.0, 20.0  # inches
LEFT, RIGHT = 0.62, 0.25  # inches beside the plots
BESIDE_S = 0.2  # beside a blink: its gate opens late and closes early


def draw(path: str | Path, trace: Trace, events: Sequence[Event], title: str, markers: Sequence[Marker] = ()) -> list[Path]:
    """Write the picture (format by `path`'s ending, PNG in the program), and of a long recording the further ones as name-2,
    name-3, …; returns where they are.

    Raises:
        OutputError: it cannot be written.
    """
    path, written = Path(path), []
    make_folder_of(path)
    # matplotlib warns of each letter that its font lacks, on the terminal of somebody whose file has a Chinese name
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        try:
            for number, figure in enumerate(pages(trace, events, title, markers=markers), 1):
                written.append(path if number == 1 else path.with_name(f"{path.stem}-{number}{path.suffix}"))
                figure.savefig(written[-1])
            for older in path.parent.glob(f"{path.stem}-*{path.suffix}"):  # of the same clip, when it was longer
                if re.fullmatch(r"-\d+", older.stem.removeprefix(path.stem)) and older not in written:
                    older.unlink()
        except OSError as error:
            raise cannot_write(path, error) from error
    return written


def pages(trace: Trace, events: Sequence[Event], title: str, width: float | None = None, markers: Sequence[Marker] = ()) -> Iterator:
    """The pictures as figures of matplotlib.

    Args:
        width: inches; by default, as wide as the time needs.
    """
    t, events = trace.t, sorted(events, key=lambda event: event.apex_s)
    start, end = (t[0], trace.end) if len(t) else (0.0, 1.0)
    stretches = _stretches(start, end)
    width = width or float(np.clip(7 + 0.12 * (stretches[0][1] - stretches[0][0]), NARROW, WIDE))
    top = _top(trace, events)
    for first in range(0, len(stretches), ROWS):
        yield _page(trace, events, title, width, stretches[first : first + ROWS], top, end, markers)


def _stretches(start: float, end: float) -> list[tuple[float, float]]:
    """What is drawn in a row each, all equally long; a recording of little more than a row has one."""
    if end - start <= 1.5 * ROW_S:
        return [(start, end)]
    edges = np.arange(start, end - 1e-6, ROW_S)
    return [(float(edge), float(edge) + ROW_S) for edge in edges]


def _page(trace, events, title, width, stretches, top, end, markers):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, 4), dpi=DPI, facecolor="white")
    renderer = FigureCanvasAgg(figure).get_renderer()
    several = end - trace.t[0] > 1.5 * ROW_S if len(trace.t) else False
    rows = []
    for start, stop in stretches:
        axes = figure.add_axes((LEFT / width, 0, 1 - (LEFT + RIGHT) / width, 1))  # how high it lies is known later
        axes.set_xlim(start, stop)
        _style(axes, several)
        _gates(axes, trace.spans)
        _curve(axes, trace, top, bins=int(width * DPI))
        _markers(axes, [one for one in markers if start <= one.time_s < stop])
        mine = [event for event in events if event.offset_s >= start and event.onset_s < stop]
        rows.append((axes, mine, _marks(axes, renderer, mine, width)))
    tops = _place(figure, rows, width, several)
    hidden = sum(_events(axes, trace, mine, marks, at) for (axes, mine, marks), at in zip(rows, tops, strict=True))
    begin, last = stretches[0][0], min(stretches[-1][1], end)
    inside = [event for event in events if begin <= event.apex_s < last] if several else events
    note = _summary(inside, begin, last, end, several, hidden) if len(trace.t) else "no frames"
    _frame(figure, rows[0][0], width, printable(title), note)
    return figure


def _top(trace: Trace, events: Sequence[Event]) -> float:
    """The highest value on paper. A blink is many times higher than a micro-expression: the height belongs to what was
    judged, and to the events."""
    t, difference, threshold = trace.t, trace.difference, trace.threshold
    judged = np.isfinite(difference) & ~trace.gated
    for start, end, kind in trace.spans:
        if kind == "blink":
            judged &= (t < start - BESIDE_S) | (t > end + BESIDE_S)
    heights = [np.percentile(difference[judged], 99.5)] if judged.any() else []
    heights += [np.interp(event.apex_s, t[judged], difference[judged]) for event in events if judged.any()]
    if np.isfinite(threshold).any():
        heights.append(np.percentile(threshold[np.isfinite(threshold)], 99))
    if not heights and np.isfinite(difference).any():
        heights.append(np.nanmax(difference))
    highest = max(heights, default=0.0)
    return 1.15 * float(highest) if highest > 0 else 1.0


def _gates(axes, spans) -> None:
    for kind, shade in SHADES.items():
        bars = [(start, end - start) for start, end, of in spans if of == kind]
        if bars:
            axes.broken_barh(bars, (0, 1), transform=axes.get_xaxis_transform(), color=shade, linewidth=0, zorder=0.6, label=GATES[kind])


def _curve(axes, trace, top, bins) -> None:
    t, difference, threshold = trace.t, trace.difference, trace.threshold
    if not np.isfinite(difference).any():
        message = "no face was found" if len(t) else "no frames"
        axes.text(0.5, 0.5, message, transform=axes.transAxes, ha="center", va="center", color=SOFT, fontsize=11)
        axes.set_ylim(0, 1)
        axes.set_yticks([])
        axes.set_ylabel("")
        return
    axes.set_ylim(0, top)
    gated = trace.gated
    beside = gated.copy()  # the faint curve reaches over to the judged one on both sides
    beside[1:] |= gated[:-1]
    beside[:-1] |= gated[1:]
    start, stop = axes.get_xlim()
    inside = slice(max(0, np.searchsorted(t, start) - 1), np.searchsorted(t, stop) + 1)
    judged, ignored = np.where(gated, np.nan, difference)[inside], np.where(beside, difference, np.nan)[inside]
    t, judged, ignored, threshold = envelope(t[inside], judged, ignored, threshold[inside], bins=bins)
    axes.plot(t, ignored, color=FAINT, linewidth=0.8, zorder=2)
    axes.plot(t, judged, color=CURVE, linewidth=0.9, zorder=3, label="difference", solid_joinstyle="round")
    axes.plot(t, threshold, color=THRESHOLD, linewidth=1.0, zorder=4, label="threshold", dashes=(4, 2))


def _markers(axes, markers: Sequence[Marker]) -> None:
    """What other instruments marked: a dashed line each, its words upright beside it."""
    from matplotlib.transforms import blended_transform_factory

    for number, one in enumerate(markers):
        axes.axvline(one.time_s, color=MARKER, linewidth=0.8, dashes=(2, 2), zorder=4, label="" if number else "marker")
        words = one.label if len(one.label) <= MARKER_LONGEST else f"{one.label[: MARKER_LONGEST - 1]}…"
        place = blended_transform_factory(axes.transData, axes.transAxes)
        about = {"rotation": 90, "va": "top", "ha": "right", "fontsize": 7.5, "color": MARKER, "parse_math": False, "zorder": 7}
        axes.text(
            one.time_s, 0.98, printable(words), transform=place, clip_on=True, bbox={"facecolor": "white", "alpha": 0.7, "lw": 0, "pad": 0.6}, **about
        )


def _marks(axes, renderer, events, width) -> list[tuple]:
    """(text, row, left edge in pixels) of each event's label, in rows above the plot; row −1 where there is no room."""
    from matplotlib.transforms import blended_transform_factory

    above = blended_transform_factory(axes.transData, axes.figure.dpi_scale_trans)  # x in seconds, y in inches
    start, stop = axes.get_xlim()
    texts, sizes = [], []
    for event in events:
        inside = start <= event.apex_s < stop  # of two rows, the one with the apex has the label
        text = axes.text(
            event.apex_s,
            0,
            f"{event.label} {event.score:.2f}",
            fontsize=8.5,
            visible=inside,
            color=colour(event.label),
            va="center",
            transform=above,
            parse_math=False,
            zorder=7,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
        )
        texts.append(text)
        if inside:
            sizes.append((axes.transData.transform((event.apex_s, 0))[0], text.get_window_extent(renderer).width))
    placed = iter(_rows(sizes, right=width * DPI * 0.99))
    return [(text, *(next(placed) if text.get_visible() else (-1, 0.0))) for text in texts]


def _events(axes, trace, events, marks, top) -> int:
    """Draw the events, their labels above the plot, whose upper edge is `top` inches above the paper's foot. Returns the
    number of labels that found no room."""
    known, hidden = np.isfinite(trace.difference), 0
    for event, (text, row, x) in zip(events, marks, strict=True):
        tint, above = colour(event.label), text.get_transform()
        axes.axvspan(event.onset_s, event.offset_s, color=tint, alpha=0.12, linewidth=0, zorder=1)
        for moment in (event.onset_s, event.offset_s):
            axes.axvline(moment, color=tint, linewidth=0.6, alpha=0.5, zorder=2)
        if not text.get_visible():
            text.remove()
            continue
        peak = np.interp(event.apex_s, trace.t[known], trace.difference[known]) if known.any() else 0.0
        axes.plot([event.apex_s] * 2, [peak, axes.get_ylim()[1]], color=tint, linewidth=1.1, zorder=5)
        axes.plot(event.apex_s, peak, "o", color=tint, markersize=4, markeredgecolor="white", markeredgewidth=0.7, zorder=6)
        if row < 0:
            text.remove()
            hidden += 1
            continue
        height = top + LANE * (row + 0.6)
        text.set_position((axes.transData.inverted().transform((x, 0))[0], height))
        axes.plot([event.apex_s] * 2, [top, height], color=tint, linewidth=1.1, transform=above, clip_on=False, zorder=5)
        axes.plot(event.apex_s, height, "o", color=tint, markersize=3.2, transform=above, clip_on=False, zorder=8)
    return hidden


def _rows(marks: list[tuple[float, float]], right: float) -> list[tuple[int, float]]:
    """Where each label goes. marks: (apex, width of the label), pixels, by time.

    Returns (row, left edge) of each; row −1 where there is no room.
    From the last to the first, so that an earlier label lies above a later one's stem instead of across it.
    """
    free = [math.inf] * MAX_LANES  # nothing, neither label nor stem, left of this
    texts = [math.inf] * MAX_LANES  # no label left of this: stems may be crossed where it is crowded
    rows = []
    for apex, size in reversed(marks):
        # a label stands right of its stem, but left of it at the paper's edge
        x = apex + 8 if apex + 8 + size < right else apex - 8 - size
        end = max(x + size + 8, apex + 4)
        row = next((i for limits in (free, texts) for i in range(MAX_LANES) if end < limits[i]), -1)
        if row >= 0:
            texts[row] = min(x, apex)
            free[: row + 1] = [min(x, apex)] * (row + 1)
        rows.append((row, x))
    return rows[::-1]


def _place(figure, rows, width, several) -> list[float]:
    """Fit the paper to the rows and their labels. Returns the upper edge of each plot, inches above the paper's foot."""
    tall = ROW_HEIGHT if several else PLOT_HEIGHT
    above = [LANE * (max((row for _, row, _ in marks), default=-1) + 1) for _, _, marks in rows]
    height = FOOT + HEAD + sum(above) + tall * len(rows) + TICKS * (len(rows) - 1)
    figure.set_size_inches(width, height)
    tops, top = [], height - HEAD
    for (axes, *_), lanes in zip(rows, above, strict=True):
        top -= lanes
        tops.append(top)
        axes.set_position((LEFT / width, (top - tall) / height, 1 - (LEFT + RIGHT) / width, tall / height))
        top -= tall + TICKS
    return tops


def _frame(figure, axes, width, title, note) -> None:
    height = figure.get_size_inches()[1]
    left = LEFT / width
    figure.text(left, 1 - 0.26 / height, printable(title), fontsize=12, color=INK, va="center", parse_math=False)
    figure.text(left, 1 - 0.5 / height, note, fontsize=9, color=SOFT, va="center", parse_math=False)
    handles, names = [], []
    for one in figure.axes:
        for handle, name in zip(*one.get_legend_handles_labels(), strict=True):
            if name not in names:
                handles.append(handle)
                names.append(name)
    if handles:
        order = sorted(range(len(names)), key=lambda i: names[i] in GATES.values())
        figure.legend(
            [handles[i] for i in order],
            [names[i] for i in order],
            loc="lower left",
            ncol=len(names),
            bbox_to_anchor=(left, 0.15 / height),
            frameon=False,
            fontsize=8.5,
            labelcolor=INK,
            handlelength=1.6,
            columnspacing=1.6,
            borderpad=0,
            borderaxespad=0,
        )


def _style(axes, several) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator

    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color("#bbbbbb")
    axes.grid(axis="y", color="#ececec", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=8.5, labelcolor=SOFT, pad=5)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4))
    axes.set_ylabel("difference", fontsize=9, color=SOFT)
    minutes = several or axes.get_xlim()[1] > ROW_S
    axes.xaxis.set_major_locator(MultipleLocator(5) if minutes else MaxNLocator(nbins=12, steps=[1, 2, 5, 10]))
    if minutes:
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: clock(value, 0)))
    if not several:
        axes.set_xlabel("minutes:seconds" if minutes else "seconds", fontsize=9, color=SOFT)


def _summary(events, begin, last, end, several, hidden) -> str:
    found = f"{len(events)} event" + ("" if len(events) == 1 else "s") if events else "no events"
    length = f"{clock(begin, 0)} to {clock(last, 0)} of {clock(end, 0)}" if several else f"{last - begin:.1f} s"
    return f"{length}  ·  {found}" + (f"  ·  {hidden} labels left out for want of room" if hidden else "")
