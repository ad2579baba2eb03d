"""Optical flow, TV-L1 (Zach et al. 2007): the one door through which the rest of the program asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import numpy as np

from engines import device
from engines.batcher import Batcher
from engines.errors import EngineError, GpuLost, notices

Pair = tuple[np.ndarray, np.ndarray]
CHOICES = ("auto", "cpu", "cuda")


class Flow:
    """`flow(previous, following)` → how the picture moves. Made once, then handed to whoever needs flow, as networks are.

    Any thread may call it; on a GPU the calls of several threads share launches. A GPU that fails is left for good, one
    line says so, and the CPU goes on. What one Flow does changes nothing for another.

    Args:
        engine: "cpu", "cuda", or "auto": the GPU if there is one that computes what the CPU does.

    Raises:
        EngineError: "cuda" where there is no usable GPU, and for another word.
    """

    def __init__(self, engine: str = "auto"):
        if engine not in CHOICES:
            raise EngineError(f"unknown flow engine '{engine}': expected one of {', '.join(CHOICES)}")
        self._gpu = None if engine == "cpu" else _usable(must=engine == "cuda")
        self._gather = Batcher(_together)

    @property
    def on_gpu(self) -> bool:
        return self._gpu is not None

    @property
    def words(self) -> str:
        """What computes it now: "CPU", "CUDA, NVIDIA H200"."""
        gpu = self._gpu
        return "CPU" if gpu is None else f"CUDA, {gpu.name}"

    def warm(self) -> None:
        """Have ready what the first flow would wait for: on the CPU half a second, or three where it never ran before."""
        if not self.on_gpu:
            from engines.flow import cpu

            cpu.warm()

    def __call__(self, previous: np.ndarray, following: np.ndarray) -> np.ndarray:
        """Flow from `previous` to `following`, H×W uint8 grey: H×W×2 float32, (u, v) in pixels, right and down positive.

        Raises:
            ValueError: other arrays.
        """
        return self.many([(previous, following)])[0]

    def many(self, pairs: Sequence[Pair]) -> list[np.ndarray]:
        """The flow of every pair of H×W uint8: H×W×2 float32; sizes may differ. All cores at work, or one launch on the GPU, the same bits as one by one."""
        for previous, following in pairs:
            _check(previous, following)
        if self.on_gpu:
            try:
                return self._gather(pairs)
            except GpuLost as error:
                self.leave(error)
        from engines.flow import cpu

        return cpu.tvl1_many(pairs)

    def leave(self, error: GpuLost) -> None:
        """The GPU failed, here or where its flow was used: the CPU does the rest."""
        if self.on_gpu:
            notices.warning(f"{error}: optical flow goes on on the CPU")
        self._gpu = None


def _check(previous: np.ndarray, following: np.ndarray) -> None:
    alike = previous.shape == following.shape and previous.dtype == following.dtype == np.uint8
    if not alike or previous.ndim != 2 or previous.size == 0:
        got = f"{previous.shape} {previous.dtype} and {following.shape} {following.dtype}"
        raise ValueError(f"the flow of two H×W uint8 pictures of one size, got {got}")


def _usable(must: bool) -> device.Device | None:
    """The GPU, with the kernels on it; None where there is none, or EngineError where there must be one."""
    found = device.find()
    if found is None:
        if must:
            raise EngineError(f"no GPU for optical flow ({device.why_not()}): take the flow engine cpu or auto")
        return None
    try:
        import engines.flow.cuda as cuda

        cuda.ready()
    except (ImportError, EngineError) as error:
        if must:
            text = f"optical flow cannot run on {found.name} ({error}): take the flow engine cpu or auto"
            raise EngineError(text) from error
        notices.warning(f"optical flow runs on the CPU: {error}")
        return None
    return found


def _together(calls: list[Sequence[Pair]]) -> list[list[np.ndarray]]:
    """The calls of several threads as one launch."""
    import engines.flow.cuda as cuda

    flows = iter(cuda.tvl1_many([pair for pairs in calls for pair in pairs]))
    return [list(islice(flows, len(pairs))) for pairs in calls]


CPU = Flow("cpu")  # for those who ask for nothing else; it holds nothing
