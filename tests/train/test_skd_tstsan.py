from dataclasses import replace

import numpy as np
import pytest
import torch
from made_methods import settings_of
from places import DATA

from realtime.errors import UsageError
from train.compute import predict
from train.data.grouping import EMOTIONS
from train.data.samples import Samples
from train.export.network import save_onnx
from train.methods.moext.magnification import NOT_PUBLISHED, Magnifier
from train.methods.skd_tstsan import training as method
from train.methods.skd_tstsan.network import ECA, SKDTSTSAN, Shift
from train.watch import Watch

MAGNET = DATA.parent / "weights/magnet.pth"
Model, Recipe = settings_of("skd_tstsan")
SHORT = Recipe(pretrain_iterations=0, iterations=3, batch=4)


@pytest.fixture(scope="module")
def published():
    """A made-up magnification network in the form of magnet.pth: RGB, parts that no stream uses, no motion_cba."""
    torch.manual_seed(0)
    weights = {key: weight for key, weight in Magnifier(3).state_dict().items() if key != NOT_PUBLISHED}
    unused = ("encoder.texture_cba.conv2d.weight", "decoder.cba_2.conv2d.weight")
    return weights | dict.fromkeys(unused, torch.zeros(1))


@pytest.fixture(scope="module")
def magnet(published, tmp_path_factory):
    file = tmp_path_factory.mktemp("weights") / "magnet.pth"
    torch.save(published, file)
    return str(file)


def samples(fields=2, count=12, macro=0):
    """Three classes, told apart by where the flow of the first field points down."""
    random = np.random.default_rng(0)
    label = np.arange(count) % 3
    stack = random.uniform(0.4, 0.6, (count, 34 + 2 * fields, 48, 48)).astype(np.float32)
    for row, name in enumerate(label):
        stack[row, 35, 16 * name : 16 * name + 16] += 0.4
    kind = np.array(["macro"] * macro + ["micro"] * (count - macro))
    person = np.array([f"made/{row // 3}" for row in range(count)])
    classes = ("negative", "positive", "surprise")
    return Samples({"stack": stack}, label, person, np.full(count, "made"), kind, person, classes)


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_the_network_has_the_papers_parameters():
    network = SKDTSTSAN(classes=5)
    magnifiers = count(network.magnifiers)
    auxiliary = sum(count(stream.auxiliary) for stream in network.streams.values()) + count(network.classifiers[1:])
    assert (magnifiers, auxiliary, count(network)) == (566_320, 1_335_582, 2_946_214)


@pytest.mark.skipif(not MAGNET.is_file(), reason=f"no {MAGNET}")
def test_every_published_weight_finds_its_place():
    file = torch.load(MAGNET, weights_only=True)
    wanted = {key for key in file if not key.startswith(("encoder.texture_", "decoder."))}
    for channels in (1, 2, 16):
        magnifier = Magnifier(channels)
        magnifier.load_published(MAGNET)
        own = magnifier.state_dict()
        assert own.keys() - wanted == {NOT_PUBLISHED} and not wanted - own.keys()
        same = {key for key in wanted if own[key].shape == file[key].shape and torch.equal(own[key], file[key])}
        assert wanted - same == {"encoder.cba_1.conv2d.weight"}


def test_a_grey_picture_is_encoded_as_the_published_network_does(magnet):
    grey, rgb = Magnifier(1), Magnifier(3)
    grey.load_published(magnet)
    rgb.load_state_dict(torch.load(magnet, weights_only=True), strict=False)
    picture = torch.rand(1, 1, 16, 16)
    torch.testing.assert_close(grey.encoder(picture), rgb.encoder(picture.expand(-1, 3, -1, -1)))


def test_every_block_reaches_the_filters_in_its_own_way(magnet):
    blocks = Magnifier(16)
    blocks.load_published(magnet)
    weight = blocks.encoder.cba_1.conv2d.weight
    shares = torch.einsum("oihw,ohw->io", weight, weight.abs().mean(1))  # any number that shows the sign of each filter
    patterns = {tuple((share > 0).tolist()) for share in shares}
    assert len(patterns) == 16


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda weights: weights.pop("manipulator.g.conv2d.weight"), "has no 'manipulator.g.conv2d.weight'"),
        (lambda weights: weights.update({"manipulator.g.conv2d.weight": torch.zeros(2)}), "manipulator.g.*expected"),
        (lambda weights: weights.update({"head.weight": torch.zeros(2)}), "'head.weight' has no place"),
    ],
)
def test_weights_that_do_not_fit_are_refused_by_name(published, tmp_path, change, says):
    weights = dict(published)
    change(weights)
    torch.save(weights, tmp_path / "magnet.pth")
    with pytest.raises(UsageError, match=says):
        Magnifier(1).load_published(tmp_path / "magnet.pth")


