"""The estimator of action units: pairs of views with known units, a network that is symmetric, and what is measured of it."""

import shutil

import numpy as np
import pytest
import torch

from engines.runtime import Network
from realtime.naming.inputs.displacement import POINTS
from realtime.origin import ROOT
from train.action_units import collect, export
from train.action_units.collect import OUTPUTS, SIDED, Pairs
from train.action_units.fit import calibrated, fit, logits, thresholds
from train.action_units.network import Exported, UnitsNetwork
from train.action_units.settings import Recipe
from train.bench.units import Told, by_unit, markdown, results
from train.measure.metrics import f1_of
from train.synthesis.expressions import express

RECIPE = Recipe(films=1, pairs=1, epochs=12, batch=32, lr=0.01, decay=0.0, width=16, dropout=0.0, louder=0.1, tremble=0.01)
MIRROR = np.arange(POINTS)[::-1].copy()  # good enough for what is no face


@pytest.fixture(scope="module")
def toy():
    """Pairs of which 17 moves all points of one half up and down, and R12 and L12 the first and the last ones."""
    random = np.random.default_rng(0)
    shown = np.zeros((400, len(OUTPUTS)), bool)
    moved = random.normal(0, 0.05, (400, 2, POINTS)).astype(np.float32)
    for name, points, way in (("R12", slice(0, 60), -1), ("L12", slice(-60, None), 1), ("17", slice(200, 268), 0)):
        there = shown[:, OUTPUTS.index(name)] = random.random(400) < 0.4
        moved[there, 0 if way else 1, points] += 1.0 * (way or -1)
    return Pairs(moved, shown, np.full(400, 0.01, np.float32), np.arange(400) % 5)


def test_what_is_shown_is_told_side_by_side():
    both = collect.shown(express("", {4: 1.0, 17: 1.0}, 0.02))
    assert [name for name, there in zip(OUTPUTS, both, strict=True) if there] == ["R4", "L4", "17"]
    one = collect.shown(express("", {12: 1.0}, 0.02, side="left"))
    assert [name for name, there in zip(OUTPUTS, one, strict=True) if there] == ["L12"] and not collect.shown(None).any()


def test_pairs_of_a_portrait_are_measured_and_come_out_the_same_again(tmp_path):
    shutil.copy(ROOT / "realtime/assets/astronaut.jpg", tmp_path)
    made, again = (collect.pairs_of(tmp_path, (0, 3, 4)) for _ in range(2))
    assert made.moved.shape == (3, 2, POINTS) and made.shown.shape == (3, len(OUTPUTS)) and np.isfinite(made.moved).all()
    np.testing.assert_array_equal(made.moved, again.moved)
    assert np.abs(made.moved[made.size > 0.01]).max() > 0.2  # hundredths of the outer-eye distance


def test_the_network_learns_the_sides_and_says_the_mirrored_of_a_mirror_image(toy):
    torch.set_num_threads(1)
    network = fit(toy, MIRROR, SIDED, RECIPE)
    said = logits(network, toy)
    for name in ("R12", "L12", "17"):
        place = OUTPUTS.index(name)
        assert f1_of(said[:, place] > 0, toy.shown[:, place]) > 0.95
    flipped = (toy.moved * np.array([[[-1], [1]]], np.float32))[:, :, MIRROR].copy()
    sides = [OUTPUTS.index({"R": "L", "L": "R"}.get(name[0], "") + name.lstrip("RL")) for name in OUTPUTS]
    np.testing.assert_allclose(logits(network, Pairs(flipped, toy.shown, toy.size, toy.person)), said[:, sides], atol=1e-4)


def test_a_confidence_is_calibrated_and_a_threshold_chosen_for_both_sides():
    random = np.random.default_rng(1)
    shown = random.random((2000, len(OUTPUTS))) < 0.3
    odds = np.where(shown, 1.0, -1.0) + random.normal(0, 1.0, shown.shape)
    slope, shift = calibrated(4 * odds + 2, shown, SIDED)  # too sure of itself, and of too much
    sure = 1 / (1 + np.exp(-(slope * (4 * odds + 2) + shift)))
    assert sure[(sure > 0.6) & (sure < 0.8)].mean() == pytest.approx(shown[(sure > 0.6) & (sure < 0.8)].mean(), abs=0.04)
    least = thresholds(sure, shown, SIDED)
    assert least[0] == least[1] and least.min() >= 0.3 and 0.3 <= least[-1] <= 0.6


def test_what_is_exported_is_what_torch_says(toy, tmp_path):
    network = Exported(UnitsNetwork(MIRROR, SIDED, len(OUTPUTS) - 2 * SIDED, width=8), np.ones(len(OUTPUTS)), np.zeros(len(OUTPUTS))).eval()
    some = toy[:70]
    assert export.export(network, toy, some, np.full(len(OUTPUTS), 0.5), tmp_path) < 1e-5
    assert tuple(Network(tmp_path / "action_units.onnx", engine="cpu").classes) == OUTPUTS
    assert "no FACS coder" in (tmp_path / "action_units.md").read_text("utf-8")


def test_f1_is_counted_over_units_and_sides_apart():
    told = [Told(by_unit(said), by_unit(true)) for said, true in ((["4", "L12"], ["4", "L12"]), (["4"], ["12"]), (["12"], ["R12"]), ([], []))]
    rows = results(told)
    assert rows["12"] == {"shown": 3, "precision": 1.0, "recall": pytest.approx(2 / 3), "f1": pytest.approx(0.8), "side": 0.5}
    assert rows["4"]["f1"] == pytest.approx(2 / 3) and "4 movements; of 50 %" in markdown(told) and "In 1 no unit moved: of 0" in markdown(told)
