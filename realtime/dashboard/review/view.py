"""What a page of tab Review shows, given what is before the reviewer: its state, and the HTML in it. All text of logs and people is escaped."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from html import escape
from pathlib import Path
from urllib.parse import unquote

from realtime.dashboard.review import pictures
from realtime.dashboard.review.reviewer import KEYS, Chosen, Desk
from realtime.names import plain
from realtime.review.agreement import agreements
from realtime.review.data_set import Exported
from realtime.review.film import as_read, recording
from realtime.review.item import MOMENTS, Item, in_words

HEADS = ("#", "Label", "Verdict", "Onset", "Apex", "Offset", "Score", "Units")
KAPPA = "Numbers of events; kappa: 1 all the same, 0 as by chance"
ABOUT = {
    "#": "Its place in the list",
    **dict.fromkeys(("Onset", "Apex", "Offset"), "Seconds from the beginning"),
    "Score": "How likely the network finds its label, 0 to 1",
    "Units": "Action units, as FACS numbers them",
}


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

    Args:
        blind: what others said of an event is shown once this reviewer has judged it; otherwise two would agree because one has read the
            other.
    """
    if chosen.session is None:
        return '<p class="mer-state">No session is logged yet. Use Live or Replay first.</p>'
    if not chosen.items:
        return '<p class="mer-state">No event was found here. If one was missed, add it below.</p>'
    head = "".join(f'<th scope="col" title="{ABOUT.get(name, "")}">{name}</th>' for name in HEADS)
    rows = "".join(_row(number, item, item.key == chosen.key, reviewer, blind) for number, item in enumerate(chosen.items, 1))
    return (
        f'<div class="rv-scroll" role="region" aria-label="Events of the session" tabindex="0">'
        f'<table class="rv-table" role="grid" aria-label="Events"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _row(number: int, item: Item, chosen: bool, reviewer: str, blind: bool) -> str:
    marks, verdict = item.marks(reviewer), item.verdict(reviewer)
    cells = [f'<th scope="row" title="{ABOUT["#"]}">{number}{"" if item.event else " <small>missed</small>"}</th>']
    cells.append(_cell(marks.label, item.found.label))
    others = [
        f"<small>{escape(name)}: {'rejected' if said.verdict == 'rejected' else escape(said.marks.label)}</small>"
        for name, said in sorted(item.reviews.items())
        if name != reviewer and (verdict or not blind)
    ]
    cells.append(f"<td>{_verdict(verdict)}{''.join(others)}</td>")
    for field in MOMENTS.values():
        cells.append(_cell(f"{getattr(marks, field):.3f}", f"{getattr(item.found, field):.3f}", "rv-num", ABOUT["Apex"]))
    score = f"{max(item.scores.values()):.2f}" if item.scores else ""
    cells.append(f'<td class="rv-num" title="{ABOUT["Score"]}">{score}</td>')
    cells.append(f'<td title="{escape(in_words(marks.action_units))}">{escape(marks.action_units)}</td>')
    kind = " rv-rejected" if verdict == "rejected" else ""
    return (
        f'<tr data-key="{item.key}" aria-selected="{str(chosen).lower()}" class="rv-row{kind}" tabindex="{0 if chosen else -1}">{"".join(cells)}</tr>'
    )


def _cell(now: str, before: str, kind: str = "", about: str = "") -> str:
    if now == before:
        return f'<td class="{kind}" title="{about}">{escape(now)}</td>'
    return f'<td class="{kind}" title="{about}"><b>{escape(now)}</b> <del title="as it was found">{escape(before)}</del></td>'


def _verdict(verdict: str) -> str:
    return f'<span class="rv-verdict rv-{verdict}">{verdict}</span>' if verdict else '<span class="rv-none">not yet</span>'


def progress(chosen: Chosen, items: list[Item], reviewer: str, twice: bool = False) -> str:
    """How far this reviewer is, and how far every two agree over the whole session.

    Args:
        twice: the same name is at work on this session in another window.
    """
    if chosen.session is None:
        return ""
    done = sum(reviewer in item.reviews for item in items)
    lines = [f"{done} of {len(items)} events reviewed by {escape(reviewer)}." if reviewer else "Type your name to begin."]
    lines += [escape(one.words) + "." for one in agreements(items) if one.n]
    if len(lines) == 1:
        lines.append("Agreement appears once two people have judged the same events.")
    warned = []
    if twice:
        warned.append(
            f"“{reviewer}” reviews this session in another window, too. Two people need two names: of one name "
            "only the latest word on an event counts."
        )
    names = {name for item in items for name in item.reviews} - {reviewer}
    warned += [
        f"“{name}” has reviewed here, too: a name in other letters counts as another person."
        for name in sorted(names)
        if name.casefold() == reviewer.casefold()
    ]
    return "".join(
        [*(f'<p class="mer-state" title="{KAPPA}">{line}</p>' for line in lines), *(f'<p class="mer-warn">{escape(line)}</p>' for line in warned)]
    )


def exported(done: Exported, address: str | None) -> str:
    """What came of an export: the download, what was left out and why."""
    parts = []
    if address:
        events = "1 event" if len(done.rows) == 1 else f"{len(done.rows)} events"
        parts.append(
            f'<p><a id="rv-link" href="{escape(address)}" download>Download training set</a> ({events})</p>'
            "<p>Unpack it, then: <code>mer-train prepare data=generic data.root=FOLDER</code></p>"
        )
    else:
        parts.append('<p class="mer-warn">Nothing can be exported yet: accept, correct or add an event first.</p>')
    for subject in done.stand_ins:
        parts.append(
            f'<p class="mer-warn">Nobody is named for one recording: “{escape(subject)}” stands in. '
            "Name the participant above; one person under two names makes a test too easy.</p>"
        )
    if done.left_out:
        lines = "".join(f"<li>{escape(name)}: {escape(why)}</li>" for name, why in done.left_out)
        parts.append(f"<p>Left out:</p><ul>{lines}</ul>")
    return f'<div class="rv-export">{"".join(parts)}</div>'


def ready(address: str) -> str:
    name = escape(unquote(address.rsplit("/", 1)[-1]))
    return f'<p class="mr-ready" role="status">Ready: <a href="{escape(address)}" download>{name}</a></p>'


def said(text: str, wrong: bool = False) -> str:
    """The line that screen readers speak after each step."""
    style = "mer-warn" if wrong else "mer-state"
    return f'<p class="{style}" role="{"alert" if wrong else "status"}">{escape(text[:1].upper() + text[1:])}</p>' if text else ""


NEXT_S = 0.5  # after the chosen event: where a missed one is proposed


def state(desk: Desk, slow: bool, read_only: bool, twice: bool) -> dict:
    """What a page shows, ready for JSON but for texts that are not UTF-8.

    "events" → for each key its marks, and what the reviewer had said of it last ("seen", see `Reviews.judge`). "undo" and "new": what
    `Desk.undo` and `Desk.add` take.

    Args:
        slow: whether slow motion is shown.
        twice: another page reviews this session under the same name.
    """
    now, item = desk.chosen, desk.chosen.item
    newest = desk.reviews().newest(now.session["id"]) if now.session else {}
    last = max((int(key[1:]) for key, _ in newest if key[0] == "m"), default=0)
    return {
        "sessions": [(one["id"], session_line(one)) for one in desk.sessions()],
        "session": now.session and now.session["id"],
        "sources": [(plain(one), Path(one).name or one) for one in now.session["sources"]] if now.session else [],
        "source": plain(now.source),
        "person": desk.person(),
        "progress": progress(now, desk.reviews().items(now.session["id"]) if now.session else [], desk.reviewer, twice),
        "table": table(now, desk.reviewer, blind=not read_only),
        "key": now.key,
        "events": {one.key: asdict(one.marks(desk.reviewer)) | {"seen": newest.get((one.key, desk.reviewer), 0)} for one in now.items},
        "suggested": item.suggested if item else "",
        "labels": _labels(desk),
        "missed": item and round(item.marks(desk.reviewer).offset_s + NEXT_S, 3),
        "undo": desk.last_word(),
        "new": f"m{last + 1}",
        "pictures": pictures_of(desk, slow, wait=False),
    }


def pictures_of(desk: Desk, slow: bool, wait: bool) -> pictures.Shown:
    """The pictures of the chosen event, or a word where they must be read first.

    Args:
        slow: whether slow motion is shown.
        wait: see `pictures.motion`.
    """
    item = desk.chosen.item
    if item is None:
        return "", ""
    marks = item.marks(desk.reviewer)
    known = desk.films.known(item, marks)
    if known is None:
        return pictures.waiting()
    session = desk.chosen.session
    made = None if isinstance(known, str) else pictures.motion(known, marks, recording(session, item.source), as_read(session), wait)
    return pictures.shown(known, marks, slow, made)


def _labels(desk: Desk) -> list[tuple[str, str]]:
    """Each that can be chosen and its words: with the key that sets it, where it has one."""
    item, labels = desk.chosen.item, desk.labels()
    if item is None:
        return []
    mine = item.marks(desk.reviewer).label
    labels += [] if mine in labels else [mine]
    return [(label, f"{place} {label}" if place <= KEYS else label) for place, label in enumerate(labels, 1)]
