from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")


from made_methods import settings_of

from realtime.errors import UsageError
from train.compute import predict
from train.data.cut import apex_by_algorithm_1
from train.data.samples import Samples
from train.methods.sa_at import network as models
from train.methods.sa_at import settings as recipes
from train.methods.sa_at import teachers
from train.methods.sa_at import training as method
from train.methods.sa_at.style_network import STYLES, StyleAggregation
from train.methods.sa_at.style_training import fit_style, save_style
from train.settings import chosen
from train.watch import Watch

Model, Recipe = settings_of("sa_at")
SMALL = dict(size=32, width=4, teacher_depth=14, student_depth=8, style_width=2, style_blocks=0, styles=["grey", "light"])
SHORT = dict(
    teacher_epochs=2,
    teacher_batch=8,
    teacher_lr=0.01,
    epochs=2,
    batch=8,
    lr=0.01,
    decay=True,
    weight_decay=0.01,
    mirror=True,
    recompute=False,
    style_iterations=2,
    style_batch=2,
    shift=0.01,
    scale=0.02,
    rotate=0.02,
)


class Told(Watch):
    def __init__(self):
        self.stages, self.said, self.networks = [], [], []

    def begin(self, stage, epochs):
        self.stages.append(stage)

    def epoch(self, network=None, **scalars):
        self.networks.append(network)

    def say(self, text):
        self.said.append(text)


@pytest.fixture(scope="module")
def samples():
    """Faces whose brows darken, mouth lightens or cheek darkens at the apex: told apart by the difference only."""
    random = np.random.default_rng(0)
    label = np.arange(36) % 3
    coarse = random.integers(60, 190, (36, 3, 32, 32))
    onset = coarse.repeat(8, 2).repeat(8, 3)
    apex = onset.copy()
    places = (slice(20, 70), 40), (slice(170, 230), -40), (slice(100, 150), 40)
    for row in range(36):
        rows, by = places[label[row]]
        apex[row, :, rows, 60:200] += by
    kind = np.where(np.arange(36) < 24, "micro", "macro")
    names = np.array([f"c{row}" for row in range(36)])
    person = np.array([f"made/{row // 6}" for row in range(36)])
    inputs = {"apex": apex.astype(np.uint8), "onset": onset.astype(np.uint8)}
    return Samples(inputs, label, person, np.array(["made"] * 36), kind, names, ("negative", "positive", "surprise"))


def test_the_resnets_are_he_et_als_and_their_maps_can_be_compared():
    sizes = {depth: sum(p.numel() for p in models.ResNet(3, 10, depth).parameters()) for depth in (20, 110)}
    assert sizes == {20: 269_722, 110: 1_727_962}
    x = torch.randn(2, 6, 32, 32)
    deep, shallow = (models.ResNet(6, 3, depth, width=4)(x) for depth in (20, 8))
    assert [tuple(m.shape) for m in deep[1]] == [tuple(m.shape) for m in shallow[1]] == [(2, 1024), (2, 256), (2, 64)]


def test_attention_is_equations_2_and_4():
    features = torch.tensor([[[[1.0, -2.0]], [[-3.0, 2.0]]]])  # (1, 2, 1, 2): sums of sizes 4 and 4
    np.testing.assert_allclose(models.attention(features), [[0.5**0.5, 0.5**0.5]], atol=1e-6)
    one, other = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    assert models.attention_transfer([one, one], [other, other]) == pytest.approx(2**0.5, abs=1e-5)
    assert models.attention_transfer([one], [one]) == pytest.approx(0, abs=1e-5)


def test_recomputed_blocks_give_the_same_gradients():
    x = torch.randn(4, 3, 16, 16)
    found = []
    for recompute in (False, True):
        torch.manual_seed(0)
        network = models.ResNet(3, 3, 14, 4, recompute).train()
        network(x)[0].square().sum().backward()
        found.append([p.grad.clone() for p in network.parameters()])
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_the_papers_input_is_the_apex_alone_and_a_change_of_light_is_no_difference():
    apex, onset = torch.rand(2, 2, 3, 256, 256) * 200
    alone, both = models.Front(64, difference=False), models.Front(64, difference=True)
    assert alone(apex).shape == (2, 3, 64, 64)
    assert both(apex, onset).shape == (2, 6, 64, 64)
    np.testing.assert_allclose(both(apex, onset)[:, 3:], both(apex, onset + 20)[:, 3:], atol=1e-3)
    assert both(apex, apex)[:, 3:].abs().max() < 0.01  # a still face stays still