def test_missing_or_broken_weights_are_one_clear_line(tmp_path):
    with pytest.raises(UsageError, match="put magnet.pth there"):
        Magnifier(1).load_published(tmp_path / "magnet.pth")
    (tmp_path / "magnet.pth").write_bytes(b"not a zip")
    with pytest.raises(UsageError, match="no file of weights"):
        Magnifier(1).load_published(tmp_path / "magnet.pth")


def test_what_does_not_move_is_not_magnified(magnet):
    magnifier = Magnifier(1, amplification=20)
    magnifier.load_published(magnet)
    picture = torch.rand(2, 1, 16, 16)
    torch.testing.assert_close(magnifier(picture, picture), magnifier.encoder(picture))  # Eq. 1: M_a + h(0)
    zero = torch.zeros(2, 1, 16, 16)
    torch.testing.assert_close(magnifier(zero, picture), magnifier(None, picture))


def test_shift_brings_an_eighth_from_either_side():
    x = torch.arange(3.0).repeat(2).view(6, 1, 1, 1).expand(6, 16, 1, 1) + 1  # two samples; domains hold 1, 2, 3
    out = Shift(3)(x)[:3, :, 0, 0]
    assert out[:, 0].tolist() == [2, 3, 0] and out[:, 2].tolist() == [0, 1, 2] and out[:, 4].tolist() == [1, 2, 3]
    assert (out[:, 1] == out[:, 0]).all() and (out[:, 3] == out[:, 2]).all() and (out[:, 4:] == out[:, 4:5]).all()


def test_attention_has_the_papers_reach():
    assert [ECA(channels).across.kernel_size[0] for channels in (64, 128)] == [3, 5]


@pytest.mark.parametrize("evened, alpha", [(False, 0.3), (True, 1.0)])
def test_joint_loss_is_equation_10(evened, alpha):
    logits = [torch.tensor(z, requires_grad=True) for z in ([[2.0, 0.0, -1.0]], [[0.5, 0.2, 0.1]], [[0.0, 1.0, 0.0]])]
    features = [torch.tensor([[f, 1.0]], requires_grad=True) for f in (1.0, 3.0, 0.5)]
    target, weight = torch.tensor([[0.0, 1.0, 0.0]]), torch.tensor([0.2, 0.3, 0.5])
    recipe = Recipe(distil_share=0.1, distil_features=0.01, temperature=3.0, gamma=2.0, evened=evened)

    def softmax(z, t=1.0):
        e = np.exp(np.array(z) / t)
        return e / e.sum()

    z = [logit.detach().numpy()[0] for logit in logits]
    from_labels = [-alpha * ((1 - softmax(x)[1]) ** 2) * np.log(softmax(x)[1]) for x in z]
    teacher = softmax(z[0], 3)
    from_teacher = [9 * (teacher * np.log(teacher / softmax(x, 3))).sum() for x in z]
    expected = from_labels[0] + sum(0.9 * from_labels[i] + 0.1 * from_teacher[i] + 0.01 * distance for i, distance in ((1, 4.0), (2, 0.25)))
    loss = method.joint_loss(logits, features, target, weight, recipe)
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    loss.backward()
    assert features[0].grad is None and features[1].grad is not None  # the teacher is not taught by its pupils


def test_rare_classes_weigh_more_and_absent_ones_nothing():
    assert method.class_weights(np.array([0, 0, 0, 1]), 3) == pytest.approx([0.25, 0.75, 0])


def test_a_mirrored_stack_is_that_of_a_mirrored_face():
    from realtime.naming.inputs.skd_tstsan import _blocks

    face = np.random.default_rng(0).random((128, 128)).astype(np.float32)
    stack, wanted = torch.rand(1, 38, 48, 48), torch.from_numpy(np.stack(_blocks(face[:, ::-1].copy())))
    stack[0, 2:18] = torch.from_numpy(np.stack(_blocks(face)))
    flipped = method.mirrored(stack)
    torch.testing.assert_close(flipped[0, 2:18], wanted)
    torch.testing.assert_close(flipped[0, 34], 1 - stack[0, 34].flip(-1))
    torch.testing.assert_close(flipped[0, 35], stack[0, 35].flip(-1))


