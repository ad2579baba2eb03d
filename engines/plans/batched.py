"""From an ONNX file for one sample to one for any number of them.

The zoo's files have the batch of 1 written into their inputs, into the shapes of Reshape (a mirrored copy of the sample
rides in the same batch, so there it may be 2 or 4), and into zeros that are concatenated. Those are all that is
rewritten. What the rewritten graph then does to a batch is not argued but tried, node by node.
"""

from __future__ import annotations

import numpy as np

from engines.errors import EngineError
from engines.plans.graph import Graph, first_line, load, session

BATCH = "batch"  # the name of the free axis
TRIED = 3  # samples in the trial batch: not 2, or a network's own two halves could be taken for samples
CLOSE = 1e-5  # largest difference of an output between a batch and one by one
SAME = 1e-3  # the same for what lies between, over the largest number in it: only has to tell mixed-up samples


def batched(onnx_bytes: bytes, samples: dict[str, np.ndarray] | None = None) -> bytes:
    """The same network for any batch: every input and output (1, …) becomes (batch, …).

    samples: {input: (N, …) float32} with N ≥ 3 to try it on (three of them are taken); without them, noise in [0, 1].
    A file that is free already is only tried. Raises EngineError, naming the node, where the graph cannot be made free
    or three samples in one batch give other numbers (> 1e-5) than one by one.
    """
    model = load(onnx_bytes)
    _free(model)
    result = model.SerializeToString()
    _try(onnx_bytes, result, samples)
    return result


def _free(model) -> None:
    graph = Graph(model)
    for value in [*graph.inputs, *model.graph.output]:
        first = value.type.tensor_type.shape.dim[0]
        if first.dim_value > 1:
            raise EngineError(f"'{value.name}' of the network is for batches of {first.dim_value}: export it for one")
        first.Clear()
        first.dim_param = BATCH
    del model.graph.value_info[:]
    for node in list(model.graph.node):
        if node.op_type == "Reshape":
            _free_reshape(graph, node)
        elif node.op_type == "Concat":
            _free_concat(graph, node)
    graph.drop_unused()


def _free_reshape(graph: Graph, node) -> None:
    """A constant shape (k, …) becomes (-1, …): all that varies with the batch stands first in every graph we export."""
    shape = graph.constant(node.input[1])
    if shape is None or not len(shape) or shape[0] == -1:
        return
    shape = shape.copy()
    if -1 in shape[1:]:
        raise EngineError(f"node '{node.name}' (Reshape to {shape.tolist()}) leaves open another axis than the batch's")
    shape[0] = -1
    node.input[1] = graph.add(f"{node.output[0]}/free_shape", shape)


def _free_concat(graph: Graph, node) -> None:
    """Constants (1, …) beside batches (N, …): repeated N times."""
    from onnx import helper

    axis = node.attribute[0].i
    others = [name for name in node.input if graph.constant(name) is None]
    for place, name in enumerate(node.input):
        constant = graph.constant(name)
        if constant is None or axis == 0 or not others:
            continue
        key = f"{node.output[0]}/{place}"
        rest = graph.add(f"{key}_rest", np.array(constant.shape[1:], np.int64))
        first = helper.make_node("Shape", [others[0]], [f"{key}_batch"], f"{key}_batch", start=0, end=1)
        both = helper.make_node("Concat", [first.output[0], rest], [f"{key}_shape"], f"{key}_shape", axis=0)
        expand = helper.make_node("Expand", [name, both.output[0]], [f"{key}_expanded"], f"{key}_expanded")
        graph.insert_before(node, first, both, expand)
        node.input[place] = expand.output[0]


def _try(single: bytes, free: bytes, samples: dict[str, np.ndarray] | None) -> None:
    names = [name for node in load(single).graph.node for name in node.output if name]
    one, many = session(single, also=names), _session_of_many(free, names)
    inputs = _noise(one) if samples is None else {key: _some(array) for key, array in samples.items()}
    try:
        apart = [one.run(names, {key: array[i : i + 1] for key, array in inputs.items()}) for i in range(TRIED)]
    except Exception as error:
        raise EngineError(f"ONNX Runtime cannot run the network on these samples ({first_line(error)})") from error
    try:
        together = many.run(names, inputs)
    except Exception as error:  # ONNX Runtime has no common base class for what it raises; its text names the node
        why = first_line(error)
        raise EngineError(f"the network cannot take a batch ({why}): it can only be run one by one") from error
    outputs = {value.name for value in load(single).graph.output}
    for name, batch, *alone in zip(names, together, *apart, strict=True):
        if batch.dtype.kind != "f":
            continue  # sizes and conditions: what they do shows in the numbers after them
        error = _difference(batch, alone)
        largest = max(1e-6, *(float(np.abs(x).max(initial=0)) for x in alone))
        if error > (CLOSE if name in outputs else SAME * largest):
            raise EngineError(
                f"{_node(single, name)} mixes the samples of a batch (three together and one by one differ by "
                f"{error:.1e}): the network can only be run one by one"
            )


def _session_of_many(free: bytes, names: list[str]):
    try:
        return session(free, also=names)
    except EngineError as error:
        raise EngineError(f"the network cannot take a batch: {error}") from error


def _difference(batch: np.ndarray, alone: list[np.ndarray]) -> float:
    """Largest difference between a batch and its samples one by one, in whichever order the batch's axis holds them."""
    grown = [axis for axis, (n, k) in enumerate(zip(batch.shape, alone[0].shape)) if n != k]
    if batch.ndim != alone[0].ndim or len(grown) > 1:
        return float("inf")
    if not grown:  # does not depend on the batch: then it must be the same for all samples
        return max(float(np.abs(batch - x).max(initial=0)) for x in alone)
    axis, count = grown[0], alone[0].shape[grown[0]]
    if batch.shape[axis] != count * TRIED:
        return float("inf")
    # `count` copies of each sample (itself and its mirror image): all first copies first, or sample by sample
    stacked = np.stack(alone, axis + 1).reshape(batch.shape)
    in_turn = np.concatenate(alone, axis)
    return min(float(np.abs(batch - order).max(initial=0)) for order in (stacked, in_turn))


def _node(single: bytes, output: str) -> str:
    node = next(node for node in load(single).graph.node if output in node.output)
    return f"node '{node.name or output}' ({node.op_type})"


def _some(array: np.ndarray) -> np.ndarray:
    """TRIED of the samples, far apart: neighbours may be alike."""
    if len(array) < TRIED:
        raise EngineError(f"a batch is tried on {TRIED} samples or more, got {len(array)}")
    return array[np.linspace(0, len(array) - 1, TRIED).round().astype(int)]


def _noise(one) -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    shapes = {value.name: [d if isinstance(d, int) else 1 for d in value.shape[1:]] for value in one.get_inputs()}
    return {name: random.random((TRIED, *shape), np.float32) for name, shape in shapes.items()}
