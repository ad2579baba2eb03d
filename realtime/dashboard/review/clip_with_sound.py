"""The time around an event as a small film with the recording's sound: what led to a movement says what it may be."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path
from weakref import WeakKeyDictionary

from realtime.dashboard.replay.seekable_copy import Copy
from realtime.errors import OutputError
from realtime.output.sound import add_sound
from realtime.review.film import Film
from realtime.sources import SourceSettings

ONLY_KEPT = "What came before and after is seen and heard where the recording itself is at hand: here the event's own pictures were kept."

_clips: WeakKeyDictionary[Film, bytes] = WeakKeyDictionary()


def around(film: Film, recording: Path | None, read: SourceSettings) -> bytes | str:
    """An MP4 of the whole film of a face, made once; in words why there is none."""
    if recording is None or film.window is None:
        return ONLY_KEPT
    if film not in _clips:
        with suppress(OutputError):
            _clips[film] = _made(film, recording, read)
    return _clips.get(film, "The film of what came before and after could not be made.")


def _made(film: Film, recording: Path, read: SourceSettings) -> bytes:
    since = film.views[0].pts
    with tempfile.TemporaryDirectory(prefix="mer-demo-clip-") as folder:
        path = Path(folder) / "around.mp4"
        with Copy(path, *film.views[0].pixels.shape[1::-1]) as copy:
            for view in film.views:
                copy.write(view.pixels, view.pts - since)
        add_sound(path, recording, since, read)
        return path.read_bytes()
