"""Lower precisions: rounding as a GPU rounds, layers given back where answers move."""

from functools import partial

import numpy as np
import pytest

from engines.errors import EngineError
from engines.tensorrt.graph import load, session
from engines.tensorrt.precision import TOLERANCE, change_of, halved, lower, names_of, rounded

pytest.importorskip("onnx", reason="making engines needs onnx: pip install 'mer-live[build]'")


def answers(model, samples):
    return session(model).run(None, samples)[0]


@pytest.mark.parametrize(
    "value, fp16, bf16",
    [
        (1 + 2**-11, 1.0, 1.0),
        (1 + 2**-8, 1 + 2**-8, 1.0),
        (1 + 3 * 2**-8, 1 + 3 * 2**-8, 1 + 2**-6),
        (1e5, np.inf, 99840.0),
        (-0.1, -0.0999755859375, -0.10009765625),
    ],
)
def test_rounding(value, fp16, bf16):
    assert rounded(np.float32(value), "fp16") == np.float32(fp16)
    assert rounded(np.float32(value), "bf16") == np.float32(bf16)


@pytest.mark.parametrize("precision", ["fp16", "bf16", "int8"])
@pytest.mark.parametrize("name", ["verifier", "kernel_ridge", "moext"])
def test_shipped_networks_bear_lower_precisions(name, precision, zoo, real):
    about, model = zoo(name)
    samples = real(name)
    lowered, kept = lower(model, precision, samples, len(about["classes"]))
    layers = names_of(load(model))
    assert set(kept) < set(layers) and len(lowered) < 0.8 * len(model)
    if precision != "bf16":  # ONNX Runtime has no bf16 layers for CPUs
        change = change_of(lowered, answers(model, samples), samples, len(about["classes"]))
        assert 0 < change.largest <= 1.1 * TOLERANCE[precision] and change.flips == 0


@pytest.mark.parametrize("precision", ["fp16", "bf16"])
def test_the_emulation_rounds_input_weights_and_result(network, precision):
    random = np.random.default_rng(0)
    x, w, b = (random.normal(size=shape).astype(np.float32) for shape in ((32, 4), (4, 3), 3))
    model = network([("Gemm", ["x", "w", "b"], ["y"], {})], {"w": w, "b": b})
    r = partial(rounded, precision=precision)
    expected = r(r(x) @ r(w) + r(b))
    assert np.abs(expected - (x @ w + b)).max() > 1e-4
    found = answers(halved(model, precision, ["node0"], emulated=True), {"x": x})
    # one unit in the last place, where adding up in another order tips the rounding
    np.testing.assert_allclose(found, expected, rtol=2**-10 if precision == "fp16" else 2**-7)
    assert (found == expected).mean() > 0.95
    if precision == "fp16":
        itself = answers(halved(model, precision, ["node0"]), {"x": x})
        np.testing.assert_allclose(itself, expected, rtol=2**-8, atol=2e-3)


@pytest.fixture
def touchy(network):
    """Two layers: the second takes a small difference of large numbers, which no lower precision bears."""
    random = np.random.default_rng(1)
    constants = {
        "calm": random.normal(size=(4, 4)).astype(np.float32),
        "large": np.full((1, 4), 3000.0, np.float32),
        "touchy": np.array([[1, -1, 0], [-1, 1, 0], [1, 0, -1], [-1, 0, 1]], np.float32),
    }
    nodes = [
        ("MatMul", ["x", "calm"], ["a"], {}),
        ("Add", ["a", "large"], ["b"], {}),
        ("MatMul", ["b", "touchy"], ["c"], {}),
        ("Softmax", ["c"], ["y"], {"axis": 1}),
    ]
    return network(nodes, constants), {"x": random.normal(size=(16, 4)).astype(np.float32)}


@pytest.mark.parametrize("precision", ["fp16", "bf16", "int8"])
def test_a_layer_that_loses_accuracy_stays_fp32(touchy, precision):
    lowered, kept = lower(touchy[0], precision, touchy[1])
    assert kept == ["node2"]
    if precision != "bf16":
        assert change_of(lowered, answers(*touchy), touchy[1]).within(TOLERANCE[precision])


def test_a_network_of_such_layers_is_refused(touchy, monkeypatch):
    monkeypatch.setitem(TOLERANCE, "fp16", 0.0)
    with pytest.raises(EngineError, match="build it with fp32"):
        lower(touchy[0], "fp16", touchy[1])


@pytest.mark.parametrize(
    "precision, samples, words",
    [
        ("fp8", {"x": np.zeros((8, 4), np.float32)}, "unknown precision 'fp8': expected one of fp32, fp16"),
        ("int8", {"x": np.zeros((1, 4), np.float32)}, "needs 4 real samples"),
        ("int8", {"face": np.zeros((8, 4), np.float32)}, "needs 4 real samples"),
        ("fp16", {"x": np.zeros((8, 5), np.float32)}, "cannot run the network on these samples"),
    ],
)
def test_wrong_requests(touchy, precision, samples, words):
    with pytest.raises(EngineError, match=words) as error:
        lower(touchy[0], precision, samples)
    assert "\n" not in str(error.value)
