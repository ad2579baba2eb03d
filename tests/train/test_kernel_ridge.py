from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from made_methods import settings_of
from sklearn.kernel_ridge import KernelRidge as Reference

from realtime.errors import UsageError
from train.compute import predict
from train.data.loaders.megc2019 import load_flow
from train.export.network import export
from train.methods.kernel_ridge import training as kernel_ridge
from train.methods.kernel_ridge.network import deformation, frequencies, kernel, movement, waves
from train.settings import chosen
from train.watch import Watch

Model, Recipe = settings_of("kernel_ridge")


@pytest.fixture(scope="module")
def maps(archive):
    return load_flow(archive, "flow_map")


def fit(samples, **switches):
    return kernel_ridge.fit(samples, Model(**switches), Recipe(), 0, Watch())


def test_the_equation_is_solved_as_scikit_learns():
    random = np.random.default_rng(0)
    label = np.repeat([0, 1, 2], [30, 12, 6])
    x = random.normal(size=(48, 9)) + 0.3 * label[:, None]
    recipe = Recipe(ridge=0.7, width=0.5)
    made = kernel_ridge.solved(torch.from_numpy(x), torch.from_numpy(label), torch.tensor([30, 12, 6]), recipe)
    target = np.where(np.eye(3)[label] == 1, 1.0, -0.5)
    gamma = 0.5 / (9 * x.var())
    reference = Reference(alpha=0.7, kernel="rbf", gamma=gamma)
    reference.fit(x, target, sample_weight=16 / np.array([30, 12, 6])[label])
    np.testing.assert_allclose(made[1].numpy(), reference.dual_coef_, atol=1e-8)
    assert made[2] == pytest.approx(gamma)


def test_it_learns_and_is_exported_and_read_again(maps, tmp_path):
    network = fit(maps)
    p = predict(network, maps)
    np.testing.assert_allclose(p.sum(1), 1, atol=1e-5)
    assert (p.argmax(1) == maps.label).mean() > 0.9
    assert export(network, maps, chosen("model=kernel_ridge", f"out={tmp_path}"), None, tmp_path) < 1e-4
    again = kernel_ridge.build(Model(), len(maps.classes))
    again.load_state_dict(network.state_dict())
    np.testing.assert_array_equal(predict(again, maps), p)


def test_a_face_and_its_mirror_image_get_the_same_answer(maps):
    network = fit(maps)
    full = torch.from_numpy(maps.inputs["full_face"])
    torch.testing.assert_close(network(full), network(kernel_ridge.mirror(full)), atol=1e-5, rtol=0)


def test_each_view_alone_says_something_else_and_both_are_averaged(maps):
    noisy = replace(maps, label=np.random.default_rng(2).permutation(maps.label))  # no view is sure of these
    both, first, second = (predict(fit(noisy, waves=0, **off), noisy) for off in ({}, {"deformation": False}, {"movement": False}))
    np.testing.assert_allclose(both, (first + second) / 2, atol=1e-6)
    assert np.abs(first - second).max() > 0.01


def test_a_head_that_moves_as_a_whole_leaves_the_deformation_alone():
    random = torch.Generator().manual_seed(0)
    flow = torch.randn(2, 3, 28, 28, generator=random)
    moved = flow + torch.tensor([0.4, -0.7, 0.0])[:, None, None]
    torch.testing.assert_close(deformation(moved, True), deformation(flow, True), atol=1e-5, rtol=1e-4)
    ramp = torch.arange(28.0).expand(1, 3, 28, 28)
    torch.testing.assert_close(deformation(ramp, False)[0].mean((1, 2)), torch.tensor([1.0, 0, 1, 0]))


def test_a_map_stretched_by_one_strong_pixel_is_brought_back():
    flow = torch.zeros(1, 3, 28, 28)
    flow[:, :, 4:8] = 1.0
    weaker = movement(flow / 3, True)
    assert (weaker / movement(flow, True)).min().nan_to_num(1) > 0.7  # 0.33 without
    assert movement(torch.zeros(1, 3, 28, 28), True).abs().max() == 0


def test_classes_that_were_not_seen_are_never_named_and_one_is_too_few(maps):
    some = maps[maps.label != 1]
    p = predict(fit(some), maps)
    assert p[:, 1].max() == 0
    with pytest.raises(UsageError, match="at least two classes, got surprise"):
        fit(maps[maps.label == 2])


def test_waves_stand_in_for_the_kernel_and_hold_no_training_map(maps):
    random = torch.Generator().manual_seed(1)
    x, y = torch.randn(20, 30, generator=random).double(), torch.randn(15, 30, generator=random).double()
    drawn = frequencies(30, 4000, 0.02, random)
    error = (waves(x, drawn) @ waves(y, drawn).T - kernel(x, y, 0.02)).abs().max()
    assert error < 0.06
    exact, near = fit(maps, waves=0), fit(maps)
    assert np.abs(predict(exact, maps) - predict(near, maps)).max() < 0.1
    rows = kernel_ridge.KernelRidge(Model(), 3).features("movement", torch.from_numpy(maps.inputs["full_face"]))
    kept = near.machines["movement"].frequencies.T  # as many columns as a map has numbers
    likeness = torch.nn.functional.normalize(kept, dim=1) @ torch.nn.functional.normalize(rows, dim=1).T
    assert likeness.abs().max() < 0.5


def test_one_view_must_be_on():
    with pytest.raises(UsageError, match="one must be on"):
        Model(movement=False, deformation=False).check()
    with pytest.raises(UsageError, match="fit.ridge"):
        Recipe(ridge=0).check()
