"""From an fp32 network to one in fp16, bf16 or int8, without trusting that it stays the same.

Strongly typed engines take the precision from the file: each Conv, Gemm and MatMul (here: a layer)
gets its inputs and weights in the lower precision by explicit nodes, everything between stays fp32. Then the answers
on real samples decide: where they move too far, the layers that harm most get their fp32 back, as few as suffice.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engines.errors import EngineError
from engines.tensorrt.graph import Graph, first_line, load, need_onnx, session

PRECISIONS = ("fp32", "fp16", "bf16", "int8")
# Largest difference of a probability that a lower precision may make, on any sample; and no decision may flip.
TOLERANCE = {"fp16": 0.01, "bf16": 0.03, "int8": 0.05}
LAYERS = ("Conv", "Gemm", "MatMul")
FEWEST = 4  # samples, or "no decision flips" says nothing
CHUNK = 8  # samples in one run
RANKED_ON = 8  # samples, those that differ most, on which layers are compared
# What TensorRT takes: zero points of 0, no int32 bias, and a layer's result left in fp32 for whatever follows it.
INT8 = {
    "ActivationSymmetric": True,
    "WeightSymmetric": True,
    "QuantizeBias": False,
    "OpTypesToExcludeOutputQuantization": list(LAYERS),
    "QDQOpTypePerChannelSupportToAxis": {"MatMul": 1},
}


@dataclass(frozen=True)
class Change:
    """What a precision does to the answers on the samples.

    Attributes:
        largest: of a probability.
        flips: decisions that change.
    """

    largest: float
    flips: int

    def within(self, tolerance: float) -> bool:
        return self.largest <= tolerance and not self.flips


def lower(
    onnx_bytes: bytes,
    precision: str,
    samples: dict[str, np.ndarray],
    classes: int | None = None,
    progress: Callable[[str], None] = lambda line: None,
) -> tuple[bytes, list[str]]:
    """The network with its layers in `precision` ("fp16", "bf16", "int8"), and the names of those left in fp32.

    Args:
        onnx_bytes: its file, all in fp32.
        precision: one of PRECISIONS but fp32.
        samples: {input: (N, …) float32} of real inputs, N ≥ 4; int8 is calibrated on them.
        classes: how many of the output's columns decide (default: all).
        progress: gets one line when the comparison is done.

    Raises:
        EngineError: another precision, too few samples, or a network of which no layer can be lowered within TOLERANCE.
    """
    if precision not in TOLERANCE:
        raise EngineError(f"unknown precision '{precision}': expected one of {', '.join(PRECISIONS)}")
    model = load(onnx_bytes)
    count = min((len(array) for array in samples.values()), default=0)
    if {value.name for value in Graph(model).inputs} != set(samples) or count < FEWEST:
        given = {name: array.shape for name, array in samples.items()}
        raise EngineError(f"{precision} needs {FEWEST} real samples or more of each input to compare on, got {given}")
    layers = names_of(model)
    if precision == "int8":
        full = quantised(onnx_bytes, layers, samples, CHUNK)

        def make(kept: list[str], emulated: bool) -> bytes:
            return restored(full, onnx_bytes, kept)  # ONNX Runtime knows int8 as it is

    else:

        def make(kept: list[str], emulated: bool) -> bytes:
            return halved(onnx_bytes, precision, [name for name in layers if name not in kept], emulated)

    allowed = TOLERANCE[precision]
    kept, change = _fewest_kept(layers, lambda kept: make(kept, True), onnx_bytes, samples, classes, allowed)
    if len(kept) == len(layers):
        raise EngineError(f"no layer of this network can be {precision} without moving its answers: build it with fp32")
    progress(f"{precision}: {change.largest:.4f} largest difference, {len(kept)} of {len(layers)} layers stay fp32")
    return make(kept, False), kept


def names_of(model) -> list[str]:
    """The layers whose precision may change: named, with constant weights."""
    graph = Graph(model)
    nodes = [node for node in model.graph.node if node.op_type in LAYERS]
    layers = [node for node in nodes if graph.constant(node.input[1]) is not None]
    if not layers or not all(node.name for node in layers):
        raise EngineError(f"no {', '.join(LAYERS)} with a name whose precision could be lowered: build it with fp32")
    return [node.name for node in layers]


def change_of(candidate: bytes, expected: np.ndarray, samples: dict[str, np.ndarray], classes=None) -> Change:
    """How far a file's answers on the samples are from the expected ones, N×K float32."""
    return change_between(answers(candidate, samples), expected, classes)


def _fewest_kept(layers, make, original, samples, classes, tolerance) -> tuple[list[str], Change]:
    expected = answers(original, samples)
    found = answers(make([]), samples)
    change = change_between(found, expected, classes)
    if change.within(tolerance):
        return [], change
    distance = np.nan_to_num(np.abs(found - expected).max(1), nan=np.inf)
    worst = np.sort(np.argsort(-distance, kind="stable")[:RANKED_ON])
    few, few_expected = {key: array[worst] for key, array in samples.items()}, expected[worst]
    harm = {}
    for layer in layers:
        alone = make([other for other in layers if other != layer])
        harm[layer] = change_of(alone, few_expected, few).largest
    ranked = sorted(layers, key=lambda layer: harm[layer], reverse=True)
    low, high = 0, len(ranked)  # too few kept, enough kept: all of them is the network itself
    changes = {len(ranked): Change(0.0, 0)}
    while high - low > 1:
        middle = (low + high) // 2
        changes[middle] = change_of(make(ranked[:middle]), expected, samples, classes)
        low, high = (low, middle) if changes[middle].within(tolerance) else (middle, high)
    kept = set(ranked[:high])
    return [layer for layer in layers if layer in kept], changes[high]


