"""A report on one recording for a person to read: one HTML file with everything inside. `pdf` has the same on paper."""

from __future__ import annotations

import html as markup
import io
import warnings
from collections import defaultdict
from datetime import datetime

import cv2
import numpy as np

from realtime import __version__
from realtime.judged import Trace
from realtime.output.event_table import clock
from realtime.output.exports.found import CARE, Found, clean, number_of, reviewer_of
from realtime.output.styling import colour, inline
from realtime.output.timeline import pages
from realtime.records import Event

UNITS = ("units (estimated)",)
LONG = 60  # seconds: of longer recordings times are told in minutes, too
STYLE = """
:root { color-scheme: light dark; --ink: #16232b; --quiet: #4d5f6a; --line: #d5dee2; --ground: #fff; --band: #f2f5f6 }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf0; --quiet: #a6b6bf; --line: #2b3a42; --ground: #10171c; --band: #182228 } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground); max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem; margin: 0; overflow-wrap: anywhere } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem } p { margin: .3rem 0 }
.quiet { color: var(--quiet) } .care { border-left: 3px solid #0b6b63; padding: .3rem .8rem; background: var(--band); margin: 1rem 0 }
.curve { width: 100%; height: auto; border: 1px solid var(--line); border-radius: 6px; background: #fff }
.scroll { overflow-x: auto } table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .45rem .6rem; border-bottom: 1px solid var(--line); vertical-align: middle; white-space: nowrap }
th { font-weight: 600; color: var(--quiet) } td.n { font-variant-numeric: tabular-nums }
td img { width: 96px; height: 96px; border-radius: 6px; vertical-align: middle; margin-right: 4px }
.dot { display: inline-block; width: .7em; height: .7em; border-radius: 50%; margin-right: .4em }
@media print { body { margin: 0; max-width: none } tr { break-inside: avoid } }
"""


