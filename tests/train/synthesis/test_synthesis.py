"""The generator of synthetic clips: what it promises about its plans, its warps, its pictures and its files."""

import csv
import hashlib
from dataclasses import replace

import av
import cv2
import numpy as np
import pytest

from realtime.face.geometry import eye_opening
from realtime.face.landmarks import make_landmarker
from train.synthesis import demo, real_motion
from train.synthesis.action_units import ABOVE, ACTION_UNITS, BELOW
from train.synthesis.clip import make_set
from train.synthesis.conditions import ALL, CALM, HARSH, NO_MICRO, SPEAKING, Conditions
from train.synthesis.expressions import EMOTIONS, LARGEST, draw, intensity
from train.synthesis.face import OVAL
from train.synthesis.fields import BASES, Fields
from train.synthesis.people import find_face
from train.synthesis.render import Renderer
from train.synthesis.schedule import State, plan


@pytest.fixture(scope="module")
def portrait():
    return demo.portrait()


@pytest.fixture(scope="module")
def landmarks(portrait):
    return find_face(portrait)


@pytest.fixture(scope="module")
def renderer(portrait, landmarks):
    made = plan(3, 6.0, 50.0)
    return Renderer(portrait, landmarks, replace(made, camera=replace(made.camera, face_px=200.0)))


def hashed(renderer, indices) -> str:
    return hashlib.sha256(b"".join(renderer.frame(i).tobytes() for i in indices)).hexdigest()


def test_a_seed_gives_the_same_frames(portrait, landmarks):
    plans = (plan(seed, 4.0, 30.0) for seed in (5, 5, 6))
    one, again, other = (hashed(Renderer(portrait, landmarks, made), [0, 70, 71]) for made in plans)
    assert one == again != other


def test_plans_keep_their_promises():
    kinds = set()
    for seed in range(12):
        made = plan(seed, 60.0, 100.0)
        for event in made.events:
            assert event.onset < event.apex < event.offset and 0 <= event.returned <= 1
            length = event.offset - event.onset
            low, high = {"micro": (0.04, 0.5), "macro": (0.5, 6.0)}[event.kind]
            assert low <= length <= high
            assert event.expression.size <= (0.027 if event.kind == "micro" else LARGEST)
        for before, after in zip(made.events, made.events[1:]):
            assert before.offset < after.onset
        moving = [(a, b) for kind, a, b in made.intervals() if kind not in ("flicker", "keyframes")]
        for event in made.events:
            assert event.disturbed == any(a < event.offset and event.onset < b for a, b in moving)
        kinds |= {kind for kind, _, _ in made.intervals()} | {event.kind for event in made.events}
        assert np.all(np.diff(made.times) > 0) and made.times[0] == 0
    assert kinds == {
        "micro",
        "macro",
        "long",
        "return",
        "blink",
        "speech",
        "head",
        "nod",
        "gaze",
        "lid",
        "swallow",
        "tongue",
        "jaw",
        "exposure",
        "flash",
        "hair",
        "hand",
        "flicker",
        "keyframes",
    }


def test_conditions_switch_off_what_they_name():
    seeds = range(8)
    assert not any(e.kind == "micro" for s in seeds for e in plan(s, 60.0, 50.0, NO_MICRO).events)
    calm = {kind for s in seeds for kind, *_ in plan(s, 60.0, 50.0, CALM).intervals()}
    assert not calm & {"speech", "swallow", "flicker", "exposure"}
    speaking = sum(b - a for s in seeds for k, a, b in plan(s, 60.0, 50.0, SPEAKING).intervals() if k == "speech")
    assert speaking > 0.25 * 60 * len(seeds)
    only = plan(1, 60.0, 50.0, ALL.only("blink"))
    assert not only.events and {kind for kind, *_ in only.intervals()} == {"blink"}


def test_faint_movements_know_how_far_they_return():
    events = [event for seed in range(20) for event in plan(seed, 20, 30, HARSH).events if event.kind == "micro"]
    assert events and all(0 <= event.returned <= 1 and event.expression.intensity == "A" for event in events)


def test_disturbed_events_are_few():
    events = [e for seed in range(40) for e in plan(seed, 60.0, 100.0).events]
    assert 0 < np.mean([e.disturbed for e in events]) < 0.25


def test_an_expression_shows_a_typical_unit_and_no_more_than_its_emotion():
    random = np.random.default_rng(0)
    for emotion, what in EMOTIONS.items():
        for _ in range(30):
            made = draw(random, 0.02, emotion)
            shown = {unit for unit, _, _ in made.units}
            assert shown & set(what.typical) and shown <= set(what.typical) | set(what.also)
            assert all(0 < strength <= 1 for _, _, strength in made.units)
            if emotion == "contempt":
                assert made.side in ("right", "left") and made.text.startswith(made.side[0].upper())


