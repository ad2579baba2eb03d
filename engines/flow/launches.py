"""What the kernels of tvl1.cu, maps.cu and stacks.cu are launched with: sizes, memory, parameters. Plain numbers, no GPU needed.

Parameters are the members of a kernel's one struct, in its order, alignment and padding, as `struct.pack` makes them
from `format` and `values`; addresses are those of the GPU's memory.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from engines.flow import settings as s

TEAM = 8  # blocks of a cluster, as in common.cuh
LEVELS = 8  # the most that a Task of strips.cuh holds
PARTIALS = 64  # floats of shared memory for sums, as in tvl1.cu
BANDS = 8  # blocks that share a face, as in maps.cu
ENTRY = 5  # floats of shared memory, at most, for what a pixel is made of: Taps and Pull of maps.cu
SMALL = 48 << 10  # bytes of shared memory that a block may have without asking
STATE = 9  # numbers a pixel, as in strips.cuh
REACH = 16  # pixels to each side, the most that a MapTask of maps.cu blurs over
VIEW = [("offset", "i8"), *((name, "i4") for name in ("height", "width", "left", "top", "right", "bottom"))]


@dataclass(frozen=True)
class Launch:
    """A kernel's name, its blocks, threads a block, bytes of shared memory a block, and parameters."""

    kernel: str
    blocks: int
    threads: int
    shared: int
    format: str
    values: tuple


def levels(height: int, width: int) -> list[tuple[int, int]]:
    """(height, width) of the levels of the pyramid, the finest first."""
    return s.levels(height, width)[:LEVELS]


def kernel(height: int, width: int, clusters: bool, limit: int) -> str:
    """Which kernel a picture size is for.

    Args:
        height: pixels.
        width: pixels.
        clusters: whether the GPU has clusters of blocks.
        limit: bytes of shared memory that a block may have.
    """
    if not clusters:
        return "tvl1_alone"
    return "tvl1_near" if _shared(height, width) <= limit else "tvl1_far"


