"""The one runtime: a compiled network from the zoo, checked against its manifest, then called by name.

A network is three files in `engines/zoo`: `<name>.onnx`, its manifest `<name>.json`, and a model card `<name>.md`.
"""

from __future__ import annotations

import hashlib
import json
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from engines.errors import EngineError

ZOO = Path(__file__).parent / "zoo"
REQUIRED = ("name", "classes", "inputs", "output", "sha256")


def known() -> list[str]:
    """Names of the networks in the zoo, sorted."""
    return sorted(path.stem for path in ZOO.glob("*.onnx"))


class Network:
    """A network that is ready to run on the CPU, on one thread (more only slow down a network this small).

    name: from the manifest. classes: labels, in the order of the output. manifest: the whole manifest. path: the file.
    """

    def __init__(self, name: str | Path, threads: int = 1):
        """`name` is a network of the zoo, or the path of an .onnx file that has its manifest (.json) beside it.

        The file's SHA-256 is checked before ONNX Runtime sees a byte of it. Raises EngineError, one line, for an
        unknown name, a missing or broken manifest, another hash, or a file that ONNX Runtime refuses.
        """
        self.path = path = _find(name)
        self.manifest = _read_manifest(path.with_suffix(".json"), path)
        self.name: str = self.manifest["name"]
        self.classes: tuple[str, ...] = tuple(self.manifest["classes"])
        self._shapes = {spec["name"]: tuple(spec["shape"]) for spec in self.manifest["inputs"]}
        self._output: str = self.manifest["output"]["name"]

        model = path.read_bytes()
        found = hashlib.sha256(model).hexdigest()
        if found != self.manifest["sha256"]:
            raise EngineError(
                f"{path} is not the file its manifest describes (SHA-256 {found[:12]}…, expected "
                f"{str(self.manifest['sha256'])[:12]}…): restore it, or export the network again"
            )
        self._session = _session(model, path, threads)
        inside = {node.name: tuple(node.shape) for node in self._session.get_inputs()}
        if inside != self._shapes or self._output not in [node.name for node in self._session.get_outputs()]:
            raise EngineError(f"{path} takes {inside}, its manifest says {self._shapes}: export the network again")

    def __call__(self, inputs: dict[str, np.ndarray]) -> np.ndarray:
        """Probabilities of the classes, (len(classes),) float32, summing to 1.

        inputs: float32 arrays under the names and in the shapes of the manifest (`realtime.inputs` makes them).
        Raises EngineError where they differ from the manifest.
        """
        given = {key: tuple(array.shape) for key, array in inputs.items()}
        if given != self._shapes or any(array.dtype != np.float32 for array in inputs.values()):
            kinds = {key: f"{tuple(array.shape)} {array.dtype}" for key, array in inputs.items()}
            raise EngineError(f"network '{self.name}' takes float32 {self._shapes}, got {kinds}")
        return self._session.run([self._output], inputs)[0][0]


def _find(name: str | Path) -> Path:
    if str(name).endswith(".onnx"):
        path = Path(name)
        if not path.is_file():
            raise EngineError(f"no network file at {path}: give a file that exists, or one of {', '.join(known())}")
        return path
    if str(name) not in known():
        near = get_close_matches(str(name), known(), n=1, cutoff=0.4)
        hint = f"did you mean '{near[0]}'? " if near else ""
        raise EngineError(f"unknown network '{name}': {hint}known ones are {', '.join(known()) or '(none)'}")
    return ZOO / f"{name}.onnx"


def _read_manifest(path: Path, model: Path) -> dict:
    if not path.is_file():
        raise EngineError(f"{model} has no manifest: {path.name} was expected beside it; export it with mer-train")
    try:
        manifest = json.loads(path.read_text("utf-8"))
        missing = [key for key in REQUIRED if key not in manifest]
    except (ValueError, TypeError) as error:
        raise EngineError(f"{path} is not a manifest ({error}): restore it, or export the network again") from error
    if missing:
        raise EngineError(f"{path} lacks {', '.join(missing)}: restore it, or export the network again")
    return manifest


def _session(model: bytes, path: Path, threads: int):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # its complaints come back as exceptions; the same text on stderr would be noise
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime has no common base class for what it raises
        reason = str(error).strip().splitlines()[0]
        raise EngineError(f"{path} is damaged, ONNX Runtime cannot read it ({reason}): restore it") from error
