"""An ONNX file whose layers compute in int8: scales from real samples, written as QuantizeLinear/DequantizeLinear."""

from __future__ import annotations

import logging
import tempfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from engines.errors import EngineError
from engines.plans.graph import Graph, first_line, load, need_onnx

TYPES = ["Conv", "Gemm", "MatMul"]
# What TensorRT takes: zero points of 0, no int32 bias, and a layer's result left in fp32 for whatever follows it.
OPTIONS = {
    "ActivationSymmetric": True,
    "WeightSymmetric": True,
    "QuantizeBias": False,
    "OpTypesToExcludeOutputQuantization": TYPES,
    "QDQOpTypePerChannelSupportToAxis": {"MatMul": 1},
}


def quantised(onnx_bytes: bytes, layers: list[str], samples: dict[str, np.ndarray], chunk: int) -> bytes:
    """The network with the named layers in int8: weights per output channel, inputs by the largest value in samples.

    Raises EngineError, naming what ONNX Runtime's quantiser says, where it cannot.
    """
    need_onnx()
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    count = len(next(iter(samples.values())))

    class Reader(CalibrationDataReader):
        def __init__(self):
            self.places = iter(range(0, count, chunk))

        def get_next(self):
            place = next(self.places, None)
            return None if place is None else {key: array[place : place + chunk] for key, array in samples.items()}

    with tempfile.TemporaryDirectory(prefix="mer-int8-") as folder, _quiet():
        source, target = Path(folder, "fp32.onnx"), Path(folder, "int8.onnx")
        source.write_bytes(onnx_bytes)
        try:
            quantize_static(
                source,
                target,
                Reader(),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=TYPES,
                nodes_to_quantize=layers,
                per_channel=True,
                activation_type=QuantType.QInt8,
                weight_type=QuantType.QInt8,
                extra_options=OPTIONS,
            )
        except Exception as error:  # plain exceptions of many kinds, from ONNX, ONNX Runtime and the quantiser
            why = first_line(error)
            raise EngineError(f"the network cannot be calibrated for int8 ({why}): build it with fp16") from error
        return target.read_bytes()


def restored(int8: bytes, fp32: bytes, layers: list[str]) -> bytes:
    """The int8 file with the named layers taking their fp32 inputs and weights again."""
    if not layers:
        return int8
    model = load(int8)
    before = {node.name: node for node in load(fp32).graph.node}
    weights = Graph(load(fp32))
    graph = Graph(model)
    for node in model.graph.node:
        if node.name not in layers:
            continue
        for place, name in enumerate(before[node.name].input):
            constant = weights.constant(name) if name else None
            if constant is not None and graph.constant(name) is None:
                graph.add(name, constant)
            node.input[place] = name
    _drop_unread(model)
    graph.drop_unused()
    return model.SerializeToString()


def _drop_unread(model) -> None:
    """Q/DQ pairs whose layer does without them now."""
    outputs = {value.name for value in model.graph.output}
    while True:
        read = outputs | {name for node in model.graph.node for name in node.input}
        idle = [node for node in model.graph.node if not read.intersection(node.output)]
        if not idle:
            return
        for node in idle:
            model.graph.node.remove(node)


@contextmanager
def _quiet():
    """The quantiser gives advice through the root logger; whoever builds an engine did not ask."""
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        root.setLevel(before)
