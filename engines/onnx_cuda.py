"""A network run by ONNX Runtime on an NVIDIA GPU, in a stream of its own; what lies on the GPU already is read there."""

from __future__ import annotations

import functools
import io
import logging
import threading
from contextlib import contextmanager, redirect_stdout, suppress
from importlib import metadata
from pathlib import Path

import numpy as np

from engines import device
from engines.batcher import groups, samples
from engines.errors import EngineError, GpuLost, notices
from engines.onnx import CPU, CUDA, OnnxRuntime, host, session, why

MOST = 64  # samples in one run
CLOSE = 1e-3  # largest difference from the CPU's answers when it is first asked, of the largest of them where that is above 1
FULL = ("out of memory", "allocate memory", "ALLOC_FAILED", "bad_alloc")  # how CUDA's libraries say so
INSTALL = (
    "pip install 'mer-live[cuda]', then pip uninstall -y onnxruntime onnxruntime-gpu, "
    "then pip install --no-deps 'onnxruntime-gpu<2': the two packages share one folder"
)
OPTIONS = {
    "use_tf32": "0",  # it would round fp32 to 10 bits
    "cudnn_conv_algo_search": "HEURISTIC",  # trying all would stop the stream at each new size of batch
    "arena_extend_strategy": "kSameAsRequested",  # others use this GPU, too
}


class Absent(EngineError):
    """This ONNX Runtime has no CUDA provider, or the machine no NVIDIA driver: nothing is wrong."""


