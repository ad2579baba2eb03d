"""Flow maps whose movement is known: drawn action units on portraits, seen with all that disturbs them and stretched like real ones.

Each portrait at rest and with some units pulled goes through the live loop's own flow and crop. Between the two views the head
sways, lids and gaze may move, the light may change, and each has noise of its own. No real person's movement is among them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

import cv2
import numpy as np

from engines.flow import CPU
from realtime.face.geometry import to_68
from realtime.naming.inputs.face import crop, crop_box, grey
from realtime.naming.inputs.flow_map import FACE, MAP, stretched
from realtime.parallel import each
from train.data.loaders.megc2019 import CLASSES
from train.synthesis import people
from train.synthesis.conditions import CALM
from train.synthesis.expressions import CLASSES as EMOTIONS
from train.synthesis.expressions import Expression, draw, one_of_three
from train.synthesis.pairs import any_units, between, meanwhile, seen, showing
from train.synthesis.real_motion import HELD_OUT_FROM
from train.synthesis.render import Renderer
from train.synthesis.schedule import State, plan

EACH = 40  # maps of one portrait
SIZES = (0.006, 0.045)  # largest displacement of an expression, outer-eye distances, evenly on a logarithmic scale
LOOKS = 2  # further pairs of the same movement: onset and apex a little beside the true ones
FINE = 56
UNKNOWN = -1


@dataclass(frozen=True, eq=False)
class Maps:
    """N flow maps.

    Attributes:
        stretched: N×28×28×3 uint8, as the real ones are: u, v and strain, each over its range.
        looks: N×LOOKS×28×28×3 uint8, the same movement from an onset and to an apex beside the true ones.
        measured: N×56×56×2 float32, the flow that was found, before the stretch: pixels of a 128-pixel face.
        expression: N×28×28×2 float32, the true flow of the action units alone, the same unit.
        label: N int, a place in `CLASSES`; UNKNOWN for units that were drawn from all.
        person: N strings.
    """

    stretched: np.ndarray
    looks: np.ndarray
    measured: np.ndarray
    expression: np.ndarray
    label: np.ndarray
    person: np.ndarray

    def __getitem__(self, rows) -> Maps:
        return Maps(*(getattr(self, f.name)[rows] for f in fields(self)))


def rendered(folder: Path, number: int = EACH, seed: int = 0, processes: int = 1, done: Callable[[], None] = lambda: None) -> Maps:
    """`number` maps of each portrait in `folder`; the same arguments give the same maps. done: called after each portrait."""
    tasks = [(path, place, seed, number) for place, path in enumerate(people.portraits(folder))]
    found = {}
    for task, maps in each(_of_task, None, tasks, workers=processes):
        found[task] = maps
        done()
    parts = [found[task] for task in tasks if found[task] is not None]
    return Maps(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Maps)))


def trained_on(maps: Maps, folder: Path) -> np.ndarray:
    """N bool: whose portraits are to learn from; the others are held out."""
    names = [path.stem for path in people.portraits(folder)[:HELD_OUT_FROM]]
    return np.isin(maps.person, names)


def _of_task(_, task: tuple) -> Maps | None:
    path, place, seed, number = task
    cv2.setNumThreads(1)
    person, _why = people.load(path)
    return None if person is None else _of_person(person, np.random.default_rng([seed, place]), number)


def _of_person(person: people.Person, random: np.random.Generator, number: int) -> Maps:
    renderer = Renderer(person.portrait, person.landmarks, plan(0, 1.0, 50.0, CALM))
    box = crop_box(to_68(renderer.face.landmarks[:, :2]))
    rows = [_map(renderer, box, random) for _ in range(number)]
    shown, looks, measured, expression, label = (np.stack(column) for column in zip(*rows, strict=True))
    return Maps(shown, looks, measured, expression, label, np.full(number, person.name))


def _map(renderer: Renderer, box: tuple, random: np.random.Generator) -> tuple:
    size = float(np.exp(random.uniform(*np.log(SIZES))))
    if random.random() < 0.5:
        expression = draw(random, size, one_of_three(random))
        label = next(i for i, name in enumerate(CLASSES) if expression.emotion in EMOTIONS[name])
    else:
        expression, label = any_units(random, size), UNKNOWN
    box = _beside(box, random)
    before, after = meanwhile(random)
    pairs = [(before, showing(after, expression)), *(_look(before, after, expression, random) for _ in range(LOOKS))]
    sigma, gain = random.uniform(0.5, 2.5), float(np.exp(random.normal(0, 0.03))) if random.random() < 0.3 else 1.0
    flows = []
    for pair in pairs:
        views = [seen(renderer.draw(state), sigma, light, random) for state, light in zip(pair, (1.0, gain), strict=True)]
        flows.append(CPU(*(grey(crop(view, box), FACE) for view in views)))
    truth = _true(renderer, showing(State(), expression), box)
    fine = cv2.resize(flows[0], (FINE, FINE), interpolation=cv2.INTER_AREA)
    return _kept(flows[0]), np.stack([_kept(flow) for flow in flows[1:]]), fine, truth, label


def _kept(flow: np.ndarray) -> np.ndarray:
    """As the real maps are kept."""
    return np.rint(stretched(flow)).astype(np.uint8)


def _look(before: State, after: State, expression: Expression, random: np.random.Generator) -> tuple[State, State]:
    """The same movement from an onset and to an apex up to a quarter of its way beside the true ones."""
    first, last = random.uniform(-0.25, 0.25, 2)
    shares = max(first, 0.0), 1 - abs(last) * 0.5
    states = (between(before, after, share) for share in (first, 1 + last))
    onset, apex = (showing(state, expression, share) for state, share in zip(states, shares, strict=True))
    return onset, apex


def _beside(box: tuple, random: np.random.Generator) -> tuple:
    """The crop, each side of it somewhere else by up to a tenth: other programs cut other crops."""
    left, top, right, bottom = box
    by = random.normal(0, 0.03, 4).clip(-0.1, 0.1) * ((right - left, bottom - top) * 2)
    return tuple(int(round(x)) for x in np.array(box) + by)


def _true(renderer: Renderer, state: State, box: tuple) -> np.ndarray:
    """28×28×2: the fields of this state over the crop, in pixels of a FACE-pixel face (first order: they lead backward)."""
    left, top, right, bottom = box
    across, down = (right - left) / MAP, (bottom - top) / MAP
    x, y = (first + (np.arange(MAP) + 0.5) * step for first, step in ((left, across), (top, down)))
    field = renderer.displacement(state, np.stack(np.meshgrid(x, y), axis=-1))
    return (field * (FACE / np.array([right - left, bottom - top], np.float32))).astype(np.float32)
