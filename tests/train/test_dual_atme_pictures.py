from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from made_methods import settings_of

from realtime.errors import UsageError
from train.compute import predict
from train.data import augment
from train.export.network import compare, save_manifest, save_onnx
from train.methods import takes
from train.methods.dual_atme.network import DualATME
from train.methods.dual_atme.training import fit
from train.settings import chosen
from train.watch import Watch

Model, Recipe = settings_of("dual_atme")
QUICK = Recipe(epochs=1, batch=30, mixup=0.2, shift=1.0, scale=0.1, rotate=0.1)


def test_the_data_decides_what_the_puzzle_is_cut_from():
    assert takes(chosen("model=dual_atme").model) == "dual_atme_map"
    assert takes(chosen("model=dual_atme", "data=casme2").model) == "dual_atme"
    assert takes(chosen("model=dual_atme", "data=casme2", "model.puzzle=map").model) == "dual_atme_map"
    with pytest.raises(UsageError, match="model.puzzle"):
        chosen("model=dual_atme", "model.puzzle=face")


def test_flow_maps_without_pictures_refuse_the_true_puzzle(archive):
    from train.data import load
    from train.settings import DataSettings

    with pytest.raises(UsageError, match="no pictures"):
        load(DataSettings("megc2019_flow", str(archive)), takes(Model(puzzle="picture")))


@pytest.mark.parametrize("off, less", [("hars", "puzzle"), ("aars", "full_face")])
def test_one_branch_is_left_where_the_other_is_off(samples, off, less, tmp_path):
    network = fit(samples, Model(**{off: False}, puzzle="picture"), QUICK, 0, Watch())
    assert network.network.classifier[1].in_features == 48 * 7 * 7
    assert (network.network.attention is None) == (off == "aars")
    here = predict(network, samples)
    without = replace(samples, inputs={**samples.inputs, less: samples.inputs[less] * 0})
    np.testing.assert_array_equal(here, predict(network, without))

    some = {name: array[:6] for name, array in samples.inputs.items()}
    file = tmp_path / "half.onnx"  # it takes both inputs still, so that it is asked as the whole one is
    save_onnx(network, some, "probabilities", file)
    specs = [{"name": name, "shape": [1, *array.shape[1:]]} for name, array in some.items()]
    about = {"name": "half", "classes": list("abc"), "inputs": specs, "output": {"name": "probabilities"}}
    save_manifest(file, about, "")
    assert compare(network, some, file) < 1e-4


def test_both_branches_are_the_papers_network():
    assert sum(p.numel() for p in DualATME(hars=True, aars=True).parameters()) == 4_833_193


def test_a_puzzle_of_its_own_is_learnt_from(samples):
    # only the puzzle tells the classes apart: had it been cut from the full face, nothing could be learnt
    blind = replace(samples, inputs={**samples.inputs, "full_face": samples.inputs["full_face"] * 0})
    network = fit(blind, Model(puzzle="picture"), Recipe(epochs=14, batch=10, mixup=0.0, shift=0.0, scale=0.0, rotate=0.0, balance=0.0), 0, Watch())
    assert (predict(network, blind).argmax(1) == blind.label).mean() > 0.8


def test_mirroring_takes_all_views_of_a_sample():
    full, pieces = torch.randn(32, 3, 28, 28), torch.randn(32, 3, 28, 28)
    first, second = augment.some_mirrored([full, pieces], torch.Generator().manual_seed(0))
    mirrored = (first != full).flatten(1).any(1)
    assert 5 < mirrored.sum() < 27
    assert (mirrored == (second != pieces).flatten(1).any(1)).all()


def test_pieces_move_inside_their_own_frames():
    image = torch.zeros(16, 3, 28, 28)
    image[:, :, :14, :14], image[:, :, :14, 14:], image[:, :, 14:] = 1, 2, 3
    moved = augment.affine_pieces(image, 4.0, 0.2, 0.2, torch.Generator().manual_seed(0))
    np.testing.assert_allclose(moved, image, atol=1e-5)
    noise = torch.randn(4, 3, 28, 28)
    still = augment.affine_pieces(noise, 0, 0, 0, torch.Generator().manual_seed(0))
    np.testing.assert_allclose(still, noise, atol=1e-4)
