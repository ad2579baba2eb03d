"""What the tests of plans share: small networks, real inputs, a private folder, a GPU that is only named."""

import hashlib
import json

import numpy as np
import pytest

from engines import device
from engines.tensorrt import library
from engines.tensorrt.store import Store
from engines.zoo import ZOO


@pytest.fixture
def rtx():
    """TensorRT for RTX, which builds without a GPU; skips where it is not installed."""
    found = next((each for each in library.installed() if each.name == "tensorrt_rtx"), None)
    if found is None:
        pytest.skip("TensorRT for RTX is not installed: pip install 'mer-live[build]'")
    return found


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr(device, "find", lambda: None)
    monkeypatch.setattr(device, "why_not", lambda: "no NVIDIA driver")


@pytest.fixture
def zoo():
    """`zoo("moext")` → (its manifest, the bytes of its ONNX file)."""

    def read(name):
        return json.loads((ZOO / f"{name}.json").read_text("utf-8")), (ZOO / f"{name}.onnx").read_bytes()

    return read


@pytest.fixture(scope="session")
def real():
    """`real("moext", 12)` → that many real inputs, from the demo clip (watched once in a test run)."""
    pytest.importorskip("onnx")
    from engines.runtime import Network
    from realtime.naming.examples import inputs

    return lambda name, most=12: inputs(Network(name, engine="cpu"), most)


@pytest.fixture
def network():
    """`network([("Gemm", …)], …)` → an ONNX file of a few nodes; see `onnx_file`."""
    pytest.importorskip("onnx")
    return onnx_file


def onnx_file(nodes, constants=None, shape=("batch", 4), out=("batch", 3), domain="") -> bytes:
    """nodes: (operation, inputs, outputs, attributes), called node0, node1, …, from "x" to "y"; constants by name."""
    from onnx import TensorProto, helper, numpy_helper

    made = [
        helper.make_node(kind, takes, gives, f"node{i}", domain=domain if kind.startswith("My") else "", **attributes)
        for i, (kind, takes, gives, attributes) in enumerate(nodes)
    ]
    graph = helper.make_graph(
        made,
        "tiny",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, out)],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in (constants or {}).items()],
    )
    opsets = [helper.make_opsetid("", 20)] + ([helper.make_opsetid(domain, 1)] if domain else [])
    return helper.make_model(graph, opset_imports=opsets, ir_version=10).SerializeToString()


@pytest.fixture
def tiny(network):
    """(manifest, ONNX file) of a network that builds in no time."""
    weights = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    nodes = [("MatMul", ["x", "w"], ["z"], {}), ("Softmax", ["z"], ["y"], {"axis": 1})]
    model = network(nodes, {"w": weights})
    about = {"name": "tiny", "classes": ["a", "b", "c"], "inputs": [{"name": "x", "shape": [1, 4]}]}
    return about | {"sha256": hashlib.sha256(model).hexdigest()}, model


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "engines")