def html(found: Found) -> str:
    """One file: no script, nothing loaded from elsewhere; every text of the recording's is escaped."""
    name, rows = _safe(found.name), "".join(_row(event, found) for event in found.events)
    names = (
        "#",
        *(["reviewer"] if found.reviewers else []),
        "onset, apex",
        "label",
        "kind",
        "onset s",
        "apex s",
        "offset s",
        *found.classes,
        *UNITS[: _with_units(found)],
    )
    head = "".join(f'<th scope="col">{_safe(one)}</th>' for one in names)
    table = f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    if not rows:
        table = "<p>No movement was found.</p>"
    alt = f"Difference curve with {found.count} events"
    curves = timelines(found) if found.trace else []
    curve = "<h2>Over time</h2>" * bool(curves) + "".join(f'<img class="curve" alt="{alt}" src="{inline(one, "png")}">' for one in curves)
    if found.measures:
        curve += f'<h2>Measured in every frame</h2><img class="curve" alt="Chosen measures over time" src="{inline(found.measures, "png")}">'
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{name}: facial movements</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head><body>
<h1>{name}</h1><p class="quiet">{_safe(summary(found))}</p><p class="quiet">{judged(found)}</p>
<p class="care">{care(found)}</p>
{curve}
<h2>Events</h2>{table}{_coders(found)}
<p class="quiet">{_safe(closing(found))}</p></body></html>
"""


def _coders(found: Found) -> str:
    """How human coders compare with what was found."""
    if not found.coders:
        return ""
    from realtime.review.comparison import COLUMNS

    head = "".join(f'<th scope="col" title="{_safe(meaning)}">{_safe(name)}</th>' for name, meaning in COLUMNS.items())
    rows = ""
    for row in found.coders:
        cells = "".join(f'<td class="n">{_safe(str(cell))}</td>' for cell in row)
        rows += f"<tr>{cells}</tr>"
    table = f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    return f'<h2>Beside human coders</h2>{table}<p class="quiet">{_safe(found.coders_note)}</p>'


def summary(found: Found) -> str:
    """As "14.0 s, 5 events: 5 micro, 0 macro; named by kernel_ridge; mer-live 0.1, 22 November 2026"."""
    kinds = [found.count_of(kind) for kind in ("micro", "macro")]
    by = f"; named by {found.model}" if found.model else ""
    by += f"; judged by {', '.join(found.reviewers)}" if found.reviewers else ""
    count = f"{found.count} event" + ("" if found.count == 1 else "s")
    today = datetime.now().strftime("%-d %B %Y")
    length = f"{found.seconds:.1f} s, " if found.trace else ""  # the log does not say how long a recording was
    return f"{length}{count}: {kinds[0]} micro, {kinds[1]} macro{by}; mer-live {__version__}, {today}"


def judged(found: Found) -> str:
    """As "Judged 88 % of the time; the rest: rest not yet known 6 %, blink 6 %." Empty without a curve.

    An event can only be found where the spotter judges, so "no events" says little without this.
    """
    trace = found.trace
    if trace is None or not len(trace.t):
        return ""
    lasting = trace.end - trace.t[0]
    shares: defaultdict[str, float] = defaultdict(float)
    for start, end, why in trace.not_judged:
        shares[why] += end - start
    rest = ", ".join(f"{why} {_percent(share / lasting)}" for why, share in sorted(shares.items(), key=lambda one: -one[1]) if share > 0)
    most = _percent(1 - sum(shares.values()) / lasting)
    return f"Judged {most} of the time" + (f"; the rest: {rest}." if rest else ".")


def care(found: Found) -> str:
    """What to mind, and that the report itself holds pictures of a face where it does."""
    count = sum(map(len, found.thumbnails.values()))
    held = f" This report holds {count} pictures of faces: keep it, and pass it on, only as you may the recording." if count else ""
    return CARE + held


def closing(found: Found) -> str:
    unsure = (
        ' "unsure": no class was likely enough to name it, or the network knows no macro-expressions.'
        if any(e.label == "unsure" for e in found.events)
        else ""
    )
    return (
        "Times are seconds from the beginning of the recording. Numbers under the classes are the network's probabilities; "
        "they sum to 1. micro: half a second at most." + unsure + _estimated(found) + _pictured(found)
    )


def moments(event: Event, found: Found) -> list[list[str]]:
    """Onset, apex and offset in seconds; of a recording longer than a minute the same below as players tell it, "01:15.300"."""
    three = (event.onset_s, event.apex_s, event.offset_s)
    long = max([found.seconds, *(one.offset_s for one in found.events)]) > LONG
    return [[f"{moment:.3f}" for moment in three], *([[clock(moment) for moment in three]] if long else [])]


def _estimated(found: Found) -> str:
    return " Units (estimated; est.): action units by a network's estimate, which no FACS coder has checked." if _with_units(found) else ""


def _pictured(found: Found) -> str:
    shown = len({event.event for event in found.events} & set(found.thumbnails))
    return f" Pictures: of the {shown} surest of {found.count} events." if 0 < shown < found.count else ""


def timelines(found: Found, width: float | None = None) -> list[bytes]:
    """The curve with its events as PNG, a picture for every few minutes.

    Args:
        width: see `timeline.pages`.
    """
    pictures = []
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        for figure in pages(found.trace or Trace(), found.events, "How much the face differs from rest", width, found.markers):
            file = io.BytesIO()
            figure.savefig(file, format="png")
            pictures.append(file.getvalue())
    return pictures


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 or share < 1e-9 else "under 1 %"


def _row(event: Event, found: Found) -> str:
    pictures = "".join(
        f'<img alt="{what} of event {event.event}" src="{inline(_jpeg(picture), "jpeg")}">'
        for what, picture in zip(("onset", "apex"), found.thumbnails.get(event.event, ()), strict=False)
    )
    dot = f'<span class="dot" style="background:{colour(event.label)}"></span>'
    times = "".join(f'<td class="n">{"<br>".join(moment)}</td>' for moment in zip(*moments(event, found), strict=True))
    scores = "".join(f'<td class="n">{event.scores[one]:.2f}</td>' if one in event.scores else "<td></td>" for one in found.classes)
    label = f"<td>{dot}{_safe(event.label)}</td><td>{_safe(event.kind)}</td>"
    who = f"<td>{_safe(reviewer_of(event) or 'nobody')}</td>" if found.reviewers else ""
    scores += f"<td>{_safe(units_of(event))}</td>" if _with_units(found) else ""
    return f'<tr><td class="n">{number_of(event)}</td>{who}<td>{pictures}</td>{label}{times}{scores}</tr>'


def units_of(event: Event) -> str:
    """As "4+L12 (0.66)": the estimated action units, and the confidence of the least sure of them."""
    return f"{event.estimated_units} ({min(event.units.values()):.2f})" if event.units else ""


def _with_units(found: Found) -> bool:
    return any(event.units for event in found.events)


def _safe(words: str) -> str:
    return markup.escape(clean(words))


def _jpeg(picture: np.ndarray) -> bytes:
    small = cv2.resize(picture, (192, 192), interpolation=cv2.INTER_AREA)
    return cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()
