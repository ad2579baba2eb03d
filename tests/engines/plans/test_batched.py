"""Batch 1 → any batch: all shipped networks, and graphs that cannot."""

import numpy as np
import pytest

from engines.errors import EngineError
from engines.plans.batched import batched
from engines.plans.graph import session
from engines.runtime import known

pytest.importorskip("onnx", reason="making engines needs onnx: pip install 'mer-live[build]'")


@pytest.mark.parametrize("name", known())
def test_every_shipped_network_takes_a_batch(name, zoo, real):
    """Real inputs, in batches of 1, 2, 3 and 8, against the shipped file one by one; not by `batched`'s own trial."""
    _, model = zoo(name)
    free, samples = batched(model), real(name, 8)
    one, many = session(model, exact=False), session(free, exact=False)
    alone = np.concatenate([one.run(None, {key: x[i : i + 1] for key, x in samples.items()})[0] for i in range(8)])
    assert np.ptp(alone, 0).max() > 1e-3  # samples that differ: mixed up, they would show
    for size in (1, 2, 3, 8):
        together = many.run(None, {key: x[:size] for key, x in samples.items()})[0]
        np.testing.assert_allclose(together, alone[:size], atol=1e-5)
    assert batched(free, samples)  # free already: stays so


MIRROR = [("Concat", ["x", "x"], ["both"], {"axis": 0})]
LAST = ("MatMul", ["z", "w"], ["y"], {})


@pytest.mark.parametrize(
    "nodes, constants, guilty",
    [  # each is right for one sample and wrong for three
        ([("Gather", ["x", "first"], ["z"], {"axis": 0}), LAST], {"first": [0]}, "node0"),
        ([("ReduceMean", ["x", "axes"], ["z"], {}), LAST], {"axes": [0]}, "node0"),
        ([*MIRROR, ("Slice", ["both", "0", "1"], ["z"], {}), LAST], {"0": [0], "1": [1]}, "node1"),
        ([("Transpose", ["x"], ["t"], {"perm": [1, 0]}), ("Reshape", ["t", "s"], ["z"], {}), LAST], {"s": [1, 4]}, "node1"),
        ([("Reshape", ["x", "s"], ["v"], {}), ("Softmax", ["v"], ["t"], {"axis": 1}), ("Reshape", ["t", "r"], ["z"], {}),
          LAST], {"s": [2, 2], "r": [-1, 4]}, None),
    ],
)  # fmt: skip
def test_a_graph_that_mixes_samples_is_refused_by_the_name_of_the_node(network, nodes, constants, guilty):
    weights = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    model = network(nodes, {"w": weights} | {name: np.array(value, np.int64) for name, value in constants.items()})
    if guilty is None:  # rows are cut in two, and put together again: that a batch survives
        assert batched(model)
        return
    with pytest.raises(EngineError, match=f"node '{guilty}'.*one by one") as error:
        batched(model)
    assert "\n" not in str(error.value)


def test_a_graph_that_breaks_with_a_batch_is_refused(network):
    model = network([("Add", ["x", "two"], ["z"], {}), ("MatMul", ["z", "w"], ["y"], {})],
                    {"two": np.ones((2, 4), np.float32), "w": np.ones((4, 3), np.float32)}, out=(2, 3))  # fmt: skip
    with pytest.raises(EngineError, match="batches of 2"):
        batched(model)


@pytest.mark.parametrize("content", [b"", b"no network", b"\x08\x0a"])
def test_what_is_no_network_is_refused(content):
    with pytest.raises(EngineError, match="ONNX file"):
        batched(content)
