"""Optical flow, TV-L1 (Zach et al. 2007): the one door through which the rest of the program asks for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from itertools import islice

import numpy as np

from engines import notices
from engines.batcher import Batcher
from engines.errors import EngineError, GpuLost

Pair = tuple[np.ndarray, np.ndarray]
Many = Callable[[Sequence[Pair]], list[np.ndarray]]
CHOICES = ("auto", "cpu", "cuda")
CPU = "CPU"

_lock = threading.Lock()
_wanted = "auto"
_lost = False  # the GPU failed: the CPU does the rest
_chosen: tuple[Many, str] | None = None  # how flow is computed, and that in words; None before it is first needed


def tvl1(previous: np.ndarray, following: np.ndarray) -> np.ndarray:
    """Flow from `previous` to `following`, H×W uint8 grey: H×W×2 float32, (u, v) in pixels, right and down positive.

    Raises ValueError for other arrays. Any thread may call it.
    """
    return tvl1_many([(previous, following)])[0]


def tvl1_many(pairs: Sequence[Pair]) -> list[np.ndarray]:
    """`tvl1` of every pair; sizes may differ. All cores at work, or one launch on the GPU, each with the bits of `tvl1`."""
    for previous, following in pairs:
        _check(previous, following)
    many, _ = _choice()
    try:
        return many(pairs)
    except GpuLost as error:
        notices.say(f"{error}: optical flow goes on on the CPU")
        return _fall_back()(pairs)


def use(engine: str) -> str:
    """From now on compute flow with "cpu", "cuda", or "auto": the GPU if there is one. Returns in words what is used.

    For the whole process. What the first flow would wait for (compiled loops, kernels) is made ready here: half a
    second, or three where this machine has never compiled the loops. Raises EngineError for "cuda" where there is no
    usable GPU, and for another word.
    """
    global _wanted, _chosen
    if engine not in CHOICES:
        raise EngineError(f"unknown flow engine '{engine}': expected one of {', '.join(CHOICES)}")
    with _lock:
        chosen = _choose(engine)
        _wanted, _chosen = engine, chosen
    if chosen[1] == CPU:
        from engines.flow.cpu import warm

        warm()
    return chosen[1]


def _check(previous: np.ndarray, following: np.ndarray) -> None:
    alike = previous.shape == following.shape and previous.dtype == following.dtype == np.uint8
    if not alike or previous.ndim != 2 or previous.size == 0:
        got = f"{previous.shape} {previous.dtype} and {following.shape} {following.dtype}"
        raise ValueError(f"the flow of two H×W uint8 pictures of one size, got {got}")


def _choice() -> tuple[Many, str]:
    global _chosen
    if _chosen is None:
        with _lock:
            if _chosen is None:
                _chosen = _choose(_wanted)
    return _chosen


def _choose(engine: str) -> tuple[Many, str]:
    if engine == "cpu" or (engine == "auto" and _lost):
        return _cpu()
    import engines.device as device

    found = device.find()
    if found is None:
        if engine == "cuda":
            raise EngineError(f"no GPU for optical flow ({device.why_not()}): take the flow engine cpu or auto")
        return _cpu()
    try:
        import engines.flow.cuda as cuda

        cuda.ready()
    except (ImportError, EngineError) as error:
        if engine == "cuda":
            text = f"optical flow cannot run on {found.name} ({error}): take the flow engine cpu or auto"
            raise EngineError(text) from error
        notices.say(f"optical flow runs on the CPU: {error}")
        return _cpu()
    return _gathered(cuda.tvl1_many), f"CUDA, {found.name}"


def _gathered(many: Many) -> Many:
    """The calls of all streams share launches."""

    def run(calls: list[Sequence[Pair]]) -> list[list[np.ndarray]]:
        flows = iter(many([pair for pairs in calls for pair in pairs]))
        return [list(islice(flows, len(pairs))) for pairs in calls]

    return Batcher(run)


def _cpu() -> tuple[Many, str]:
    from engines.flow.cpu import tvl1_many as on_cpu

    return on_cpu, CPU


def _fall_back() -> Many:
    global _lost, _chosen
    with _lock:
        _lost, _chosen = True, _cpu()
        return _chosen[0]
