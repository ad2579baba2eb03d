"""What was found in a recording, as the tiers of an annotation program. Times are whole milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from realtime.output.exports.found import Found, clean, reviewer_of
from realtime.records import Event, Marker

TIERS = {"micro": "micro-expression", "macro": "macro-expression"}
NOT_JUDGED, MARKERS = "not judged", "markers"
ESTIMATED = "action units (estimated)"


@dataclass(frozen=True, eq=False)
class Annotation:
    """One mark on a tier.

    Attributes:
        value: plain text.
        begin: milliseconds, begin < end.
        end: milliseconds, begin < end.
        of: the one that it belongs to, on a child tier.
    """

    begin: int
    end: int
    value: str
    of: Annotation | None = None


@dataclass(frozen=True, eq=False)
class Tier:
    """A row of annotations.

    Attributes:
        kind: "movement", "span", "marker" (a moment at the top), or of a child tier "moment" (within its parent's time) or "property" (beside it).
        parent: that tier's name, "" at the top.
        annotations: by time, none overlaps the next.
    """

    name: str
    kind: str
    participant: str
    annotator: str
    annotations: list[Annotation]
    parent: str = ""


def tiers_of(found: Found) -> list[Tier]:
    """Parents before their children. The two of the first face are there even without events."""
    tiers = []
    faces = sorted({event.face for event in found.events}) or [0]
    for person in sorted({reviewer_of(event) for event in found.events}) or [""]:
        mine = [event for event in found.events if reviewer_of(event) == person]
        for place, face in enumerate(faces):
            named = (f" {person}" if person else "") + (f" face {place + 1}" if place else "")
            for kind, name in TIERS.items():
                some = [event for event in mine if event.face == face and event.kind == kind]
                for lane, events in enumerate(_apart(some)):
                    tiers += _with_children(f"{name}{named}" + (f" {lane + 1}" if lane else ""), events, person, place, found)
    if spans := _not_judged(found):
        tiers.append(Tier(NOT_JUDGED, "span", "", "mer-live", spans))
    tiers += _markers(found)
    return _told_apart(tiers)


def _with_children(name: str, events: Sequence[Event], person: str, face: int, found: Found) -> list[Tier]:
    whose = f"face {face + 1}", person or "mer-live"
    parents = [_annotation(event) for event in events]
    frame = max(1, round(found.frame_s * 1000))
    apexes = [_apex(event, parent, frame) for event, parent in zip(events, parents, strict=True)]
    tiers = [Tier(name, "movement", *whose, parents), Tier(f"{name} apex", "moment", *whose, apexes, name)]
    properties = {"score": _number("score"), "confidence": _number("confidence"), ESTIMATED: lambda event: event.estimated_units}
    if person:
        properties |= {"action units": lambda event: event.action_units, "note": lambda event: event.note}
    for what, of in properties.items():
        those = [Annotation(0, 0, clean(of(event)), parent) for event, parent in zip(events, parents, strict=True) if of(event)]
        tiers.append(Tier(f"{name} {what}", "property", *whose, those, name))
    return tiers


def _annotation(event: Event) -> Annotation:
    begin, end = _span(event)
    return Annotation(begin, end, clean(event.label))


def _apex(event: Event, parent: Annotation, frame: int) -> Annotation:
    begin = min(max(round(event.apex_s * 1000), parent.begin), parent.end - 1)
    return Annotation(begin, min(begin + frame, parent.end), "apex", parent)


def _span(event: Event) -> tuple[int, int]:
    begin, end = round(event.onset_s * 1000), round(event.offset_s * 1000)
    return begin, max(end, begin + 1)


def _number(what: str):
    return lambda event: f"{value:.2f}" if (value := getattr(event, what)) == value else ""  # NaN: not known


def _apart(events: Sequence[Event]) -> list[list[Event]]:
    """By time, over as many lists as it takes for none to hold two that overlap; one, empty, where there are none."""
    lanes: list[list[Event]] = [[]]
    for event in sorted(events, key=_span):
        lane = next((lane for lane in lanes if not lane or _span(lane[-1])[1] <= _span(event)[0]), None)
        if lane is None:
            lanes.append([event])
        else:
            lane.append(event)
    return lanes


def _markers(found: Found) -> list[Tier]:
    """A frame long each, or up to the next; what came in the same millisecond stands on a further tier."""
    lanes: list[list[Marker]] = []
    for marker in found.marked:
        lane = next((lane for lane in lanes if round(lane[-1].time_s * 1000) < round(marker.time_s * 1000)), None)
        if lane is None:
            lanes.append([marker])
        else:
            lane.append(marker)
    tiers = []
    for number, lane in enumerate(lanes):
        begins = [round(marker.time_s * 1000) for marker in lane]
        ends = [min(begin + max(1, round(found.frame_s * 1000)), after) for begin, after in zip(begins, [*begins[1:], 2**40])]
        marks = [Annotation(begin, end, clean(marker.label)) for begin, end, marker in zip(begins, ends, lane, strict=True)]
        tiers.append(Tier(MARKERS + (f" {number + 1}" if number else ""), "marker", "", lane[0].stream, marks))
    return tiers


def _not_judged(found: Found) -> list[Annotation]:
    if found.trace is None:
        return []
    spans = [(round(begin * 1000), round(end * 1000), why) for begin, end, why in found.trace.not_judged]
    return [Annotation(begin, end, why) for begin, end, why in spans if begin < end]


def _told_apart(tiers: list[Tier]) -> list[Tier]:
    """As they are; a reviewer called "face 2" or "2" would give two tiers one name: then the later ones get a number."""
    taken, renamed, result = set(), {}, []
    for tier in tiers:
        name, count = tier.name, 2
        while name in taken:
            name, count = f"{tier.name} ({count})", count + 1
        taken.add(name)
        if not tier.parent:
            renamed[tier.name] = name
        result.append(Tier(name, tier.kind, tier.participant, tier.annotator, tier.annotations, renamed.get(tier.parent, "")))
    return result
