"""The one runtime: a compiled network from the zoo, checked against its manifest, then called by name.

It runs as a TensorRT plan that `mer-engine build` made of that file, or by ONNX Runtime.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from engines.errors import EngineError, notices
from engines.onnx import OnnxRuntime, try_in_a_child
from engines.onnx_cuda import Absent, OnnxCuda, installed_under
from engines.served import Runner, Served
from engines.zoo import ZOO, file_of, read_manifest

ENGINES = ("auto", "tensorrt", "onnx", "cpu")


class Network(Served):
    """A network that is ready to run; any number of threads may call it. On the GPU their calls share batches.

    The file's SHA-256 is checked before ONNX Runtime sees a byte of it, and a file from outside the zoo is tried in a child
    process first.

    Attributes:
        name: from the manifest.
        classes: labels, in the order of the output.
        manifest: the whole manifest.
        path: the file.
        shapes: of one sample, by input.
        output: its name.
        width: how many numbers it gives for a sample.

    Args:
        name: a network of the zoo, or the path of an .onnx file that has its manifest (.json) beside it.
        threads: of the CPU (more only slow down a network this small).
        engine: "auto" takes a plan that is valid for this GPU, else ONNX Runtime on the GPU, else on the CPU; "tensorrt"
            the plan or nothing; "onnx" the GPU or CPU as well, but no plan; "cpu" the CPU.

    Raises:
        EngineError: an unknown name or engine, a missing or broken manifest, another hash, or a file that ONNX Runtime
            refuses or that crashes it, takes all memory, or never ends.
    """

    def __init__(self, name: str | Path, threads: int = 1, engine: str = "auto"):
        if engine not in ENGINES:
            raise EngineError(f"unknown engine '{engine}': expected one of {', '.join(ENGINES)}")
        self.path = path = file_of(name)
        self.manifest = read_manifest(path.with_suffix(".json"), path)
        self.classes: tuple[str, ...] = tuple(self.manifest["classes"])
        self.shapes: dict[str, tuple[int, ...]] = {spec["name"]: tuple(spec["shape"]) for spec in self.manifest["inputs"]}
        self.output: str = self.manifest["output"]["name"]

        model = _bytes(path)
        found = hashlib.sha256(model).hexdigest()
        if found != self.manifest["sha256"]:
            raise EngineError(
                f"{path} is not the file its manifest describes (SHA-256 {found[:12]}…, expected "
                f"{self.manifest['sha256'][:12]}…): restore it, or export the network again"
            )
        if path.parent != ZOO:
            try_in_a_child(model, found, path, self.shapes, self.output, len(self.classes))
        super().__init__(self.manifest["name"], OnnxRuntime(model, path, threads))
        self.width = self._cpu.check(self.shapes, self.output, len(self.classes))
        self._gpu = _on_gpu(self, model, engine)

    def __call__(self, inputs: dict[str, np.ndarray]) -> np.ndarray:
        """Probabilities of the classes, (len(classes),) float32, summing to 1.

        Args:
            inputs: float32 arrays under the names and in the shapes of the manifest (`realtime.naming.inputs` makes them).

        Raises:
            EngineError: they differ from the manifest.
        """
        self._check(inputs, 1)
        probabilities: np.ndarray = self.answer(inputs)[0]
        return probabilities

    def many(self, inputs: dict[str, np.ndarray]) -> np.ndarray:
        """The same for N samples at once, (N, …) under each name: (N, len(classes)) float32."""
        self._check(inputs, next((array.shape[0] for array in inputs.values()), 0))
        return self.run([inputs])

    def _check(self, inputs: dict[str, np.ndarray], samples: int) -> None:
        given = {key: tuple(array.shape) for key, array in inputs.items()}
        wanted = {key: (samples, *shape[1:]) for key, shape in self.shapes.items()}
        kinds = {key: getattr(array, "dtype", np.dtype(np.float32)) for key, array in inputs.items()}
        if given != wanted or samples < 1 or any(kind != np.float32 for kind in kinds.values()):
            got = {key: f"{shape} {kinds[key]}" for key, shape in given.items()}
            raise EngineError(f"network '{self.name}' takes float32 {self.shapes}, got {got}")


def _on_gpu(network: Network, model: bytes, engine: str) -> Runner | None:
    """What runs the network on a GPU, or None. Raises EngineError where a plan was asked for and cannot be had."""
    from engines.tensorrt import library, run

    if engine == "cpu":
        return None
    plan = ""
    try:
        if engine == "tensorrt" or engine == "auto" and run.expected(network.name):
            return run.open_plan(network.name, network.manifest["sha256"], network.shapes, network.output)
    except EngineError as error:
        if engine == "tensorrt":
            raise
        plan = str(error)
    try:
        cuda = OnnxCuda(model, network.path, network._cpu)
    except EngineError as error:
        missing = installed_under() if isinstance(error, Absent) else str(error)
        for line in filter(None, (plan, missing)):
            notices.warning(line)
        return None
    if plan and library.find() and run.built(network.name):  # somebody meant it to run on TensorRT
        notices.warning(plan)
    return cuda


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (OSError, MemoryError) as error:
        raise EngineError(f"cannot read the network {path} ({getattr(error, 'strerror', None) or 'too large'})") from error
