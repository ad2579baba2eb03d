"""The pictures of the event that is reviewed, as HTML: its three moments with what changed between them, above the verdict; below
it every picture in order, where it moved, and a second before and after with the sound.

They stand in the page itself (data: addresses), so that nothing of a session is left in a folder when it is deleted.
"""

from __future__ import annotations

import tempfile
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from html import escape
from pathlib import Path
from weakref import WeakKeyDictionary

import cv2
import numpy as np

from realtime.dashboard.pictures import event as pictures
from realtime.dashboard.replay.seekable_copy import Copy
from realtime.errors import OutputError
from realtime.output.sound import add_sound
from realtime.output.styling import inline
from realtime.review.film import Film
from realtime.review.item import MOMENTS, Marks
from realtime.sources import SourceSettings

ONLY_KEPT = "What came before and after is seen and heard where the recording itself is at hand: here the event's own pictures were kept."

_clips: WeakKeyDictionary[Film, bytes] = WeakKeyDictionary()


def around(film: Film, recording: Path | None, read: SourceSettings) -> bytes | str:
    """An MP4 of the whole film of a face, made once; in words why there is none."""
    if recording is None or film.window is None:
        return ONLY_KEPT
    if film not in _clips:
        with suppress(OutputError):
            _clips[film] = _clip(film, recording, read)
    return _clips.get(film, "The film of what came before and after could not be made.")


def _clip(film: Film, recording: Path, read: SourceSettings) -> bytes:
    since = film.views[0].pts
    with tempfile.TemporaryDirectory(prefix="mer-demo-clip-") as folder:
        path = Path(folder) / "around.mp4"
        with Copy(path, *film.views[0].pixels.shape[1::-1]) as copy:
            for view in film.views:
                copy.write(view.pixels, view.pts - since)
        add_sound(path, recording, since, read)
        return path.read_bytes()


Shown = tuple[str, str]  # what stands above the verdict, what below it
STRIP = 16  # small pictures from before the onset to after the offset
AROUND = 3  # of them on each side
SIDE = 76  # pixels
FACTOR = 4.0  # how many times as far the slow motion moves
SPELLINGS = 4  # of an event's marks, whose motion is kept


def waiting() -> Shown:
    return '<p class="mer-state rv-wait">Reading the recording around the event…</p>', ""


@dataclass(frozen=True)
class Motion:
    """What takes a moment to make of an event's pictures.

    Attributes:
        changed, slow, flow: pictures; None where the head moved too far.
        around: an MP4 of the time around the event; or in words why there is none.
    """

    changed: bytes | None
    slow: bytes | None
    flow: bytes | None
    around: bytes | str


_made: WeakKeyDictionary[Film, OrderedDict[tuple, Motion]] = WeakKeyDictionary()


def motion(film: Film, marks: Marks, recording: Path | None, read: SourceSettings, wait: bool) -> Motion | None:
    """Made once for the same marks.

    Args:
        read: see `review.film.as_read`.
        wait: False gives None where it is not at hand: a key must not wait for it.
    """
    mine, key = _made.setdefault(film, OrderedDict()), (marks.onset_s, marks.apex_s, marks.offset_s)
    if key not in mine and wait:
        keyframes = film.keyframes(marks)
        drawn = (
            (None, None, None)
            if keyframes is None
            else (
                pictures.as_jpeg(pictures.difference(keyframes)),
                pictures.as_webp(pictures.magnified(keyframes, FACTOR)),
                pictures.as_jpeg(pictures.flow_wheel(keyframes)),
            )
        )
        mine[key] = Motion(*drawn, around(film, recording, read))
        while len(mine) > SPELLINGS:
            mine.popitem(last=False)
    return mine.get(key)


def shown(film: Film | str, marks: Marks, slow: bool, made: Motion | None) -> Shown:
    """Onset, apex and offset side by side, what changed between the first two, and with `slow` that motion, made larger."""
    if isinstance(film, str):
        return f'<p class="mer-state rv-wait">{escape(film)}</p>', ""
    figures = []
    for name, field in MOMENTS.items():
        moment = getattr(marks, field)
        picture = cv2.cvtColor(film.at(moment).pixels, cv2.COLOR_BGR2RGB)
        figures.append(_figure(pictures.as_jpeg(picture), "jpeg", f"{name.capitalize()} {moment:.3f} s", f"rv-{name}"))
    figures.append(_drawn(made, made and made.changed, "jpeg", "What changed, onset to apex"))
    if slow:
        figures.append(_drawn(made, made and made.slow, "webp", f"Slowly, the motion {FACTOR:g}×"))
    flow = _drawn(made, made and made.flow, "jpeg", "Where it moved, and which way")
    below = f'<div class="rv-three rv-two">{_around(made)}{flow}</div>{_strip(film, marks)}'
    return f'<div class="rv-three rv-above">{"".join(figures)}</div>', below


def _drawn(made: Motion | None, picture: bytes | None, kind: str, caption: str) -> str:
    if picture is not None:
        return _figure(picture, kind, caption, "rv-drawn")
    word = "drawing…" if made is None else "not here: the head moved too far"
    return f'<figure class="rv-drawn"><p class="rv-none">{word}</p><figcaption>{escape(caption)}</figcaption></figure>'


def _around(made: Motion | None) -> str:
    if made is None or isinstance(made.around, str):
        return f'<p class="mer-state rv-wait">{escape(made.around if made else "drawing…")}</p>'
    return (
        f'<figure class="rv-around"><video controls loop playsinline src="{inline(made.around, "mp4", "video")}"></video>'
        "<figcaption>A second before and after, with the sound (P plays)</figcaption></figure>"
    )


def _figure(data: bytes, kind: str, caption: str, style: str) -> str:
    return (
        f'<figure class="{style}"><img alt="Face: {escape(caption)}" src="{inline(data, kind)}"><figcaption>{escape(caption)}</figcaption></figure>'
    )


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
        small.append(f'<li{style}><img alt="" src="{inline(pictures.as_jpeg(picture, 75), "jpeg")}"><span>{words or f"{view.pts:.2f}"}</span></li>')
    return f'<ol class="rv-strip" aria-label="Pictures in order">{"".join(small)}</ol>'