class OnnxCuda(OnnxRuntime):
    """The same on the GPU. `run` may be called from several threads; they take turns.

    A sample's numbers may differ in the last digits (tests: by less than 2e-4) with the batch in which it comes: the GPU
    adds up in another order.

    Args:
        cpu: the same network; three samples are compared.

    Raises:
        EngineError: the provider does not start, or cannot run this network, or answers otherwise than the CPU.
        Absent: there is none.
    """

    def __init__(self, model: bytes, path: Path, cpu: OnnxRuntime):
        import onnxruntime

        if why_not := device.refused():
            raise Absent(why_not)
        if CUDA not in onnxruntime.get_available_providers():
            raise Absent(f"this ONNX Runtime has no {CUDA}: {INSTALL}")
        said = _preload()
        self._most, self._lock, self._stream, self._graph = MOST, threading.Lock(), _stream(), None
        options = OPTIONS | ({"user_compute_stream": str(self._stream.handle)} if self._stream else {})
        try:
            with _silent(onnxruntime), device.shared():
                super().__init__(model, path, providers=((CUDA, options), CPU))
        except EngineError as error:  # the CPU has read this file
            raise _not_started(f"{error}; {said}" if said else str(error)) from error
        if CUDA not in self._session.get_providers():  # whose libraries do not load is left out silently
            raise _not_started(said)
        self._session.disable_fallback()  # by itself it would go on on the CPU, and print so
        self._outputs = cpu.outputs
        gpu = device.find()
        self.words = f"ONNX Runtime, CUDA{f', {gpu.name}' if gpu else ''}"
        self._compare(cpu)
        self._graph = self._recorded(model, path, cpu)

    def run(self, pieces: list[dict]) -> np.ndarray:
        """The output for all samples of all pieces, one below the other, MOST in a run: one by one where the file takes no
        more.

        One sample alone replays a graph, where one could be recorded.

        Each piece: {input: (N, …) float32}, arrays on this side or `DeviceArray`s of the flow, which are complete when they
        are handed out and are read where they lie. Where the GPU's memory does not hold as many, half as many are tried.
        Whatever else fails is the GPU's fault, for the CPU ran this very file before.

        Raises:
            GpuLost: the GPU failed, or is gone.
        """
        if not self._takes_many:
            pieces = [{name: host(array) for name, array in piece.items()} for piece in pieces]
        count = sum(map(samples, pieces))
        with self._lock:
            if self._session is None:
                raise GpuLost("it was closed")
            most = min(self._most if self._takes_many else 1, count)
            while True:
                try:
                    with device.active() if self._stream else device.shared():
                        if count == 1 and self._graph is not None:
                            return self._graph.run(pieces[0], self._stream)
                        return np.concatenate([self._run_bound(group) for group in groups(pieces, most)])
                except Exception as error:  # ONNX Runtime has no common base class for what it raises
                    if most == 1 or not any(word in str(error) for word in FULL):
                        raise GpuLost(f"ONNX Runtime failed on the GPU ({_plain(error)})") from error
                    most = self._most = most // 2
                    notices.warning(f"{self._path.stem}: the GPU's memory does not hold {count} samples at once: it computes fewer at a time")

    def close(self) -> None:
        with self._lock:
            super().close()
            self._graph = None
            if self._stream is not None:
                with suppress(Exception), device.active():
                    self._stream = None

    def _run_bound(self, group: list[dict]) -> np.ndarray:
        binding, held = self._session.io_binding(), []
        for name in self.inputs:
            arrays = [piece[name] for piece in group]
            if all(isinstance(array, np.ndarray) for array in arrays):
                binding.bind_cpu_input(name, np.ascontiguousarray(np.concatenate(arrays) if len(arrays) > 1 else arrays[0]))
                continue
            there = arrays[0] if len(arrays) == 1 else self._gathered(arrays)
            held.append(there)  # until what reads it is done
            binding.bind_input(name, "cuda", 0, np.float32, there.shape, there.pointer)
        binding.bind_output(self._outputs[0], "cpu")
        self._session.run_with_iobinding(binding)
        binding.synchronize_outputs()
        return binding.copy_outputs_to_cpu()[0]

    def _gathered(self, arrays: list):
        """The arrays one below the other in the GPU's memory."""
        import pycuda.driver as cuda

        from engines.flow.memory import DeviceArray

        shape = (sum(array.shape[0] for array in arrays), *arrays[0].shape[1:])
        there = DeviceArray(shape)
        sample, row = 4 * int(np.prod(shape[1:])), 0
        for array in arrays:
            target, rows = there.pointer + row * sample, array.shape[0]
            if isinstance(array, np.ndarray):
                cuda.memcpy_htod_async(target, np.ascontiguousarray(array), self._stream)
            else:
                cuda.memcpy_dtod_async(target, array.pointer, rows * sample, self._stream)
            row += rows
        self._stream.synchronize()  # what came from this side may be freed now
        return there

    def _compare(self, cpu: OnnxRuntime) -> None:
        """A batch of three beside the CPU: compiles what there is to compile, and finds a file that mixes its samples."""
        random = np.random.default_rng(0)
        three = {name: random.random((3, *shape[1:]), np.float32) for name, shape in self.inputs.items()}
        try:
            found = self.run([three])
        except GpuLost as error:
            raise EngineError(f"ONNX Runtime's {CUDA} cannot run {self._path.name} ({error})") from error
        off = _apart(found, cpu.run([three]))
        if not off <= CLOSE:
            raise EngineError(f"{self._path.stem} answers otherwise on the GPU than on the CPU (off by {off:.1e}): it runs on the CPU")

    def _recorded(self, model: bytes, path: Path, cpu: OnnxRuntime) -> OnnxGraph | None:
        """What answers one sample alone; None where it cannot be recorded or answers otherwise than the CPU. Then all is as before."""
        import onnxruntime

        random = np.random.default_rng(1)
        two = [{name: random.random(shape, np.float32) for name, shape in self.inputs.items()} for _ in range(2)]
        expected = [cpu.run([sample]) for sample in two]
        try:
            with _silent(onnxruntime), device.alone():
                graph = OnnxGraph(model, path, OPTIONS, self.inputs, self._outputs[0], expected[0].shape)
                off = max(_apart(graph.run(sample, None), wanted) for sample, wanted in zip(two, expected, strict=True))
            if off <= CLOSE:
                return graph
            why_not = f"it is off by {off:.1e}"
        except Exception as error:  # ONNX Runtime has no common base class for what it raises
            why_not = _plain(error)
        logging.getLogger(__name__).debug("%s: no CUDA graph for one sample alone: %s", path.stem, why_not)
        return None


@functools.cache
def _preload() -> str:
    """Load CUDA's and cuDNN's libraries from their pip packages, once a process; what was said of those that do not load."""
    import onnxruntime

    said = io.StringIO()
    with suppress(Exception), redirect_stdout(said):  # it prints
        onnxruntime.preload_dlls()
    return next((line.strip() for line in said.getvalue().splitlines() if line.startswith("Failed")), "")


