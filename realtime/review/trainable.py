"""Which reviewed events can be trained on: judged to be a movement, agreed on, named, and with something to be seen."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from realtime.output import stored_pictures
from realtime.records import UNSURE
from realtime.review import Reviews
from realtime.review.agreement import called
from realtime.review.film import as_read, recording
from realtime.review.item import LABELS, Item, Marks, overlap
from realtime.sources import SourceSettings

SAME = 0.5  # two sessions of one recording: movements that overlap by more (intersection over union) are one
Left = list[tuple[str, str]]  # (which event, why it is left out)


@dataclass(frozen=True, eq=False)
class Chosen:
    """An event that can be trained on. Of `video`, the whole recording, and `kept`, pictures of this very face, one is there.


    Attributes:
        marks: the word that counts.
        subject: who is seen.
        stands_in: whether nobody named them.
        name: for messages.
    """

    item: Item
    marks: Marks
    subject: str
    stands_in: bool
    name: str
    video: Path | None
    kept: stored_pictures.Kept | None
    read: SourceSettings = field(default_factory=SourceSettings)  # the video, as its session read it

    @property
    def moments(self) -> tuple[float, float, float]:
        return self.marks.onset_s, self.marks.apex_s, self.marks.offset_s


def choose(reviews: Reviews, sessions: set[int], reviewer: str) -> tuple[list[Chosen], Left]:
    """The events that can be trained on, and why others cannot.

    Args:
        sessions: only these, where any are given.
        reviewer: their word alone; "" for everybody's, where they agree.
    """
    chosen: list[Chosen] = []
    left_out: Left = []
    for session in reversed(reviews.log.sessions()):
        if not sessions or session["id"] in sessions:
            chosen += _of_session(reviews, session, reviewer, left_out)
    return _without_twins(chosen, left_out), left_out


def _of_session(reviews: Reviews, session: dict, reviewer: str, left_out: Left):
    items, people = reviews.items(session["id"]), reviews.people(session["id"])
    faces = {source: {item.face for item in items if item.source == source and item.event is not None} for source in session["sources"]}
    for item in items:
        marks, why = _judged(item, reviewer)
        if marks is None and not why:
            continue
        name = f"session {item.session}, {Path(item.source).name}, {(marks or item.found).onset_s:.3f} s"
        video = pictures = None
        if not why:
            pictures = stored_pictures.find(stored_pictures.beside(reviews.path), item.session, item.source, item.event)
            why, video, pictures = _seen(item, session, pictures, several=len(faces.get(item.source, ())) > 1)
        if why:
            left_out.append((name, why))
            continue
        subject = people.get(item.source, "")
        yield Chosen(item, marks, subject or _stand_in(item), not subject, name, video, pictures, as_read(session))


def _judged(item: Item, reviewer: str) -> tuple[Marks | None, str]:
    """(what counts, ""), or (None, why it cannot be taken); (None, "") for what nobody accepted."""
    said = {name: review for name, review in item.reviews.items() if reviewer in ("", name)}
    if not said:
        return None, ""
    classes = {called(item, name) for name in said}
    latest = max(said.values(), key=lambda review: review.id)
    if len(classes) > 1:
        return None, f"reviewers disagree ({', '.join(sorted(classes))}): settle it, or export one reviewer's word"
    if latest.verdict == "rejected":
        return None, ""
    if latest.marks.label == UNSURE:
        return None, "accepted without a label: choose one"
    if latest.marks.label not in LABELS:
        return None, f"mer-train knows no label '{latest.marks.label}': expected one of {', '.join(LABELS)}"
    return latest.marks, ""


def _seen(item: Item, session: dict, pictures: stored_pictures.Kept | None, several: bool) -> tuple[str, Path | None, stored_pictures.Kept | None]:
    """(why not, the recording, the kept pictures): of the latter two, one is there where nothing speaks against it."""
    video = recording(session, item.source)
    if video is not None and not several:
        return _utf8(video), video, None
    if pictures is not None:
        return "", None, pictures
    if video is not None:
        return "the recording shows several faces, and mer-train would take the largest; no pictures were kept", None, None
    if item.source in session["files"]:
        return f"the recording is no longer at {session['files'][item.source]}, and no pictures were kept", None, None
    return "it was a camera, a stream or a file dropped into the page, and no pictures were kept", None, None


def _utf8(path: Path) -> str:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return "the recording's name is not UTF-8: rename it"
    return ""


def _stand_in(item: Item) -> str:
    stem = re.sub(r"\W+", "-", Path(item.source).stem).strip("-")
    return f"session-{item.session}-{stem}"


def _without_twins(chosen: list[Chosen], left_out: Left) -> list[Chosen]:
    """One recording replayed twice, or added by two reviewers: of movements that are the same, the latest word stays."""
    chosen.sort(key=lambda one: max(review.id for review in one.item.reviews.values()), reverse=True)
    left: list[Chosen] = []
    for one in chosen:
        twin = next((other for other in left if one.video and other.video == one.video and overlap(one.marks.span, other.marks.span) > SAME), None)
        if twin is None:
            left.append(one)
        else:
            left_out.append((one.name, f"the same movement of the same recording as {twin.name}"))
    return sorted(left, key=lambda one: (one.item.session, one.item.source, one.marks.onset_s))