def test_styles_are_pictures_and_the_aggregated_one_is_their_mean():
    assert tuple(STYLES) == recipes.STYLES
    picture = torch.rand(2, 3, 32, 32) * 2 - 1
    for style in STYLES.values():
        made = style(picture)
        assert made.shape == picture.shape and -1.001 <= made.min() and made.max() <= 1.001
    assert (STYLES["light"](picture).mean() > picture.mean() + 0.2) and STYLES["sketch"](picture * 0).min() > 0.99
    network = StyleAggregation(["grey", "light"], width=2, blocks=1)
    parts = [generator(picture) for generator in network.generators.values()]
    np.testing.assert_allclose(network(picture).detach(), ((parts[0] + parts[1]) / 2).detach(), atol=1e-6)


def test_a_generator_learns_its_style(samples):
    model = Model(**SMALL | {"styles": ["light"], "style_width": 4})
    recipe = Recipe(style_iterations=60, style_batch=4, style_lr=5e-3, cycle=4)
    style = fit_style(samples, model, recipe, 0, Watch())
    face = models.reduced(torch.from_numpy(samples.inputs["apex"]).float(), 32)
    wanted = STYLES["light"](face)
    assert (style(face) - wanted).abs().mean() < 0.6 * (face - wanted).abs().mean()


