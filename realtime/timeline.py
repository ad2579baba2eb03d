"""The picture of a recording: the difference curve, its threshold, the events, and where nothing could be judged."""

from __future__ import annotations

import math
import warnings
from array import array
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from realtime.colours import colour
from realtime.records import Event
from realtime.sinks import cannot_write, make_folder_of

GATES = {"lost": ("#e2e2e2", "no face"), "motion": ("#f3e9d2", "head motion"), "blink": ("#e6e0f0", "blink")}
LEARNING = "learning the resting face"
INK, SOFT, CURVE, FAINT, THRESHOLD = "#333333", "#808080", "#4a5a6a", "#b4bcc4", "#c08a3e"
DPI = 150
PLOT_HEIGHT, LANE, MAX_LANES = 2.6, 0.21, 8  # inches, inches, rows of labels


class Trace:
    """What the spotter saw, one `add` a frame (about a microsecond, 25 bytes).

    t: seconds in the source's own clock. difference, threshold: in the spotter's units, NaN where there was no face.
    spans: [(start_s, end_s, kind)], kind "lost", "motion" or "blink": where the spotter could not judge. A span ends
    where the next frame begins.
    """

    def __init__(self):
        self._t, self._difference, self._threshold = array("d"), array("d"), array("d")
        self._spans: list[tuple[float, float, str]] = []
        self._gate: str | None = None
        self._since = 0.0

    def add(self, pts: float, difference: float | None, threshold: float | None, gate: str | None = None) -> None:
        """One frame. gate: None, "lost", "motion" or "blink"; difference and threshold None (or NaN) without a face."""
        if gate != self._gate:
            if gate is not None and gate not in GATES:
                raise ValueError(f"gate is None or one of {', '.join(GATES)}, got {gate!r}")
            if self._gate is not None:
                self._spans.append((self._since, pts, self._gate))
            self._gate, self._since = gate, pts
        self._t.append(pts)
        self._difference.append(math.nan if difference is None else difference)
        self._threshold.append(math.nan if threshold is None else threshold)

    @property
    def t(self) -> np.ndarray:
        return np.array(self._t)

    @property
    def difference(self) -> np.ndarray:
        return np.array(self._difference)

    @property
    def threshold(self) -> np.ndarray:
        return np.array(self._threshold)

    @property
    def gated(self) -> np.ndarray:
        """For each frame, whether it lies in a span: N booleans."""
        edges = [edge for start, end, _ in self.spans for edge in (start, end)]
        return np.searchsorted(edges, self._t, side="right") % 2 == 1

    @property
    def spans(self) -> list[tuple[float, float, str]]:
        if self._gate is None:
            return list(self._spans)
        return [*self._spans, (self._since, self.end, self._gate)]

    @property
    def not_judged(self) -> list[tuple[float, float, str]]:
        """[(start_s, end_s, why in words)], by time: `spans`, and where the resting face was still being learnt."""
        steps = np.append(self.t, self.end) if len(self._t) else np.empty(0)
        learning = np.flatnonzero(np.diff(np.concatenate([[0], ~self.gated & np.isnan(self.threshold), [0]]).astype(int)))
        found = [(steps[begin], steps[end], LEARNING) for begin, end in learning.reshape(-1, 2)]
        return sorted([*found, *((begin, end, GATES[kind][1]) for begin, end, kind in self.spans)])

    @property
    def end(self) -> float:
        """When the last frame is over, seconds: it lasts as long as the one before."""
        if len(self._t) < 2:
            return self._t[-1] + 0.04 if self._t else 0.0
        return 2 * self._t[-1] - self._t[-2]