def change_between(found: np.ndarray, expected: np.ndarray, classes: int | None) -> Change:
    """How far answers (N×K) are from the expected ones.

    Args:
        found: N×K float32.
        expected: N×K float32.
        classes: how many of the columns decide (None: all).
    """
    if not np.isfinite(found).all():
        return Change(float("inf"), len(expected))
    flips = int((found[:, :classes].argmax(1) != expected[:, :classes].argmax(1)).sum())
    return Change(float(np.abs(found - expected).max()), flips)


def answers(onnx_bytes: bytes, samples: dict[str, np.ndarray]) -> np.ndarray:
    """What an ONNX file gives for the samples, {input: (N, …) float32}: N×K float32. As it is written, in batches of CHUNK where it takes some.

    Raises:
        EngineError: ONNX Runtime refuses the file or the samples.
    """
    run = session(onnx_bytes)
    first = run.get_inputs()[0].shape[0]
    step = first if isinstance(first, int) else CHUNK
    count = len(next(iter(samples.values())))
    try:
        parts = [run.run(None, {key: array[i : i + step] for key, array in samples.items()})[0] for i in range(0, count, step)]
    except Exception as error:  # ONNX Runtime has no common base class for what it raises
        raise EngineError(f"ONNX Runtime cannot run the network on these samples ({first_line(error)})") from error
    return np.concatenate(parts)


def halved(onnx_bytes: bytes, precision: str, layers: list[str], emulated: bool = False) -> bytes:
    """The network with the named Conv/Gemm/MatMul in "fp16" or "bf16": inputs, weights and output; the rest stays fp32.

    Args:
        onnx_bytes: its file, all in fp32.
        precision: "fp16" or "bf16".
        layers: some of `names_of`.
        emulated: round the same numbers in the same places but compute in fp32, which any CPU can: what differs from a GPU
            is then only how it adds up inside a layer.
    """
    from onnx import TensorProto, helper

    kind = TensorProto.FLOAT16 if precision == "fp16" else TensorProto.BFLOAT16
    model = load(onnx_bytes)
    graph = Graph(model)
    cast_already: dict[str, str] = {}

    def cast(source: str, target: str, to: int):
        return helper.make_node("Cast", [source], [target], target, to=to)

    nodes = []
    for node in model.graph.node:
        if node.name not in layers:
            nodes.append(node)
            continue
        for place, name in enumerate(node.input):
            if not name:
                continue
            if name not in cast_already:
                half, constant = f"{name}/{precision}", graph.constant(name)
                if constant is not None and emulated:
                    graph.add(half, rounded(constant, precision))
                elif constant is not None:
                    bits = _bits(constant, precision)
                    graph.add_tensor(helper.make_tensor(half, kind, constant.shape, bits.tobytes(), raw=True))
                else:
                    nodes.append(cast(name, half, kind))
                    if emulated:
                        nodes.append(cast(half, f"{half}/fp32", TensorProto.FLOAT))
                        half = f"{half}/fp32"
                cast_already[name] = half
            node.input[place] = cast_already[name]
        result = node.output[0]
        node.output[0] = f"{result}/{precision}_result"
        nodes.append(node)
        if emulated:
            nodes.append(cast(node.output[0], f"{result}/{precision}", kind))
            nodes.append(cast(f"{result}/{precision}", result, TensorProto.FLOAT))
        else:
            nodes.append(cast(node.output[0], result, TensorProto.FLOAT))
    kept = [type(node).FromString(node.SerializeToString()) for node in nodes]
    del model.graph.node[:]
    model.graph.node.extend(kept)
    del model.graph.value_info[:]
    graph.drop_unused()
    return model.SerializeToString()


def rounded(array: np.ndarray, precision: str) -> np.ndarray:
    """float32 numbers rounded to the nearest fp16 or bf16 (ties to even). Too large for fp16: infinite."""
    array = np.asarray(array, np.float32)
    if precision == "fp16":
        with np.errstate(over="ignore"):
            return array.astype(np.float16).astype(np.float32)
    bits = array.view(np.uint32)
    nearest = bits + 0x7FFF + ((bits >> 16) & 1)  # bfloat16 is the upper half of a float32
    return (nearest & np.uint32(0xFFFF0000)).view(np.float32)


def _bits(array: np.ndarray, precision: str) -> np.ndarray:
    """The same as two bytes a number."""
    numbers = rounded(array, precision)
    return numbers.astype(np.float16) if precision == "fp16" else (numbers.view(np.uint32) >> 16).astype(np.uint16)


def quantised(onnx_bytes: bytes, layers: list[str], samples: dict[str, np.ndarray], chunk: int) -> bytes:
    """The network with the named layers in int8: weights per output channel, inputs by the largest value in samples.

    Raises:
        EngineError: naming what ONNX Runtime's quantiser says, where it cannot.
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
                op_types_to_quantize=list(LAYERS),
                nodes_to_quantize=layers,
                per_channel=True,
                activation_type=QuantType.QInt8,
                weight_type=QuantType.QInt8,
                extra_options=INT8,
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
