"""A TensorRT plan on the GPU: buffers, contexts and CUDA graphs are made once, then only filled and replayed.

Three sizes of batch are made ready (1, 8, 64); a call is filled up to the next of them. Each has an execution context of
its own, because a CUDA graph is good for one shape of one context; one piece of working memory serves them all.
"""

from __future__ import annotations

import ctypes
import threading
import weakref
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from engines import device
from engines.batcher import groups, samples
from engines.errors import EngineError, GpuLost
from engines.tensorrt import library
from engines.tensorrt.manifest import PROFILES
from engines.tensorrt.store import Store

NON_BLOCKING = 1  # CU_STREAM_NON_BLOCKING: nobody else's work on the default stream ends a recording

_open: weakref.WeakSet[Plan] = weakref.WeakSet()
_registered = False


def open_plan(name: str, onnx_sha256: str, inputs: dict[str, tuple[int, ...]], output: str, precision: str | None = None) -> Plan:
    """The network's plan (`Plan`), checked against its manifest, then loaded and warm.

    Args:
        name: of the network.
        onnx_sha256: of its file.
        inputs: shapes of one sample (1, …).
        output: its name.
        precision: by default that of the one built last.

    Raises:
        EngineError: there is none for this GPU; it says why and what to do.
    """
    gpu = device.find()
    if gpu is None:
        raise EngineError(f"{name} cannot run on TensorRT here: {device.why_not()}")
    tensorrt = library.find()
    if tensorrt is None:
        raise EngineError(f"{name} cannot run on TensorRT here: {library.why_not()}")
    content, manifest = Store().load(name, onnx_sha256, gpu, tensorrt, precision)
    try:
        return Plan(content, tensorrt, inputs, output, f"{tensorrt.title}, {gpu.name}, {manifest.precision}")
    except GpuLost as error:
        raise EngineError(f"the {manifest.precision} engine of {name} cannot be loaded ({error})") from error
    except EngineError as error:
        raise EngineError(f"the {manifest.precision} engine of {name} is not used, {error}: {manifest.command}") from error


def expected(name: str) -> bool:
    """Whether somebody built an engine of this network, or would gain by it: then why it is not used is worth a word."""
    return built(name) or device.find() is not None


def built(name: str) -> bool:
    """Whether there is an engine of this network, sound or not."""
    return any(path.name.startswith(f"{name}.") for path in Store().path.glob("*.json"))


