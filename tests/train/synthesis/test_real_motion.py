"""Real movements on synthetic faces: from stretched flow maps to fields, to plans, to pictures."""

import cv2
import numpy as np
import pytest

from realtime.errors import UsageError
from realtime.face.geometry import to_68
from realtime.naming.inputs.face import crop, crop_box
from realtime.naming.inputs.flow_map import flow_map, strain
from train.bench.spotting import standard
from train.data.loaders import megc2019
from train.synthesis import demo
from train.synthesis.conditions import ALL, Conditions
from train.synthesis.people import find_face
from train.synthesis.real_motion import HANDS, HELD_OUT_FROM, deck, in_proportion, movements, without_head
from train.synthesis.render import Renderer
from train.synthesis.schedule import State, plan, scripted

Y, X = np.mgrid[0:28, 0:28].astype(np.float32)


def bump(x: float, y: float, u: float, v: float, reach: float = 3.0) -> np.ndarray:
    return np.exp(-((X - x) ** 2 + (Y - y) ** 2) / (2 * reach**2))[..., None] * np.float32([u, v])


def stretched(field: np.ndarray) -> np.ndarray:
    """As the data set keeps it: (u, v, strain), each over its own range."""
    map_ = np.dstack([field, strain(field)])
    low, high = map_.min((0, 1)), map_.max((0, 1))
    return np.round((map_ - low) / (high - low) * 255).astype(np.uint8)


@pytest.fixture
def maps(tmp_path, monkeypatch):
    """Fifty movements of ten people: a mouth corner and a brow that go their ways."""
    random = np.random.default_rng(0)
    fields = [
        bump(8 + random.uniform(-1, 1), 21, *random.uniform(0.5, 2, 2)) - bump(19, 6 + random.uniform(-2, 2), *random.uniform(0.5, 2, 2))
        for _ in range(50)
    ]
    x = np.stack([stretched(field) for field in fields])
    person = [f"{n // 5:02d}" for n in range(50)]
    (tmp_path / "megc2019").mkdir()
    np.savez(tmp_path / "megc2019/flow_28x28.npz", x=x, label=np.arange(50) % 3, subject=person, dataset=["samm"] * 50)
    monkeypatch.setenv("MER_DATA", str(tmp_path))
    return x


def test_the_way_of_the_stretch_is_found_back():
    true = np.stack([bump(8, 20, 1.0, 0.5) + bump(20, 8, -0.3, -0.6), bump(9, 19, 0.6, 1.0) + bump(19, 9, 0.2, -0.5)])
    fields, likeness = in_proportion(np.stack([stretched(field) for field in true]))
    assert likeness.min() > 0.95
    for found, field in zip(fields, true, strict=True):
        scale = (found * field).sum() / (field**2).sum()
        assert np.abs(found / scale - field).max() < 0.15 * np.abs(field).max()


def test_a_head_that_moved_is_taken_out():
    face, head = bump(10, 18, 1.0, -0.5), np.dstack([0.3 + 0.02 * X - 0.01 * Y, -0.2 + 0.03 * Y])
    assert np.abs(without_head(face + head) - face).max() < 0.05


def test_nobody_s_movement_is_in_training_and_test(maps):
    assert HELD_OUT_FROM == standard.FIRST and HANDS == standard.PEOPLE
    trained, held_out = ({m.person for place in places for m in deck(place, 3)} for places in (range(10), range(110, 130)))
    assert len(trained) == 6 and len(held_out) == 4 and not trained & held_out
    hands = [m.number for place in range(110, 130) for m in deck(place, 3)]
    assert sorted(hands) == sorted(m.number for m in movements(training=False))  # each at one face only


def test_a_plan_shows_half_real_movements_and_nobody_twice(maps):
    shown = 0
    for place in range(12):
        conditions = Conditions(micro=25, macro=0)
        made, again = (plan(place, 30.0, 50.0, conditions, deck(place, 1)) for _ in range(2))
        assert [e.expression for e in made.events] == [e.expression for e in again.events]
        people = [m.person for m in made.movements]
        assert len(people) == len(set(people))
        shown += len([e for e in made.events if e.expression.motion == "real"]) / len(made.events) / 12
        for event in (e for e in made.events if e.expression.motion == "real"):
            assert event.expression.emotion in megc2019.CLASSES and 0.003 < event.expression.size < 0.035
    assert 0.35 < shown < 0.65
    assert not plan(1, 30.0, 50.0, ALL).movements  # without maps, action units alone


def test_a_face_moves_where_the_map_does(maps):
    face = demo.portrait()
    usual, correlations = plan(0, 1.0, 50.0, Conditions(held=0)), []
    landmarks = find_face(face)
    for movement in movements(training=True)[1:4]:
        event = next(e for e in plan(3, 60.0, 50.0, Conditions(real=1), [movement]).events if e.expression.motion == "real")
        draw = Renderer(face, landmarks, scripted(usual, (event,)))
        box = crop_box(to_68(draw.face.landmarks[:, :2]))
        state = State()
        for half in ("right", "left"):
            state.pull(movement, half, 0.02)
        rest, moved = (crop(draw.draw(one), box) for one in (State(), state))
        found = flow_map(rest, moved)
        correlations += [np.corrcoef(found[..., k].ravel(), maps[movement.number, ..., k].ravel())[0, 1] for k in (0, 1)]
        outside = cv2.absdiff(draw.draw(state), draw.draw(State())).max(axis=-1)[draw.face.inside < -0.12]
        assert outside.max() <= 3  # nothing is torn beyond the face
    assert np.median(correlations) > 0.8


def test_maps_of_another_shape_are_told_in_a_line(tmp_path, monkeypatch):
    (tmp_path / "megc2019").mkdir()
    np.savez(tmp_path / "megc2019/flow_28x28.npz", x=np.zeros((2, 14, 14, 3), np.uint8), label=[0, 1], subject=["1", "2"], dataset=["samm", "samm"])
    monkeypatch.setenv("MER_DATA", str(tmp_path))
    with pytest.raises(UsageError, match=r"maps of shape \(14, 14, 3\), not \(28, 28, 3\)"):
        movements(training=True)
