"""The pictures of the event that is reviewed: onset, apex, offset, what lies between them, and slow motion, as HTML.

They stand in the page itself (data: addresses), so that nothing of a session is left in a folder when it is deleted.
"""

from __future__ import annotations

from html import escape

import cv2
import numpy as np

from realtime.dashboard import pictures
from realtime.inline import inline
from realtime.records import Keyframes
from realtime.review.film import Film
from realtime.review.item import MOMENTS, Marks

STRIP = 16  # small pictures from before the onset to after the offset
AROUND = 3  # of them on each side
SIDE = 76  # pixels
MOTION = 4.0  # how many times as far the slow motion moves


def waiting() -> str:
    return '<p class="mer-state rv-wait">Reading the recording around the event…</p>'


def shown(film: Film | str, marks: Marks, slow: bool) -> str:
    """Onset, apex and offset side by side, the strip below; with `slow` the motion in slow motion, made larger."""
    if isinstance(film, str):
        return f'<p class="mer-state rv-wait">{escape(film)}</p>'
    figures = []
    for name, field in MOMENTS.items():
        moment = getattr(marks, field)
        picture = cv2.cvtColor(film.at(moment).pixels, cv2.COLOR_BGR2RGB)
        figures.append(_figure(pictures.as_jpeg(picture), "jpeg", f"{name.capitalize()} {moment:.3f} s", f"rv-{name}"))
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
    return (f'<figure class="{style}"><img alt="Face: {escape(caption)}" src="{inline(data, kind)}">'
            f"<figcaption>{escape(caption)}</figcaption></figure>")


def _strip(film: Film, marks: Marks) -> str:
    """Pictures from a little before the onset to a little after the offset, the three marked ones among them."""
    times = film.times
    first, apex, last = (int(np.abs(times - moment).argmin()) for moment in (marks.onset_s, marks.apex_s, marks.offset_s))
    low, high = max(0, first - AROUND), min(len(times) - 1, last + AROUND)
    places = set(np.linspace(low, high, min(STRIP, high - low + 1)).round().astype(int).tolist()) | {first, apex, last}
    letters = {}
    for name, place in zip(MOMENTS, (first, apex, last), strict=True):
        letters.setdefault(place, []).append(name)
    small = []
    for place in sorted(places):
        view = film.views[place]
        picture = cv2.resize(cv2.cvtColor(view.pixels, cv2.COLOR_BGR2RGB), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        marked = letters.get(place, [])
        words = ", ".join(name.capitalize() for name in marked)
        style = f' class="rv-{marked[-1]}"' if marked else ""
        small.append(f'<li{style}><img alt="" src="{inline(pictures.as_jpeg(picture, 75), "jpeg")}">'
                     f"<span>{words or f'{view.pts:.2f}'}</span></li>")
    return f'<ol class="rv-strip" aria-label="Pictures in order">{"".join(small)}</ol>'
