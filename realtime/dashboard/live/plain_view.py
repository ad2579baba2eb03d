"""How the plain camera is shown: HTML that holds its pictures as data, for nothing is written to a file."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import cv2
import numpy as np

from realtime.dashboard.live.readings import LOST
from realtime.dashboard.live.wire import view_jpeg
from realtime.dashboard.pictures.event import label
from realtime.output.styling import inline
from realtime.records import UNSURE, Event

FACE, GATED = (200, 211, 111), (98, 192, 240)  # BGR, the colours of live_picture.js
ALTS = {"onset": "Face at onset", "apex": "Face at apex", "flow": "Motion as colours"}


@dataclass(frozen=True)
class Shown:
    """An event and its small pictures: name → JPEG."""

    event: Event
    pictures: dict[str, bytes]


def drawn(pixels: np.ndarray, face: dict | None) -> np.ndarray:
    """A copy of the picture (BGR) with the face's box and regions, and in words why it is not judged, if so."""
    picture = pixels.copy()
    words = face["words"] if face else LOST
    if face:
        colour = GATED if face["gate"] else FACE
        left, top, right, bottom = (round(float(side)) for side in face["box"])
        cv2.rectangle(picture, (left, top), (right, bottom), colour, 2, cv2.LINE_AA)
        for quad in face["regions"]:
            cv2.polylines(picture, [np.int32(np.round(quad))], True, colour, 1, cv2.LINE_AA)
    if words:
        label(picture, words, (10, picture.shape[0] - 10), 18)
    return picture


def picture_html(pixels: np.ndarray) -> str:
    return f'<img alt="The camera\'s picture with the face that was found" src="{inline(view_jpeg(pixels), "jpeg")}">'


def events_html(shown: list[Shown]) -> str:
    return f'<ol class="mer-plain-list" aria-label="Events of the plain camera">{"".join(map(_row, shown))}</ol>'


def _row(one: Shown) -> str:
    event = one.event
    images = "".join(f'<img alt="{alt}" src="{inline(one.pictures[name], "jpeg")}">' for name, alt in ALTS.items())
    style = ' class="mer-unsure"' if event.label == UNSURE else ""
    return (
        f'<li class="mer-event">{images}<span><strong{style}>{escape(event.label)}</strong> '
        f'<span class="mer-kind mer-{escape(event.kind)}">{escape(event.kind)}</span><br>'
        f"<small>score {max(event.scores.values()):.2f} · at {event.apex_s:.2f} s · "
        f"lasted {event.offset_s - event.onset_s:.2f} s</small></span></li>"
    )


def words_html(text: str, figures: list[str] = ()) -> str:
    """figures: lines that change all the time, and are not read out whenever they do."""
    lines = "".join(f'<p class="mer-state">{escape(line)}</p>' for line in figures)
    return f'<p class="mer-state" role="status">{escape(text)}</p>{lines}'


def file_html(url: str, name: str, word: str) -> str:
    """A finished file, for the page to save at once. word: what to know of it, or ""."""
    return f'<p class="mer-state" role="status">Ready: <a href="{escape(url)}" download>{escape(name)}</a>. {escape(word)}</p>'
