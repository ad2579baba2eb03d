"""The NVIDIA GPU of this machine, if there is one: what it is, and how a thread comes to use it.

One primary context for the process (the one that ONNX Runtime's and TensorRT's CUDA code uses as well), retained when
first needed, current in a thread only inside `active()`, released when the process ends.
"""

from __future__ import annotations

import atexit
import os
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from engines.errors import EngineError, GpuLost

OLDEST = (7, 5)  # Turing: the oldest that CUDA 13 and TensorRT 10 build for


@dataclass(frozen=True)
class Device:
    """A usable GPU.

    Attributes:
        compute: "sm_90".
        driver: "580.65.06".
        cuda: the newest CUDA that this driver runs, "13.0".
    """

    name: str
    compute: str
    driver: str
    cuda: str
    memory_mib: int


_lock = threading.RLock()
_found: tuple[Device | None, str] | None = None
_context = None  # pycuda's Context, retained once
_broken = ""  # what failed, other than memory: nothing on this GPU can be trusted, or freed, any more
_closers: list[Callable[[], None]] = []

_turn = threading.Condition()
_inside, _keeper = 0, None  # threads in `shared`, and the one in `alone`
_own = threading.local()


def find() -> Device | None:
    """The GPU that would be used (the first one that CUDA shows), or None, see `why_not`. Looks once per process.

    With MER_NO_GPU=1 in the environment there is none, nor is there after it has failed in this process.
    """
    return _look()[0]


def why_not() -> str:
    """One line: why `find` gave None; empty where it gave a device."""
    return _look()[1]


def switched_off() -> bool:
    """Whether MER_NO_GPU is set, to anything but 0."""
    return os.environ.get("MER_NO_GPU", "0") not in ("", "0")


def refused() -> str:
    """One line: why no GPU is used whatever there is (MER_NO_GPU is set, or it failed before); empty otherwise."""
    return "MER_NO_GPU is set" if switched_off() else _broken


@contextmanager
def active() -> Iterator[None]:
    """The GPU's context is current in this thread inside the block. Blocks nest, and threads may hold it side by side.

    Any error of the driver inside the block comes out as GpuLost.

    Raises:
        EngineError: there is no GPU.
        GpuLost: it has failed before.
    """
    global _broken
    context = _retained()
    import pycuda.driver as cuda

    try:
        with shared():
            context.push()
            try:
                yield
            finally:
                cuda.Context.pop()
    except cuda.Error as error:
        reason = f"the GPU failed: {_one_line(error)}"
        if not isinstance(error, cuda.MemoryError):
            _broken = _broken or reason
        raise GpuLost(reason) from error


@contextmanager
def shared() -> Iterator[None]:
    """Around whatever uses the GPU: `alone` waits for its end, and it for that of `alone`. Blocks nest; `active` is one."""
    global _inside
    outermost = not getattr(_own, "depth", 0)
    if outermost:
        with _turn:
            _turn.wait_for(lambda: _keeper in (None, threading.get_ident()))
            _inside += 1
    _own.depth = getattr(_own, "depth", 0) + 1
    try:
        yield
    finally:
        _own.depth -= 1
        if outermost:
            with _turn:
                _inside -= 1
                _turn.notify_all()


@contextmanager
def alone(seconds: float = 2.0) -> Iterator[None]:
    """Inside the block no other thread of this process uses the GPU; not to be entered from `shared`.

    ONNX Runtime records a CUDA graph so that any allocation, in whatever thread, fails meanwhile.

    Raises:
        EngineError: others go on for so many seconds.
    """
    global _keeper
    with _turn:
        if not _turn.wait_for(lambda: _keeper is None and not _inside, seconds):
            raise EngineError("the GPU is in use by other threads")
        _keeper = threading.get_ident()
    try:
        yield
    finally:
        with _turn:
            _keeper = None
            _turn.notify_all()


def on_close(free: Callable[[], None]) -> None:
    """Have `free` called, with the context current, before the process lets the GPU go: last come, first called.

    Whatever lives on the GPU must go then: pycuda can free nothing once the context is gone.
    """
    with _lock:
        _closers.append(free)


def _look() -> tuple[Device | None, str]:
    global _found
    if why := refused():
        return None, why
    with _lock:
        if _found is None:
            _found = _discover()
        return _found


def _discover() -> tuple[Device | None, str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pycuda warns of what it then raises
            import pycuda.driver as cuda
    except ModuleNotFoundError:
        return None, "pycuda is not installed: pip install 'mer-live[gpu]'"
    except (ImportError, OSError) as error:  # its libcuda is the driver's
        return None, f"no NVIDIA driver that pycuda can load ({_one_line(error)})"
    try:
        cuda.init()
        if cuda.Device.count() == 0:
            return None, "the NVIDIA driver shows no GPU"
        gpu = cuda.Device(0)
        major, minor = gpu.compute_capability()
        name, memory = gpu.name(), gpu.total_memory()
        newest = cuda.get_driver_version()
    except cuda.Error as error:
        return None, f"the NVIDIA driver finds no usable GPU ({_one_line(error)})"
    if (major, minor) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        return None, f"{name} has compute capability {major}.{minor}, at least {oldest} is needed"
    version = f"{newest // 1000}.{newest % 1000 // 10}"
    return Device(name, f"sm_{major}{minor}", driver() or f"for CUDA {version}", version, memory >> 20), ""


def driver() -> str:
    """The driver's own version, which CUDA does not tell; empty where its management library does not either."""
    import ctypes

    name = "nvml.dll" if os.name == "nt" else "libnvidia-ml.so.1"
    try:
        library = ctypes.CDLL(name)
        text = ctypes.create_string_buffer(96)
        if library.nvmlInit_v2() != 0:
            return ""
        failed = library.nvmlSystemGetDriverVersion(text, len(text))
        library.nvmlShutdown()
    except (OSError, AttributeError):
        return ""
    return "" if failed else text.value.decode("ascii", "replace")


def _retained():
    global _context
    if _broken:
        raise GpuLost(_broken)
    if find() is None:
        raise EngineError(f"no GPU to use: {why_not()}")
    with _lock:
        if _context is None:
            import pycuda.driver as cuda

            try:
                _context = cuda.Device(0).retain_primary_context()
            except cuda.Error as error:
                raise GpuLost(f"the GPU failed: {_one_line(error)}") from error
            atexit.register(_close)
        return _context


def _close() -> None:
    """Frees what is on the GPU, then lets it go. At exit nobody is left to be told of a failure."""
    global _context
    with _lock:
        context, _context = _context, None
        closers = _closers[::-1]
        _closers.clear()
    if context is None:
        return
    import pycuda.driver as cuda

    with suppress(cuda.Error):
        context.push()
        for free in closers if not _broken else ():
            with suppress(cuda.Error, GpuLost):
                free()
        context.detach()  # while it is current, so that any thread may do it; takes it off this thread's stack


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
