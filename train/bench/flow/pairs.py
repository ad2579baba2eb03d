"""Pairs of faces for measuring optical flow: out of recordings, and rendered ones whose true flow is known."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np

from realtime.errors import SourceError
from realtime.face.geometry import to_68
from realtime.face.tracker import FaceSettings, FaceTracker
from realtime.naming import examples
from realtime.naming.inputs.face import crop, crop_box, grey
from realtime.sources import open_source
from train.synthesis import demo, people
from train.synthesis.conditions import CALM
from train.synthesis.expressions import draw
from train.synthesis.face import OPENINGS
from train.synthesis.fields import Fields
from train.synthesis.render import Renderer
from train.synthesis.schedule import State, plan

APART = 0.15  # seconds between the two views of a pair: from onset to apex of a micro-expression, about
EVERY = 1.0  # seconds of recording for one pair
SIZES = (0.01, 0.02, 0.04)  # largest displacements, outer-eye distances: 0.5 to 5 pixels of a 128-pixel face
PEOPLE = 8
NOISE = 1.5  # grey levels
STEP = 4  # pixels between the places at which a field is computed


@dataclass(frozen=True, eq=False)
class Faces:
    """Two views (H×W×3 uint8 BGR) and the box of the face in them (left, top, right, bottom).

    Attributes:
        flow: H×W×2, the true flow from the first to the second in pixels.
        known: H×W bool, where it holds (not inside eyes and mouth, where things come to light). Both None for a recording.
    """

    first: np.ndarray
    second: np.ndarray
    box: tuple[int, int, int, int]
    flow: np.ndarray | None = None
    known: np.ndarray | None = None

    def pair(self, side: int) -> tuple[np.ndarray, np.ndarray]:
        """The faces as networks see them: side×side uint8 grey, twice."""
        return grey(crop(self.first, self.box), side), grey(crop(self.second, self.box), side)

    def truth(self, side: int) -> tuple[np.ndarray, np.ndarray]:
        """(side×side×2 flow in pixels of these, side×side bool where it holds)."""
        left, top, right, bottom = self.box
        flow, known = (
            cv2.resize(crop(array, self.box), (side, side), interpolation=cv2.INTER_AREA)
            for array in (self.flow, self.known[..., None].astype(np.float32))
        )
        return flow * np.array([side / (right - left), side / (bottom - top)], np.float32), known > 0.99


def pairs(videos: list[Path], most: int, portraits: Path | None) -> tuple[list[Faces], list[Faces]]:
    """(`recorded` of the videos, of the demo clip where there are none; `rendered`).

    Raises:
        SourceError: there is no recorded one.
    """
    if not videos and os.environ.get("MER_EXAMPLES"):  # a machine that reads no films
        found = kept()[:most]
    else:
        found = recorded(videos or [Path(str(files("realtime").joinpath("assets/demo.mp4")))], most)
    if not found:
        raise SourceError("no face that stays in view in these recordings: give others with --clip")
    return found, rendered(portraits)


def recorded(videos: list[Path], most: int) -> list[Faces]:
    """Up to `most` pairs of aligned views, evenly out of all that these recordings give. One without any is passed by."""
    found: list[Faces] = []
    for video in videos:
        try:
            found += _of_video(video)
        except SourceError:
            continue
    places = np.linspace(0, len(found) - 1, min(len(found), most)).round().astype(int)
    return [found[place] for place in places]


def kept() -> list[Faces]:
    """Onset and apex, apex and offset of the demo clip's movements: for where no recording can be read."""
    seen = [(one.onset, one.apex, one.offset) for one in examples.movements()]
    boxes = [crop_box(to_68(onset.landmarks)) for onset, _, _ in seen]
    pairs_of = ((pair, box) for three, box in zip(seen, boxes, strict=True) for pair in (three[:2], three[1:]))
    return [Faces(one.pixels, other.pixels, box) for (one, other), box in pairs_of]


def rendered(portraits: Path | None) -> list[Faces]:
    """Expressions of known size on portraits: PEOPLE people of a folder, or the bundled one as often."""
    return [_expression(person, 10 * number + place, size) for number, person in enumerate(_people(portraits)) for place, size in enumerate(SIZES)]


def _of_video(video: Path) -> Iterator[Faces]:
    track, first, due = FaceTracker(FaceSettings()), None, 0.0
    try:
        with open_source(video) as source:
            for frame in source:
                if first is None and frame.pts < due:
                    continue
                view = next(iter(track(frame)), None)
                if view is None or (first is not None and view.anchor != first.anchor):
                    first = None
                elif first is None:
                    first = view
                elif view.pts - first.pts >= APART:
                    yield Faces(first.pixels, view.pixels, crop_box(to_68(first.landmarks)))
                    first, due = None, view.pts + EVERY - APART
    finally:
        track.close()


def _people(folder: Path | None) -> Iterator[people.Person]:
    if folder is None:
        portrait = demo.portrait()
        yield from [people.Person("bundled", portrait, people.find_face(portrait))] * PEOPLE
        return
    paths = people.portraits(folder)
    usable = (people.load(path)[0] for path in paths[:: max(len(paths) // PEOPLE, 1)][:PEOPLE])
    yield from (person for person in usable if person is not None)


def _expression(person: people.Person, seed: int, size: float) -> Faces:
    """A neutral face and an expression of `size`, each seen by a camera of its own noise."""
    random = np.random.default_rng(seed)
    renderer = Renderer(person.portrait, person.landmarks, plan(seed, 1.0, 50.0, CALM))
    state = State()
    for unit, side, strength in draw(random, size).units:
        state.pull(unit, side, strength)
    views = [renderer.draw(one) + random.normal(0, NOISE, (*renderer.face.shape, 1)) for one in (State(), state)]
    first, second = (np.clip(np.rint(view), 0, 255).astype(np.uint8) for view in views)
    box = crop_box(to_68(renderer.face.landmarks[:, :2]))
    return Faces(first, second, box, _flow(renderer, state), _outside_openings(renderer))


def _flow(renderer: Renderer, state: State) -> np.ndarray:
    """Forward flow from the fields, which lead backward: flow(x) = back(x + flow(x)), by repeated substitution."""
    height, width = renderer.face.shape
    y, x = np.mgrid[0:height:STEP, 0:width:STEP].astype(np.float32)
    fields = Fields(renderer.face)(np.dstack([x, y]) + (STEP - 1) / 2)
    back = sum((fields[k] * np.float32(amount) for k, amount in renderer.amounts(state)), 0 * fields[0])
    back = flow = cv2.resize(back, (width, height), interpolation=cv2.INTER_LINEAR)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    for _ in range(8):
        flow = cv2.remap(back, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return flow


def _outside_openings(renderer: Renderer) -> np.ndarray:
    inside = np.ones(renderer.face.shape, np.uint8)
    for upper, lower in OPENINGS.values():
        rim = renderer.face.landmarks[upper + lower[::-1], :2]
        cv2.fillPoly(inside, [np.round(rim).astype(np.int32)], 0)
    return cv2.erode(inside, np.ones((9, 9), np.uint8)) > 0
