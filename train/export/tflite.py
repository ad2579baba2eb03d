"""MediaPipe's face networks (TFLite) as ONNX files: `python -m train.export.tflite`, once, into realtime/assets.

A converter for the operators that these three networks are made of, and no others. TFLite keeps pictures as
(rows, columns, channels); convolutions run as ONNX wants them, (channels, rows, columns). Weights stay float16, as they
are in the bundle, and are widened when the network is loaded.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ASSETS = Path(__file__).resolve().parents[2] / "realtime/assets"
TYPES = {0: np.float32, 1: np.float16, 2: np.int32}  # TFLite's TensorType
SIMPLE = {"ADD": "Add", "SUB": "Sub", "MUL": "Mul", "DIV": "Div", "NEG": "Neg", "SQRT": "Sqrt", "RELU": "Relu", "LOGISTIC": "Sigmoid"}
TO_CHANNELS_FIRST, TO_CHANNELS_LAST = [0, 3, 1, 2], [0, 2, 3, 1]


@dataclass(frozen=True)
class Network:
    """One network of the bundle.

    Attributes:
        outputs: which of the TFLite outputs, flattened to (N, rows, values) and put side by side.
        rows: of the output.
        many: whether several samples may run at once.
        picture: the input is one, channels first.
    """

    member: str
    outputs: tuple[int, ...]
    rows: int = 1
    many: bool = True
    picture: bool = True


NETWORKS = {
    "face_detector": Network("face_detector.tflite", (0, 1), rows=896),
    "face_mesh": Network("face_landmarks_detector.tflite", (0, 1)),
    "face_blendshapes": Network("face_blendshapes.tflite", (0,), many=False, picture=False),
}


def convert(tflite: bytes, network: Network) -> onnx.ModelProto:
    """One network.

    Raises:
        NotImplementedError: an operator, which is named, is not known.
    """
    from mediapipe.tasks.metadata import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(tflite, 0))
    names = {number: name for name, number in vars(schema.BuiltinOperator).items() if isinstance(number, int)}
    codes = [names[max(code.builtinCode, code.deprecatedBuiltinCode)] for code in model.operatorCodes]
    return _Conversion(model, codes, network).made()


@dataclass
class _Conversion:
    model: Any  # TensorFlow Lite's, as its schema makes it
    codes: list[str]
    network: Network
    nodes: list = field(default_factory=list)
    kept: dict = field(default_factory=dict)  # initializers by name
    first: set = field(default_factory=set)  # tensors that lie channels first
    turned: dict = field(default_factory=dict)  # (tensor, channels first?) → its value, transposed

    def made(self) -> onnx.ModelProto:
        graph, many = self.model.subgraphs[0], "N" if self.network.many else 1
        self.tensors = graph.tensors
        source = graph.inputs[0]
        shape = list(self.tensors[source].shape)
        if self.network.picture:
            self.first.add(source)
            shape = [shape[axis] for axis in TO_CHANNELS_FIRST]
        for operator in graph.operators:
            name = self.codes[operator.opcodeIndex]
            known = getattr(self, f"_{name.lower()}", None)
            if name in SIMPLE:
                self._simple(SIMPLE[name], operator)
            elif known is None:
                raise NotImplementedError(f"TFLite operator {name}")
            else:
                known(operator, operator.builtinOptions)
        flat = [self._rows(graph.outputs[place]) for place in self.network.outputs]
        self._node("Concat", flat, "output", axis=2)
        wide = sum(int(np.prod(self.tensors[graph.outputs[place]].shape)) for place in self.network.outputs) // self.network.rows
        given = helper.make_tensor_value_info(self._name(source), TensorProto.FLOAT, [many, *map(int, shape[1:])])
        got = helper.make_tensor_value_info("output", TensorProto.FLOAT, [many, self.network.rows, wide])
        made = helper.make_graph(self.nodes, self.network.member.split(".")[0], [given], [got], list(self.kept.values()))
        model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9, producer_name="mer-live")
        onnx.checker.check_model(model, full_check=True)
        return model

    # -- values

    def _name(self, tensor: int) -> str:
        return "input" if tensor == self.model.subgraphs[0].inputs[0] else f"t{tensor}"

    def _constant(self, tensor: int) -> np.ndarray | None:
        """The values of a constant (float16 as it is, also behind its DEQUANTIZE), or None."""
        held = self.tensors[self.widened.get(tensor, tensor)]
        data = self.model.buffers[held.buffer].data
        if data is None or not len(data):
            return None
        shape = held.shape if held.shape is not None else []
        return np.frombuffer(bytes(data), TYPES[held.type]).reshape([int(side) for side in shape])

    @property
    def widened(self) -> dict[int, int]:
        """Constants that a DEQUANTIZE widens: its output → its input."""
        if not hasattr(self, "_widened"):
            found = [one for one in self.model.subgraphs[0].operators if self.codes[one.opcodeIndex] == "DEQUANTIZE"]
            self._widened = {one.outputs[0]: one.inputs[0] for one in found}
        return self._widened

    def _keep(self, name: str, array: np.ndarray) -> str:
        """A constant of the ONNX file; float16 is widened by a node of its own."""
        if name not in self.kept:
            half = array.dtype == np.float16
            self.kept[name] = numpy_helper.from_array(np.ascontiguousarray(array), f"{name}.half" if half else name)
            if half:
                self._node("Cast", [f"{name}.half"], name, to=TensorProto.FLOAT)
        return name

    def _value(self, tensor: int, first: bool | None = None) -> str:
        """The name under which a tensor is had, as it lies, or channels first, or last."""
        array = self._constant(tensor)
        if array is not None:
            return self._keep(self._name(tensor), array)
        if first is None or first == (tensor in self.first):
            return self._name(tensor)
        if (tensor, first) not in self.turned:
            turned = f"{self._name(tensor)}.{'first' if first else 'last'}"
            self._node("Transpose", [self._name(tensor)], turned, perm=TO_CHANNELS_FIRST if first else TO_CHANNELS_LAST)
            self.turned[tensor, first] = turned
        return self.turned[tensor, first]

    def _node(self, kind: str, inputs: Iterable[str], output: str, **attributes) -> str:
        self.nodes.append(helper.make_node(kind, list(inputs), [output], name=f"{kind}.{output}", **attributes))
        return output

    def _ended(self, made: str, operator, options, first: bool = False) -> None:
        """The operator's value is `made`, behind the activation that TFLite melts into it."""
        (output,) = operator.outputs
        if first:
            self.first.add(output)
        activation = {0: "Identity", 1: "Relu"}[getattr(options, "fusedActivationFunction", 0)]
        self._node(activation, [made], self._name(output))

    def _rows(self, tensor: int) -> str:
        shape = self._keep(f"shape.rows{self.network.rows}", np.array([0, self.network.rows, -1], np.int64))
        return self._node("Reshape", [self._value(tensor, first=False), shape], f"{self._name(tensor)}.rows")

    # -- operators

    def _dequantize(self, operator, options) -> None:
        """Done where the constant is used."""

    def _simple(self, kind: str, operator) -> None:
        moving = [tensor for tensor in operator.inputs if self._constant(tensor) is None]
        first = all(tensor in self.first for tensor in moving) and len(moving) == len(operator.inputs)
        inputs = [self._value(tensor, first if self._constant(tensor) is None else None) for tensor in operator.inputs]
        self._ended(self._node(kind, inputs, f"{self._name(operator.outputs[0])}.sum"), operator, operator.builtinOptions, first)

    def _conv_2d(self, operator, options, groups: int = 1) -> None:
        picture, weights, bias = operator.inputs
        kernel = self._constant(weights)  # (out, rows, columns, in)
        made, output = f"{self._name(operator.outputs[0])}.sum", self._name(weights)
        if not self.network.picture:  # rows of values, 1×1 kernels: a matrix
            table = self._keep(f"{output}.table", kernel[:, 0, 0].T)
            product = self._node("MatMul", [self._value(picture), table], f"{made}.product")
            self._ended(self._node("Add", [product, self._value(bias)], made), operator, options)
            return
        kernel = kernel.transpose(3, 0, 1, 2) if groups > 1 else kernel.transpose(0, 3, 1, 2)  # (out, in a group, rows, columns)
        inputs = [self._value(picture, first=True), self._keep(f"{output}.kernel", kernel), self._value(bias)]
        window = self._window(picture, options, kernel.shape[2:])
        self._ended(self._node("Conv", inputs, made, group=groups, **window), operator, options, first=True)

    def _depthwise_conv_2d(self, operator, options) -> None:
        self._conv_2d(operator, options, groups=int(self.tensors[operator.inputs[0]].shape[3]))

    def _max_pool_2d(self, operator, options) -> None:
        window = self._window(operator.inputs[0], options, (options.filterHeight, options.filterWidth))
        made = self._node("MaxPool", [self._value(operator.inputs[0], first=True)], f"{self._name(operator.outputs[0])}.sum", **window)
        self._ended(made, operator, options, first=True)

    def _window(self, picture: int, options, kernel: tuple[int, int]) -> dict:
        """Strides and, for TFLite's padding "SAME" (0), how much is added on each side: the odd one below and right."""
        strides, before, after = (options.strideH, options.strideW), [], []
        for side, size, stride in zip(self.tensors[picture].shape[1:3], kernel, strides, strict=True):
            more = max((-(-int(side) // stride) - 1) * stride + size - int(side), 0) if options.padding == 0 else 0
            before.append(more // 2)
            after.append(more - more // 2)
        return {"kernel_shape": list(map(int, kernel)), "strides": list(strides), "pads": before + after}

    def _prelu(self, operator, options) -> None:
        """x·slope + relu(x)·(1 − slope), the products as convolutions 1×1 of each channel alone: ONNX Runtime does these in
        the layout of the other convolutions, where its PRelu rearranges every picture before and after (15 ms → 6 ms)."""
        name, slope = self._name(operator.outputs[0]), self._constant(operator.inputs[1]).reshape(-1, 1, 1, 1)
        whole = self._value(operator.inputs[0], first=True)
        above = self._node("Relu", [whole], f"{name}.above")
        parts = []
        for what, value, factor in (("whole", whole, slope), ("rest", above, (1 - slope.astype(np.float32)))):
            kernel = self._keep(f"{name}.{what}.slope", factor)
            parts.append(self._node("Conv", [value, kernel], f"{name}.{what}", group=len(slope), kernel_shape=[1, 1]))
        self._ended(self._node("Add", parts[::-1], f"{name}.sum"), operator, options, first=True)

    def _pad(self, operator, options) -> None:
        around = self._constant(operator.inputs[1])[TO_CHANNELS_FIRST].T.reshape(-1).astype(np.int64)
        inputs = [self._value(operator.inputs[0], first=True), self._keep(f"{self._name(operator.outputs[0])}.around", around)]
        self._ended(self._node("Pad", inputs, f"{self._name(operator.outputs[0])}.sum"), operator, options, first=True)

    def _reshape(self, operator, options) -> None:
        shape = [0, *(int(side) for side in self.tensors[operator.outputs[0]].shape[1:])]
        inputs = [self._value(operator.inputs[0], first=False), self._keep(f"{self._name(operator.outputs[0])}.shape", np.array(shape, np.int64))]
        self._node("Reshape", inputs, self._name(operator.outputs[0]))

    def _concatenation(self, operator, options) -> None:
        inputs = [self._value(tensor, first=False) for tensor in operator.inputs]
        self._node("Concat", inputs, self._name(operator.outputs[0]), axis=int(options.axis))

    def _transpose(self, operator, options) -> None:
        order = [int(axis) for axis in self._constant(operator.inputs[1])]
        self._node("Transpose", [self._value(operator.inputs[0])], self._name(operator.outputs[0]), perm=order)

    def _strided_slice(self, operator, options) -> None:
        """`[begin:end]` on each axis; a masked bound is the axis's own, a shrunken axis is left to the output's shape."""
        begins, ends, steps = (self._constant(tensor).astype(np.int64) for tensor in operator.inputs[1:])
        axes = [axis for axis in range(len(begins)) if not (options.beginMask >> axis & 1 and options.endMask >> axis & 1)]
        axes = [axis for axis in axes if not options.shrinkAxisMask >> axis & 1]
        begin = [0 if options.beginMask >> axis & 1 else begins[axis] for axis in axes]
        end = [np.iinfo(np.int64).max if options.endMask >> axis & 1 else ends[axis] for axis in axes]
        name = self._name(operator.outputs[0])
        bounds = {"begin": begin, "end": end, "axes": axes, "step": [steps[axis] for axis in axes]}
        inputs = [self._keep(f"{name}.{what}", np.array(values, np.int64)) for what, values in bounds.items()]
        self._node("Slice", [self._value(operator.inputs[0]), *inputs], name)

    def _squared_difference(self, operator, options) -> None:
        name = self._name(operator.outputs[0])
        apart = self._node("Sub", map(self._value, operator.inputs), f"{name}.apart")
        self._node("Mul", [apart, apart], name)

    def _rsqrt(self, operator, options) -> None:
        name = self._name(operator.outputs[0])
        self._node("Reciprocal", [self._node("Sqrt", [self._value(operator.inputs[0])], f"{name}.root")], name)

    def _mean(self, operator, options) -> None:
        axes = [int(axis) for axis in np.atleast_1d(self._constant(operator.inputs[1]))]
        self._node("ReduceMean", [self._value(operator.inputs[0])], self._name(operator.outputs[0]), axes=axes, keepdims=int(options.keepDims))

    def _sum(self, operator, options) -> None:
        axes = self._keep(f"{self._name(operator.outputs[0])}.axes", np.atleast_1d(self._constant(operator.inputs[1])).astype(np.int64))
        self._node("ReduceSum", [self._value(operator.inputs[0]), axes], self._name(operator.outputs[0]), keepdims=int(options.keepDims))


def main() -> None:
    bundle = ZipFile(BytesIO((ASSETS / "face_landmarker.task").read_bytes()))
    for name, network in NETWORKS.items():
        path = ASSETS / f"{name}.onnx"
        onnx.save(convert(bundle.read(network.member), network), path)
        print(f"{path.name}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
