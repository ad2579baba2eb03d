"""A GPU and a TensorRT made of numpy: enough of pycuda.driver and of TensorRT's bindings to run `engines.tensorrt.run`.

What lies "on the GPU" is bytes behind a number; using memory that was freed, or anything but from inside a pushed context,
is an error. `fail(...)` makes the next calls fail as a driver does.
"""

import hashlib
import sys
import threading
import time
from types import ModuleType, SimpleNamespace

import numpy as np

from engines import device
from engines.errors import GpuLost
from engines.onnx import OnnxRuntime
from engines.tensorrt import library, run
from engines.tensorrt.manifest import PlanManifest

NAME = "Fake GPU 3000"


class Error(Exception):
    """As pycuda.driver.Error."""


class MemoryError(Error):
    """As pycuda.driver.MemoryError."""


class FakeGpu:
    """`cuda`: stands for pycuda.driver. `trt`: stands for TensorRT's bindings, with the networks in `plans`."""

    def __init__(self):
        self.memory: dict[int, bytearray] = {}
        self.free_bytes = 1 << 40
        self.plans: dict[bytes, SimpleNamespace] = {}
        self.failure: str | None = None
        self.current = threading.local()
        self.streams: dict[int, int] = {}  # handle → the thread whose work is on it
        self.copies: list[str] = []
        self.configs: list[SimpleNamespace] = []  # of TensorRT for RTX
        self.runs: list[int] = []  # the batch of each run
        self._next = 1 << 20
        self.cuda = _cuda(self)
        self.trt = _trt(self)

    def fail(self, with_text: str | None) -> None:
        """From now on every call of the driver fails with this text; None: it works again."""
        self.failure = with_text

    def plan(self, content: bytes, run, inputs: dict[str, tuple], output: str, most: int = 64) -> bytes:
        """Let `content` be the plan of a network: run({input: (N, …)}) → (N, …)."""
        self.plans[content] = SimpleNamespace(run=run, inputs=inputs, output=output, most=most)
        return content

    def engine_of(self, network, store, **changed) -> bytes:
        """Build and save the "engine" of a network, answered by ONNX Runtime; `changed`: what its manifest says otherwise."""
        session, shapes = OnnxRuntime(network.path.read_bytes(), network.path), network.shapes
        content = f"plan of {network.name}, {changed}".encode()
        self.plan(content, lambda inputs: session.run([inputs]), shapes, network.output)
        facts = {
            "network": network.name,
            "onnx_sha256": network.manifest["sha256"],
            "plan_sha256": hashlib.sha256(content).hexdigest(),
            "library": "tensorrt",
            "version": self.trt.__version__,
            "cuda": "13.0",
            "driver": "580.65",
            "gpu": NAME,
            "targets": ("sm_89",),
            "precision": "fp32",
            "profiles": (1, 8, 64),
            "kept_fp32": (),
            "tool_version": "0",
            "made": "2026-11-22T12:00:00Z",
        }
        store.save(PlanManifest(**{**facts, **changed}), content)
        return content

    def put(self, array: np.ndarray):
        """An array on the GPU, as the flow hands it over."""
        memory = self.cuda.mem_alloc(array.nbytes, check=False)
        self.memory[int(memory)][:] = array.tobytes()
        return SimpleNamespace(shape=array.shape, pointer=int(memory), owner=memory, numpy=lambda: self._fetch(array))

    def make_rtx(self) -> None:
        """The bindings have what those of TensorRT for RTX have."""
        self.trt.CudaGraphStrategy = SimpleNamespace(WHOLE_GRAPH_CAPTURE="whole")
        self.trt.DynamicShapesKernelSpecializationStrategy = SimpleNamespace(EAGER="eager")

    def _fetch(self, array):
        if self.failure:
            raise GpuLost(self.failure)
        return array

    def use(self, stream: int) -> None:
        """A thread puts work on a stream, which is its own until it has synchronized it."""
        self.check()
        if self.streams.setdefault(stream, threading.get_ident()) != threading.get_ident():
            raise Error("two threads put work on one stream")

    def check(self) -> None:
        if self.failure:
            raise Error(self.failure)
        if not getattr(self.current, "depth", 0):
            raise Error("invalid device context")

    def at(self, address: int, size: int) -> memoryview:
        for start, block in self.memory.items():
            if start <= address and address + size <= start + len(block):
                return memoryview(block)[address - start : address - start + size]
        raise Error(f"invalid argument: nothing lies at {address}")

    def take(self, size: int) -> int:
        if sum(map(len, self.memory.values())) + size > self.free_bytes:
            raise MemoryError("cuMemAlloc failed: out of memory")
        address, self._next = self._next, self._next + size + 256
        self.memory[address] = bytearray(size)
        return address


