"""The report on paper: one A4 page, and further ones only where there are more events than rows."""

from __future__ import annotations

import io
import textwrap
import warnings
from collections.abc import Sequence

import cv2
import numpy as np

from realtime.output.exports.found import Found, clean, named, number_of, reviewer_of
from realtime.output.exports.report import care, closing, judged, moments, summary, timelines
from realtime.output.styling import colour
from realtime.output.timeline import INK, SOFT
from realtime.records import Event

WIDTH, HEIGHT, MARGIN = 8.27, 11.69, 0.6  # inches, A4
ROW = 0.78  # inches
PAPER = 10.0  # inches, how wide a curve is drawn: its letters are then legible on paper
CODER, CELL = 0.9, 0.64  # inches: more for a coder's name; of each number
FIRST, MORE = 6, 12  # events on the first page, and on each further one
COLUMNS = {  # inches
    "#": 0.0,
    "onset": 0.3,
    "apex": 1.05,
    "label": 1.95,
    "kind": 3.05,
    "seconds: onset, apex, offset": 3.65,
    "probabilities": 5.6,
}


def pdf(found: Found) -> bytes:
    """The file. Texts are drawn as they are: matplotlib reads no mathematics and runs no TeX here."""
    from matplotlib.backends.backend_pdf import PdfPages

    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        with PdfPages(file, metadata={"Title": f"{clean(found.name)}: facial movements", "Creator": "mer-live"}) as pages:
            curves = timelines(found, PAPER) if found.trace is not None else []
            pages.savefig(_first(found, curves if len(curves) == 1 else []))
            for one in curves if len(curves) > 1 else ():
                pages.savefig(_curve_page(found, one))
            if found.measures:
                pages.savefig(_curve_page(found, found.measures))
            if found.coders:
                pages.savefig(_coders_page(found))
            for begin in range(FIRST, len(found.events), MORE):
                pages.savefig(_further(found, found.events[begin : begin + MORE]))
    return file.getvalue()


def _first(found: Found, curves: list[bytes]):
    figure = _page()
    name = textwrap.shorten(clean(found.name), 70, placeholder="…") if " " in found.name else clean(found.name)[:70]
    _text(figure, 0, 0.2, name, 15, weight="bold")
    _text(figure, 0, 0.5, summary(found), 8.5, SOFT)
    _text(figure, 0, 0.67, judged(found), 8.5, SOFT)
    lines = textwrap.wrap(care(found), 118)
    for i, line in enumerate(lines):
        _text(figure, 0, 0.95 + 0.17 * i, line, 8.5)
    top = 1.06 + 0.17 * len(lines)
    for one in curves:
        top += _curve(figure, one, top) + 0.15
    _table(figure, found, found.events[:FIRST], top)
    if not found.events:
        _text(figure, 0, top + 0.2, "No movement was found.", 9)
    for i, line in enumerate(textwrap.wrap(closing(found), 125)):
        _text(figure, 0, HEIGHT - 2 * MARGIN - 0.3 + 0.15 * i, line, 7.5, SOFT)
    _thumbnails(figure, found, found.events[:FIRST], top)
    return figure


def _curve_page(found: Found, curve: bytes):
    figure = _page()
    _text(figure, 0, 0.1, f"{clean(found.name)[:80]}, over time", 9, SOFT)
    _curve(figure, curve, 0.3)
    return figure


def _coders_page(found: Found):
    """How human coders compare with what was found."""
    from realtime.review.comparison import COLUMNS

    figure = _page()
    _text(figure, 0, 0.1, f"{clean(found.name)[:80]}, beside human coders", 9, SOFT)
    for i, row in enumerate([list(COLUMNS), *found.coders]):
        for k, cell in enumerate(row):
            _text(figure, CODER * (k > 0) + CELL * k, 0.5 + 0.25 * i, clean(str(cell))[:24], 7.5, INK if i else SOFT)
    for i, line in enumerate(textwrap.wrap(found.coders_note, 125)):
        _text(figure, 0, 0.8 + 0.25 * (len(found.coders) + 1) + 0.15 * i, clean(line), 7.5, SOFT)
    return figure


def _curve(figure, png: bytes, top: float) -> float:
    """As wide as the paper; returns its height, inches."""
    curve = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    tall = (WIDTH - 2 * MARGIN) * curve.shape[0] / curve.shape[1]
    _picture(figure, curve, 0, top, WIDTH - 2 * MARGIN, tall)
    return tall


def _further(found: Found, events: Sequence[Event]):
    figure = _page()
    _text(figure, 0, 0.1, f"{clean(found.name)[:80]}, continued", 9, SOFT)
    _table(figure, found, events, 0.3)
    _thumbnails(figure, found, events, 0.3)
    return figure


def _table(figure, found: Found, events: Sequence[Event], top: float) -> None:
    for words, x in COLUMNS.items() if events else ():
        _text(figure, x, top, words, 7.5, SOFT)
    for i, event in enumerate(events):
        y = top + 0.2 + ROW * (i + 0.5)
        lines = moments(event, found)
        if len(lines) > 1:  # side by side they would not fit
            lines = [list(line) for line in zip(*lines, strict=True)]
        times = "\n".join("   ".join(line) for line in lines)
        scores = "\n".join(f"{name}  {score:.2f}" for name, score in event.scores.items())
        label = clean(named(event)) + (f"\n{clean(reviewer_of(event) or 'nobody')}" if found.reviewers else "")
        label += f"\nest. {clean(event.estimated_units)}" if event.units else ""
        cells = (str(number_of(event)), None, None, label, event.kind, times, clean(scores))
        for words, x in zip(cells, COLUMNS.values(), strict=True):
            if words:
                ink = colour(event.label) if x == COLUMNS["label"] else INK
                _text(figure, x, y, words, 7 if x == COLUMNS["probabilities"] else 8.5, ink)


def _thumbnails(figure, found: Found, events: Sequence[Event], top: float) -> None:
    for i, event in enumerate(events):
        for picture, x in zip(found.thumbnails.get(event.event, ()), (COLUMNS["onset"], COLUMNS["apex"]), strict=False):
            small = cv2.resize(picture, (160, 160), interpolation=cv2.INTER_AREA)
            _picture(figure, small, x, top + 0.22 + ROW * i, ROW - 0.06, ROW - 0.06)


def _page():
    from matplotlib.figure import Figure

    return Figure(figsize=(WIDTH, HEIGHT), facecolor="white")


def _text(figure, x: float, y: float, words: str, size: float, colour: str = INK, **more) -> None:
    """x, y: inches from the upper left corner within the margins."""
    place = (MARGIN + x) / WIDTH, 1 - (MARGIN + y) / HEIGHT
    figure.text(*place, words, fontsize=size, color=colour, va="center", parse_math=False, **more)


def _picture(figure, picture, x: float, y: float, width: float, height: float) -> None:
    axes = figure.add_axes(((MARGIN + x) / WIDTH, 1 - (MARGIN + y + height) / HEIGHT, width / WIDTH, height / HEIGHT))
    axes.imshow(picture, interpolation="none")
    axes.axis("off")
