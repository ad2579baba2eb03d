"""What the estimator of action units learns from: pairs of views whose units are known, carried through the live loop's own steps.

A pair is drawn, filmed (noise, H.264), its face found and aligned as in a stream, and its displacement measured by the live
loop's own flow.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import av
import cv2
import numpy as np

from realtime.face.alignment import Alignment, Picture
from realtime.face.facemesh import FaceMesh
from realtime.face.geometry import apply
from realtime.face.light import EvenLight
from realtime.naming.inputs import displacement
from train.synthesis import people
from train.synthesis.action_units import ACTION_UNITS, SIDES
from train.synthesis.camera import VideoFile
from train.synthesis.conditions import CALM
from train.synthesis.course import Course
from train.synthesis.expressions import Expression, draw, express, moved_like
from train.synthesis.motions import Happening
from train.synthesis.pairs import UNITS, between, meanwhile, seen, showing
from train.synthesis.real_motion import deck
from train.synthesis.render import Renderer
from train.synthesis.schedule import Plan, State, plan, scripted

MICRO, MACRO = (0.006, 0.03), (0.03, 0.12)  # largest displacement, outer-eye distances, evenly on a logarithmic scale
LARGE = 0.2  # share of macro-expressions
NOTHING = 0.1  # share of pairs in which no unit moves: what was taken for an expression and is none
COMBINED = 0.7  # share of expressions whose units are drawn from all; the others are an emotion's
COUNTS = (0.4, 0.4, 0.2)  # how often one, two, three units
ONE_SIDED = 0.25  # share of those; in the published tables 10 to 25 of a hundred
_SIDED, _WHOLE = ([unit for unit in UNITS if ACTION_UNITS[unit].separable == apart] for apart in (True, False))
SIDED = len(_SIDED)  # units that FACS scores right and left apart
OUTPUTS = (*(f"{side[0].upper()}{unit}" for unit in _SIDED for side in SIDES), *map(str, _WHOLE))


@dataclass(frozen=True, eq=False)
class Pairs:
    """N pairs of views.

    Attributes:
        moved: N×2×POINTS float32, see `realtime.naming.inputs.displacement`.
        shown: N×OUTPUTS bool, which units are there.
        size: N float32, the largest displacement of the expression, outer-eye distances; 0 where there is none.
        person: N int, places of portraits in their folder.
    """

    moved: np.ndarray
    shown: np.ndarray
    size: np.ndarray
    person: np.ndarray

    def __getitem__(self, rows) -> Pairs:
        return Pairs(*(getattr(self, f.name)[rows] for f in fields(self)))

    def __len__(self) -> int:
        return len(self.size)


NONE = Pairs(np.zeros((0, 2, displacement.POINTS), np.float32), np.zeros((0, len(OUTPUTS)), bool), np.zeros(0, np.float32), np.zeros(0, int))


def joined(parts: list[Pairs]) -> Pairs:
    return Pairs(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Pairs)))


def pairs_of(folder: Path, task: tuple[int, int, int]) -> Pairs:
    """Of one portrait; the same arguments give the same pairs.

    Args:
        folder: of portraits.
        task: the portrait's place there, how many pairs, and the seed.
    """
    place, number, seed = task
    cv2.setNumThreads(1)
    person, _why = people.load(people.portraits(folder)[place])
    if person is None:
        return NONE
    random = np.random.default_rng([seed, place])
    made = plan(int(random.integers(2**31)), 1.0, 30.0, CALM)
    drawn = [drawn_pair(random) for _ in range(number)]
    moved = list(measured(person, made, drawn, random))
    rows = [(one, shown(what), what.size if what else 0.0) for one, (_, _, what) in zip(moved, drawn, strict=True) if one is not None]
    if not rows:
        return NONE
    points, units, size = (np.stack(column) for column in zip(*rows, strict=True))
    return Pairs(points.astype(np.float32), units, size.astype(np.float32), np.full(len(rows), place))


def real_pairs_of(folder: Path, place: int) -> tuple[np.ndarray, list[str]]:
    """The portrait's share of real people's movements (`real_motion.deck`), whose units are not known: N×2×POINTS float32, N labels."""
    cv2.setNumThreads(1)
    person, _why = people.load(people.portraits(folder)[place])
    dealt = deck(place, 0) if person is not None else []
    random = np.random.default_rng([place, 1])
    shown_there = [moved_like(one, random, float(np.exp(random.uniform(*np.log(MICRO))))) for one in dealt]
    happening = tuple(Happening("micro", one, 0.0, Course(0.2, 0.0, 0.2)) for one in shown_there)
    made = scripted(plan(place, 1.0, 30.0, CALM), happening)  # the renderer must know them
    drawn = [(before, showing(after, one), one) for one in shown_there for before, after in [meanwhile(random)]]
    moved = list(measured(person, made, drawn, random)) if person is not None else []
    kept = [(one, what.label) for one, what in zip(moved, dealt, strict=True) if one is not None]
    return np.array([one for one, _ in kept], np.float32).reshape(-1, 2, displacement.POINTS), [label for _, label in kept]


def measured(person: people.Person, made: Plan, drawn: list, random: np.random.Generator) -> Iterator[np.ndarray | None]:
    """(2, POINTS) of each pair, see `aligned`.

    Args:
        made: says by which camera they are seen, and which real movements there are.
        drawn: as `drawn_pair` draws them.
    """
    mesh, renderer = FaceMesh(1), Renderer(person.portrait, person.landmarks, made)
    for onset, apex in filmed(renderer, drawn, random):
        yield aligned(mesh, onset, apex)


def drawn_pair(random: np.random.Generator) -> tuple[State, State, Expression | None]:
    """(the face at the onset, at the apex, what it showed there)."""
    before, after = meanwhile(random)
    if random.random() < NOTHING:
        return before, after, None
    size = float(np.exp(random.uniform(*np.log(MACRO if random.random() < LARGE else MICRO))))
    expression = _combined(random, size) if random.random() < COMBINED else draw(random, size)
    # onset and apex are told a little beside the true ones
    early, late = random.uniform(0, 0.15, 2)
    return showing(between(before, after, early), expression, early), showing(after, expression, 1 - late), expression


def _combined(random: np.random.Generator, size: float) -> Expression:
    units = random.choice(UNITS, 1 + random.choice(len(COUNTS), p=COUNTS), replace=False)
    side = str(random.choice(SIDES)) if random.random() < ONE_SIDED else "both"
    return express("", {int(unit): float(random.uniform(0.4, 1.0)) for unit in units}, size, side, float(np.exp(random.normal(0, 0.15))))


def shown(expression: Expression | None) -> np.ndarray:
    """OUTPUTS bool."""
    names = [str(unit) if side == "both" else f"{side[0].upper()}{unit}" for unit, side, _ in expression.units] if expression else []
    return np.isin(OUTPUTS, names)


def filmed(renderer: Renderer, drawn: list, random: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(onset, apex) of each pair as they come out of a film, H×W×3 uint8 BGR."""
    sigma, crf = random.uniform(0.5, 2.5), random.integers(18, 31)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "pairs.mp4"
        with VideoFile(path, (renderer.size[1], renderer.size[0]), 30.0, int(crf)) as video:
            for number, (before, after, _) in enumerate(drawn):
                gain = float(np.exp(random.normal(0, 0.03))) if random.random() < 0.3 else 1.0
                video.write(seen(renderer.draw(before), sigma, 1.0, random), number / 15)
                video.write(seen(renderer.draw(after), sigma, gain, random), number / 15 + 1 / 30)
        with av.open(str(path)) as film:
            pictures = (frame.to_ndarray(format="bgr24") for frame in film.decode(video=0))
            yield from zip(pictures, pictures, strict=True)


def aligned(mesh: FaceMesh, onset: np.ndarray, apex: np.ndarray) -> np.ndarray | None:
    """(2, POINTS) of two pictures, anchored at the first as the tracker does it; None where the face got away."""
    found = mesh(onset)
    if not len(found):
        return None
    landmarks, picture = found[0][:, :2], Picture()
    alignment = Alignment(picture.show(onset), landmarks, 0.0, EvenLight())
    first = alignment.follow(picture, 0.0)
    points = apply(alignment.transform, landmarks).astype(np.float32)
    second = alignment.follow(picture.show(apex), 1 / 30)
    return None if first is None or second is None else displacement.moved(first, second, points)
