"""TV-L1 flow and flow maps on the GPU: `cpu.py`, and the face maps of `realtime.naming.inputs`, in the kernels of this folder.

Any thread may call; a call returns when its result is complete. Any failure of the GPU comes out as GpuLost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain

import numpy as np

from engines import device
from engines.errors import notices
from engines.flow import lanes, launches
from engines.flow.lanes import Box, Lane, Pair
from engines.flow.memory import DeviceArray


def ready() -> None:
    """Have the kernels on the GPU.

    Raises:
        GpuLost: they are damaged or this driver does not take them.
    """
    with device.active():
        lanes.loaded()


def tvl1_many(pairs: Sequence[Pair]) -> list[np.ndarray]:
    """Flow of each pair of H×W uint8 pictures: H×W×2 float32. Sizes may differ; those of one size share a launch.

    A pair's flow is the same bits in whatever batch it comes.

    Raises:
        GpuLost: the GPU failed, or is gone.
    """
    flows: dict[int, np.ndarray] = {}
    by_size: dict[tuple[int, int], list[int]] = {}
    for at, (previous, _) in enumerate(pairs):
        by_size.setdefault(previous.shape, []).append(at)
    with lanes.borrowed() as lane:
        for size, members in by_size.items():
            some = [pairs[at] for at in members]
            found = _share_out(lane, some, size, partial(_flows, lane, size))
            flows |= zip(members, chain.from_iterable(found), strict=True)
    return [flows[at] for at in range(len(pairs))]


def _flows(lane: Lane, size: tuple[int, int], pairs: Sequence[Pair], first: int) -> list[np.ndarray]:
    return lane.flows(pairs, *size)


def flow_maps(items: Sequence[tuple[np.ndarray, np.ndarray, Box]], face: int, map: int, smoothing: float) -> DeviceArray:
    """The flow map of each (onset view, apex view, box) as networks take it: (N, 3, map, map) float32 on the GPU.

    Views are H×W×3 uint8 BGR, box (left, top, right, bottom) may reach outside them. As in
    `realtime.naming.inputs.flow_map`: crop → grey of face×face → flow and strain → map×map, stretched → smoothed, less its
    median, over 128.

    Args:
        items: of each movement, see above.
        face: pixels a side.
        map: pixels a side.
        smoothing: sigma of the Gaussian, pixels of the map.

    Raises:
        ValueError: other items.
        GpuLost: the GPU failed, or is gone.
    """
    for onset, apex, box in items:
        _check(onset, apex, box)
    launches.face_maps(0, 0, 0, face, map, smoothing)  # refuses what cannot be, before the GPU has begun
    result = DeviceArray((len(items), 3, map, map))
    with lanes.borrowed() as lane:
        place, bytes_each = result.pointer, 12 * map * map
        _share_out(
            lane,
            items,
            (face, face),
            lambda part, first: lane.maps(part, face, map, smoothing, place + first * bytes_each),
        )
    return result


def puzzles(maps: DeviceArray, boxes: Sequence[Box]) -> DeviceArray:
    """Dual-ATME's second input, cut from flow maps as `realtime.naming.inputs.dual_atme.puzzle` does it, of the same shape.

    Args:
        maps: (N, 3, size, size).
        boxes: (top, bottom, left, right) of left brow, right brow and mouth in the map.

    Raises:
        GpuLost: the GPU failed, or is gone.
    """
    count, _, size, _ = maps.shape
    result = DeviceArray(maps.shape)
    with lanes.borrowed() as lane:
        if count:
            lane.launch(launches.cut_puzzles(maps.pointer, result.pointer, count, size, boxes))
            lane.stream.synchronize()
    return result


def stacks(items: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray, Box]], face: int, side: int, grid: int) -> DeviceArray:
    """SKD-TSTSAN's stack of each (onset, apex, offset view, box): (N, 2 + 2·grid² + 4, side, side) float32 on the GPU.

    As in `realtime.naming.inputs.skd_tstsan`: faces of face×face, whole and in grid×grid blocks, and flow onset → apex →
    offset.

    Raises:
        GpuLost: the GPU failed, or is gone.
    """
    for onset, apex, offset, box in items:
        _check(onset, apex, box)
        _check(offset, apex, box)
    shape = (launches.channels(grid), side, side)
    result = DeviceArray((len(items), *shape))
    with lanes.borrowed() as lane:
        place, bytes_each = result.pointer, 4 * int(np.prod(shape))
        _share_out(lane, items, (face, face), lambda part, first: lane.stacks(part, face, side, grid, place + first * bytes_each), 2)
    return result


def colours(views: Sequence[tuple[np.ndarray, Box]], size: int) -> DeviceArray:
    """The box of each (view, box) as (N, 3, size, size) float32 on the GPU: RGB, whole numbers, bilinear.

    Raises:
        GpuLost: the GPU failed, or is gone.
    """
    for view, box in views:
        _check(view, view, box)
    result = DeviceArray((len(views), 3, size, size))
    with lanes.borrowed() as lane:
        if views:
            lane.colours(views, size, result.pointer)
    return result


def _share_out(lane: Lane, items: Sequence, size: tuple[int, int], run: Callable[[Sequence, int], object], pairs: int = 1) -> list:
    """What run(part, number of its first) gives for all items, as many at a time as a launch of pictures of that size takes;
    half as many, and half of that, where the GPU's memory is full. pairs: of pictures, that each item has."""
    import pycuda.driver as driver

    results, first, most, alone = [], 0, max(lane.kernels.batch(*size) // pairs, 1), False
    while first < len(items):
        part = items[first : first + most]
        try:
            results.append(run(part, first))
            first, alone = first + len(part), False
        except driver.MemoryError:
            if alone:
                raise
            notices.warning("the GPU's memory is full: optical flow takes fewer pairs at a time")
            lanes.make_room(lane)
            most, alone = max(len(part) // 2, 1), len(part) == 1
    return results


def _check(onset: np.ndarray, apex: np.ndarray, box: Box) -> None:
    for view in (onset, apex):
        if view.ndim != 3 or view.shape[2] != 3 or view.dtype != np.uint8 or view.size == 0:
            raise ValueError(f"views of H×W×3 uint8, got {view.shape} {view.dtype}")
    if len(box) != 4 or box[2] <= box[0] or box[3] <= box[1]:
        raise ValueError(f"a box (left, top, right, bottom) that is not empty, got {tuple(box)}")
