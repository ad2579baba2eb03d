"""`mer-bench trials`: clips cut from onset to offset, each set into stillness with four endings: does the live loop find them?

Coders end a micro-expression where the face is back or changes no further; what it does next is not in the clip. So every
clip is tried with each of WAYS. Stillness is the clip's first (or last) picture; noise is added to all of it, and a head's sway.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from realtime.errors import MerError, UsageError
from realtime.parallel import each
from realtime.pipeline import PipelineSettings
from realtime.records import Event, Frame
from realtime.sources import VIDEO_ENDINGS, open_source
from train.bench.spotting.long import said_of
from train.bench.spotting.score import Interval, overlap
from train.bench.spotting.standard import FIRST
from train.data import cut, folders
from train.data.grouping import grouping
from train.synthesis import drawn_events, draws, real_motion
from train.synthesis.conditions import ALL
from train.synthesis.expressions import one_of_three
from train.synthesis.people import find_face, load, portraits
from train.synthesis.render import Renderer
from train.synthesis.schedule import plan, scripted

STILL = 2.0  # seconds before and after
NOISE = 2.0  # grey levels, standard deviation
LONGEST = 5.0  # seconds; what lasts longer was not cut to a micro-expression
SLOWLY = 3  # times slower than it came
FADED, SNAPPED = 0.6, 0.12  # seconds
IOUS = (0.3, 0.5)
MATCHED = 0.1  # overlap below which a detection is of something else


@dataclass(frozen=True, eq=False)
class Cut:
    """pictures: H×W×3 uint8 BGR from onset to offset, `fps` a second. label: an emotion or one of three classes, "" if unknown."""

    name: str
    label: str
    fps: float
    pictures: list[np.ndarray]


@dataclass(frozen=True)
class Trial:
    """iou: of the best micro-expression reported, 0 for none; label: its name. macro: whether it came out as that instead.
    false: further micro-expressions that were reported. failed: why it could not be tried, or ""."""

    name: str
    way: str
    wanted: str
    iou: float = 0.0
    label: str = ""
    macro: bool = False
    false: int = 0
    failed: str = ""


def held(pictures: list, fps: float) -> list:
    return []


def played_back(pictures: list, fps: float) -> list:
    return [picture for picture in pictures[::-1] for _ in range(SLOWLY)]


def faded(pictures: list, fps: float, seconds: float = FADED) -> list:
    steps = np.linspace(0, 1, max(2, round(seconds * fps)) + 1)[1:]
    return [cv2.addWeighted(pictures[-1], 1 - share, pictures[0], share, 0) for share in steps]


WAYS: dict[str, Callable[[list, float], list]] = {
    "held": held,
    "played back slowly": played_back,
    "faded": faded,
    "snapped back": partial(faded, seconds=SNAPPED),
}


def try_all(makers: list[Callable[[], Cut]], settings: PipelineSettings, jobs: int, done: Callable[[], None]) -> list[Trial]:
    """Every clip in every way, in `jobs` processes. makers: make one clip each, there; may raise MerError."""
    found = []
    for _, trials in each(_tried, settings, makers, workers=jobs):
        found += trials
        done()
    return sorted(found, key=lambda trial: (trial.name, list(WAYS).index(trial.way)))


def frames(clip: Cut, way: str, seed: int = 0) -> Iterator[Frame]:
    """The trial's stream: still, the clip, its ending, still. Raises MerError where no face is found in the first picture."""
    first, last = clip.pictures[0], clip.pictures[-1]
    border, apart = _face(first)
    still = round(STILL * clip.fps)
    after = WAYS[way](clip.pictures, clip.fps)
    rest = last if way == "held" else first
    random = np.random.default_rng(seed)
    amplitude, frequency, phase = draws.drift(random)
    for index, picture in enumerate([first] * still + clip.pictures + after + [rest] * still):
        pts = index / clip.fps
        sway = (amplitude * np.sin(2 * np.pi * frequency * pts + phase)).sum(axis=1)
        moved = _moved(cut.bordered(picture, border), sway, apart)
        noise = cv2.randn(np.empty(moved.shape, np.int16), 0, NOISE)  # type: ignore[call-overload]  # it takes numbers for mean and spread
        yield Frame(cv2.add(moved, noise, dtype=cv2.CV_8U), index, pts, time.monotonic())


def tried(clip: Cut, way: str, settings: PipelineSettings) -> Trial:
    """One clip in one way through the live loop."""
    cv2.setRNGSeed(0)
    return judged(clip, way, said_of(clip.name, frames(clip, way), settings))


def judged(clip: Cut, way: str, events: list[Event]) -> Trial:
    onset = round(STILL * clip.fps) / clip.fps
    truth = Interval(onset, onset, onset + (len(clip.pictures) - 1) / clip.fps)
    shared = [(overlap(truth, Interval(e.onset_s, e.apex_s, e.offset_s)), e) for e in events]
    micro = [(iou, e) for iou, e in shared if e.kind == "micro"]
    iou, best = max(micro, key=lambda pair: pair[0], default=(0.0, None))
    found = iou >= MATCHED
    macro = not found and any(iou > 0 for iou, e in shared if e.kind == "macro")
    return Trial(clip.name, way, _class(clip.label), iou if found else 0.0, best.label if found else "", macro, len(micro) - found)


