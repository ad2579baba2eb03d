"""Real people named by a ladder of recipes: nobody is chosen for, calibrated or predicted by what has seen them."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from click.testing import CliRunner
from places import DATA

from train.bench.people import decoder, ladder
from train.bench.people.nested import nested
from train.bench.people.rendered import Maps, rendered
from train.methods.kernel_ridge.network import slopes
from train.methods.kernel_ridge.settings import Recipe

RECIPE = Recipe(ridge=1.0, width=1.0)
RUNGS = {"noise": ("noise",), "signal": ("signal",)}


@pytest.fixture(scope="module")
def known():
    """(views, label, person): 60 samples of 10 people, one view of two knows their label."""
    random = np.random.default_rng(0)
    label, person = np.arange(60) % 3, np.repeat([f"set/{i}" for i in range(10)], 6)
    signal = np.eye(3)[label] + random.normal(0, 0.3, (2, 60, 3))
    return {"noise": torch.from_numpy(random.normal(size=(2, 60, 3))), "signal": torch.from_numpy(signal)}, label, person


def test_the_others_choose_the_rung_that_knows_and_it_answers(known):
    views, label, person = known
    found = nested(views, RUNGS, label, person, person, RECIPE, 0)
    assert set(found.chosen) == {"signal"}
    np.testing.assert_array_equal(found.nested, found.rungs["signal"])
    assert (found.calibrated.argmax(1) == label).mean() > 0.85
    np.testing.assert_allclose(found.calibrated.sum(1), 1)


def test_what_is_true_of_a_person_changes_nothing_of_what_is_said_of_them(known):
    views, label, person = known
    before = nested(views, RUNGS, label, person, person, RECIPE, 0)
    own = person == "set/3"
    other = np.where(own, (label + 1) % 3, label)
    after = nested(views, RUNGS, other, person, person, RECIPE, 0)
    for name in ("nested", "calibrated"):
        np.testing.assert_array_equal(getattr(before, name)[own], getattr(after, name)[own])
    assert (before.chosen[own] == after.chosen[own]).all() and not np.array_equal(before.nested[~own], after.nested[~own])


def test_the_proportion_of_u_and_v_is_found_again_by_the_strain():
    y, x = np.mgrid[-1:1:28j, -1:1:28j]
    u, v = np.exp(-((x - 0.3) ** 2 + y**2) / 0.1), np.exp(-(x**2 + (y + 0.4) ** 2) / 0.05)
    flow = torch.from_numpy(np.stack([u, 1.8 * v])).float()[None]
    (u_x, u_y), (v_x, v_y) = (slopes(flow[:, i : i + 1]).split(1, 1) for i in (0, 1))
    strain = (u_x**2 + v_y**2 + 0.5 * (u_y + v_x) ** 2).sqrt()
    stretched = torch.cat([flow / flow.amax((2, 3), keepdim=True), 4 * strain], 1)
    found = ladder.in_proportion(stretched)
    ratio = found[0, 1].max() / found[0, 0].max()
    assert ratio == pytest.approx(1.8, rel=0.06)


@pytest.fixture(scope="module")
def maps(tmp_path_factory) -> Maps:
    """Of two portraits, three maps each; the bundled portrait, and it mirrored."""
    import cv2

    from train.synthesis import demo

    folder = tmp_path_factory.mktemp("portraits")
    for name, picture in (("a", demo.portrait()), ("b", demo.portrait()[:, ::-1])):
        cv2.imwrite(str(folder / f"{name}.png"), picture)
    return rendered(folder, 3, processes=1)


def test_rendered_maps_are_stretched_as_the_real_ones_and_know_their_movement(maps):
    assert maps.stretched.shape == (6, 28, 28, 3) and maps.looks.shape == (6, 2, 28, 28, 3) and list(np.unique(maps.person)) == ["a", "b"]
    assert (maps.stretched.min((1, 2)) == 0).all() and (maps.stretched.max((1, 2)) == 255).all()
    sizes = np.linalg.norm(maps.expression, axis=-1).max((1, 2))
    assert ((sizes > 0.1) & (sizes < 8)).all()


def test_the_decoder_learns_what_the_movement_was(maps):
    from train.bench.people.run import faces

    seen, truth = faces(maps.stretched).repeat(100, 1, 1, 1), torch.from_numpy(maps.expression).permute(0, 3, 1, 2).repeat(100, 1, 1, 1)
    network = decoder.trained(seen, truth, 0)
    right = decoder.wanted(truth)
    assert (network(seen) - right).square().mean() < 0.8 * right.square().mean()


@pytest.mark.skipif(not (DATA / "portraits").is_dir(), reason="no portraits")
def test_the_command_climbs_the_ladder_on_a_small_made_archive(archive, tmp_path, monkeypatch):
    from train.bench.cli import main
    from train.bench.people import rendered as rendered_maps
    from train.bench.people import run
    from train.synthesis import people

    few = people.portraits(DATA / "portraits")[:6]
    monkeypatch.setattr(people, "portraits", lambda folder: few)
    monkeypatch.setattr(decoder, "EPOCHS", 2)
    for module in (run, rendered_maps):
        monkeypatch.setattr(module, "HELD_OUT_FROM", 3)
    words = ["people", "--maps", str(archive), "--portraits", str(DATA / "portraits"), "--out", str(tmp_path)]
    result = CliRunner().invoke(main, [*words, "--seeds", "1", "--each", "8", "--jobs", "1"])
    assert result.exit_code == 0, result.output
    table = (tmp_path / "results-person.md").read_text("utf-8")
    assert all(f"| {name} |" in table for name in (*ladder.RUNGS, "nested")) and "before the stretch" in table


def test_too_few_portraits_and_no_maps_are_said_before_anything_is_rendered(archive, tmp_path):
    from train.bench.cli import main

    (tmp_path / "one.png").write_bytes(b"")
    for words, what in ((["--maps", str(archive)], "holds 1 portraits: 112 or more"), (["--maps", str(tmp_path / "none.npz")], "no data at")):
        result = CliRunner().invoke(main, ["people", *words, "--portraits", str(tmp_path), "--out", str(tmp_path / "out")])
        assert result.exit_code == 2 and what in result.output and not (tmp_path / "out").exists(), result.output