def test_fields_are_zero_at_the_rim_and_as_large_as_they_say(renderer):
    fields, face = Fields(renderer.face), renderer.face
    at_rim = fields(face.landmarks[OVAL, :2])
    for basis, field in zip(BASES, at_rim):
        assert np.abs(field).max() < 0.1, basis  # pixels
    y, x = np.mgrid[0:480:2, 0:480:2].astype(np.float32)
    everywhere = fields(np.stack([x, y], axis=-1))
    for basis, field in zip(BASES, everywhere):
        if basis[0] in ACTION_UNITS:
            largest = np.linalg.norm(field, axis=-1).max() / face.scale
            assert largest == pytest.approx(ACTION_UNITS[basis[0]].extent, rel=0.1), basis


def test_no_field_folds(renderer):
    """The backward map's Jacobian stays positive: each unit at its strongest, emotions at the largest size."""
    face = renderer.face
    fields = Fields(face)
    y, x = np.mgrid[0:480:2, 0:480:2].astype(np.float32)
    points = np.stack([x, y], axis=-1)
    u, v = np.moveaxis(face.to_face(points), -1, 0)
    random = np.random.default_rng(1)
    blends = [{basis: 1.0} for basis in BASES]
    for emotion in EMOTIONS:
        for _ in range(5):
            blends.append({(n, s): a for n, s, a in draw(random, LARGEST, emotion).units if (n, s) in BASES})
    for layer in (ABOVE, BELOW):
        own = np.ones(u.shape, bool)  # the layer is seen on its own side of each opening
        for name in ("mouth", "right", "left"):
            top, bottom = face.opening(name, u)
            low, high = face.corners(name)
            near = (u > low) & (u < high) & (np.abs(v - (top + bottom) / 2) < 0.2)
            own &= ~(near & ((v > bottom) if layer == ABOVE else (v < top)))
        basis_fields = dict(zip(BASES, fields(points, layer)))
        for blend in blends:
            field = sum(amount * basis_fields[basis] for basis, amount in blend.items())
            (dy_x, dx_x), (dy_y, dx_y) = (np.gradient(field[..., i], 2) for i in (0, 1))
            jacobian = (1 - dx_x) * (1 - dy_y) - dy_x * dx_y
            assert jacobian[own].min() > 0, (layer, blend)


def test_rest_leaves_the_portrait_alone(renderer):
    """Nothing moves at rest: the openings' layers put together give the plain portrait."""
    rest = renderer.draw(State()).astype(int)
    plain = cv2.resize(renderer._texture, renderer.size, interpolation=cv2.INTER_AREA).astype(int)
    change = np.abs(rest - plain)[4:-4, 4:-4]
    assert change.max() <= 40 and (change.max(axis=-1) > 12).sum() < 200  # a seam half a pixel wide at lids and lips


def test_nothing_outside_the_face_moves_with_an_expression(renderer):
    state = State()
    for unit, what in ACTION_UNITS.items():
        for side in ("right", "left") if what.separable else ("both",):
            state.pull(unit, side, 0.5)
    change = np.abs(renderer.draw(state).astype(int) - renderer.draw(State())).max(axis=-1)
    assert change[renderer.face.inside > 0.1].max() > 40
    assert change[renderer.face.inside < 0].max() <= 2


WAYS = {
    1: (55, 1, -1),
    2: (70, 1, -1),
    4: (55, 1, 1),
    10: (37, 1, -1),
    12: (61, 0, -1),
    15: (61, 1, 1),
    18: (61, 0, 1),
    20: (61, 0, -1),
    26: (17, 1, 1),
}


def test_the_landmarker_sees_the_units_move_and_the_eyes_shut(renderer):
    landmarker = make_landmarker(most_faces=1)
    rest = landmarker(renderer.draw(State()))[0][:, :2]
    for unit, (point, axis, sign) in WAYS.items():
        state = State()
        for side in ("right", "left") if ACTION_UNITS[unit].separable else ("both",):
            state.pull(unit, side, 1.0)
        moved = landmarker(renderer.draw(state))[0][:, :2]
        way = sign * (moved - rest)[point, axis] / renderer.face.scale
        assert way > 0.15 * ACTION_UNITS[unit].extent, (unit, way)
    shut = State()
    shut.lids[:] = [1, 1, 0.15, 0.15]
    assert eye_opening(landmarker(renderer.draw(shut))[0][:, :2]) < 0.5 * eye_opening(rest)
    landmarker.close()


