from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sklearn.svm import SVC

from realtime.errors import UsageError
from realtime.naming.inputs import INPUTS
from train.compute import predict
from train.data.loaders.megc2019 import load_flow
from train.export.network import export
from train.methods import method, takes
from train.methods.ststnet.network import STSTNet
from train.methods.svm import training as svm
from train.methods.svm.network import SupportVectors
from train.settings import chosen
from train.watch import Watch


@pytest.fixture(scope="module")
def maps(archive):
    return load_flow(archive, "flow_map")


@pytest.fixture(scope="module")
def sequences(maps):
    """LBP-TOP histograms that tell the classes apart, of the same people."""
    random = np.random.default_rng(1)
    made = random.dirichlet(np.ones(16), (len(maps), 25, 3))
    made[np.arange(len(maps)), 0, :, maps.label] += 1
    made /= made.sum(-1, keepdims=True)
    return replace(maps, inputs={"histograms": made.reshape(len(maps), 1200).astype(np.float32)})


@pytest.mark.parametrize("kernel", ["rbf", "linear"])
@pytest.mark.parametrize("classes", [2, 3, 5])
def test_the_torch_machine_decides_as_scikit_learns(kernel, classes):
    random = np.random.default_rng(classes)
    label = random.integers(0, classes, 150)
    x = (random.normal(size=(150, 40)) + 0.5 * random.normal(size=(classes, 40))[label]).astype(np.float32)
    unseen = random.normal(size=(300, 40)).astype(np.float32)
    machine = SVC(kernel=kernel, C=2, class_weight="balanced", decision_function_shape="ovr").fit(x, label)
    found = SupportVectors(machine, classes)(torch.from_numpy(unseen)).numpy()
    if classes > 2:
        np.testing.assert_allclose(found, machine.decision_function(unseen), atol=1e-4)
    else:  # scikit-learn gives one column here
        np.testing.assert_array_equal(found[:, 1] > found[:, 0], machine.decision_function(unseen) > 0)
        np.testing.assert_allclose(found[:, 0] + found[:, 1], 1, atol=1e-5)


def test_a_class_that_was_not_seen_is_never_named():
    random = np.random.default_rng(0)
    label = np.array([0, 3] * 20)
    x = (random.normal(size=(40, 5)) + label[:, None]).astype(np.float32)
    p = SupportVectors(SVC().fit(x, label), 4)(torch.from_numpy(x)).softmax(1)
    assert p[:, [1, 2]].max() == 0 and (p.argmax(1).numpy() == label).mean() > 0.9


def test_one_class_is_no_training_set(maps):
    with pytest.raises(UsageError, match="at least two classes, got surprise"):
        svm.fit(maps[maps.label == 2], chosen("model=svm").model, RECIPES["svm"], 0, Watch())


def test_the_svm_sees_both_sides_of_a_face(maps):
    network = svm.fit(maps, None, RECIPES["svm"], 0, Watch())
    full = torch.from_numpy(maps.inputs["full_face"])
    np.testing.assert_allclose(network(full), network(svm.mirror(full)), atol=1e-5)


def test_ststnet_has_the_papers_shapes():
    network = STSTNet()
    assert [one(torch.randn(2, 3, 28, 28)).shape[1:] for one in network.streams] == [(f, 10, 10) for f in (3, 5, 8)]
    assert network.classifier.in_features == 400
    assert sum(parameter.numel() for parameter in network.parameters()) == 1683


RECIPES = {
    "ststnet": chosen("model=ststnet", "fit.epochs=40", "fit.batch=10", "fit.lr=5e-3", "fit.dropout=0.2").fit,
    "svm": chosen("model=svm").fit,
    "lbptop": chosen("model=lbptop", "fit.cost=1").fit,
}


@pytest.mark.parametrize("name", RECIPES)
def test_every_baseline_learns_repeats_itself_and_is_exported(name, maps, sequences, tmp_path):
    settings = chosen(f"model={name}", f"out={tmp_path}")
    assert takes(settings.model) in INPUTS
    samples = sequences if name == "lbptop" else maps
    first, again = (method(name).fit(samples, settings.model, RECIPES[name], 3, Watch()) for _ in range(2))
    p = predict(first, samples)
    np.testing.assert_array_equal(p, predict(again, samples))
    np.testing.assert_allclose(p.sum(1), 1, atol=1e-5)
    assert (p.argmax(1) == samples.label).mean() > 0.8
    assert export(first, samples, settings, None, tmp_path) < 1e-4
