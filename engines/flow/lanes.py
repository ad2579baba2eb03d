"""How the kernels of this folder are run with pycuda: loaded once, in lanes that keep their memory.

Calls from several threads run side by side, each in a lane of its own: a stream, pinned memory on this side, buffers on
the other, kept for the next call and grown as needed, so that nothing is allocated once sizes have been seen.
"""

from __future__ import annotations

import struct
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import numpy as np

from engines import device
from engines.errors import EngineError, GpuLost
from engines.flow import fatbin, launches, memory, selfcheck
from engines.flow.launches import Launch

Pair = tuple[np.ndarray, np.ndarray]
Box = Sequence[int]
BATCH_BYTES = 256 << 20  # of workspace, at most, that one launch asks for, unless a single pair needs more

_lock = threading.RLock()
_kernels: Kernels | None = None
_idle: deque[Lane] = deque()


@contextmanager
def borrowed() -> Iterator[Lane]:
    """A lane for one call, with the GPU active."""
    with device.active():
        kernels = loaded()
        try:
            lane = _idle.pop()
        except IndexError:
            lane = Lane(kernels)
        try:
            yield lane
        finally:
            _idle.append(lane)  # also after a failure: only here, with the GPU active, could it be freed


def loaded() -> Kernels:
    """The kernels, on the GPU, which is active.

    Raises:
        GpuLost: they are damaged, refused by the driver, or wrong here.
    """
    global _kernels
    with _lock:
        if _kernels is None:
            kernels = Kernels()
            device.on_close(_free)
            _idle.append(lane := Lane(kernels))
            kernels.wrong = selfcheck.check(lane)
            _kernels = kernels
        if _kernels.wrong:
            raise GpuLost(_kernels.wrong)
        return _kernels


def make_room(lane: Lane) -> None:
    """Give back what is kept for later on the GPU, which is active: by this lane, by idle ones, and by arrays that are gone."""
    lane.stream.synchronize()
    lane.empty()
    with suppress(IndexError):  # another thread may take the last one
        while True:
            _idle.pop().close()
    memory.make_room()


def _free() -> None:
    global _kernels
    for lane in _idle:
        lane.close()  # an error that somebody keeps may hold on to the lane itself
    _idle.clear()
    _kernels = None


