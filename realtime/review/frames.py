"""The pictures of reviewed events as folders of numbered PNG, out of their recording or out of what was kept."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np

from realtime.errors import SourceError
from realtime.output.line_file import cannot_write
from realtime.review.trainable import Chosen
from realtime.sources import open_source


def place_of(one: Chosen) -> str:
    """The event's folder in a training set."""
    return f"frames/{one.item.session}-{one.item.key}"


def kept_pictures(one: Chosen, folder: Path) -> list | str:
    """Copies what was kept of an event; returns its cells (see `_numbers`), or why it cannot be."""
    times = np.array(one.kept.times)
    space = float(np.diff(times).max()) if len(times) > 1 else 0.0
    if one.marks.onset_s < times[0] - space or one.marks.offset_s > times[-1] + space:
        return f"its onset and offset were moved beyond the pictures kept ({times[0]:.3f} to {times[-1]:.3f} s)"
    cells = _numbers(one, times)
    if isinstance(cells, list):
        for number, file in enumerate(one.kept.files, 1):
            if cells[1] <= number <= cells[3]:
                shutil.copyfile(file, _file(one, folder, number))
    return cells


def copied(video: Path, those: list[Chosen], folder: Path):
    """(event, its cells or why not) of one recording, read in one way, decoded once; never more than one frame is held."""
    half, last, end = 0.0, None, max(one.marks.offset_s for one in those)
    times: dict[int, list[float]] = {id(one): [] for one in those}
    why = f"{video.name} ends before the event does"
    try:
        with open_source(video, settings=those[0].read) as source:
            half = 0.5 / (source.info.fps or 30)
            for frame in source:
                half = half if last is None else (frame.pts - last) / 2
                last = frame.pts
                for one in those:
                    if one.marks.onset_s - half <= last <= one.marks.offset_s + half:
                        times[id(one)].append(last)
                        file = _file(one, folder, len(times[id(one)]))
                        if not cv2.imwrite(str(file), frame.pixels):
                            raise cannot_write(file, OSError("the picture could not be written"))
                if last > end + half:
                    break
    except SourceError as error:
        why = f"the recording cannot be read ({error})"
    for one in those:
        mine = np.array(times[id(one)])
        yield one, _numbers(one, mine) if len(mine) and mine[-1] >= one.marks.offset_s - 2 * half else why


def _numbers(one: Chosen, times: np.ndarray) -> list | str:
    """[folder, onset, apex, offset] of pictures 1, 2, …, taken at `times`; or why they cannot be told."""
    onset, apex, offset = (1 + int(np.abs(times - moment).argmin()) for moment in one.moments)
    if not onset < apex <= offset:
        return "its onset, apex and offset fall on one picture"
    return [place_of(one), onset, apex, offset]


def _file(one: Chosen, folder: Path, number: int) -> Path:
    place = folder / place_of(one)
    place.mkdir(parents=True, exist_ok=True)
    return place / f"{number:06d}.png"
