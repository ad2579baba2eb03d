"""The HTML of the review: the table of events, the pictures of the chosen one, and what two reviewers agree on.

All text of logs and people is escaped. Pictures stand in the page itself (data: addresses), so that nothing of a session
is left in a folder when it is deleted.
"""

from __future__ import annotations

import base64
from datetime import datetime
from html import escape
from pathlib import Path

import cv2
import numpy as np

from realtime.cli.log_review import in_words
from realtime.dashboard import pictures
from realtime.dashboard.review_desk import Chosen
from realtime.records import Keyframes
from realtime.review import Item, Marks
from realtime.review_agreement import agreements
from realtime.review_export import Exported
from realtime.review_film import Film

HEADS = ("Event", "Label", "Verdict", "Onset", "Apex", "Offset", "Score", "Units")
MARKS = (("onset", "onset_s", "Onset"), ("apex", "apex_s", "Apex"), ("offset", "offset_s", "Offset"))
STRIP = 16  # small pictures from before the onset to after the offset
AROUND = 3  # of them on each side
SIDE = 76  # pixels
MOTION = 4.0  # how many times as far the slow motion moves


def session_line(session: dict) -> str:
    """One session in a list: number, date, source, model, events."""
    began = datetime.fromisoformat(session["started_at"]).astimezone()
    sources = session["sources"]
    first = "no source" if not sources else sources[0] if "://" in sources[0] else Path(sources[0]).name
    more = f" and {len(sources) - 1} more" if len(sources) > 1 else ""
    events = "1 event" if session["events"] == 1 else f"{session['events']} events"
    return f"{session['id']} · {began:%Y-%m-%d %H:%M} · {first}{more} · {Path(session['model']).name} · {events}"


def table(chosen: Chosen, reviewer: str, blind: bool) -> str:
    """The events as a grid: rows can be clicked, the arrow keys of the page move the choice.

    blind: what others said of an event is shown once this reviewer has judged it; otherwise two would agree because one
    has read the other.
    """
    if chosen.session is None:
        return '<p class="mer-state">No session is logged yet. Use Live or Replay first.</p>'
    if not chosen.items:
        return '<p class="mer-state">No event was found here. If one was missed, add it below.</p>'
    head = "".join(f'<th scope="col">{name}</th>' for name in HEADS)
    rows = "".join(_row(number, item, item.key == chosen.key, reviewer, blind) for number, item in enumerate(chosen.items, 1))
    return (f'<div class="rv-scroll" role="region" aria-label="Events of the session" tabindex="0">'
            f'<table class="rv-table" role="grid" aria-label="Events"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>')


def _row(number: int, item: Item, chosen: bool, reviewer: str, blind: bool) -> str:
    marks, verdict = item.marks(reviewer), item.verdict(reviewer)
    cells = [f'<th scope="row">{number}{"" if item.event else " <small>missed</small>"}</th>']
    cells.append(_cell(marks.label, item.found.label))
    others = [f"<small>{escape(name)}: {'rejected' if said.verdict == 'rejected' else escape(said.marks.label)}</small>"
              for name, said in sorted(item.reviews.items()) if name != reviewer and (verdict or not blind)]
    cells.append(f"<td>{_verdict(verdict)}{''.join(others)}</td>")
    for _, field, _ in MARKS:
        cells.append(_cell(f"{getattr(marks, field):.3f}", f"{getattr(item.found, field):.3f}", "rv-num"))
    score = f"{max(item.scores.values()):.2f}" if item.scores else ""
    cells.append(f'<td class="rv-num">{score}</td>')
    cells.append(f"<td>{escape(marks.action_units)}</td>")
    kind = " rv-rejected" if verdict == "rejected" else ""
    return (f'<tr data-key="{item.key}" aria-selected="{str(chosen).lower()}" class="rv-row{kind}" '
            f'tabindex="{0 if chosen else -1}">{"".join(cells)}</tr>')


def _cell(now: str, before: str, kind: str = "") -> str:
    if now == before:
        return f'<td class="{kind}">{escape(now)}</td>'
    return f'<td class="{kind}"><b>{escape(now)}</b> <del title="as it was found">{escape(before)}</del></td>'


def _verdict(verdict: str) -> str:
    return f'<span class="rv-verdict rv-{verdict}">{verdict}</span>' if verdict else '<span class="rv-none">not yet</span>'


def waiting() -> str:
    return '<p class="mer-state rv-wait">Reading the recording around the event…</p>'


