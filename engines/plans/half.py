"""An ONNX file whose layers compute in fp16 or bf16."""

from __future__ import annotations

import numpy as np

from engines.plans.graph import Graph, load


def halved(onnx_bytes: bytes, precision: str, layers: list[str], emulated: bool = False) -> bytes:
    """The network with the named Conv/Gemm/MatMul in "fp16" or "bf16": inputs, weights and output; the rest stays fp32.

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