def test_training_learns_from_the_difference_and_the_export_agrees(samples, tmp_path):
    import onnxruntime

    from train.export.network import save_onnx

    told = Told()
    recipe = Recipe(**SHORT | {"epochs": 25, "chunk": 4, "mixup": 0.1, "balance": 0.5})
    network = method.fit(samples, Model(**SMALL), recipe, 0, told)
    assert told.stages == ["style grey", "style light", "teacher", "training"]
    assert "style_file" in told.said[0] and told.networks[-1] is network and not network.training
    scores = predict(network, samples)
    np.testing.assert_allclose(scores.sum(1), 1, atol=1e-5)
    assert (scores.argmax(1) == samples.label).mean() > 0.8
    inputs = {name: array.astype(np.float32) for name, array in samples.inputs.items()}
    save_onnx(network, inputs, "probabilities", tmp_path / "sa_at.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "sa_at.onnx", providers=["CPUExecutionProvider"])
    rows = [{name: array[row : row + 1] for name, array in inputs.items()} for row in range(6)]
    found = [session.run(None, row)[0][0] for row in rows]
    np.testing.assert_allclose(found, scores[:6], atol=1e-4)


def test_the_papers_input_is_trained_and_exported_without_the_onset(samples, tmp_path):
    import onnxruntime

    from train.export.network import save_onnx

    model = Model(**SMALL | {"input": "apex"})
    assert (method.kind(model), method.kind(Model())) == ("sa_at_apex", "sa_at")
    alone = replace(samples, inputs={"apex": samples.inputs["apex"]})
    network = method.fit(alone, model, Recipe(**SHORT), 0, Watch())
    inputs = {"apex": samples.inputs["apex"][:1].astype(np.float32)}
    save_onnx(network, inputs, "probabilities", tmp_path / "sa_at.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "sa_at.onnx", providers=["CPUExecutionProvider"])
    assert [node.name for node in session.get_inputs()] == ["apex"]
    np.testing.assert_allclose(session.run(None, inputs)[0], network(torch.from_numpy(inputs["apex"])), atol=1e-4)


def test_the_switches_and_what_is_missing(samples):
    recipe, told = Recipe(**SHORT), Told()
    micro = samples.only("micro")
    bare = Model(**SMALL | {"style": False})
    network = method.fit(micro, bare, recipe, 0, told)
    assert told.stages == ["training"] and "no teacher" in told.said[0] and network.front.style is None
    told = Told()
    alone = method.fit(samples, Model(**SMALL | {"style": False, "transfer": False}), recipe, 0, told)
    assert told.stages == ["training"] and not told.said
    # without a teacher macro-expressions teach the student nothing; with one they do
    np.testing.assert_array_equal(predict(network, micro), predict(alone, micro))
    drawn = method.fit(samples, bare, recipe, 0, Watch())
    assert np.abs(predict(drawn, micro) - predict(alone, micro)).max() > 1e-6
    again = method.fit(samples, bare, recipe, 0, Watch())
    np.testing.assert_array_equal(predict(drawn, micro), predict(again, micro))


def test_generators_come_from_their_file_and_another_files_are_refused(samples, tmp_path):
    model, recipe, told = Model(**SMALL), Recipe(**SHORT), Told()
    style = fit_style(samples, model, recipe, 0, Watch())
    file = tmp_path / "style.safetensors"
    save_style(style, samples, file)
    network = method.fit(samples, Model(**SMALL | {"style_file": str(file)}), recipe, 0, told)
    assert told.stages == ["teacher", "training"]
    for key, value in style.state_dict().items():
        assert torch.equal(network.front.style.state_dict()[key], value)
    with pytest.raises(UsageError, match="grey, light of width 8"):
        method.fit(samples, Model(**SMALL | {"style_file": str(file), "style_width": 8}), recipe, 0, Watch())
    fold = samples[samples.person != "made/0"]
    with pytest.raises(UsageError, match="1 people who are not trained on .made/0"):
        method.fit(fold, Model(**SMALL | {"style_file": str(file)}), recipe, 0, Watch())


def test_each_fold_takes_the_generators_that_were_made_without_its_people(samples, tmp_path):
    model, recipe, folder = Model(**SMALL), Recipe(**SHORT), tmp_path / "style"
    folds = {out: samples[samples.person != out] for out in ("made/0", "made/1")}
    styles = {out: fit_style(fold, model, recipe, seed, Watch()) for seed, (out, fold) in enumerate(folds.items())}
    for out, style in styles.items():
        save_style(style, folds[out], folder / f"{out.replace('/', '-')}.safetensors")
    for out, style in styles.items():
        network = method.fit(folds[out], Model(**SMALL | {"style_file": str(folder)}), recipe, 0, Watch())
        assert all(torch.equal(network.front.style.state_dict()[key], value) for key, value in style.state_dict().items())
    two_out = samples[~np.isin(samples.person, list(folds))]
    with pytest.raises(UsageError, match="none of the 2 files .*stage=style"):
        method.fit(two_out, Model(**SMALL | {"style_file": str(folder)}), recipe, 0, Watch())
    for absent in (tmp_path / "stile", tmp_path / "style.safetensors"):
        with pytest.raises(UsageError, match="no such file or folder"):
            method.fit(samples, Model(**SMALL | {"style_file": str(absent)}), recipe, 0, Watch())


def test_generators_of_every_fold_are_made_once_and_used_by_leave_one_subject_out(small_sets, tmp_path):
    from click.testing import CliRunner

    from train.cli import main

    small = ["model.size=32", "model.width=2", "model.teacher_depth=8", "model.student_depth=8", "model.style_width=2", "model.style_blocks=0"]
    quick = ["fit.style_iterations=1", "fit.teacher_epochs=1", "fit.epochs=1", "schedule=cpu", "seeds=[0]", "launcher=inline", "protocol=loso"]
    words = ["model=sa_at", *small, *quick, *small_sets.words("casme2")]

    def mer_train(*more):
        return CliRunner().invoke(main, [*words, *more])

    made = mer_train("stage=style", f"out={tmp_path}/a")
    assert made.exit_code == 0, made.output
    files = sorted((tmp_path / "a/style").iterdir())
    assert [file.stem for file in files] == ["casme2-sub01", "casme2-sub02", "casme2-sub03"]
    times = [file.stat().st_mtime_ns for file in files]
    files[0].unlink()
    assert mer_train("stage=style", f"out={tmp_path}/a").exit_code == 0  # what is there is not trained again
    assert [file.stat().st_mtime_ns for file in files[1:]] == times[1:] and files[0].exists()
    used = mer_train(f"model.style_file={tmp_path}/a/style", f"out={tmp_path}/b")
    assert used.exit_code == 0 and "style generators" not in used.output, used.output
    for wrong, says in ((f"{tmp_path}/a/stile", "no such file or folder"), (files[0], "made from 1 people who are not trained on")):
        result = mer_train(f"model.style_file={wrong}", f"out={tmp_path}/c")
        assert result.exit_code == 2 and says in result.output and "Traceback" not in result.output


@pytest.mark.parametrize(
    "wrong, word",
    [
        ({"input": "flow"}, "apex or difference"),
        ({"size": 100}, "256, 128"),
        ({"student_depth": 9}, r"6n \+ 2"),
        ({"styles": ["oil"]}, "grey, light, sketch"),
        ({"style_width": 0}, "style_width"),
    ],
)
def test_settings_out_of_range_are_one_line(wrong, word):
    with pytest.raises(UsageError, match=word):
        Model(**wrong).check()


def test_algorithm_1_finds_the_apex():
    import cv2

    random = np.random.default_rng(0)
    face = cv2.GaussianBlur(random.random((224, 224, 3)).astype(np.float32), (0, 0), 3)
    face = cv2.normalize(face, None, 0, 255, cv2.NORM_MINMAX)
    points = random.uniform(90, 130, (68, 2)).astype(np.float32)
    points[17:27, 1], points[36:48, 1], points[48:60, 1] = 55, 70, 150
    mask = np.zeros((224, 224), np.float32)
    mask[130:180, 70:150] = 1
    y, x = np.mgrid[:224, :224].astype(np.float32)
    views = []
    for by in (0, 0.5, 1.5, 3, 1.5, 0.5, 0):
        moved = cv2.remap(face, x - by * cv2.GaussianBlur(mask, (0, 0), 6), y, cv2.INTER_LINEAR)
        views.append(moved.round().astype(np.uint8))
    assert apex_by_algorithm_1(views, points) == 3
    with pytest.raises(ValueError, match="at least two"):
        apex_by_algorithm_1(views[:1], points)


def test_the_teacher_learns_from_sets_for_pre_training_alone_where_they_are_named(samples, monkeypatch):
    """Of these, what has one of the classes; the student never does."""
    still = samples.kind == "macro"
    alone = replace(samples, pretraining=still, label=np.where(still & (np.cumsum(still) == 1), -1, samples.label))
    seen = []
    learn = method._learn
    monkeypatch.setattr(
        method, "_learn", lambda network, faces, those, *rest: seen.append((set(those.kind), len(those))) or learn(network, faces, those, *rest)
    )
    method.fit(alone, Model(**SMALL | {"style": False}), Recipe(**SHORT), 0, Watch())
    assert seen == [({"macro"}, still.sum() - 1), ({"micro"}, (samples.kind == "micro").sum())]


@pytest.mark.parametrize("make, parameters", [(teachers.alexnet, 61_100_840), (teachers.vgg16, 138_357_544)])
def test_the_teachers_of_table_2_are_the_published_networks(make, parameters):
    with torch.device("meta"):
        network = make(3, 1000)
        logits, maps = network(torch.empty(2, 3, 256, 256))
    assert sum(p.numel() for p in network.parameters()) == parameters
    assert logits.shape == (2, 1000) and not maps


def test_a_teacher_alone_has_seen_no_micro_expression_and_answers_for_styled_pictures(samples):
    model, recipe = Model(**SMALL, answer="teacher", transfer=False), Recipe(**SHORT)
    answer = method.fit(samples, model, recipe, 0, Watch())
    other = replace(samples, label=np.where(samples.kind == "micro", (samples.label + 1) % 3, samples.label))
    np.testing.assert_array_equal(predict(answer, samples), predict(method.fit(other, model, recipe, 0, Watch()), samples))
    assert (
        answer.front.style is not None
        and isinstance(answer.student, models.ResNet)
        and len(answer.student.groups[0]) == (model.teacher_depth - 2) // 6
    )
    with pytest.raises(UsageError, match="no labelled faces"):
        method.fit(samples.only("micro"), model, recipe, 0, Watch())
    with pytest.raises(UsageError, match="no attention to transfer"):
        chosen("model=sa_at", "model.teacher=alexnet")