def shown(film: Film | str, marks: Marks, slow: bool) -> str:
    """Onset, apex and offset side by side, the strip below; with `slow` the motion in slow motion, made larger."""
    if isinstance(film, str):
        return f'<p class="mer-state rv-wait">{escape(film)}</p>'
    figures = []
    for name, field, title in MARKS:
        moment = getattr(marks, field)
        picture = cv2.cvtColor(film.at(moment).pixels, cv2.COLOR_BGR2RGB)
        figures.append(_figure(pictures.as_jpeg(picture), "jpeg", f"{title} {moment:.3f} s", f"rv-{name}"))
    extra = ""
    if slow:
        keyframes = film.keyframes(marks)
        extra = _slow(keyframes) if keyframes else '<p class="mer-state">No slow motion here: the head moved too far.</p>'
    return f'<div class="rv-three">{"".join(figures)}</div>{extra}{_strip(film, marks)}'


def _slow(keyframes: Keyframes) -> str:
    frames = pictures.magnified(keyframes, MOTION)
    motion = _figure(pictures.as_webp(frames), "webp", f"Onset to apex slowly, the motion {MOTION:g} times as large", "rv-slow")
    wheel = _figure(pictures.as_jpeg(pictures.flow_wheel(keyframes)), "jpeg", "Where it moved, and which way", "rv-slow")
    return f'<div class="rv-three rv-two">{motion}{wheel}</div>'


def _figure(data: bytes, kind: str, caption: str, style: str) -> str:
    return (f'<figure class="{style}"><img alt="Face: {escape(caption)}" src="{_address(data, kind)}">'
            f"<figcaption>{escape(caption)}</figcaption></figure>")


def _strip(film: Film, marks: Marks) -> str:
    """Pictures from a little before the onset to a little after the offset, the three marked ones among them."""
    times = film.times
    first, apex, last = (int(np.abs(times - moment).argmin()) for moment in (marks.onset_s, marks.apex_s, marks.offset_s))
    low, high = max(0, first - AROUND), min(len(times) - 1, last + AROUND)
    places = set(np.linspace(low, high, min(STRIP, high - low + 1)).round().astype(int).tolist()) | {first, apex, last}
    letters = {}
    for (name, _, title), place in zip(MARKS, (first, apex, last), strict=True):
        letters.setdefault(place, []).append((name, title))
    small = []
    for place in sorted(places):
        view = film.views[place]
        picture = cv2.resize(cv2.cvtColor(view.pixels, cv2.COLOR_BGR2RGB), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        marked = letters.get(place, [])
        words = ", ".join(title for _, title in marked)
        style = f' class="rv-{marked[-1][0]}"' if marked else ""
        small.append(f'<li{style}><img alt="" src="{_address(pictures.as_jpeg(picture, 75), "jpeg")}">'
                     f"<span>{words or f'{view.pts:.2f}'}</span></li>")
    return f'<ol class="rv-strip" aria-label="Pictures in order">{"".join(small)}</ol>'


def _address(data: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def progress(chosen: Chosen, items: list[Item], reviewer: str) -> str:
    """How far this reviewer is, and how far every two agree over the whole session."""
    if chosen.session is None:
        return ""
    done = sum(reviewer in item.reviews for item in items)
    lines = [f"{done} of {len(items)} events reviewed by {escape(reviewer)}." if reviewer else "Type your name to begin."]
    lines += [escape(in_words(one)) + "." for one in agreements(items) if one.n]
    if len(lines) == 1:
        lines.append("Agreement appears once two people have judged the same events.")
    return "".join(f'<p class="mer-state">{line}</p>' for line in lines)


def exported(done: Exported, address: str | None) -> str:
    """What came of an export: the download, what was left out and why."""
    parts = []
    if address:
        events = "1 event" if len(done.rows) == 1 else f"{len(done.rows)} events"
        parts.append(f'<p><a id="rv-link" href="{escape(address)}" download>Download training set</a> ({events})</p>'
                     "<p>Unpack it, then: <code>mer-train prepare data=generic data.root=FOLDER</code></p>")
    else:
        parts.append('<p class="mer-warn">Nothing can be exported yet: accept, correct or add an event first.</p>')
    for subject in done.stand_ins:
        parts.append(f'<p class="mer-warn">Nobody is named for one recording: “{escape(subject)}” stands in. '
                     "Name the participant above; one person under two names makes a test too easy.</p>")
    if done.left_out:
        lines = "".join(f"<li>{escape(name)}: {escape(why)}</li>" for name, why in done.left_out)
        parts.append(f"<p>Left out:</p><ul>{lines}</ul>")
    return f'<div class="rv-export">{"".join(parts)}</div>'


def said(text: str, wrong: bool = False) -> str:
    """The line that screen readers speak after each step."""
    style = "mer-warn" if wrong else "mer-state"
    return f'<p class="{style}" role="{"alert" if wrong else "status"}">{escape(text[:1].upper() + text[1:])}</p>' if text else ""
