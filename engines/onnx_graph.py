"""A network that answers one sample at a time by replaying a CUDA graph.

What a small network takes for one sample are the launches of its hundreds of operations; a graph is one launch. Its memory
never moves, so what comes in is copied there. ONNX Runtime records it when it is first run.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engines.errors import EngineError
from engines.onnx import CPU, CUDA, host, session


class OnnxGraph:
    """`run(sample)` → (1, width) float32, called by one thread at a time."""

    def __init__(self, model: bytes, path: Path, options: dict[str, str], inputs: dict[str, tuple[int, ...]], output: str, width: int):
        """options: of the CUDA provider. inputs: shapes of one sample. output: its name, of shape (1, width).

        Raises EngineError, or what ONNX Runtime raises, where it cannot be recorded. To be made while the GPU is used by nobody
        else (`device.alone`).
        """
        import onnxruntime

        self._session = session(model, path, 1, [(CUDA, options | {"enable_cuda_graph": "1"}), CPU], one=True)
        if CUDA not in self._session.get_providers():
            raise EngineError(f"{CUDA} does not start")
        self._session.disable_fallback()
        self._there = {
            name: onnxruntime.OrtValue.ortvalue_from_numpy(np.zeros(shape, np.float32), "cuda", 0)
            for name, shape in {**inputs, output: (1, width)}.items()
        }
        self._answer = self._there[output]
        self._binding = self._session.io_binding()
        for name in inputs:
            self._binding.bind_ortvalue_input(name, self._there[name])
        self._binding.bind_ortvalue_output(output, self._answer)
        self._session.run_with_iobinding(self._binding)

    def run(self, sample: dict, stream) -> np.ndarray:
        """sample: {input: (1, …) float32}, arrays on this side or `DeviceArray`s; for these, stream: pycuda's, in the active context."""
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
