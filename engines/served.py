"""A network that any number of threads may call: on the GPU their calls share batches, and where that fails, the CPU goes on."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from engines.batcher import Batcher, samples
from engines.errors import GpuLost, notices
from engines.onnx import OnnxRuntime

Piece = dict[str, np.ndarray]  # {input: (N, …) float32}


class Runner(Protocol):
    """What runs a network.

    Attributes:
        words: which backend this is.
    """

    words: str

    def run(self, pieces: list[Piece]) -> np.ndarray:
        """The output for all samples of all pieces, one below the other: (ΣN, …) float32.

        Raises:
            GpuLost: the GPU failed, or is gone.
        """
        ...

    def close(self) -> None: ...


class Served:
    """What runs it, and who goes on where that fails.

    Attributes:
        name: what it is called when the GPU is lost.
    """

    def __init__(self, name: str, cpu: OnnxRuntime, gpu: Runner | None = None) -> None:
        """
        Args:
            name: of the network.
            cpu: made in any case: where a GPU fails in mid-stream, the next answer must not wait for a file to be read.
            gpu: what runs it there, if anything.
        """
        self.name, self._cpu, self._gpu = name, cpu, gpu
        self._gather: Batcher[Piece, np.ndarray] = Batcher(self._batch)
        self._guard = threading.Lock()

    @property
    def backend(self) -> str:
        """What runs it now, in words: "ONNX Runtime, CPU", "TensorRT 11.4, NVIDIA H200, fp16"."""
        return (self._gpu or self._cpu).words

    @property
    def on_gpu(self) -> bool:
        return self._gpu is not None

    def close(self) -> None:
        """Give the GPU's memory back. Calls after this are answered on the CPU."""
        with self._guard:
            gpu, self._gpu = self._gpu, None
        if gpu is not None:
            gpu.close()

    def answer(self, piece: Piece) -> np.ndarray:
        """The output for the samples of this piece, (N, …) float32; on the GPU in one batch with what other threads ask."""
        return self._gather(piece) if self.on_gpu else self._cpu.run([piece])

    def run(self, pieces: list[Piece]) -> np.ndarray:
        """The output for all samples of all pieces, one below the other, (ΣN, …) float32: as a runner's, but that it is never lost."""
        gpu = self._gpu
        if gpu is not None:
            try:
                return gpu.run(pieces)
            except GpuLost as error:
                with self._guard:
                    closed, self._gpu = self._gpu is None, None
                if not closed:  # otherwise this program closed it, or another thread has said so
                    notices.warning(f"{self.name}: {error}; it runs on the CPU from now on")
                gpu.close()
        return self._cpu.run(pieces)

    def _batch(self, pieces: list[Piece]) -> Sequence[np.ndarray]:
        ends = np.cumsum([samples(piece) for piece in pieces])
        return np.split(self.run(pieces), ends[:-1])
