"""One size of batch of a plan: an execution context whose shapes never change, and the CUDA graph of its run."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

from engines.errors import EngineError, GpuLost

THREAD_LOCAL = 1  # CU_STREAM_CAPTURE_MODE_THREAD_LOCAL: other threads may go on using the GPU meanwhile


@dataclass(frozen=True)
class Ground:
    """What the lanes of a plan share: they run on one stream, one after the other.

    module: TensorRT's bindings. engine: the deserialised plan. log: `Library.logger`. stream: pycuda's. inputs: shapes of one
    sample. addresses: of each tensor. working: (address, bytes) of the memory in which a network computes. config: of TensorRT
    for RTX's runtime, None for TensorRT.
    """

    module: object
    engine: object
    log: object
    stream: object
    inputs: dict[str, tuple[int, ...]]
    addresses: dict[str, int]
    working: tuple[int, int]
    config: object


class Lane:
    def __init__(self, ground: Ground, size: int):
        """Runs once, so that everything is compiled and allocated. Raises EngineError, GpuLost."""
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
    """What `record` puts on a stream, recorded once and replayed there by one call, through the driver: pycuda has no graphs.

    The context must be current in the calling thread.
    """

    def __init__(self, record: Callable[[], None], stream: int, driver=None):
        """stream: its handle. Raises GpuLost where the work cannot be captured; the stream is as before then."""
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
