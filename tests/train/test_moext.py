from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from made_methods import settings_of

from realtime.errors import UsageError
from realtime.naming.inputs.moext import SIZE
from train.compute import predict
from train.data.samples import Samples
from train.export.network import compare, save_manifest, save_onnx
from train.methods.moext import training as moext
from train.methods.moext.network import (
    Answer,
    MoExt,
    MotionExtractor,
    PreTraining,
    onset_apex_loss,
    reconstruction,
    shape_texture_loss,
)
from train.watch import Watch

Model, Recipe = settings_of("moext")
SMALL = Model(width=0.125, size=56, fold=2, stages=2)
QUICK = Recipe(
    pretrain_epochs=1,
    epochs=1,
    batch=8,
    copies=1,
    lr=3e-3,
    pretrain_lr=1e-3,
    decay=True,
    views=2,
    mirror=True,
    recompute=False,
)


@pytest.fixture(scope="module")
def pairs():
    """24 micro- and 6 macro-expressions of blurred noise in which the upper, middle or lower third moves."""
    import cv2

    random = np.random.default_rng(0)
    onset = random.random((30, SIZE // 4, SIZE // 4, 3)).astype(np.float32)
    onset = np.stack([cv2.resize(x, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC).clip(0, 1) * 255 for x in onset])
    apex, label = onset.copy(), np.arange(30) % 3
    for picture, where in zip(apex, label):
        top = 20 + 70 * int(where)
        picture[top : top + 40, 30:190] = np.roll(picture[top : top + 40, 30:190], 5, axis=0)
    inputs = {name: x.transpose(0, 3, 1, 2).astype(np.uint8) for name, x in (("onset", onset), ("apex", apex))}
    kind = np.array(["micro"] * 24 + ["macro"] * 6)
    person = np.array([f"made/{k % 5}" for k in range(30)])
    return Samples(inputs, label, person, np.full(30, "made"), kind, np.arange(30).astype(str), ("a", "b", "c"))


class Heard(Watch):
    def __init__(self):
        self.stages, self.curves, self.said = [], [], []

    def begin(self, stage, epochs):
        self.stages.append((stage, epochs))

    def epoch(self, network=None, **scalars):
        self.curves.append((network is not None, scalars))

    def say(self, text):
        self.said.append(text)


def test_at_full_size_the_maps_and_table_2_are_the_papers():
    with torch.device("meta"):
        model = Model()
        network = MoExt(model, classes=3)
        frames = torch.zeros(2, 3, SIZE, SIZE)
        generic = network.generic(network.picture(frames))
        assert generic.shape == (2, 512, 14, 14)
        shape = network.shape(generic)
        assert network.motion(shape, shape).shape == (2, 512, 14, 14)
        assert network.features(shape, shape).shape == (2, 512)
        x, seen = torch.zeros(2, 1024, 1, 1), []
        for layer in reconstruction(model):
            x = layer(x)
            seen.append(tuple(x.shape[1:]))
    for rung in ((512, 8, 8), (512, 7, 7), (512, 14, 14), (256, 28, 28), (128, 56, 56), (64, 112, 112), (32, 112, 112)):
        assert rung in seen
    assert seen[-1] == (3, 224, 224)


@pytest.mark.parametrize("model", [SMALL, Model(width=0.125, size=112), Model(width=0.125, size=112, stages=3, fold=2)])
def test_a_smaller_network_takes_the_same_pictures_and_rebuilds_its_own(model):
    network = MoExt(model, classes=3)
    frames = torch.rand(2, 3, SIZE, SIZE) * 255
    assert network(frames, frames).shape == (2, 3)
    small = network.picture(frames)
    again, shape, texture = PreTraining(network, model)([small] * 2, [small] * 2)
    assert again.shape == small.shape and shape.shape == texture.shape == (4, 2, 64)
    assert again.min() >= 0


def test_motion_is_read_from_the_size_of_the_change_and_the_apex():
    extractor = MotionExtractor(4).eval()
    one, other = torch.rand(1, 4, 7, 7), torch.rand(1, 4, 7, 7)
    changed = other + (other - one)  # |S_a - S_o| is the same from here to `other` as from `one`
    torch.testing.assert_close(extractor(one, other), extractor(changed, other))
    assert (extractor(one, other) - extractor(other, one)).abs().max() > 1e-5


def test_shape_texture_loss_is_eq_6():
    shape, texture = torch.zeros(2, 1, 2), torch.zeros(2, 1, 2)
    shape[0, 0] = torch.tensor([3.0, 4.0])  # 5 from the anchor, 5 from its texture: the margin is missing
    texture[1, 0] = torch.tensor([0.0, 2.0])  # 0 from the anchor, 2 from its texture: nothing to pay
    assert shape_texture_loss(shape, texture, torch.zeros(2), margin=0.3).item() == pytest.approx(0.3 / 2, abs=1e-3)


def test_onset_apex_loss_is_eq_8():
    far = torch.tensor([[[0.0]], [[0.1]], [[1.0]], [[1.0]]])  # two views of an onset, two of its apex
    assert onset_apex_loss(far, margin=0.5).item() == pytest.approx(2 * 0.1 / 16, abs=1e-3)
    near = torch.zeros(4, 1, 1)
    assert onset_apex_loss(near, margin=0.5).item() == pytest.approx(8 * 0.5 / 16, abs=1e-3)


def test_an_expansion_set_is_the_frame_and_changed_ones_in_range():
    frame = torch.rand(2, 3, 8, 8)
    made = [change(frame) for change in moext.views(4, torch.Generator().manual_seed(0))]
    assert len(made) == 4 and made[0] is frame
    assert all((other - frame).abs().max() > 1e-3 for other in made[1:])
    assert sum(bool((other.std(1) < 1e-6).all()) for other in made) == 1  # black and white


def test_recomputing_changes_memory_and_not_the_gradients():
    network = MoExt(SMALL, classes=3)
    whole = PreTraining(network, SMALL).train()
    frames = [torch.rand(4, 3, 56, 56) for _ in range(4)]
    found = []
    for recompute in (False, True):
        whole.zero_grad()
        again, shape, texture = whole(frames[:2], frames[2:], recompute)
        (again.mean() + shape.square().mean() + texture.square().mean()).backward()
        found.append([p.grad.clone() for p in whole.parameters() if p.grad is not None])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)


def test_the_stages_are_told_and_the_same_seed_gives_the_same_network(pairs):
    heard = Heard()
    few = pairs[np.arange(0, 30, 2)]
    first, again, other = (predict(moext.fit(few, SMALL, QUICK, seed, heard), few) for seed in (1, 1, 2))
    assert heard.stages[:2] == [("pre-training", 1), ("training", 1)]
    assert [shown for shown, _ in heard.curves[:2]] == [False, True]
    assert set(heard.curves[0][1]) == {"reconstruction", "shape_texture", "onset_apex"}
    np.testing.assert_array_equal(first, again)
    np.testing.assert_allclose(first.sum(1), 1, atol=1e-5)
    assert np.abs(first - other).max() > 1e-4


def test_training_learns(pairs):
    recipe = replace(QUICK, epochs=10, rotate=2.0)
    micro = pairs.only("micro")
    network = moext.fit(pairs, SMALL, recipe, 0, Watch())
    assert (predict(network, micro).argmax(1) == micro.label).mean() > 0.7


@pytest.mark.parametrize("switch", ["pretrain", "contrastive", "motion_extractor", "macro"])
def test_each_ablation_trains(pairs, switch):
    heard = Heard()
    network = moext.fit(pairs[np.arange(0, 30, 3)], replace(SMALL, **{switch: False}), QUICK, 0, heard)
    assert predict(network, pairs[:2]).shape == (2, 3)
    if switch == "pretrain":
        assert heard.stages == [("training", 1)]
    if switch == "contrastive":
        assert set(heard.curves[0][1]) == {"reconstruction"}


def test_without_macro_expressions_it_says_so(pairs):
    heard = Heard()
    moext.fit(pairs.only("micro")[:8], SMALL, QUICK, 0, heard)
    assert "no macro-expressions" in heard.said[0]


def test_the_exported_network_agrees_with_torch_and_has_no_texture(pairs, tmp_path):
    network = moext.fit(pairs[np.arange(0, 30, 3)], SMALL, QUICK, 0, Watch())
    assert not any("texture" in key for key in network.state_dict())
    inputs = {name: array[:6].astype(np.float32) for name, array in pairs.inputs.items()}
    file = tmp_path / "moext.onnx"
    save_onnx(network, inputs, "probabilities", file)
    shapes = [{"name": name, "shape": [1, 3, SIZE, SIZE]} for name in inputs]
    about = {"name": "moext", "classes": list(pairs.classes), "inputs": shapes, "output": {"name": "probabilities"}}
    save_manifest(file, about, "")
    assert compare(network, inputs, file) <= 1e-4


def test_the_mirrored_answer_is_that_of_the_mirrored_face(pairs):
    network = Answer(MoExt(SMALL, classes=3), mirror=True).eval()
    frames = [torch.from_numpy(array[:3]).float() for array in pairs.inputs.values()]
    with torch.inference_mode():
        torch.testing.assert_close(network(*frames), network(*(frame.flip(-1) for frame in frames)))


@pytest.mark.parametrize(
    "wrong, said",
    [({"size": 100}, "model.size"), ({"fold": 3}, "model.fold"), ({"size": 56, "stages": 4}, "model.stages")],
)
def test_a_model_that_cannot_be_is_refused(wrong, said):
    with pytest.raises(UsageError, match=said):
        Model(**wrong).check()


def test_sets_for_pre_training_alone_are_all_that_it_sees(pairs, monkeypatch):
    alone = replace(pairs, pretraining=pairs.kind == "macro", label=np.where(pairs.kind == "macro", -1, pairs.label))
    seen = []
    batches = moext.batches
    monkeypatch.setattr(
        moext, "batches", lambda stage, network, samples, *rest: seen.append(set(samples.kind)) or batches(stage, network, samples, *rest)
    )
    moext.fit(alone, SMALL, QUICK, 0, Watch())
    assert seen == [{"macro"}, {"micro"}]