def draw(path: str | Path, trace: Trace, events: Sequence[Event], title: str) -> None:
    """Write the picture (format by `path`'s ending, PNG in the program). Raises OutputError.

    Any length will do: a long recording is drawn wider, and by the envelope of its curve.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    t, events = trace.t, sorted(events, key=lambda event: event.apex_s)
    start, end = (t[0], trace.end) if len(t) else (0.0, 1.0)
    width = float(np.clip(7 + 0.12 * (end - start), 9, 20))  # inches
    figure = Figure(figsize=(width, 4), dpi=DPI, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_xlim(start, end)

    _style(axes)
    _gates(axes, trace.spans)
    _curve(axes, trace, bins=int(width * DPI))
    # matplotlib warns of each letter that its font lacks, on the terminal of somebody whose file has a Chinese name
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        hidden = _events(axes, canvas.get_renderer(), trace, events, width)
        note = _summary(events, end - start, hidden) if len(t) else "no frames"
        _frame(figure, axes, width, title, note)
        make_folder_of(path)
        try:
            figure.savefig(path)
        except OSError as error:
            raise cannot_write(path, error) from error


def envelope(t: np.ndarray, *curves: np.ndarray, bins: int) -> tuple[np.ndarray, ...]:
    """Lowest and highest value of each of `bins` stretches: what a line through all points would cover on paper.

    t, curves: N. Returns (t, *curves), each of N points, or of 2·bins where N is larger. NaN only where all are NaN.
    """
    if len(t) <= 2 * bins:
        return (t, *curves)
    each = math.ceil(len(t) / bins)
    fill = -len(t) % each
    stretch = np.pad(t, (0, fill), mode="edge").reshape(-1, each)
    thinned = [np.stack([stretch[:, 0], stretch[:, each // 2]], axis=1).ravel()]
    for curve in curves:
        rows = np.pad(curve, (0, fill), constant_values=np.nan).reshape(-1, each)
        empty = np.isnan(rows)
        low, high = np.where(empty, np.inf, rows).min(axis=1), np.where(empty, -np.inf, rows).max(axis=1)
        thinned.append(np.where(empty.all(axis=1)[:, None], np.nan, np.stack([low, high], axis=1)).ravel())
    return tuple(thinned)


def _gates(axes, spans) -> None:
    for kind, (shade, name) in GATES.items():
        bars = [(start, end - start) for start, end, of in spans if of == kind]
        if bars:
            axes.broken_barh(bars, (0, 1), transform=axes.get_xaxis_transform(), color=shade, linewidth=0,
                             zorder=0.6, label=name)


def _curve(axes, trace, bins) -> None:
    t, difference, threshold = trace.t, trace.difference, trace.threshold
    if not np.isfinite(difference).any():
        message = "no face was found" if len(t) else "no frames"
        axes.text(0.5, 0.5, message, transform=axes.transAxes, ha="center", va="center", color=SOFT, fontsize=11)
        axes.set_ylim(0, 1)
        axes.set_yticks([])
        axes.set_ylabel("")
        return
    gated = trace.gated
    beside = gated.copy()  # the faint curve reaches over to the judged one on both sides
    beside[1:] |= gated[:-1]
    beside[:-1] |= gated[1:]
    judged, ignored = np.where(gated, np.nan, difference), np.where(beside, difference, np.nan)
    # a blink is many times higher than a micro-expression: the paper's height belongs to what was judged
    seen = np.concatenate([judged, threshold])
    seen = seen[np.isfinite(seen)]
    top = seen.max() if seen.size else np.nanmax(difference)
    axes.set_ylim(0, 1.15 * top if top > 0 else 1)
    t, judged, ignored, threshold = envelope(t, judged, ignored, threshold, bins=bins)
    axes.plot(t, ignored, color=FAINT, linewidth=0.8, zorder=2)
    axes.plot(t, judged, color=CURVE, linewidth=0.9, zorder=3, label="difference", solid_joinstyle="round")
    axes.plot(t, threshold, color=THRESHOLD, linewidth=1.0, zorder=4, label="threshold", dashes=(4, 2))


def _events(axes, renderer, trace, events, width) -> int:
    """Draw the events, their labels in rows above the plot. Returns the number of labels that found no room."""
    from matplotlib.transforms import blended_transform_factory

    above = blended_transform_factory(axes.transData, axes.figure.dpi_scale_trans)  # x in seconds, y in inches
    _place(axes, width, 1)  # the horizontal place is final from here on: labels are measured against it
    marks = []
    for event in events:
        text = axes.text(event.apex_s, 0, f"{event.label} {event.score:.2f}", fontsize=8.5,
                         color=colour(event.label), va="center", transform=above, parse_math=False, zorder=7,
                         bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0})
        marks.append((axes.transData.transform((event.apex_s, 0))[0], text.get_window_extent(renderer).width, text))
    rows = _rows([(apex, size) for apex, size, _ in marks], right=width * DPI * 0.99)
    _, top = _place(axes, width, max((row for row, _ in rows), default=-1) + 1)

    known = np.isfinite(trace.difference)
    for event, (_, _, text), (row, x) in zip(events, marks, rows):
        tint = colour(event.label)
        axes.axvspan(event.onset_s, event.offset_s, color=tint, alpha=0.12, linewidth=0, zorder=1)
        for moment in (event.onset_s, event.offset_s):
            axes.axvline(moment, color=tint, linewidth=0.6, alpha=0.5, zorder=2)
        peak = np.interp(event.apex_s, trace.t[known], trace.difference[known]) if known.any() else 0.0
        axes.plot([event.apex_s] * 2, [peak, axes.get_ylim()[1]], color=tint, linewidth=1.1, zorder=5)
        axes.plot(event.apex_s, peak, "o", color=tint, markersize=4, markeredgecolor="white", markeredgewidth=0.7,
                  zorder=6)
        if row < 0:
            text.remove()
            continue
        height = top + LANE * (row + 0.6)
        text.set_position((axes.transData.inverted().transform((x, 0))[0], height))
        axes.plot([event.apex_s] * 2, [top, height], color=tint, linewidth=1.1, transform=above, clip_on=False,
                  zorder=5)
        axes.plot(event.apex_s, height, "o", color=tint, markersize=3.2, transform=above, clip_on=False, zorder=8)
    return sum(row < 0 for row, _ in rows)


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


def _place(axes, width, lanes) -> tuple[float, float]:
    """Fit the paper to the rows of labels. Returns the plot's bottom and top, inches above the paper's foot."""
    bottom = 0.9
    top = bottom + PLOT_HEIGHT
    height = top + LANE * lanes + 0.78
    axes.figure.set_size_inches(width, height)
    left, right = 0.62 / width, 1 - 0.25 / width
    axes.set_position((left, bottom / height, right - left, PLOT_HEIGHT / height))
    return bottom, top


def _frame(figure, axes, width, title, note) -> None:
    height = figure.get_size_inches()[1]
    left = axes.get_position().x0
    figure.text(left, 1 - 0.26 / height, title, fontsize=12, color=INK, va="center", parse_math=False)
    figure.text(left, 1 - 0.5 / height, note, fontsize=9, color=SOFT, va="center", parse_math=False)
    handles, names = axes.get_legend_handles_labels()
    if handles:
        order = sorted(range(len(names)), key=lambda i: names[i] in [name for _, name in GATES.values()])
        figure.legend([handles[i] for i in order], [names[i] for i in order], loc="lower left", ncol=len(names),
                      bbox_to_anchor=(left, 0.15 / height), frameon=False, fontsize=8.5, labelcolor=INK,
                      handlelength=1.6, columnspacing=1.6, borderpad=0, borderaxespad=0)


def _style(axes) -> None:
    from matplotlib.ticker import MaxNLocator

    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color("#bbbbbb")
    axes.grid(axis="y", color="#ececec", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=8.5, labelcolor=SOFT, pad=5)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=12, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4))
    axes.set_xlabel("seconds", fontsize=9, color=SOFT)
    axes.set_ylabel("difference", fontsize=9, color=SOFT)


def _summary(events, duration, hidden) -> str:
    found = f"{len(events)} event" + ("" if len(events) == 1 else "s") if events else "no events"
    return f"{duration:.1f} s  ·  {found}" + (f"  ·  {hidden} labels left out for want of room" if hidden else "")