def install(monkeypatch) -> FakeGpu:
    """For the rest of the test this machine has that GPU, and TensorRT 11.4; nothing is recorded as a CUDA graph."""
    fake = FakeGpu()
    here = device.Device(NAME, "sm_89", "580.65", "13.0", 8192)
    tensorrt = library.Library("tensorrt", fake.trt.__version__, fake.trt)
    monkeypatch.setattr(device, "_found", (here, ""))
    monkeypatch.setattr(device, "_broken", "")
    monkeypatch.setattr(device, "_context", fake.cuda.Device(0).retain_primary_context())
    monkeypatch.delenv("MER_NO_GPU", raising=False)
    monkeypatch.setitem(sys.modules, "pycuda", SimpleNamespace(driver=fake.cuda))
    monkeypatch.setitem(sys.modules, "pycuda.driver", fake.cuda)
    monkeypatch.setattr(run, "_registered", True)  # the fake does not outlive the test
    monkeypatch.setattr(library, "find", lambda: tensorrt)
    monkeypatch.setattr(run, "_driver", _no_driver)
    return fake


def _no_driver():
    raise GpuLost("no driver's library in the test")


def _cuda(gpu: FakeGpu) -> ModuleType:
    cuda = ModuleType("pycuda.driver")

    class Memory:
        def __init__(self, size):
            self.address = gpu.take(size)

        def __int__(self):
            return self.address

        def __del__(self):
            if hasattr(self, "address"):
                gpu.memory.pop(self.address, None)

    class Stream:
        def __init__(self, flags):
            gpu.check()
            assert flags == 1  # does not wait for others
            self.handle = id(self)

        def synchronize(self):
            gpu.use(self.handle)
            gpu.streams.pop(self.handle)

    class Context:
        def push(self):
            gpu.current.depth = getattr(gpu.current, "depth", 0) + 1

        @staticmethod
        def pop():
            gpu.current.depth -= 1

        def detach(self):
            gpu.current.depth -= 1

    class Device:
        def __init__(self, number):
            pass

        count = staticmethod(lambda: 1)
        compute_capability = staticmethod(lambda: (8, 9))
        name = staticmethod(lambda: NAME)
        total_memory = staticmethod(lambda: 8 << 30)
        retain_primary_context = staticmethod(Context)

    def mem_alloc(size, check=True):
        if check:
            gpu.check()
        return Memory(size)

    def htod(target, array, stream):
        gpu.use(stream.handle)
        assert array.flags.c_contiguous
        gpu.copies.append("htod")
        gpu.at(target, array.nbytes)[:] = array.tobytes()

    def dtoh(array, source, stream):
        gpu.use(stream.handle)
        assert array.flags.c_contiguous
        array[...] = np.frombuffer(bytes(gpu.at(source, array.nbytes)), array.dtype).reshape(array.shape)

    def dtod(target, source, size, stream):
        gpu.use(stream.handle)
        gpu.copies.append("dtod")
        gpu.at(target, size)[:] = bytes(gpu.at(source, size))

    def pagelocked_empty(shape, dtype):
        gpu.check()
        return np.full(shape, np.nan, dtype)

    cuda.MemoryError = MemoryError
    cuda.Error, cuda.Stream, cuda.Context, cuda.Device = Error, Stream, Context, Device
    cuda.init, cuda.get_driver_version = lambda: None, lambda: 13000
    cuda.mem_alloc, cuda.pagelocked_empty = mem_alloc, pagelocked_empty
    cuda.memcpy_htod_async, cuda.memcpy_dtoh_async, cuda.memcpy_dtod_async = htod, dtoh, dtod
    return cuda


