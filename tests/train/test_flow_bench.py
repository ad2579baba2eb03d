"""`mer-bench flow`: that its pairs, its truth and its tables mean what they say."""

import numpy as np
import pytest
from click.testing import CliRunner
from moved_faces import distance, moved
from places import DEMO

from engines.flow import cpu
from realtime import warm
from realtime.naming import examples
from realtime.records import Keyframes
from train.bench import cli as bench
from train.bench.flow import compare, pairs
from train.data import cache as store


@pytest.fixture(scope="module")
def rendered():
    """One expression of three pixels on the bundled portrait."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pairs, "PEOPLE", 1)
        patch.setattr(pairs, "SIZES", (0.04,))
        return pairs.rendered(None)


def test_rendered_faces_come_with_their_true_flow(rendered):
    truth, known = rendered[0].truth(128)
    assert 1 < np.linalg.norm(truth, axis=2).max() < 6 and 0.6 < known.mean() < 0.99
    moving = known & (np.linalg.norm(truth, axis=2) > 0.7)
    found = cpu.tvl1(*rendered[0].pair(128))
    assert distance(found[moving], truth[moving]) < 0.6 * distance(0 * truth[moving], truth[moving])
    larger, _ = rendered[0].truth(224)
    assert np.linalg.norm(larger, axis=2).max() == pytest.approx(np.linalg.norm(truth, axis=2).max() * 1.75, rel=0.05)


def test_recordings_give_faces_that_moved_a_little():
    faces = pairs.recorded([DEMO], 3)
    assert len(faces) == 3 and faces[0].flow is None
    for one, other in (face.pair(64) for face in faces):
        assert one.shape == (64, 64) and 0 < np.abs(one.astype(int) - other).mean() < 10


def test_engines_stand_side_by_side(rendered, monkeypatch):
    monkeypatch.setattr(compare, "SIDES", (64, 48))
    monkeypatch.setattr(compare, "BATCH", 3)
    ticks = []
    rows = compare.measure(rendered, rendered, lambda: ticks.append(1))
    assert len(ticks) == compare.steps(rendered, rendered)
    ours, theirs = rows["ours, one core"], rows[compare.DEFAULT]
    assert len(ours.taken[64]) == compare.REPEATS and len(theirs.taken[48]) == 1
    assert distance(ours.flows[0], theirs.flows[0]) < 0.05 and ours.missed[0] < theirs.missed[0] + 0.01
    assert np.array_equal(rows["ours, 3 at once"].flows[0], ours.flows[0])
    assert compare.table(rows).row_count == len(rows) >= 4


def test_networks_are_asked_with_either_flow(tmp_path, monkeypatch):
    """A prepared set of one clip; each flow is computed once for all networks that need it."""
    face, after, _ = moved("smile", 2.0, 224)
    points = np.full((68, 2), 112, np.float32)
    points[1], points[15], points[8] = (30, 90), (194, 90), (112, 210)
    points[[19, 20, 23], 1], points[[38, 43], 1] = 45, 60
    views = {name: np.dstack([face] * 3) for name in ("onset", "offset", "fifth")} | {"apex": np.dstack([after] * 3)}
    store.claim(tmp_path, {"dataset": "casme2"}, {})
    store.write_arrays(tmp_path / "clips/0.npz", {**views, "between": np.stack([views["onset"]] * 2), "points": points})
    store.write_tables(tmp_path, [store.Row("casme2", "1", "1/0", "micro", "happiness", "12", "0.npz", "t.csv row 2")], [])
    asked = []
    monkeypatch.setattr(cpu, "tvl1", lambda one, other, ours=cpu.tvl1: asked.append(1) or ours(one, other))
    decided = compare.decide(tmp_path, lambda done, of: None)
    assert {"kernel_ridge", "dual_atme", "skd_tstsan"} <= set(decided) and len(asked) == 2  # onset–apex, apex–offset
    assert all(len(one[which]) == 1 for one in decided.values() for which in ("truth", "opencv", "ours"))
    assert decided["dual_atme"]["truth"][0] == 1
    assert compare.table_of_decisions(decided).row_count == len(decided)


def test_what_cannot_be_measured_is_one_line(tmp_path, monkeypatch):
    said = CliRunner().invoke(bench.main, ["flow", "--test", str(tmp_path)])
    assert said.exit_code == 2 and "is no prepared set" in said.output and "Traceback" not in said.output
    monkeypatch.delattr(compare.cv2.optflow, "DualTVL1OpticalFlow_create", raising=False)
    with pytest.raises(compare.MissingPartError, match="opencv-contrib-python"):
        compare.opencv()


def test_a_machine_without_opencvs_flow_or_films_measures_ours(rendered, monkeypatch):
    monkeypatch.setattr(compare, "SIDES", (64,))
    monkeypatch.setattr(compare, "BATCH", 3)
    monkeypatch.setenv("MER_EXAMPLES", "kept.npz")
    seen = warm.views()
    monkeypatch.setattr(examples, "movements", lambda: [Keyframes(seen[0], seen[1], seen[-1], 3.0, 1.5)])
    monkeypatch.setattr(compare.cv2.optflow, "DualTVL1OpticalFlow_create", None, raising=False)
    monkeypatch.delattr(compare.cv2.optflow, "DualTVL1OpticalFlow_create")
    monkeypatch.setattr(pairs, "recorded", lambda *_: pytest.fail("a film was read"))
    monkeypatch.setattr(pairs, "rendered", lambda folder: rendered)
    said = CliRunner().invoke(bench.main, ["flow"])
    assert said.exit_code == 0 and "2 pairs of faces" in said.output and "has no TV-L1 flow to compare with" in said.output
    assert "to ours, one core" in said.output and "ours, 3 at once" in said.output