class Kernels:
    """The kernels, loaded for this GPU, and which of them a picture size is for.

    Attributes:
        wrong: what keeps them from being used.
    """

    wrong = ""

    def __init__(self):
        import pycuda.driver as cuda

        try:
            code = fatbin.load()
        except EngineError as error:
            raise GpuLost(str(error)) from error
        gpu = cuda.Context.get_device()
        try:
            self.module = cuda.module_from_buffer(code)
        except cuda.Error as error:
            reason = " ".join(str(error).split())
            raise GpuLost(f"the driver does not take the GPU kernels, they need one for CUDA 13 ({reason})") from error
        self.clusters = gpu.compute_capability() >= (9, 0)
        self.shared = gpu.get_attribute(cuda.device_attribute.MAX_SHARED_MEMORY_PER_BLOCK_OPTIN)
        self.flows = ("tvl1_near", "tvl1_far") if self.clusters else ("tvl1_alone",)  # those that may be needed here
        self._functions = {}

    def kernel(self, height: int, width: int) -> str:
        return launches.kernel(height, width, self.clusters, self.shared)

    def batch(self, height: int, width: int) -> int:
        """Pairs that one launch takes."""
        return max(BATCH_BYTES // (4 * launches.room(height, width, self.kernel(height, width))), 1)

    def function(self, launch: Launch):
        with _lock:
            function = self._functions.get(launch.kernel)
            if function is None:
                import pycuda.driver as cuda

                function = self.module.get_function(launch.kernel)
                if launch.kernel == "tvl1_near":
                    function.set_attribute(cuda.function_attribute.MAX_DYNAMIC_SHARED_SIZE_BYTES, self.shared)
                self._functions[launch.kernel] = function
            return function


class Lane:
    """A stream and its buffers; used by one call at a time."""

    def __init__(self, kernels: Kernels):
        import pycuda.driver as cuda

        self.kernels = kernels
        self.stream = cuda.Stream(1)  # CU_STREAM_NON_BLOCKING: waits for nobody else's work
        self._buffers: dict[str, tuple[int, object]] = {}

    def flows(self, pairs: Sequence[Pair], height: int, width: int) -> list[np.ndarray]:
        """The flow of each pair of height×width uint8: height×width×2 float32."""
        import pycuda.driver as cuda

        pictures = self._pinned("pictures", 2 * len(pairs) * height * width).reshape(2 * len(pairs), height, width)
        np.stack([picture for pair in pairs for picture in pair], out=pictures)
        there = self.there("faces", pictures.nbytes)
        cuda.memcpy_htod_async(there, pictures, self.stream)
        result = self._solve(there, len(pairs), height, width)
        flows = memory.lent((len(pairs), height, width, 2))
        cuda.memcpy_dtoh_async(flows, result, self.stream)
        self.stream.synchronize()
        return list(flows)

    def maps(self, items, face: int, size: int, smoothing: float, result: int, kernel: str | None = None) -> None:
        """Flow maps of the items, see `engines.flow.cuda`, to the address `result`.

        Args:
            items: (onset view, apex view, box) of each, views H×W×3 uint8 BGR.
            face: pixels a side of the faces between which the flow is computed.
            size: pixels a side of a map.
            smoothing: sigma, pixels of the map.
            result: room for N×3×size×size float32.
            kernel: which one computes the flow.
        """
        faces = self._faces([(view, box) for onset, apex, box in items for view in (onset, apex)], face)
        flows = self._solve(faces, len(items), face, face, kernel)
        self.launch(launches.face_maps(flows, result, len(items), face, size, smoothing))
        self.stream.synchronize()

    def stacks(self, items, face: int, side: int, grid: int, result: int) -> None:
        """SKD-TSTSAN's stacks of the items, see `engines.flow.cuda`, to the address `result`."""
        four = [(view, box) for onset, apex, offset, box in items for view in (onset, apex, apex, offset)]
        faces = self._faces(four, face)
        flows = self._solve(faces, 2 * len(items), face, face)
        self.launch(launches.stack_faces(faces, flows, result, len(items), face, side, grid))
        self.stream.synchronize()

    def colours(self, views, size: int, result: int) -> None:
        """The boxes of the views in colour, see `engines.flow.cuda`, to the address `result`."""
        self.launch(launches.colour_faces(*self._views(views), result, len(views), size))
        self.stream.synchronize()

    def _faces(self, views, face: int) -> int:
        """The address of the grey faces of (view, box)es: N×face×face uint8."""
        faces = self.there("faces", len(views) * face * face)
        self.launch(launches.grey_faces(*self._views(views), faces, len(views), face))
        return faces

    def _views(self, views) -> tuple[int, int]:
        """The addresses of the pixels and the table of (view, box)es."""
        import pycuda.driver as cuda

        rows, parts, size, last = [], [], 0, (None, None)
        for view, box in views:
            part, inner = _cut(view, box)
            if view is not last[0] or box is not last[1]:  # the same one twice lies there once
                parts.append(part.reshape(-1))
                size += part.size
            rows.append((size - part.size, *part.shape[:2], *inner))
            last = view, box
        table = self._pinned("table", len(rows) * np.dtype(launches.VIEW).itemsize).view(launches.VIEW)
        table[:] = rows
        pixels = self._pinned("pixels", size)
        np.concatenate(parts, out=pixels)
        table_there, pixels_there = self.there("table", table.nbytes), self.there("pixels", pixels.nbytes)
        cuda.memcpy_htod_async(table_there, table.view(np.uint8), self.stream)
        cuda.memcpy_htod_async(pixels_there, pixels, self.stream)
        return pixels_there, table_there

    def empty(self) -> None:
        self._buffers.clear()

    def close(self) -> None:
        self.empty()
        self.stream = None

    def launch(self, launch: Launch) -> None:
        parameters = struct.pack(launch.format, *launch.values)
        # what pycuda's `prepared_async_call` does, without the shape that it first sets on the function for all threads
        function = self.kernels.function(launch)
        function._launch_kernel((launch.blocks,), (launch.threads,), parameters, launch.shared, self.stream)

    def there(self, name: str, wanted: int) -> int:
        """The address of `wanted` bytes on the GPU, kept under this name."""
        import pycuda.driver as cuda

        return int(self._kept(name, wanted, cuda.mem_alloc))

    def fetch(self, name: str, shape: tuple[int, ...], dtype: type) -> np.ndarray:
        """What stands there under this name, of that shape and dtype (uint8, float32), once the work before is done."""
        import pycuda.driver as cuda

        out: np.ndarray = np.empty(shape, dtype)
        self.stream.synchronize()
        cuda.memcpy_dtoh(out, self.there(name, out.nbytes))
        return out

    def _solve(self, pictures: int, pairs: int, height: int, width: int, kernel: str | None = None) -> int:
        kernel = kernel or self.kernels.kernel(height, width)
        workspace = self.there("workspace", 4 * pairs * launches.room(height, width, kernel))
        flows = self.there("flows", 8 * pairs * height * width)
        self.launch(launches.tvl1(kernel, pictures, flows, workspace, pairs, height, width))
        return flows

    def _pinned(self, name: str, wanted: int) -> np.ndarray:
        """`wanted` bytes on this side that the GPU copies from and to by itself."""
        import pycuda.driver as cuda

        return self._kept(f"{name}, pinned", wanted, lambda size: cuda.pagelocked_empty(size, np.uint8))[:wanted]

    def _kept(self, name: str, wanted: int, allocate):
        size, buffer = self._buffers.get(name, (0, None))
        if size < wanted:
            buffer = None
            self._buffers.pop(name, None)  # free the old one first
            size = 1 << max(wanted - 1, 1).bit_length()
            self._buffers[name] = size, buffer = size, allocate(size)
        return buffer


def _cut(view: np.ndarray, box: Box) -> tuple[np.ndarray, tuple[int, int, int, int]]:
    """The rows of a view that a box needs, and the box in that part's pixels. Outside, the border is repeated.

    Whole rows: they lie in one piece, which is copied faster than the part of each that is needed.
    """
    left, top, right, bottom = box
    height = view.shape[0]
    y = min(max(top, 0), height - 1)
    return view[y : min(max(bottom - 1, 0), height - 1) + 1], (left, top - y, right, bottom - y)
