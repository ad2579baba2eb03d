"""From an fp32 network to one in fp16, bf16 or int8, without trusting that it stays the same.

Strongly typed engines take the precision from the file: each Conv, Gemm and MatMul (here: a layer)
gets its inputs and weights in the lower precision by explicit nodes, everything between stays fp32. Then the answers
on real samples decide: where they move too far, the layers that harm most get their fp32 back, as few as suffice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engines.errors import EngineError
from engines.plans.calibrate import quantised, restored
from engines.plans.graph import Graph, first_line, load, session
from engines.plans.half import halved

PRECISIONS = ("fp32", "fp16", "bf16", "int8")
# Largest difference of a probability that a lower precision may make, on any sample; and no decision may flip.
TOLERANCE = {"fp16": 0.01, "bf16": 0.03, "int8": 0.05}
LAYERS = ("Conv", "Gemm", "MatMul")
FEWEST = 4  # samples, or "no decision flips" says nothing
CHUNK = 8  # samples in one run
RANKED_ON = 8  # samples, those that differ most, on which layers are compared


@dataclass(frozen=True)
class Change:
    """What a precision does to the answers on the samples. largest: of a probability; flips: decisions that change."""

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

    samples: {input: (N, …) float32} of real inputs, N ≥ 4; int8 is calibrated on them. classes: how many of the
    output's columns decide (default: all). progress: gets one line when the comparison is done. Raises EngineError for
    another precision, too few samples, or a network of which no layer can be lowered within TOLERANCE.
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
    """How far a file's answers on the samples are from the expected ones."""
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
    ranked = sorted(layers, key=harm.get, reverse=True)
    low, high = 0, len(ranked)  # too few kept, enough kept: all of them is the network itself
    changes = {len(ranked): Change(0.0, 0)}
    while high - low > 1:
        middle = (low + high) // 2
        changes[middle] = change_of(make(ranked[:middle]), expected, samples, classes)
        low, high = (low, middle) if changes[middle].within(tolerance) else (middle, high)
    kept = set(ranked[:high])
    return [layer for layer in layers if layer in kept], changes[high]


def change_between(found: np.ndarray, expected: np.ndarray, classes: int | None) -> Change:
    """How far answers (N×K) are from the expected ones. classes: how many of the columns decide (None: all)."""
    if not np.isfinite(found).all():
        return Change(float("inf"), len(expected))
    flips = int((found[:, :classes].argmax(1) != expected[:, :classes].argmax(1)).sum())
    return Change(float(np.abs(found - expected).max()), flips)


def answers(onnx_bytes: bytes, samples: dict[str, np.ndarray]) -> np.ndarray:
    """What an ONNX file gives for the samples, as it is written, in batches of CHUNK where it takes some. Raises EngineError."""
    run = session(onnx_bytes)
    first = run.get_inputs()[0].shape[0]
    step = first if isinstance(first, int) else CHUNK
    count = len(next(iter(samples.values())))
    try:
        parts = [
            run.run(None, {key: array[i : i + step] for key, array in samples.items()})[0]
            for i in range(0, count, step)
        ]
    except Exception as error:  # ONNX Runtime has no common base class for what it raises
        raise EngineError(f"ONNX Runtime cannot run the network on these samples ({first_line(error)})") from error
    return np.concatenate(parts)