def test_training_learns_and_exports(magnet, tmp_path):
    class Losses(Watch):
        seen: list = []

        def epoch(self, network=None, **scalars):
            self.seen.append(scalars["loss"])

    made = samples(count=6)
    recipe = replace(SHORT, iterations=10, batch=6, frozen=True, mirror=True, decay=True)
    network = method.fit(made, Model(magnet=magnet), recipe, 0, Losses())
    scores = predict(network, made)
    assert len(Losses.seen) == 10 and Losses.seen[-1] < 0.2 * Losses.seen[0]
    assert count(network) == 2_946_214 - 1_335_582 - 2 * 385  # auxiliaries gone, three classes instead of five
    assert not network.training

    import onnxruntime

    save_onnx(network, made.inputs, "probabilities", tmp_path / "skd.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "skd.onnx", providers=["CPUExecutionProvider"])
    found = [session.run(None, {"stack": made.inputs["stack"][row : row + 1]})[0][0] for row in range(3)]
    np.testing.assert_allclose(found, scores[:3], atol=1e-4)


@pytest.mark.parametrize(
    "switches",
    [*({part: False} for part in ("magnify", "eca", "shift", "distil")), {"fields": 5}, {"fields": 5, "shift": False}],
    ids=str,
)
def test_each_part_can_be_left_out(magnet, switches):
    model = Model(magnet=magnet, **switches)
    made = samples(model.fields, count=5)
    network = method.fit(made, model, replace(SHORT, iterations=1, batch=5), 0, Watch())
    assert predict(network, made).shape == (5, 3)


def test_pretraining_sees_macro_expressions_alone_and_may_be_absent(magnet):
    class Told(Watch):
        said: list = []

        def begin(self, stage, epochs):
            self.said.append((stage, epochs))

        def epoch(self, network=None, **scalars):
            self.said.append(network is not None)

        def say(self, text):
            self.said.append(text)

    recipe = replace(SHORT, pretrain_iterations=1, iterations=1, frozen=True)
    method.fit(samples(count=12, macro=4), Model(magnet=magnet), recipe, 0, Told())
    assert Told.said == [("pre-training", 1), False, ("training", 1), True]
    Told.said.clear()
    method.fit(samples(count=4), Model(magnet=magnet), recipe, 0, Told())
    said, *after = Told.said
    assert said.startswith("warning: 0 macro-expressions") and "data.pretrain=[prepared/ckplus]" in said and after == [("training", 1), True]


def test_the_same_seed_gives_the_same_network(magnet):
    made = samples(count=8)
    first, again = (predict(method.fit(made, Model(magnet=magnet), SHORT, 7, Watch()), made) for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_samples_of_another_number_of_fields_are_refused(magnet):
    with pytest.raises(UsageError, match="skd_tstsan_5"):
        method.fit(samples(fields=2), Model(magnet=magnet, fields=5), SHORT, 0, Watch())


@pytest.mark.parametrize("wrong", [Model(fields=3), Model(dropout=1.0), Recipe(batch=1), Recipe(temperature=0)])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(UsageError, match="out of range"):
        wrong.check()


def test_a_set_for_pre_training_alone_is_learnt_by_its_own_emotions(magnet):
    """CK+ has seven, whatever is told apart afterwards (Sec. 4.2)."""
    made = samples(count=24, macro=12)
    emotions = np.array([*(EMOTIONS[row % 7] for row in range(12)), *["others"] * 12])
    of_seven = replace(made, emotion=emotions, label=np.where(np.arange(24) < 12, -1, made.label), pretraining=np.arange(24) < 12)
    seen = []

    class Classes(Watch):
        def begin(self, stage, epochs):
            seen.append(stage)

    recipe = replace(SHORT, pretrain_iterations=2, iterations=2, frozen=True)
    before = method._before(of_seven)
    assert len(before) == 12 and len(before.classes) == 7 and before.label.min() == 0
    network = method.fit(of_seven, Model(magnet=magnet), recipe, 0, Classes())
    assert seen == ["pre-training", "training"] and predict(network, made.only("micro")).shape == (12, 3)


@pytest.mark.parametrize("eca", [True, False])
def test_the_first_map_that_is_explained_is_the_fourth_convolution_of_the_s_stream(eca):
    """Figure 7."""
    stream = method.build(Model(eca=eca, magnify=False), 3).network.streams["S"]
    layers = [name for name, part in stream.named_modules() if isinstance(part, (torch.nn.Conv2d, torch.nn.ReLU)) and name.startswith("blocks")]
    (layer, picture), *_ = method.LAYERS.values()
    assert layer == f"network.streams.S.{layers[7]}" and picture == "face"  # its ReLU, the eighth of convolutions and ReLUs


def test_each_classifier_stands_on_as_much_of_the_network_as_its_name_says():
    """Table 7. Without model.auxiliary only the deepest is left."""
    torch.manual_seed(0)
    kept = method.build(Model(auxiliary=True, magnify=False), 3).eval()
    stack = torch.rand(2, 38, 48, 48)
    assert list(method.build(Model(magnify=False), 3).eval().answers(stack)) == [""]
    before = kept.answers(stack)
    torch.testing.assert_close(before[""], kept(stack))
    for block, unchanged in ((2, {"1of3", "2of3"}), (1, {"1of3"}), (0, set())):
        with torch.no_grad():
            for stream in kept.network.streams.values():
                for weight in stream.blocks[block].parameters():
                    weight.mul_(1.5)
            after = kept.answers(stack)
        assert {name for name in after if torch.equal(after[name], before[name])} == unchanged