def room(height: int, width: int, kernel: str) -> int:
    """Floats of workspace a pair: samples, medians, the coarser flow, pyramids, and the state unless in shared memory.

    A multiple of 4: the samples, which come first, are read by 16 bytes.
    """
    floats = 8 * height * width + sum(2 * h * w for h, w in levels(height, width))
    if kernel != "tvl1_near":
        floats += STATE * _team(kernel) * _plane(height, width, _team(kernel))
    return -(-floats // 4) * 4


def tvl1(kernel: str, pictures: int, flows: int, workspace: int, pairs: int, height: int, width: int) -> Launch:
    """TV-L1 flow of pairs of pictures.

    Args:
        kernel: see `kernel`.
        pictures: address of pairs×2×height×width uint8.
        flows: of pairs×height×width×2 float32.
        workspace: of pairs × `room` floats.
        pairs: how many.
        height: pixels.
        width: pixels.
    """
    sizes = levels(height, width)
    spare = [0] * (LEVELS - len(sizes))
    plane = _plane(height, width, _team(kernel))
    values = (
        pictures,
        flows,
        workspace,
        room(height, width, kernel),
        plane,
        len(sizes),
        s.WARPS,
        s.ROUNDS,
        s.ITERATIONS,
        s.CHECK,
        *(h for h, _ in sizes),
        *spare,
        *(w for _, w in sizes),
        *spare,
        s.TAU / s.THETA,
        s.LAMBDA * s.THETA,
        s.THETA,
        s.EPSILON**2,
        1 / s.SCALE_STEP,
        s.CUBIC,
        s.GRADIENT_FLOOR,
    )
    return Launch(
        kernel=kernel,
        blocks=pairs * _team(kernel),
        threads=512 if plane <= 2560 else 1024,  # with 512 two blocks share a multiprocessor
        shared=_shared(height, width) if kernel == "tvl1_near" else 4 * PARTIALS,
        format=f"PPPq{6 + 2 * LEVELS}i7f0P",
        values=values,
    )


def grey_faces(pixels: int, views: int, faces: int, count: int, face: int) -> Launch:
    """Boxes of views as grey faces.

    Args:
        pixels: address of uint8, as the table says.
        views: of the table, `count` VIEWs.
        faces: of count×face×face uint8.
        count: of faces.
        face: pixels a side.
    """
    return Launch("grey_faces", BANDS * count, 512, _tables(face), "PPPi0P", (pixels, views, faces, face))


def face_maps(flows: int, maps: int, pairs: int, face: int, size: int, smoothing: float) -> Launch:
    """Flow maps of flows.

    Args:
        flows: address of pairs×face×face×2 float32.
        maps: of pairs×3×size×size float32.
        pairs: how many.
        face: pixels a side of a flow.
        size: pixels a side of a map.
        smoothing: sigma, pixels of the map.

    Raises:
        ValueError: they do not go together.
    """
    reach = (round(smoothing * 8 + 1) | 1) // 2  # OpenCV's GaussianBlur of floats with sigma alone
    shared = 4 * (ENTRY * size + 3 * size * size + face * size)
    if not 0 < smoothing or reach > REACH or not 2 <= size <= face or max(shared, _tables(face)) > SMALL:
        wanted = "a map of at least 2 pixels, no larger than the face, both small, and a smoothing of up to 4 pixels"
        raise ValueError(f"{wanted}, got {size}, {face}, {smoothing}")
    weights = [math.exp(-0.5 * (k / smoothing) ** 2) for k in range(reach + 1)]
    whole = 2 * sum(weights) - weights[0]
    weights = [weight / whole for weight in weights] + [0.0] * (REACH - reach)
    values = (flows, maps, face, size, reach, *weights)
    return Launch("face_maps", 3 * pairs, 512, shared, f"PP3i{REACH + 1}f0P", values)


def cut_puzzles(maps: int, puzzles: int, pairs: int, size: int, boxes: Sequence[Sequence[int]]) -> Launch:
    """Dual-ATME's puzzles of flow maps.

    Args:
        maps: addresses of pairs×3×size×size float32.
        puzzles: addresses of pairs×3×size×size float32.
        pairs: how many.
        size: pixels a side.
        boxes: (top, bottom, left, right) of left brow, right brow, mouth.
    """
    flat = [int(side) for box in boxes for side in box]
    return Launch("cut_puzzles", 3 * pairs, 512, 0, "PP13i0P", (maps, puzzles, size, *flat))


def stack_faces(faces: int, flows: int, stacks: int, count: int, face: int, side: int, grid: int) -> Launch:
    """SKD-TSTSAN's stacks.

    Args:
        faces: address of count×4×face×face uint8.
        flows: of count×2×face×face×2 float32.
        stacks: of count × `channels(grid)` × side×side float32.
        count: how many.
        face: pixels a side of a face.
        side: pixels a side of a channel.
        grid: blocks a side of a face.
    """
    shared = 4 * (ENTRY * side + face * side + side * side)
    return Launch("stack_faces", channels(grid) * count, 512, shared, "PPP4i0P", (faces, flows, stacks, face, side, grid, channels(grid)))


def channels(grid: int) -> int:
    """Of SKD-TSTSAN's stack: two faces, the blocks of both, two flow fields."""
    return 2 + 2 * grid * grid + 4


def colour_faces(pixels: int, views: int, pictures: int, count: int, size: int) -> Launch:
    """Boxes of views in colour.

    Args:
        pixels: address of uint8, as the table says.
        views: of the table, `count` VIEWs.
        pictures: of count×3×size×size float32.
        count: how many.
        size: pixels a side.
    """
    return Launch("colour_faces", BANDS * count, 512, _tables(size), "PPPi0P", (pixels, views, pictures, size))


def _team(kernel: str) -> int:
    return 1 if kernel == "tvl1_alone" else TEAM


def _tables(face: int) -> int:
    """Bytes of what a face's rows and columns are made of."""
    return 4 * ENTRY * 2 * face


def _plane(height: int, width: int, team: int) -> int:
    """Pixels of the largest strip of a level, where `team` blocks share a pair."""
    return -(-height // min(team, height)) * width


def _shared(height: int, width: int) -> int:
    return 4 * (PARTIALS + STATE * _plane(height, width, TEAM))
