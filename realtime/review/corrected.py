"""A session as its reviewers left it, for every format that events can leave in (`realtime.output.exports`).

for found in corrected(Reviews(), 12):
    write("elan", found, folder)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from pathlib import Path

from realtime.output import stored_pictures
from realtime.output.exports import MOST_PICTURES, Found
from realtime.output.log import Log
from realtime.records import Event
from realtime.review import Reviews
from realtime.review.film import recording
from realtime.review.item import Item, Marks

NOT_REVIEWED = "not reviewed"


@dataclass(frozen=True)
class JudgedEvent(Event):
    """An event as one reviewer left it.

    Attributes:
        event: None for one that was added.
        scores: the network's, {} for an added one.
        key: see `Item`.
        verdict: accepted, corrected or added; NOT_REVIEWED where nobody said anything, with the empty reviewer.
    """

    key: str = ""
    reviewer: str = ""
    verdict: str = NOT_REVIEWED
    action_units: str = ""
    note: str = ""

    @property
    def score(self) -> float:
        """The network's, NaN where a person has chosen the label."""
        return super().score if self.verdict in (NOT_REVIEWED, "accepted") else math.nan

    def as_dict(self) -> dict:
        """The event line; reviewer and verdict in front, action units and note behind."""
        added = {"latency_ms": None, "confidence": None} if self.event is None else {}
        return {
            "reviewer": self.reviewer,
            "verdict": self.verdict,
            **super().as_dict(),
            **added,
            "action_units": self.action_units,
            "note": self.note,
        }


def corrected(reviews: Reviews, session: int | None = None) -> list[Found]:
    """The recordings of a session (the latest by default), each with its events as people left them.

    An event stands there once for each reviewer who did not reject it; one that nobody has judged as the program found it.
    Events that were added are in.

    Raises:
        UsageError: there is no such session.
        OutputError: the log cannot be read.
    """
    facts = reviews.log.session(session)
    said = {(row["source"], row["event"]): row for row in reviews.log.events(facts["id"])}
    items = reviews.items(facts["id"])
    several = []
    for source in dict.fromkeys([*facts["sources"], *(item.source for item in items)]):
        mine = [item for item in items if item.source == source]
        events = [one for item in mine for one in _events(item, said.get((source, item.event), {}))]
        found = _found(facts, source, events, reviews.log)
        found.thumbnails.update(_kept_pictures(reviews, mine))
        several.append(found)
    return several


def as_found(log: Log, session: int | None = None) -> list[Found]:
    """The same, as the program found it, without a word of anybody's."""
    facts = log.session(session)
    rows = log.events(facts["id"])
    sources = dict.fromkeys([*facts["sources"], *(row["source"] for row in rows)])
    return [_found(facts, source, [_event(row) for row in rows if row["source"] == source], log) for source in sources]


def _found(facts: dict, source: str, events: Sequence[Event], log: Log) -> Found:
    classes = list(dict.fromkeys(name for event in events for name in event.scores))
    name = source if "://" in source else Path(source).name
    markers = [marker for marker in log.markers(facts["id"]) if marker.source == source]
    about = {"path": recording(facts, source), "session": facts["id"], "incomplete": facts["incomplete"]}
    return Found(name, list(events), None, classes, facts["model"], markers=markers, **about)


def _event(row: dict) -> Event:
    return Event(**{one.name: row[one.name] for one in fields(Event) if one.name in row}, units=row.get("unit_confidences"))


def _events(item: Item, row: dict) -> list[JudgedEvent]:
    if not item.reviews:
        return [_judged(item, row, item.found)]
    return [
        _judged(item, row, said.marks, reviewer=name, verdict=said.verdict)
        for name, said in sorted(item.reviews.items())
        if said.verdict != "rejected"
    ]


def _judged(item: Item, row: dict, marks: Marks, reviewer: str = "", verdict: str = NOT_REVIEWED) -> JudgedEvent:
    return JudgedEvent(
        item.event,
        item.source,
        item.face,
        marks.onset_s,
        marks.apex_s,
        marks.offset_s,
        marks.label,
        item.scores,
        row.get("model", ""),
        row.get("latency_ms", math.nan),
        marks.kind,
        row.get("confidence", math.nan),
        utc=_later(row.get("utc"), marks.apex_s - item.found.apex_s) if item.found else None,
        units=row.get("unit_confidences"),
        key=item.key,
        action_units=marks.action_units,
        note=marks.note,
        reviewer=reviewer,
        verdict=verdict,
    )


def _later(utc: str | None, seconds: float) -> str | None:
    """A reviewer who moves the apex moves its time of day, too."""
    return utc and (datetime.fromisoformat(utc) + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")


def _kept_pictures(reviews: Reviews, items: list[Item]) -> dict:
    """Onset and apex of the events whose pictures were kept, RGB; as many as a report shows."""
    shown: dict[int, tuple] = {}
    for item in items:
        if len(shown) * 2 >= MOST_PICTURES:
            break
        pictures = stored_pictures.find(stored_pictures.beside(reviews.path), item.session, item.source, item.event)
        if pictures is not None:
            views = pictures.views()
            nearest = [min(views, key=lambda view: abs(view.pts - moment)) for moment in (item.found.onset_s, item.found.apex_s)]
            shown[item.event] = tuple(view.pixels[..., ::-1].copy() for view in nearest)
    return shown
