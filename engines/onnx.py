"""A network run by ONNX Runtime on the CPU, one sample after the other.

One from elsewhere is tried in a child process before it is let into this one: a file may crash ONNX Runtime itself, take all
memory, or hold one operation that never ends; none of that can be undone here.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np

from engines import isolated
from engines.batcher import groups
from engines.errors import EngineError

MOST_ANSWERS = 1000
BATCH = "batch"  # what the free axis is called in the files that mer-train exports
FACES = "N"  # and in those that come of MediaPipe's
CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"


class OnnxRuntime:
    """A session, ready to run. `run` may be called from several threads.

    Attributes:
        words: which backend this is.

    Args:
        model: the content of `path`, its hash checked.

    Raises:
        EngineError: ONNX Runtime refuses it.
    """

    words = "ONNX Runtime, CPU"

    def __init__(self, model: bytes, path: Path, threads: int = 1, providers: tuple = (CPU,)):
        self._path = path
        self._session = session(model, path, threads, list(providers), one=providers == (CPU,))
        self._outputs = [node.name for node in self._session.get_outputs()]
        shapes = {node.name: tuple(node.shape) for node in self._session.get_inputs()}
        free = [name for name, shape in shapes.items() if shape and not isinstance(shape[0], int)]
        self._takes_many = len(free) == len(shapes)
        self.inputs = {name: (1, *shape[1:]) if name in free else shape for name, shape in shapes.items()}

    def check(self, inputs: dict[str, tuple[int, ...]], output: str, least: int) -> int:
        """See that the file takes and gives what its manifest says, by asking it once.

        It has no limits: a file from elsewhere is tried before (`try_in_a_child`).

        Args:
            inputs: shape of one sample, by name.
            output: the one to take.
            least: how many numbers it gives at least for each sample.

        Returns:
            How many it gives.

        Raises:
            EngineError: it takes or gives something else.
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
        shape: tuple[int, ...] = getattr(answer, "shape", ())
        if len(shape) != 2 or shape[0] != 1 or not least <= shape[1] <= MOST_ANSWERS:
            raise EngineError(f"{self._path} answers with numbers of shape {shape}, expected (1, {least}): export it again")
        if not np.isfinite(answer).all():
            raise EngineError(f"{self._path} answers with numbers that are not finite: train and export it again")
        return shape[1]

    def answer(self, sample: dict[str, np.ndarray]):
        """What it gives for one sample, {input: (1, …) float32}, as it comes.

        Raises:
            EngineError: ONNX Runtime fails.
        """
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
    """A float32 array of any shape on this side; one that lies on the GPU is fetched.

    Raises:
        GpuLost: the GPU failed, or is gone.
    """
    return array if isinstance(array, np.ndarray) else array.numpy()


def session(model: bytes, path: Path, threads: int, providers: list, one: bool):
    """ONNX Runtime's own.

    Args:
        model: the content of `path`.
        path: named in errors.
        threads: of the CPU.
        providers: its names, or (name, options).
        one: for one sample at a time: then all shapes are known, and as much is worked out beforehand as ever.

    Raises:
        EngineError: it refuses the file.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    if one:
        for free in (BATCH, FACES):
            options.add_free_dimension_override_by_name(free, 1)
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


SECONDS = 20.0  # to be loaded and to answer twice; live, an answer takes some hundredths of a second
MEMORY = 2 * 2**30  # bytes, beside what its own weights take

_sound: set[str] = set()  # SHA-256 of the files that passed in this process


def try_in_a_child(model: bytes, sha256: str, path: Path, inputs: dict[str, tuple[int, ...]], output: str, least: int) -> None:
    """See in a child that the network loads and answers. One that did is not tried again while this process lives.

    Args:
        model: the content of `path`.
        sha256: its hash.
        path: named in errors.
        inputs: see `OnnxRuntime.check`.
        output: see `OnnxRuntime.check`.
        least: see `OnnxRuntime.check`.

    Raises:
        EngineError: it is refused, crashes, or takes more than SECONDS or MEMORY.
    """
    if sha256 in _sound:
        return
    limits = {"seconds": SECONDS, "memory": MEMORY + 4 * len(model)}  # read, parsed, laid out, and laid out for speed
    asked = json.dumps({"path": str(path), "inputs": inputs, "output": output, "least": least, **limits})
    done = subprocess.run(isolated.command("engines.onnx", asked), input=model, capture_output=True, start_new_session=True, check=False)
    if done.returncode == -signal.SIGALRM:
        raise EngineError(f"{path} gives no answer within {SECONDS:g} s: it cannot be used live")
    if done.returncode < 0:
        how = signal.strsignal(-done.returncode)
        raise EngineError(f"{path} crashes ONNX Runtime or takes all its memory ({how}): it cannot be used")
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise EngineError(": ".join([f"{path} could not be tried in a process of its own", *last]))
    if refused := json.loads(done.stdout)["refused"]:
        raise EngineError(refused)
    _sound.add(sha256)


def main() -> None:
    """The child's side: one request as its word, the file on stdin; answers {"refused": why or ""}."""
    import onnxruntime  # noqa: F401 - what it takes itself does not count

    asked, model = json.loads(sys.argv[1]), sys.stdin.buffer.read()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # a library's own words are no answer
    signal.setitimer(signal.ITIMER_REAL, asked["seconds"])  # ends it within an operation too, also where nobody waits any more
    isolated.limit_memory(asked["memory"])
    inputs = {name: tuple(shape) for name, shape in asked["inputs"].items()}
    try:
        network = OnnxRuntime(model, Path(asked["path"]))
        network.check(inputs, asked["output"], asked["least"])
        random = np.random.default_rng(0)  # what it does may hang on what it is given
        network.answer({name: random.standard_normal(shape, np.float32) for name, shape in inputs.items()})
        refused = ""
    except EngineError as error:
        refused = str(error)
    print(json.dumps({"refused": refused}), file=answers, flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
