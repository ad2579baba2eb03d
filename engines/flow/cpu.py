"""TV-L1 optical flow on the CPU: the text that defines our flow; the GPU follows it.

Zach, Pock and Bischof, "A Duality Based Approach for Realtime TV-L1 Optical Flow" (DAGM 2007), in the form of Sánchez,
Meinhardt-Llopis and Facciolo, "TV-L1 Optical Flow Estimation" (IPOL 2013), which OpenCV has too. The flow u minimises

    ∫ |∇u| + |∇v| + λ |I₁(x + u) − I₀(x)|

from coarse to fine over a pyramid; at each scale the second picture is warped by the flow so far, |·| becomes linear in
the flow, and two steps alternate: the pixelwise thresholding, and one step of Chambolle's projection for the smoothness.
The loops are in `engines.flow.loops`, the constants in `engines.flow.settings`.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from engines.flow import settings as s

Pair = tuple[np.ndarray, np.ndarray]
f32 = np.float32
VECTOR = 16  # numbers: rows are computed in multiples of the widest vector there is

_own = threading.local()  # a thread's workspace, for pictures of the size that it saw last
_pool: ThreadPoolExecutor | None = None
_pool_lock = threading.Lock()


def tvl1(previous: np.ndarray, following: np.ndarray) -> np.ndarray:
    """Flow from `previous` to `following`, H×W uint8 grey of one size: H×W×2 float32. Any thread may call it."""
    work = getattr(_own, "work", None)
    if work is None or work.shape != previous.shape:
        work = _own.work = _Workspace(*previous.shape)
    return work.flow(previous, following)


def tvl1_many(pairs: Sequence[Pair]) -> list[np.ndarray]:
    """`tvl1` of each pair (H×W uint8 to H×W×2 float32), on all cores; the same bits as one by one."""
    if len(pairs) < 2 or cores() < 2:
        return [tvl1(*pair) for pair in pairs]
    global _pool
    with _pool_lock:
        if _pool is None:
            _pool = ThreadPoolExecutor(cores(), "flow")
        pool = _pool
    return list(pool.map(lambda pair: tvl1(*pair), pairs))


def warm() -> None:
    """Have the loops compiled, or read from the cache of an earlier start: seconds, or a fraction of one."""
    blank = np.zeros((s.SMALLEST * 2, s.SMALLEST * 2), np.uint8)
    tvl1(blank, blank)


class _Level:
    """One scale of the pyramid: its pictures, its flow, and what the loops work with, all allocated once."""

    def __init__(self, height: int, width: int):
        self.height, self.width = height, width
        wide = -(-width // VECTOR) * VECTOR
        self.pictures = np.empty((2, height, width), f32)
        self.samples = np.zeros((height + 3, width + 3, 4), f32)
        # a row more than the picture and a vector more than its columns: neighbours of the last ones, always 0
        self.flow = np.zeros((2, height + 1, wide + VECTOR), f32)
        self.dual = np.zeros((4, height + 1, wide + VECTOR), f32)
        self.data = np.zeros((4, height + 1, wide + VECTOR), f32)
        self.inner = (np.arange(wide) < width - 1).astype(f32)
        self.columns = np.empty((3, width + 2), f32)
        self.spare = np.empty((height, width), f32)
        self.enough = f32(s.EPSILON**2 * height * width)

    def solve(self) -> None:
        from engines.flow.loops import sample, solve

        self.dual[:] = 0
        sample(self.pictures[1], self.height, self.width, self.samples)
        solve(
            self.pictures[0],
            self.samples,
            *self.flow,
            *self.dual,
            *self.data,
            self.inner,
            *self.columns,
            self.spare,
            self.width,
            s.WARPS,
            s.ROUNDS,
            s.ITERATIONS,
            s.CHECK,
            self.enough,
            f32(s.LAMBDA * s.THETA),
            f32(s.THETA),
            f32(s.TAU / s.THETA),
            f32(s.CUBIC),
            f32(s.GRADIENT_FLOOR),
        )


class _Workspace:
    """Everything for pictures of one size. Used by one thread."""

    def __init__(self, height: int, width: int):
        self.shape = (height, width)
        self._levels = [_Level(*size) for size in s.levels(height, width)]

    def flow(self, previous: np.ndarray, following: np.ndarray) -> np.ndarray:
        levels = self._levels
        levels[0].pictures[0], levels[0].pictures[1] = previous, following
        for fine, coarse in zip(levels, levels[1:], strict=False):
            for picture, smaller in zip(fine.pictures, coarse.pictures, strict=True):
                _resize(picture, fine, smaller, coarse, 1 / s.SCALE_STEP, 1 / s.SCALE_STEP)
        levels[-1].flow[:] = 0
        levels[-1].solve()
        for fine, coarse in zip(levels[-2::-1], levels[:0:-1], strict=True):
            for part, larger in zip(coarse.flow, fine.flow, strict=True):
                steps = coarse.height / fine.height, coarse.width / fine.width
                _resize(part, coarse, larger, fine, *steps, 1 / s.SCALE_STEP)
            fine.solve()
        height, width = self.shape
        return np.ascontiguousarray(levels[0].flow[:, :height, :width].transpose(1, 2, 0))


def _resize(source, source_level, out, out_level, step_y: float, step_x: float, gain: float = 1.0) -> None:
    from engines.flow.loops import resize

    size, out_size = (source_level.height, source_level.width), (out_level.height, out_level.width)
    resize(source, *size, out, *out_size, f32(step_y), f32(step_x), f32(gain))


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _forget_pool() -> None:
    global _pool, _pool_lock
    _pool, _pool_lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pool)  # a forked process has none of the pool's threads