def _stream():
    """A stream of pycuda's for ONNX Runtime; without pycuda nothing else is on the GPU, and it makes its own."""
    if device.find() is None:
        return None
    try:
        with device.active():
            import pycuda.driver as cuda

            return cuda.Stream(1)  # CU_STREAM_NON_BLOCKING: waits for nobody else's work
    except EngineError as error:
        raise EngineError(f"ONNX Runtime cannot use the GPU ({error})") from error


@contextmanager
def _silent(onnxruntime):
    """What fails comes back as an exception, or as a provider that is not there; the same on stderr would be noise."""
    onnxruntime.set_default_logger_severity(4)
    try:
        yield
    finally:
        onnxruntime.set_default_logger_severity(2)


def _not_started(reason: str) -> EngineError:
    if device.find() is None and not device.driver():
        return Absent(f"ONNX Runtime could not start its {CUDA}: there is no NVIDIA driver")
    return EngineError(f"ONNX Runtime could not start its {CUDA} ({reason or 'CUDA or cuDNN is missing'}), networks run on the CPU: {INSTALL}")


def installed_under() -> str:
    """One line where onnxruntime-gpu was installed and onnxruntime lies over it; empty otherwise."""
    import onnxruntime

    with suppress(metadata.PackageNotFoundError):
        metadata.version("onnxruntime-gpu")
        if CUDA not in onnxruntime.get_available_providers():
            return f"onnxruntime-gpu is installed, but onnxruntime lies over it: {INSTALL}"
    return ""


def _apart(found: np.ndarray, expected: np.ndarray) -> float:
    """Probabilities differ by so much; pixels by so much of the largest."""
    return float(np.abs(found - expected).max() / max(1.0, np.abs(expected).max())) if found.shape == expected.shape else float("inf")


def _plain(error: Exception) -> str:
    return str(error) if isinstance(error, EngineError) else why(error)


class OnnxGraph:
    """A network that answers one sample at a time by replaying a CUDA graph: `run(sample)` → (1, …) float32.

    What a small network takes for one sample are the launches of its hundreds of operations; a graph is one launch. Its
    memory never moves, so what comes in is copied there. Called by one thread at a time.

    To be made while the GPU is used by nobody else (`device.alone`).

    Args:
        options: of the CUDA provider.
        inputs: shapes of one sample.
        output: its name.
        shape: of its answer, (1, …).

    Raises:
        EngineError: it cannot be recorded; or what ONNX Runtime itself raises.
    """

    def __init__(self, model: bytes, path: Path, options: dict[str, str], inputs: dict[str, tuple[int, ...]], output: str, shape: tuple[int, ...]):
        import onnxruntime

        self._session = session(model, path, 1, [(CUDA, options | {"enable_cuda_graph": "1"}), CPU], one=True)
        if CUDA not in self._session.get_providers():
            raise EngineError(f"{CUDA} does not start")
        self._session.disable_fallback()
        self._there = {
            name: onnxruntime.OrtValue.ortvalue_from_numpy(np.zeros(shape, np.float32), "cuda", 0)
            for name, shape in {**inputs, output: shape}.items()
        }
        self._answer = self._there[output]
        self._binding = self._session.io_binding()
        for name in inputs:
            self._binding.bind_ortvalue_input(name, self._there[name])
        self._binding.bind_ortvalue_output(output, self._answer)
        self._session.run_with_iobinding(self._binding)

    def run(self, sample: dict, stream) -> np.ndarray:
        """The answer for one sample, (1, …) float32.

        Args:
            sample: {input: (1, …) float32}, arrays on this side or `DeviceArray`s.
            stream: for these: pycuda's, in the active context.
        """
        copied = False
        for name, array in sample.items():
            if isinstance(array, np.ndarray) or stream is None:
                self._there[name].update_inplace(np.ascontiguousarray(host(array)))
            else:
                import pycuda.driver as cuda

                cuda.memcpy_dtod_async(self._there[name].data_ptr(), array.pointer, 4 * int(np.prod(array.shape)), stream)
                copied = True
        if copied:
            stream.synchronize()
        self._session.run_with_iobinding(self._binding)
        return self._answer.numpy().copy()