class Plan:
    """A network on the GPU. `run` may be called from several threads; they take turns.

    Attributes:
        words: which backend this is.

    Args:
        plan: bytes that `store.load` gave out, and no others: deserialising a plan is running a program.
        library: the `Library` that made it.
        inputs: shapes of one sample, (1, …).

    Raises:
        EngineError: TensorRT refuses the plan or its tensors are not the network's.
        GpuLost: the GPU has no room for it.
    """

    def __init__(self, plan: bytes, library, inputs: dict[str, tuple[int, ...]], output: str, words: str, sizes=PROFILES):
        self.words, self.inputs, self._output = words, inputs, output
        self._sizes = tuple(sorted(sizes))
        self._lock = threading.Lock()
        self._lanes: dict[int, Lane] = {}
        self._device: dict[str, Any] = {}  # pycuda's, by tensor, as all that follow
        self._pinned: dict[str, np.ndarray] = {}
        self._working: Any = None
        self._engine: Any = None
        self._runtime: Any = None
        self._stream: Any = None
        try:
            with _gpu():
                self._load(plan, library)
        except BaseException:
            self.close()
            raise
        _remember(self)

    def run(self, pieces: list[dict]) -> np.ndarray:
        """The output for all samples of all pieces, one below the other, float32.

        Each piece: {input: (N, …) float32}, arrays on this side or `DeviceArray`s of the flow, which are complete when they
        are handed out, so that no stream has to wait for another.

        Raises:
            GpuLost: the GPU failed, or is gone.
        """
        with self._lock, _gpu():
            if self._stream is None:
                raise GpuLost("the plan was closed")
            return np.concatenate([self._run(group) for group in groups(pieces, self._sizes[-1])])

    def close(self) -> None:
        """Give everything back. Does nothing the second time, and no harm where the GPU is gone."""
        with self._lock:
            if self._stream is not None:
                with suppress(Exception), device.active():
                    self._free()
                self._stream = None

    def _free(self) -> None:
        """The context is current."""
        for lane in self._lanes.values():
            lane.close()
        self._let_go()

    def _let_go(self) -> None:
        self._lanes, self._device, self._pinned = {}, {}, {}
        self._working = self._engine = self._runtime = self._stream = None

    def _load(self, plan: bytes, library) -> None:
        import pycuda.driver as cuda

        self._cuda, self._stream, log = cuda, cuda.Stream(NON_BLOCKING), library.logger
        log.errors.clear()
        self._runtime = library.module.Runtime(log)
        self._engine = engine = self._runtime.deserialize_cuda_engine(plan)
        if engine is None:
            raise EngineError(f"{library.title} refuses the plan ({last_word(log)[:200]})")
        self._check(library.module)
        shapes = {name: tuple(engine.get_tensor_shape(name))[1:] for name in (*self.inputs, self._output)}
        most = self._sizes[-1]
        self._pinned = {name: cuda.pagelocked_empty((most, *shape), np.float32) for name, shape in shapes.items()}
        self._device = {name: cuda.mem_alloc(array.nbytes) for name, array in self._pinned.items()}
        for name, array in self._pinned.items():
            array[:] = 0  # rows that only fill a batch up are computed too, and need a number
            cuda.memcpy_htod_async(int(self._device[name]), array, self._stream)
        working = int(getattr(engine, "device_memory_size_v2", 0) or getattr(engine, "device_memory_size", 0))
        self._working = cuda.mem_alloc(working) if working else None
        ground = Ground(
            library.module,
            engine,
            log,
            self._stream,
            self.inputs,
            {name: int(memory) for name, memory in self._device.items()},
            (int(self._working) if working else 0, working),
            runtime_config(library.module, engine),
        )
        for size in self._sizes:
            self._lanes[size] = Lane(ground, size)

    def _check(self, module) -> None:
        engine = self._engine
        names = [engine.get_tensor_name(place) for place in range(engine.num_io_tensors)]
        found = {name: tuple(engine.get_tensor_shape(name)) for name in names}
        takes = {name: shape for name, shape in found.items() if engine.get_tensor_mode(name) == module.TensorIOMode.INPUT}
        wanted = {name: (-1, *shape[1:]) for name, shape in self.inputs.items()}
        floats = all(engine.get_tensor_dtype(name) == module.DataType.FLOAT for name in names)
        if takes != wanted or found.keys() - takes.keys() != {self._output} or not floats:
            raise EngineError(f"the plan takes {takes} and gives {[*(found.keys() - takes.keys())]}, expected {wanted}")

    def _run(self, group: list[dict]) -> np.ndarray:
        rows = sum(samples(piece) for piece in group)
        for name in self.inputs:
            self._upload(name, [piece[name] for piece in group])
        self._lanes[next(size for size in self._sizes if size >= rows)].enqueue()
        answer = self._pinned[self._output][:rows]
        self._cuda.memcpy_dtoh_async(answer, int(self._device[self._output]), self._stream)
        self._stream.synchronize()
        return answer.copy()

    def _upload(self, name: str, arrays: list) -> None:
        """Neighbouring arrays on this side travel in one copy; what lies on the GPU is copied there."""
        pinned, target, row, waiting = self._pinned[name], int(self._device[name]), 0, 0
        sample = pinned[0].nbytes

        def send(begin: int, end: int) -> None:
            if end > begin:
                self._cuda.memcpy_htod_async(target + begin * sample, pinned[begin:end], self._stream)

        for array in arrays:
            end = row + array.shape[0]
            if isinstance(array, np.ndarray):
                pinned[row:end] = array
            else:
                send(waiting, row)
                self._cuda.memcpy_dtod_async(target + row * sample, int(array.pointer), (end - row) * sample, self._stream)
                waiting = end
            row = end
        send(waiting, row)

    def __del__(self):
        with suppress(Exception):
            self.close()


@contextmanager
def _gpu():
    """The context is current inside; TensorRT's own exceptions, too, come out as GpuLost."""
    try:
        with device.active():
            yield
    except EngineError:
        raise
    except Exception as error:
        raise GpuLost(" ".join(str(error).split()) or type(error).__name__) from error


def _remember(plan: Plan) -> None:
    global _registered
    _open.add(plan)
    if not _registered:
        _registered = True
        device.on_close(_close_all)


def _close_all() -> None:
    """At the end of the process; the context is current, and is not to be asked for again."""
    for plan in list(_open):
        with plan._lock, suppress(Exception):
            plan._free()


THREAD_LOCAL = 1  # CU_STREAM_CAPTURE_MODE_THREAD_LOCAL: other threads may go on using the GPU meanwhile


@dataclass(frozen=True)
class Ground:
    """What the lanes of a plan share: they run on one stream, one after the other.

    Attributes:
        module: TensorRT's bindings.
        engine: the deserialised plan.
        log: `Library.logger`.
        stream: pycuda's.
        inputs: shapes of one sample.
        addresses: of each tensor.
        working: (address, bytes) of the memory in which a network computes.
        config: of TensorRT for RTX's runtime, None for TensorRT.
    """

    module: Any
    engine: Any
    log: Any
    stream: Any
    inputs: dict[str, tuple[int, ...]]
    addresses: dict[str, int]
    working: tuple[int, int]
    config: Any