def _trt(gpu: FakeGpu) -> ModuleType:
    trt = ModuleType("tensorrt")
    trt.__version__ = "11.4.0"
    trt.Builder = trt.OnnxParser = object
    trt.ILogger = type("ILogger", (), {"Severity": SimpleNamespace(INTERNAL_ERROR=0, ERROR=1, WARNING=2)})
    trt.TensorIOMode = SimpleNamespace(INPUT="input", OUTPUT="output")
    trt.DataType = SimpleNamespace(FLOAT="float")
    trt.ExecutionContextAllocationStrategy = SimpleNamespace(USER_MANAGED="user")

    class Context:
        def __init__(self, engine):
            self.engine, self.shapes, self.addresses, self.working = engine, {}, {}, 0

        def set_device_memory(self, address, size):
            gpu.at(address, size)
            self.working = size

        def set_input_shape(self, name, shape):
            self.shapes[name] = shape
            return shape[0] <= self.engine.network.most

        def set_tensor_address(self, name, address):
            self.addresses[name] = address
            return True

        def execute_async_v3(self, stream):
            gpu.use(stream)
            time.sleep(0.0005)  # long enough for another thread to come by
            assert self.working, "a context without working memory"
            network, given = self.engine.network, {}
            for name, shape in self.shapes.items():
                raw = bytes(gpu.at(self.addresses[name], 4 * int(np.prod(shape))))
                given[name] = np.frombuffer(raw, np.float32).reshape(shape)
            gpu.runs.append(next(iter(self.shapes.values()))[0])
            answer = np.ascontiguousarray(network.run(given), np.float32)
            gpu.at(self.addresses[network.output], answer.nbytes)[:] = answer.tobytes()
            return True

    class Engine:
        num_optimization_profiles, device_memory_size_v2 = 1, 1024

        def __init__(self, network):
            self.network = network
            one = {name: np.zeros((1, *shape[1:]), np.float32) for name, shape in network.inputs.items()}
            answer = np.asarray(network.run(one))
            self.tensors = {name: (-1, *shape[1:]) for name, shape in network.inputs.items()}
            self.tensors[network.output] = (-1, *answer.shape[1:])
            self.num_io_tensors = len(self.tensors)

        def get_tensor_name(self, place):
            return list(self.tensors)[place]

        def get_tensor_shape(self, name):
            return self.tensors[name]

        def get_tensor_mode(self, name):
            return "output" if name == self.network.output else "input"

        def get_tensor_dtype(self, name):
            return "float"

        def get_tensor_profile_shape(self, name, place):
            return [(size, *self.tensors[name][1:]) for size in (1, 8, self.network.most)]

        def create_runtime_config(self):
            config = SimpleNamespace()
            config.set_execution_context_allocation_strategy = lambda strategy: setattr(config, "strategy", strategy)
            gpu.configs.append(config)
            return config

        def create_execution_context(self, strategy):
            assert strategy == "user" or strategy in gpu.configs
            return Context(self)

    class Runtime:
        def __init__(self, log):
            self.log = log

        def deserialize_cuda_engine(self, content):
            if content not in gpu.plans:
                self.log.log(1, "Serialization assertion\n failed: magic tag")
                return None
            return Engine(gpu.plans[content])

    trt.Runtime = Runtime
    return trt
