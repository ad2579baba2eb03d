import numpy as np
import pytest

torch = pytest.importorskip("torch")

from made_methods import settings_of

from realtime.naming.inputs.face import as_batch
from realtime.naming.inputs.flow_map import normalise
from train.compute import predict
from train.data import augment
from train.methods.dual_atme import network as losses
from train.methods.dual_atme.network import DualATME
from train.methods.dual_atme.training import Answer, fit
from train.watch import Watch

Model, Recipe = settings_of("dual_atme")


def test_dual_atme_has_the_papers_size_and_shapes():
    network = DualATME(classes=3)
    assert sum(parameter.numel() for parameter in network.parameters()) == 4_833_193
    logits, v_e, v_p = network(torch.randn(2, 3, 28, 28), torch.randn(2, 3, 28, 28))
    assert logits.shape == (2, 3) and v_e.shape == v_p.shape == (2, 48, 7, 7)


def test_attention_is_on_the_full_face_only():
    network = DualATME()
    with torch.no_grad():
        network.attention.spatial.bias.fill_(-100)  # shut: nothing passes
    _, v_e, v_p = network.eval()(torch.randn(1, 3, 28, 28), torch.randn(1, 3, 28, 28))
    assert v_e.abs().max() < 1e-6 < v_p.abs().max()


def test_focal_is_cross_entropy_at_gamma_0_and_less_for_easy_samples():
    logits, label = torch.tensor([[4.0, 0, 0], [0, 0, 0]]), torch.tensor([0, 1])
    target = torch.nn.functional.one_hot(label, 3).float()
    expected = torch.nn.functional.cross_entropy(logits, label)
    assert losses.focal(logits, target, gamma=0) == pytest.approx(expected.item())
    p = torch.softmax(logits, 1)[[0, 1], label]
    assert losses.focal(logits, target, gamma=2) == pytest.approx((-((1 - p) ** 2) * p.log()).mean().item())


def test_dissimilarity_is_one_less_the_cosine():
    v = torch.randn(3, 4, 2, 2)
    assert losses.dissimilarity(v, 5 * v) == pytest.approx(0, abs=1e-6)
    assert losses.dissimilarity(v, -v) == pytest.approx(2, abs=1e-6)


def test_training_cuts_the_same_puzzle_as_serving(samples):
    full = torch.from_numpy(samples.inputs["full_face"])
    np.testing.assert_allclose(augment.puzzle(full).numpy(), samples.inputs["puzzle"], atol=1e-5)


def test_mirroring_a_normalised_map_is_normalising_the_mirrored_flow():
    flow = np.random.default_rng(0).uniform(0, 255, (28, 28, 3)).astype(np.float32)
    mirrored = flow[:, ::-1].copy()
    mirrored[..., 0] = 255 - mirrored[..., 0]
    expected = as_batch(normalise(mirrored))
    found = augment.mirror(torch.from_numpy(as_batch(normalise(flow))))
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-5)


def test_affine_without_movement_changes_nothing_and_a_shift_shifts():
    image, random = torch.randn(4, 3, 28, 28), torch.Generator().manual_seed(0)
    np.testing.assert_allclose(augment.affine(image, 0, 0, 0, random), image, atol=1e-4)
    spot = torch.zeros(64, 3, 28, 28)
    spot[:, :, 14, 14] = 1
    rows = augment.affine(spot, 2, 0, 0, random).sum(3).argmax(2)
    assert {11, 12, 13} & set(rows.flatten().tolist()) and rows.min() >= 11 and rows.max() <= 17


def test_mixing_keeps_labels_that_sum_to_one():
    target = torch.eye(3).repeat(4, 1)
    image, mixed = augment.mix([torch.randn(12, 3, 28, 28), target], 0.4, torch.Generator().manual_seed(0))
    np.testing.assert_allclose(mixed.sum(1), 1, atol=1e-6)
    assert (mixed.max(1).values < 0.99).any() and image.shape == (12, 3, 28, 28)


def test_the_same_seed_gives_the_same_network_whatever_the_recipe_holds(samples):
    recipe = Recipe(epochs=1, mixup=0.2, shift=0.5, scale=0.02, rotate=0.02, balance=1, weight_decay=0.01)
    first, again, other = (predict(fit(samples, Model(), recipe, seed, Watch()), samples) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    np.testing.assert_allclose(first.sum(1), 1, atol=1e-5)
    assert np.abs(first - other).max() > 1e-3


def test_training_learns(samples):
    network = fit(samples, Model(), Recipe(epochs=14, batch=10, shift=0.5, mixup=0.0, scale=0.0, rotate=0.0, balance=0.0), 0, Watch())
    assert (predict(network, samples).argmax(1) == samples.label).mean() > 0.8


def test_the_exported_graph_averages_both_faces(samples):
    network = DualATME().eval()
    full, puzzle = torch.from_numpy(samples.inputs["full_face"]), torch.from_numpy(samples.inputs["puzzle"])
    with torch.inference_mode():
        one = network(full, puzzle)[0].softmax(1)
        other = network(augment.mirror(full), augment.mirror(puzzle))[0].softmax(1)
        np.testing.assert_allclose(Answer(network, mirror=True)(full, puzzle), (one + other) / 2, atol=1e-5)