def test_micro_expressions_move_a_pixel_or_two(portrait, landmarks):
    made = plan(4, 60.0, 100.0, Conditions(macro=0, micro=20))
    draw = Renderer(portrait, landmarks, replace(made, camera=replace(made.camera, face_px=150.0)))
    sizes = [event.expression.size * draw.face.scale * 150 / draw.face.width for event in made.events]
    assert len(sizes) > 5 and 0.3 < min(sizes) and max(sizes) < 2.8
    for event in made.events:
        state = State()
        event.add(state, event.apex)
        moved = sum(draw._skin[k] * a for k, a in draw.amounts(state))
        found = np.linalg.norm(moved, axis=-1).max() / draw.face.scale
        # two units on one spot may add up; lids are counted by their opening
        assert 0.2 * event.expression.size < found < 2.2 * event.expression.size
        assert event.expression.intensity == intensity(event.expression.size)


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_command_writes_a_set_that_agrees_with_itself(tmp_path, portrait, jobs, monkeypatch):
    monkeypatch.setenv("MER_DATA", str(tmp_path))
    faces = tmp_path / "faces"
    faces.mkdir()
    cv2.imwrite(str(faces / "a.png"), portrait)
    cv2.imwrite(str(faces / "b.png"), np.full((300, 300, 3), 90, np.uint8))
    cv2.imwrite(str(faces / "c.png"), portrait[:, ::-1])
    said = []
    conditions = Conditions(micro=60, blink=30, timing=1.0)
    out = tmp_path / "set"
    rows = make_set(out, faces, 2, 4 / 60, 30.0, 7, conditions, jobs=jobs, say=said.append)
    assert len(said) == 2 and "b.png" in said[0] and "action units alone" in said[1]
    assert [row["Subject"] for row in rows.clips] == ["a", "c"]
    truth = list(csv.DictReader(open(out / "truth.csv")))
    assert len(truth) == len(rows.truth) > 0
    for clip in csv.DictReader(open(out / "clips.csv")):
        with av.open(str(out / clip["Filename"])) as file:
            times = [frame.time for frame in file.decode(video=0)]
        times = np.array(times) - times[0]
        assert len(times) == int(clip["frames"]) and times[-1] == pytest.approx(float(clip["duration_s"]), abs=1e-3)
        assert (out / clip["Filename"]).with_suffix(".png").exists()
        for row in truth:
            if row["Filename"] == clip["Filename"]:
                for name, second in (("OnsetFrame", "onset_s"), ("ApexFrame", "apex_s"), ("OffsetFrame", "offset_s")):
                    assert abs(times[int(row[name])] - float(row[second])) < 0.1


def test_the_command_line(tmp_path, portrait):
    from click.testing import CliRunner

    from train.synthesis.cli import main

    cv2.imwrite(str(tmp_path / "a.png"), portrait)
    words = [str(tmp_path / "set"), "--portraits", str(tmp_path), "--people", "1", "--minutes", "0.034", "--fps", "25"]
    done = CliRunner().invoke(main, [*words, "--without", "speech"])
    assert done.exit_code == 0 and "1 clips" in done.output
    assert {p.name for p in (tmp_path / "set").glob("*.csv")} == {"truth.csv", "nuisances.csv", "clips.csv"}
    nowhere = ["--portraits", str(tmp_path / "no")]
    for wrong, code in ((["--without", "sneezing"], 2), (["--people", "5"], 3), (nowhere, 3)):
        result = CliRunner().invoke(main, [*words, *wrong])
        assert result.exit_code == code, result.output


def test_the_demo_script_keeps_its_events_apart():
    if not real_motion.movements(training=False):
        pytest.skip("the MEGC2019 flow maps are absent (set MER_DATA to the folder that holds megc2019/)")
    made = demo.script(50.0)
    assert len(made.events) == 5 and not any(event.disturbed for event in made.events)
    assert {kind for kind, *_ in made.intervals()} <= {"blink", "head", "return"}
    assert [event.expression.motion for event in made.events].count("real") == 1


def test_the_demo_asks_for_the_movements_that_it_needs(tmp_path, monkeypatch):
    from click.testing import CliRunner

    monkeypatch.setenv("MER_DATA", str(tmp_path))
    done = CliRunner().invoke(demo.main, [str(tmp_path)])
    assert done.exit_code == 2 and "set MER_DATA" in done.output and "Traceback" not in done.output


def test_micro_expressions_go_as_coders_have_timed_them():
    plans = [plan(seed, 60.0, 100.0, Conditions(micro=25)) for seed in range(40)]
    micros = [(made, event) for made in plans for event in made.events if event.kind == "micro"]
    rises, lengths = (1000 * np.array([getattr(event.course, what) for _, event in micros]) for what in ("rise", "length"))
    # the published tables' 5th, 50th and 95th percentiles, milliseconds
    assert np.percentile(rises, [5, 50, 95]) == pytest.approx([80, 170, 310], abs=35)
    assert np.percentile(lengths, [5, 50, 95]) == pytest.approx([200, 345, 500], abs=45)
    returned = np.array([event.returned for _, event in micros])
    assert 0.25 < (returned > 0.99).mean() < 0.42 and (returned < 0.3).mean() > 0.12
    assert np.mean([made.blink_inside(event) for made, event in micros]) == pytest.approx(0.13, abs=0.04)
    assert np.mean([made.on_expression(event) for made, event in micros]) > 0.06
    followed = [b.onset - a.offset for made in plans for a, b in zip(made.events, made.events[1:])]
    assert any(0.14 < gap < 0.41 for gap in followed)  # two in quick succession
    late = [event for _, event in micros if event.returned < 0.9 and event.later()]
    for event in late[:20]:  # what has not returned is there until it goes
        ((begin, end),) = event.later()
        strengths = [sum(_pulled(event, t).values()) for t in (event.offset + 1e-6, begin - 1e-6, end + 1e-6)]
        assert strengths[0] == pytest.approx(strengths[1]) and strengths[0] > 0 == strengths[2]


def _pulled(event, t: float) -> dict:
    state = State()
    event.add(state, t)
    return state.units
