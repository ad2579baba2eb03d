"""Pictures of events, kept only where somebody asked for it: a private folder beside the log, gone with their session.

    <log>.pictures/<session>/<event>/000001.png …, and times.json: seconds of each picture, the face's landmarks
    <log>.pictures/<session>/recording-….mp4, where a whole recording was to be kept

A live camera leaves nothing to look at again: without these pictures its events can be judged, but not seen and not
trained on. The pictures are the aligned views that the network was asked about, of one face and one alignment.
"""

from __future__ import annotations

import json
import os
import shutil
import zlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from realtime.errors import OutputError
from realtime.output.line_file import cannot_write
from realtime.records import Event, FaceView, Keyframes
from realtime.sources.addresses import without_password

FACTS = "times.json"


def beside(log: Path) -> Path:
    """The folder of pictures that belongs to a log."""
    return log.with_name(f"{log.name}.pictures")


class Keeper:
    """Keeps the views of events. Ask people first, and show that something is being stored."""

    def __init__(self, folder: str | Path):
        """
        Args:
            folder: `beside(log)`.
        """
        self.folder = Path(folder)
        self._begun: set[int] = set()

    def keep(self, session: int, event: Event, keyframes: Keyframes) -> Path | None:
        """Writes the views from onset to offset as PNG; returns their folder.

        None, and nothing is written, where the session was deleted meanwhile.

        Raises:
            OutputError: it cannot be written.
        """
        place = self.folder / str(session)
        try:
            if session in self._begun and not place.exists():
                return None
            self._private(place)
            self._begun.add(session)
            return self._write(place / name_of(event.source, event.event), keyframes)
        except OSError as error:
            raise cannot_write(place, error) from error

    def keep_recording(self, session: int, source: str, clip: Path) -> Path:
        """A copy of a whole recording, in which a movement that was missed can be seen.

        Raises:
            OutputError: it cannot be written.
        """
        place = self.folder / str(session)
        kept = place / f"recording-{_short(source)}{clip.suffix}"
        try:
            self._private(place)
            part = kept.with_suffix(".part")
            shutil.copyfile(clip, part)
            os.replace(part, kept)
        except OSError as error:
            raise cannot_write(place, error) from error
        return kept

    def _write(self, folder: Path, keyframes: Keyframes) -> Path:
        by_index = {view.index: view for view in (*keyframes.between, keyframes.onset, keyframes.apex, keyframes.offset)}
        views = [by_index[index] for index in sorted(by_index)]
        part = folder.with_name(f"{folder.name}.part")  # a picture set that breaks off is none
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(mode=0o700)
        for number, view in enumerate(views, 1):
            if not cv2.imwrite(str(part / f"{number:06d}.png"), view.pixels):
                raise OSError("the picture could not be written")
        facts = {
            "times": [view.pts for view in views],
            "marks": [keyframes.onset.pts, keyframes.apex.pts, keyframes.offset.pts],
            "landmarks": np.round(keyframes.onset.landmarks, 2).tolist(),
        }
        (part / FACTS).write_text(json.dumps(facts))
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(part, folder)
        return folder

    def _private(self, place: Path) -> None:
        for folder in (self.folder, place):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)


@dataclass(frozen=True)
class Kept:
    """The pictures that were kept of an event.

    Attributes:
        files: PNG, in order.
        times: seconds of each in the source's clock.
        landmarks: 478×2, of the onset.
    """

    files: tuple[Path, ...]
    times: tuple[float, ...]
    landmarks: np.ndarray

    def views(self) -> list[FaceView]:
        """All of one anchor.

        Raises:
            OutputError: a picture is damaged.
        """
        views = []
        for index, (file, pts) in enumerate(zip(self.files, self.times, strict=True)):
            pixels = cv2.imread(str(file))
            if pixels is None:
                raise OutputError(f"the kept picture '{file}' cannot be read: delete the session, or put the file back")
            box = (0, 0, pixels.shape[1], pixels.shape[0])
            views.append(FaceView(0, 0, index, pts, 0.0, pixels, self.landmarks, box, 0.0, 0.0))
        return views


def find(folder: Path, session: int, source: str, event: int | None) -> Kept | None:
    """What was kept of an event, None where nothing was."""
    if event is None:
        return None
    place = folder / str(session) / name_of(source, event)
    try:
        facts = json.loads((place / FACTS).read_text())
        files = tuple(place / f"{number:06d}.png" for number in range(1, len(facts["times"]) + 1))
        return Kept(files, tuple(facts["times"]), np.array(facts["landmarks"], np.float32))
    except (OSError, ValueError, KeyError):
        return None


def sweep(folder: Path, known: set[int], newest: int) -> None:
    """Removes the pictures of every session up to `newest` that is not `known`: deleted ones.

    Raises:
        OutputError: it cannot be written.
    """
    if not folder.is_dir():
        return
    for place in folder.iterdir():
        if place.name.isdecimal() and int(place.name) <= newest and int(place.name) not in known:
            try:
                shutil.rmtree(place)
            except OSError as error:
                raise OutputError(f"cannot remove the kept pictures in '{place}' ({error.strerror}): remove them yourself") from error


def name_of(source: str, event: int) -> str:
    """Event numbers begin anew with each source of a session: two cameras both have an event 1."""
    return f"{event:05d}-{_short(source)}"


def _short(source: str) -> str:
    return f"{zlib.crc32(without_password(source).encode(errors='backslashreplace')):08x}"
