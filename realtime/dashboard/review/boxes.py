"""What each box of tab Review holds, given what is before the reviewer."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from realtime.dashboard.review import pictures, view
from realtime.dashboard.review.reviewer import KEYS, Desk
from realtime.names import plain
from realtime.review.film import as_read, recording

NEXT_S = 0.5  # after the chosen event: where a missed one is proposed
# the boxes that every page has, and those of one that may write
SHOWN = ("session", "source", "person", "table", "said", "progress", "pictures", "around")
EDITED = ("label", "onset", "apex", "offset", "units", "kind", "note", "missed")


def draw(desk: Desk, name: str, slow: bool, read_only: bool, twice: bool) -> dict:
    """Box → value. name: the reviewer's. twice: another page reviews this session under it."""
    above, below = shown(desk, slow, wait=False)
    return (
        _session(desk, name, twice)
        | _event(desk, name)
        | {"table": view.table(desk.chosen, name, blind=not read_only), "pictures": above, "around": below}
    )


def shown(desk: Desk, slow: bool, wait: bool) -> pictures.Shown:
    """The pictures of the chosen event, or a word where they must be read first. wait: see `pictures.motion`."""
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


def _session(desk: Desk, name: str, twice: bool) -> dict:
    now, sessions = desk.chosen, desk.sessions()
    choices = [(view.session_line(one), one["id"]) for one in sessions]
    if now.session is None:
        empty = gr.update(choices=[], value=None, visible=False)
        return {"session": gr.update(choices=choices, value=None), "source": empty, "person": "", "progress": ""}
    number, reviews = now.session["id"], desk.reviews()
    sources = [(Path(source).name or source, plain(source)) for source in now.session["sources"]]
    still = any(one["id"] == number for one in sessions)  # another page may delete it at any moment
    return {
        "session": gr.update(choices=choices, value=number if still else None),
        "source": gr.update(choices=sources, value=plain(now.source) or None, visible=len(sources) > 1),
        "person": reviews.people(number).get(now.source, ""),
        "progress": view.progress(now, reviews.items(number), name, twice),
    }


def _event(desk: Desk, name: str) -> dict:
    item = desk.chosen.item
    if item is None:
        return dict.fromkeys(EDITED) | {"label": gr.update(choices=[], value=None), "units": "", "note": ""}
    marks = item.marks(name)
    labels = desk.labels() + ([] if marks.label in desk.labels() else [marks.label])
    choices = [(f"{place} {label}" if place <= KEYS else label, label) for place, label in enumerate(labels, 1)]
    return {
        "label": gr.update(choices=choices, value=marks.label),
        "onset": marks.onset_s,
        "apex": marks.apex_s,
        "offset": marks.offset_s,
        "units": marks.action_units,
        "kind": marks.kind,
        "note": marks.note,
        "missed": round(marks.offset_s + NEXT_S, 3),
    }
