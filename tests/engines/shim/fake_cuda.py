"""A `pycuda.driver` without a GPU: memory is this machine's, kernels run through the host build (`host.py`).

It holds the caller to the rules of the real one: a context current in the thread, addresses of memory that was
allocated, shared memory within limits, nothing freed outside a context. What breaks one is an Error or in `Gpu.faults`.
"""

from __future__ import annotations

import ctypes
import sys
import threading
import types
from collections import deque

import numpy as np

H200 = {"compute": (9, 0), "shared": 227 << 10}
RTX_5090 = {"compute": (12, 0), "shared": 99 << 10}
RTX_4090 = {"compute": (8, 9), "shared": 99 << 10}


class Gpu:
    """The one device. `library`: the host build, or None where kernels are only to be recorded, in `launched`."""

    def __init__(self, library=None, compute=(9, 0), shared=227 << 10, memory=1 << 30):
        self.library, self.compute, self.shared, self.free = library, compute, shared, memory
        self.blocks: dict[int, int] = {}  # address: bytes
        self.allocations, self.launched, self.copies, self.faults = 0, [], [], []
        self.stacks = threading.local()
        self.alive = True
        self.raises: dict[str, Exception] = {}  # name of a call: what it raises

    def stack(self) -> list:
        if not hasattr(self.stacks, "contexts"):
            self.stacks.contexts = []
        return self.stacks.contexts

    def call(self, name: str) -> None:
        if not self.stack():
            raise self.module.LogicError(f"{name} failed: invalid device context")
        if name in self.raises:
            raise self.raises[name]

    def check(self, address: int, size: int, name: str) -> None:
        if not any(at <= address and address + size <= at + most for at, most in self.blocks.items()):
            raise self.module.LogicError(f"{name} failed: invalid argument")


def install(monkeypatch, gpu: Gpu) -> types.ModuleType:
    """Puts the fake in the place of pycuda, for one test."""
    driver = types.ModuleType("pycuda.driver")
    package = types.ModuleType("pycuda")
    package.driver = driver
    monkeypatch.setitem(sys.modules, "pycuda", package)
    monkeypatch.setitem(sys.modules, "pycuda.driver", driver)
    gpu.module = driver

    class Error(Exception):
        pass

    driver.Error = Error
    for name in ("MemoryError", "LogicError", "LaunchError", "RuntimeError"):
        setattr(driver, name, type(name, (Error,), {}))

    class Context:
        def push(self):
            if "push" in gpu.raises:
                raise gpu.raises["push"]
            gpu.stack().append(self)

        @staticmethod
        def pop():
            gpu.stack().pop()

        @staticmethod
        def get_device():
            gpu.call("get_device")
            return Device(0)

        def detach(self):
            gpu.alive = False
            if self in gpu.stack():
                gpu.stack().remove(self)

    class Device:
        def __init__(self, number):
            assert number == 0

        count = staticmethod(lambda: 1)

        def name(self):
            return "Fake H200"

        def compute_capability(self):
            return gpu.compute

        def total_memory(self):
            return 141 << 30

        def get_attribute(self, attribute):
            return {"optin": gpu.shared}[attribute]

        def retain_primary_context(self):
            if "retain" in gpu.raises:
                raise gpu.raises["retain"]
            gpu.retained = getattr(gpu, "retained", 0) + 1
            return Context()

    class Allocation:
        def __init__(self, size):
            gpu.call("cuMemAlloc")
            if size > gpu.free:
                raise driver.MemoryError("cuMemAlloc failed: out of memory")
            gpu.allocations += 1
            self.size = size
            self.memory = np.full(size + 256, 0xFF, np.uint8)  # as float32 no number
            self.address = -(-self.memory.ctypes.data // 256) * 256
            gpu.free -= size
            gpu.blocks[self.address] = size

        def __int__(self):
            return self.address

        def __del__(self):
            if hasattr(self, "address"):
                gpu.free += self.size
                del gpu.blocks[self.address]
                if gpu.alive and not gpu.stack():
                    gpu.faults.append("memory freed where no context is current")

    class Stream:
        def __init__(self, flags=0):
            gpu.call("cuStreamCreate")

        def synchronize(self):
            gpu.call("cuStreamSynchronize")

        def __del__(self):
            if gpu.alive and not gpu.stack():
                gpu.faults.append("stream freed where no context is current")

    class Function:
        def __init__(self, name):
            self.name, self.most = name, 48 << 10

        def set_attribute(self, attribute, value):
            gpu.call("cuFuncSetAttribute")
            assert attribute == "dynamic" and value <= gpu.shared
            self.most = value

        def _launch_kernel(self, grid, block, parameters, shared, stream):
            gpu.call("cuLaunchKernel")
            assert isinstance(stream, Stream) and shared <= self.most and block[0] <= 1024
            gpu.launched.append((self.name, grid, block, shared))
            if gpu.library is not None:
                gpu.library.run(self.name, grid[0], shared // 4, parameters)

    class Module:
        def get_function(self, name):
            gpu.call("cuModuleGetFunction")
            return Function(name)

    def module_from_buffer(code):
        gpu.call("cuModuleLoadDataEx")
        assert isinstance(code, bytes) and code
        return Module()

    def to_device(there, array, stream):
        gpu.call("cuMemcpyHtoDAsync")
        assert isinstance(stream, Stream) and array.flags.c_contiguous
        gpu.check(there, array.nbytes, "cuMemcpyHtoDAsync")
        gpu.copies.append("up")
        ctypes.memmove(there, array.ctypes.data, array.nbytes)

    def to_host(array, there, stream=None):
        gpu.call("cuMemcpyDtoH")
        gpu.check(there, array.nbytes, "cuMemcpyDtoH")
        gpu.copies.append("down")
        ctypes.memmove(array.ctypes.data, there, array.nbytes)

    def pagelocked_empty(size, dtype):
        gpu.call("cuMemHostAlloc")
        gpu.allocations += 1
        return np.empty(size, dtype)

    driver.init = lambda: None
    driver.get_driver_version = lambda: 13000
    driver.device_attribute = types.SimpleNamespace(MAX_SHARED_MEMORY_PER_BLOCK_OPTIN="optin")
    driver.function_attribute = types.SimpleNamespace(MAX_DYNAMIC_SHARED_SIZE_BYTES="dynamic")
    driver.Context, driver.Device, driver.Stream = Context, Device, Stream
    driver.mem_alloc, driver.pagelocked_empty = Allocation, pagelocked_empty
    driver.module_from_buffer = module_from_buffer
    driver.memcpy_htod_async, driver.memcpy_dtoh_async, driver.memcpy_dtoh = to_device, to_host, to_host
    return driver


def memory(address, size):
    """The bytes at an address, to read and to write."""
    return (ctypes.c_char * int(size)).from_address(int(address))


def fresh(monkeypatch) -> None:
    """As a process that has not looked for a GPU yet; undone after the test."""
    from engines import device
    from engines.flow import lanes, memory

    monkeypatch.delenv("MER_NO_GPU", raising=False)
    empty = {
        device: {"_found": None, "_context": None, "_closers": [], "_broken": ""},
        lanes: {"_kernels": None, "_idle": deque()},
        memory: {"_on_gpu": {}, "_here": {}, "_known": []},
    }
    for module, names in empty.items():
        for name, value in names.items():
            monkeypatch.setattr(module, name, value)