class Lane:
    """One size of batch of a plan: an execution context whose shapes never change, and the CUDA graph of its run.

    It runs once when it is made, so that everything is compiled and allocated. Raises EngineError, GpuLost.
    """

    def __init__(self, ground: Ground, size: int):
        self._stream, self._log, self._graph = ground.stream, ground.log, None
        strategy = ground.module.ExecutionContextAllocationStrategy.USER_MANAGED
        self._context = context = ground.engine.create_execution_context(ground.config or strategy)
        if context is None:
            raise GpuLost(f"no execution context for batches of {size} ({last_word(self._log)})")
        address, working = ground.working
        if working:
            context.set_device_memory(address, working)
        self._choose_profile(ground, size)
        for name, shape in ground.inputs.items():
            if not context.set_input_shape(name, (size, *shape[1:])):
                raise EngineError(f"the plan takes no batches of {size} ({last_word(self._log)})")
        for name, address in ground.addresses.items():
            context.set_tensor_address(name, address)
        self._direct()  # TensorRT settles now what it put off; a capture before that would fail
        self._stream.synchronize()
        if ground.config is None:  # TensorRT for RTX captures by itself
            with suppress(GpuLost):  # some networks cannot be captured: they are put on the stream each time
                self._graph = CudaGraph(self._direct, self._stream.handle)

    def enqueue(self) -> None:
        """Put the network on the stream. Raises GpuLost."""
        if self._graph:
            self._graph.launch(self._stream.handle)
        else:
            self._direct()

    def close(self) -> None:
        if self._graph:
            self._graph.close()
        self._graph = self._context = None

    def _direct(self) -> None:
        if not self._context.execute_async_v3(self._stream.handle):
            raise GpuLost(f"TensorRT could not run the network ({last_word(self._log)})")

    def _choose_profile(self, ground: Ground, size: int) -> None:
        """A plan may have several profiles: the one that was tuned nearest to this size."""
        engine, name = ground.engine, next(iter(ground.inputs))
        profiles = [engine.get_tensor_profile_shape(name, place) for place in range(engine.num_optimization_profiles)]
        fits = [place for place, (least, _, most) in enumerate(profiles) if least[0] <= size <= most[0]]
        if not fits:
            raise EngineError(f"the plan takes no batches of {size}")
        best = min(fits, key=lambda place: abs(profiles[place][1][0] - size))
        if best and not self._context.set_optimization_profile_async(best, self._stream.handle):
            raise EngineError(f"the plan's profile {best} cannot be used ({last_word(self._log)})")


def runtime_config(module, engine):
    """TensorRT for RTX compiles for this GPU when a context is made, and captures graphs itself. None for TensorRT."""
    if not hasattr(module, "CudaGraphStrategy"):
        return None
    config = engine.create_runtime_config()
    config.set_execution_context_allocation_strategy(module.ExecutionContextAllocationStrategy.USER_MANAGED)
    config.cuda_graph_strategy = module.CudaGraphStrategy.WHOLE_GRAPH_CAPTURE
    # at once rather than behind a slower kernel first: all shapes are known, and a stream should not change its pace
    config.dynamic_shapes_kernel_specialization_strategy = module.DynamicShapesKernelSpecializationStrategy.EAGER
    return config


def last_word(log) -> str:
    """What TensorRT last complained of."""
    return log.errors[-1] if log.errors else "it does not say why"


class CudaGraph:
    """What `record` puts on a stream, recorded once and replayed there by one call, by the driver: pycuda has no graphs.

    The context must be current in the calling thread.

    Args:
        stream: its handle.

    Raises:
        GpuLost: the work cannot be captured; the stream is as before then.
    """

    def __init__(self, record: Callable[[], None], stream: int, driver=None):
        self._driver = driver or _driver()
        self._executable = ctypes.c_void_p()
        graph = ctypes.c_void_p()
        self._call("cuStreamBeginCapture_v2", ctypes.c_void_p(stream), ctypes.c_int(THREAD_LOCAL))
        try:
            try:
                record()
            finally:  # a capture that is never ended would poison the stream
                ended = self._driver.cuStreamEndCapture(ctypes.c_void_p(stream), ctypes.byref(graph))
            if ended or not graph:
                raise GpuLost(f"the work could not be captured as a CUDA graph (CUDA error {ended})")
            flags = ctypes.c_ulonglong(0)
            self._call("cuGraphInstantiateWithFlags", ctypes.byref(self._executable), graph, flags)
        finally:
            if graph:
                self._driver.cuGraphDestroy(graph)

    def launch(self, stream: int) -> None:
        """Raises GpuLost."""
        self._call("cuGraphLaunch", self._executable, ctypes.c_void_p(stream))

    def close(self) -> None:
        if self._executable:
            self._driver.cuGraphExecDestroy(self._executable)
            self._executable = ctypes.c_void_p()

    def _call(self, name: str, *arguments) -> None:
        status = getattr(self._driver, name)(*arguments)
        if status:
            raise GpuLost(f"{name} failed (CUDA error {status})")


@lru_cache(maxsize=1)
def _driver():
    """The driver's own library, which pycuda has loaded already. Raises GpuLost where it is not to be found."""
    for name in ("libcuda.so.1", "nvcuda.dll"):
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    raise GpuLost("the CUDA driver's library is not to be found")
