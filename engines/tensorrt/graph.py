"""What the makers of plans need of an ONNX file: read it, run it, look up and add constants."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engines.errors import EngineError


def need_onnx() -> None:
    """See that the package `onnx` is there.

    Raises:
        EngineError: it is not; it says what to install.
    """
    try:
        import onnx  # noqa: F401 - whether it is there
    except ImportError as error:
        raise EngineError("making engines needs the package onnx: pip install 'mer-live[build]'") from error


def load(onnx_bytes: bytes):
    """The parsed file.

    Raises:
        EngineError: it is not ONNX, has no graph, or inputs without a batch axis.
    """
    need_onnx()
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load_from_string(onnx_bytes)
    except DecodeError as error:
        raise EngineError("this is not an ONNX file: give one that mer-train exported") from error
    ends = [*Graph(model).inputs, *model.graph.output]
    if not model.graph.node or any(not value.type.tensor_type.shape.dim for value in ends):
        raise EngineError("this ONNX file holds no network with a batch axis: give one that mer-train exported")
    return model


def need_batches(model) -> None:
    """See that the network takes batches.

    Raises:
        EngineError: it is for one sample at a time.
    """
    fixed = [value.name for value in Graph(model).inputs if value.type.tensor_type.shape.dim[0].dim_value]
    if fixed:
        raise EngineError(f"the network takes no batches, as engines do (its input {fixed[0]} is for one sample)")


class Graph:
    """An ONNX model's main graph, for edits."""

    def __init__(self, model):
        self.graph = model.graph
        self._initial = {value.name: value for value in model.graph.initializer}

    @property
    def inputs(self) -> list:
        """The inputs that a caller gives (old files list their weights among them)."""
        return [value for value in self.graph.input if value.name not in self._initial]

    def constant(self, name: str) -> np.ndarray | None:
        """The numbers of a constant, in its own shape and dtype (mostly float32); None for what is computed."""
        from onnx import numpy_helper

        if name in self._initial:
            return numpy_helper.to_array(self._initial[name])
        for node in self.graph.node:
            if node.op_type == "Constant" and name in node.output and node.attribute[0].name == "value":
                return numpy_helper.to_array(node.attribute[0].t)
        return None

    def add(self, name: str, array: np.ndarray) -> str:
        """A new constant, of the array's shape and dtype. Returns its name."""
        from onnx import numpy_helper

        return self.add_tensor(numpy_helper.from_array(np.ascontiguousarray(array), name))

    def add_tensor(self, value) -> str:
        """A new constant that is an ONNX tensor already. Returns its name."""
        name = value.name
        self.graph.initializer.append(value)
        self._initial[name] = self.graph.initializer[-1]
        return name

    def drop_unused(self) -> None:
        """Forget constants that no node takes in any more."""
        used = {name for node in self.graph.node for name in node.input}
        for value in [value for value in self.graph.initializer if value.name not in used]:
            self.graph.initializer.remove(value)
            del self._initial[value.name]


def session(onnx_bytes: bytes, also: Sequence[str] = (), exact: bool = True):
    """ONNX Runtime on one thread.

    Args:
        onnx_bytes: the network's file.
        also: values between the nodes to have as outputs.
        exact: run the file as it is written, without the rewriting that would take out roundings.

    Raises:
        EngineError: it refuses the network.
    """
    import onnx
    import onnxruntime

    if also:
        model = onnx.load_from_string(onnx_bytes)
        known = {value.name for value in model.graph.output}
        model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in also if name not in known)
        onnx_bytes = model.SerializeToString()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    if exact:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        return onnxruntime.InferenceSession(onnx_bytes, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime has no common base class for what it raises
        raise EngineError(f"ONNX Runtime refuses the network ({first_line(error)})") from error


def first_line(error: Exception | str) -> str:
    """The first line of a message, in one piece."""
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