def own(folder: Path, fps: float) -> list[Callable[[], Cut]]:
    """A maker for each clip below `folder`: a video, or a folder of pictures (`fps` a second). A folder above it that is
    called like an emotion is its label. Raises UsageError where there is none."""
    if not folder.is_dir():
        raise UsageError(f"no folder {folder}: give one that holds clips cut from onset to offset, videos or folders of pictures")
    inside = sorted(path for path in folder.rglob("*") if not any(part.startswith(".") for part in path.relative_to(folder).parts))
    clips = [path for path in inside if path.suffix.lower() in VIDEO_ENDINGS and path.is_file() or folders.images(path)]
    if not clips:
        raise UsageError(f"no clip in {folder}: expected videos, or folders of pictures, cut from onset to offset")
    return [partial(read, path, folder, fps) for path in clips]


def read(path: Path, base: Path, fps: float) -> Cut:
    """Raises MerError."""
    name = path.relative_to(base)
    labels = [part.lower() for part in name.parts[:-1] if _class(part.lower())]
    if path.is_dir():
        pictures = [cut.read(file) for file in folders.frames(path).values()]
    else:
        with open_source(path) as source:
            pictures, times = [], []
            for frame in source:
                pictures.append(frame.pixels.copy())
                times.append(frame.pts)
                if times[-1] - times[0] > LONGEST:
                    break
        fps = 1 / float(np.median(np.diff(times))) if len(times) > 1 else fps
    if len(pictures) < 3 or len(pictures) > LONGEST * fps:
        raise MerError(f"{len(pictures)} pictures, {len(pictures) / fps:.1f} s: no clip cut to a micro-expression (at most {LONGEST:g} s)")
    if len({picture.shape for picture in pictures}) > 1:
        raise MerError("its pictures are of several sizes")
    return Cut(str(name), labels[-1] if labels else "", fps, pictures)


def generated(folder: Path, count: int, fps: float) -> list[Callable[[], Cut]]:
    """Makers of `count` synthetic clips of people that nothing was trained on, with real movements where the maps are there."""
    faces = portraits(folder)[FIRST:]
    if not faces:
        raise UsageError(f"too few portraits in {folder}: the first {FIRST} are for training")
    return [partial(render, faces[n % len(faces)], FIRST + n % len(faces), n, fps) for n in range(count)]


def render(portrait: Path, place: int, number: int, fps: float) -> Cut:
    person, why = load(portrait)
    if person is None:
        raise MerError(why)
    random, moves = np.random.default_rng([number, place]), real_motion.deck(place, number)
    event = drawn_events.micro(random, 0.1, fps, one_of_three(random))
    label = event.expression.emotion
    if moves:
        event, label = drawn_events.real(random, event, moves[0], faint=False), moves[0].label
    what = scripted(plan(number, event.offset + 0.1, fps, ALL.only()), (event,))
    draw = Renderer(person.portrait, person.landmarks, what)
    inside = np.flatnonzero((what.times >= event.onset) & (what.times <= event.offset + 0.5 / fps))
    return Cut(f"{number}: {person.name}, returned {event.returned:.2f}", label, fps, [draw.frame(int(i)) for i in inside])


def markdown(trials: list[Trial]) -> str:
    """One row for each way and one for all."""
    known = [trial for trial in trials if not trial.failed]
    lines = ["| ending | trials | " + " | ".join(f"IoU ≥ {least:g}" for least in IOUS) + " | as macro | label right of those found | false beside |"]
    lines.append("|---" * (5 + len(IOUS)) + "|")
    for way in (*WAYS, "all"):
        those = [trial for trial in known if way in (trial.way, "all")]
        found = [trial for trial in those if trial.iou >= IOUS[0] and trial.wanted]
        right = f"{sum(trial.label == trial.wanted for trial in found)} of {len(found)}" if found else "–"
        cells = [len(those), *(sum(trial.iou >= least for trial in those) for least in IOUS), sum(t.macro for t in those), right]
        lines.append(f"| {way} | " + " | ".join(map(str, cells)) + f" | {sum(t.false for t in those)} |")
    return "\n".join(lines) + "\n"


def _tried(settings: PipelineSettings, maker: partial[Cut]) -> list[Trial]:
    try:
        clip = maker()
        return [tried(clip, way, settings) for way in WAYS]
    except (MerError, cut.Unusable) as error:
        return [Trial(str(maker.args[0]), way, "", failed=str(error)) for way in WAYS]


def _class(label: str) -> str:
    """One of negative, positive, surprise; "" for what is none."""
    return grouping("three", "").get(label) or ""


def _face(picture: np.ndarray) -> tuple[float, float]:
    """(border that the face's finder needs, share of the longer side; distance of the outer eye corners, pixels)."""
    for border in cut.BORDERS:
        landmarks = find_face(cut.bordered(picture, border))
        if landmarks is not None:
            return border, float(np.linalg.norm(landmarks[263, :2] - landmarks[33, :2]))
    raise MerError("no face was found in its first picture")


def _moved(picture: np.ndarray, sway: np.ndarray, apart: float) -> np.ndarray:
    """sway: x, y (outer-eye distances), roll (degrees), …, scale (fraction), see `schedule.State.head`."""
    height, width = picture.shape[:2]
    matrix: np.ndarray = cv2.getRotationMatrix2D((width / 2, height / 2), float(sway[2]), 1 + float(sway[5]))
    matrix[:, 2] += sway[:2] * apart
    return cv2.warpAffine(picture, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
