"""A network run by ONNX Runtime: on the CPU always, on a GPU where the wheel has the CUDA provider and it works."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engines.errors import EngineError, GpuLost

MOST_ANSWERS = 1000
MOST = 64  # samples in one run on a GPU
BATCH = "batch"  # what the free axis is called in the files that mer-train exports
CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"


class OnnxRuntime:
    """A session, ready to run. `run` may be called from several threads. words: which backend this is."""

    words = "ONNX Runtime, CPU"

    def __init__(self, model: bytes, path: Path, threads: int = 1, providers: tuple[str, ...] = (CPU,)):
        """model: the content of `path`, its hash checked. Raises EngineError where ONNX Runtime refuses it."""
        self._path = path
        self._session = _session(model, path, threads, list(providers))
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
            raise EngineError(f"{self._path} cannot be run ({_why(error)}): export the network again") from error

    def run(self, pieces: list[dict[str, np.ndarray]]) -> np.ndarray:
        """The first output for all samples of all pieces, one below the other. Each piece: {input: (N, …) float32}.

        One by one, whatever the file takes: on one core a batch of the larger networks is slower, and so a sample gets the
        same bits in whatever company it comes.
        """
        pieces = [{name: host(array) for name, array in piece.items()} for piece in pieces]
        return np.concatenate([self._run(one) for piece in pieces for one in _parts(piece, 1)])

    def _run(self, inputs: dict[str, np.ndarray]) -> np.ndarray:
        return self._session.run(self._outputs[:1], inputs)[0]

    def close(self) -> None:
        self._session = None


class OnnxCuda(OnnxRuntime):
    """The same on the GPU. Raises EngineError where the provider is missing or cannot run this network."""

    def __init__(self, model: bytes, path: Path):
        import onnxruntime

        if CUDA not in onnxruntime.get_available_providers():
            raise EngineError(f"this ONNX Runtime has no {CUDA}: it is in the package onnxruntime-gpu")
        super().__init__(model, path, providers=(CUDA, CPU))
        # a provider whose libraries do not load is left out silently
        if CUDA not in self._session.get_providers():
            raise EngineError(f"ONNX Runtime could not start its {CUDA}")
        self.words = "ONNX Runtime, CUDA"
        try:
            self.run([{name: np.zeros(shape, np.float32) for name, shape in self.inputs.items()}])
        except GpuLost as error:
            raise EngineError(f"ONNX Runtime's {CUDA} cannot run {path.name} ({error})") from error

    def run(self, pieces: list[dict[str, np.ndarray]]) -> np.ndarray:
        """All samples in runs of MOST, one by one where the file takes no more. A sample's numbers may differ in the last
        digits (tests: by less than 2e-4) with the batch that it comes in: the GPU adds up in another order.

        Whatever fails is the GPU's fault, for the CPU ran this very file before. Raises GpuLost.
        """
        try:
            together = {name: np.concatenate([host(piece[name]) for piece in pieces]) for name in self.inputs}
            return np.concatenate([self._run(part) for part in _parts(together, MOST if self._takes_many else 1)])
        except Exception as error:  # ONNX Runtime has no common base class for what it raises
            raise GpuLost(f"ONNX Runtime failed on the GPU ({_why(error)})") from error


def host(array) -> np.ndarray:
    """An array on this side; one that lies on the GPU is fetched. Raises GpuLost."""
    return array if isinstance(array, np.ndarray) else array.numpy()


def _parts(piece: dict[str, np.ndarray], most: int) -> list[dict[str, np.ndarray]]:
    """{input: (N, …)} cut into pieces of `most` samples and a rest."""
    count = len(next(iter(piece.values())))
    return [{name: array[row : row + most] for name, array in piece.items()} for row in range(0, count, most)]


def _session(model: bytes, path: Path, threads: int, providers: list[str]):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    if CUDA not in providers:  # one by one: then all shapes are known, and as much is worked out beforehand as ever
        options.add_free_dimension_override_by_name(BATCH, 1)
    options.log_severity_level = 4  # its complaints come back as exceptions; the same text on stderr would be noise
    try:
        return onnxruntime.InferenceSession(model, options, providers=providers)
    except Exception as error:  # ONNX Runtime has no common base class for what it raises
        raise EngineError(f"{path} is damaged, ONNX Runtime cannot read it ({_why(error)}): restore it") from error


def _why(error: Exception) -> str:
    """One line. ONNX Runtime says that memory ran out in several ways, none of them a MemoryError."""
    text = str(error).strip() or type(error).__name__
    if isinstance(error, MemoryError) or "allocate memory" in text or "bad_alloc" in text:
        return "it needs more memory than there is for it"
    return text.splitlines()[0]
