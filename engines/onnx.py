"""A network run by ONNX Runtime on the CPU, one sample after the other."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engines.batcher import groups
from engines.errors import EngineError

MOST_ANSWERS = 1000
BATCH = "batch"  # what the free axis is called in the files that mer-train exports
CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"


class OnnxRuntime:
    """A session, ready to run. `run` may be called from several threads. words: which backend this is."""

    words = "ONNX Runtime, CPU"

    def __init__(self, model: bytes, path: Path, threads: int = 1, providers: tuple = (CPU,)):
        """model: the content of `path`, its hash checked. Raises EngineError where ONNX Runtime refuses it."""
        self._path = path
        self._session = session(model, path, threads, list(providers), one=providers == (CPU,))
        self._outputs = [node.name for node in self._session.get_outputs()]
        shapes = {node.name: tuple(node.shape) for node in self._session.get_inputs()}
        free = [name for name, shape in shapes.items() if shape and not isinstance(shape[0], int)]
        self._takes_many = len(free) == len(shapes)
        self.inputs = {name: (1, *shape[1:]) if name in free else shape for name, shape in shapes.items()}

    def check(self, inputs: dict[str, tuple[int, ...]], output: str, least: int) -> int:
        """See that the file takes and gives what its manifest says, by asking it once.

        inputs: shape of one sample, by name. output: the one to take. least: how many numbers it gives at least for each
        sample; returns how many. Raises EngineError. It has no limits: a file from elsewhere is tried before (`engines.trial`).
        """
        if self.inputs != inputs:
            raise EngineError(f"{self._path} takes {self.inputs}, its manifest says {inputs}: export the network again")
        kinds = {node.name: node.type for node in self._session.get_inputs()}
        given = {node.name: node.type for node in self._session.get_outputs()}
        if output not in given:
            raise EngineError(f"{self._path} gives {', '.join(given)}, its manifest says {output}: export the network again")
        if {given[output], *kinds.values()} != {"tensor(float)"}:
            raise EngineError(f"{self._path} does not take and give float32 tensors alone: export the network again")
        self._outputs = [output]
        answer = self.answer({name: np.zeros(shape, np.float32) for name, shape in inputs.items()})
        shape = getattr(answer, "shape", ())
        if len(shape) != 2 or shape[0] != 1 or not least <= shape[1] <= MOST_ANSWERS:
            raise EngineError(f"{self._path} answers with numbers of shape {shape}, expected (1, {least}): export it again")
        if not np.isfinite(answer).all():
            raise EngineError(f"{self._path} answers with numbers that are not finite: train and export it again")
        return shape[1]

    def answer(self, sample: dict[str, np.ndarray]):
        """What it gives for one sample, as it comes. Raises EngineError where it fails."""
        try:
            return self._session.run(self._outputs, sample)[0]
        except Exception as error:  # ONNX Runtime has no common base class for what it raises
            raise EngineError(f"{self._path} cannot be run ({why(error)}): export the network again") from error

    def run(self, pieces: list[dict[str, np.ndarray]]) -> np.ndarray:
        """The first output for all samples of all pieces, one below the other. Each piece: {input: (N, …) float32}.

        One by one, whatever the file takes: on one core a batch of the larger networks is slower, and so a sample gets the
        same bits in whatever company it comes.
        """
        pieces = [{name: host(array) for name, array in piece.items()} for piece in pieces]
        return np.concatenate([self._session.run(self._outputs[:1], one)[0] for (one,) in groups(pieces, 1)])

    @property
    def outputs(self) -> list[str]:
        """The names of what it gives; after `check`, of what is taken of it."""
        return self._outputs

    def close(self) -> None:
        self._session = None


def host(array) -> np.ndarray:
    """An array on this side; one that lies on the GPU is fetched. Raises GpuLost."""
    return array if isinstance(array, np.ndarray) else array.numpy()


def session(model: bytes, path: Path, threads: int, providers: list, one: bool):
    """ONNX Runtime's own. one: for one sample at a time: then all shapes are known, and as much is worked out beforehand as ever.
    Raises EngineError."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    if one:
        options.add_free_dimension_override_by_name(BATCH, 1)
    options.log_severity_level = 4  # its complaints come back as exceptions; the same text on stderr would be noise
    try:
        return onnxruntime.InferenceSession(model, options, providers=providers, enable_fallback=0)
    except Exception as error:  # ONNX Runtime has no common base class for what it raises
        raise EngineError(f"{path} is damaged, ONNX Runtime cannot read it ({why(error)}): restore it") from error


def why(error: Exception) -> str:
    """One line. ONNX Runtime says that memory ran out in several ways, none of them a MemoryError."""
    text = str(error).strip() or type(error).__name__
    if isinstance(error, MemoryError) or "allocate memory" in text or "bad_alloc" in text:
        return "it needs more memory than there is for it"
    return text.splitlines()[0]
