"""Whether the kernels compute what they should on this GPU: each runs once, on two faces whose answers ship beside it.

A compiler or driver may turn right sources into wrong machine code (it has happened). What is compared are real faces:
on noise, iterations that stop a step apart lead to other flows that are no worse.
"""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from engines.errors import EngineError, GpuLost
from engines.flow import fatbin, launches

if TYPE_CHECKING:
    from engines.flow.lanes import Lane

STEP = 4  # every fourth row and column of the faces and the flow is kept
MAPS = ("face_maps", "cut_puzzles")
# how far off each may be, as a root mean square: grey levels (a GPU rounds one in ten thousand to the other side); pixels of flow,
# units of maps, which are within ±2. Right ones were off by 1e-4 and less, wrong ones by 0.03 and more. A stack holds flow that is
# stretched to 0 … 1, what is off with it
MOST = {"grey_faces": 0.1, "colour_faces": 0.1, "stack_faces": 5e-3}
OTHERS = 1e-3


def check(lane: Lane) -> str:
    """One line that names the kernel whose answers on this GPU are not those that ship; empty where all are right.

    A few milliseconds.

    Raises:
        GpuLost: the answers cannot be read.
    """
    try:
        told = load()
    except EngineError as error:
        raise GpuLost(str(error)) from error
    face, size, smoothing = int(told["rules"][0]), int(told["rules"][1]), float(told["rules"][2])
    items = [(told["onset"], told["onset"] + told["change"], box) for box in told["boxes"].tolist()]
    maps, pieces = (lane.there(f"{name}, checked", told[name].nbytes) for name in MAPS)
    for kernel in lane.kernels.flows:
        lane.maps(items, face, size, smoothing, maps, kernel)
        lane.launch(launches.cut_puzzles(maps, pieces, len(items), size, told["puzzle_boxes"].tolist()))
        faces = lane.fetch("faces", (len(items), 2, face, face), np.uint8)
        flow = lane.fetch("flows", (len(items), face, face, 2), np.float32)
        off = {
            "grey_faces": _apart(faces[:, :, ::STEP, ::STEP], told["grey_faces"]),
            kernel: _apart(flow[:, ::STEP, ::STEP], told["tvl1"]),
            **{name: _apart(lane.fetch(f"{name}, checked", told[name].shape, np.float32), told[name]) for name in MAPS},
        }
        if wrong := _wrong(off):
            return wrong
    return _wrong(_stacks_and_colours(lane, told, items, face))


def _stacks_and_colours(lane: Lane, told: dict[str, np.ndarray], items: list, face: int) -> dict[str, float]:
    """How far these are off. The movement ends as it began."""
    side, grid, size = told["sizes"].tolist()
    shapes = {"stack_faces": (len(items), launches.channels(grid), side, side), "colour_faces": (len(items), 3, size, size)}
    there = {name: lane.there(f"{name}, checked", 4 * int(np.prod(shape))) for name, shape in shapes.items()}
    lane.stacks([(onset, apex, onset, box) for onset, apex, box in items], face, side, grid, there["stack_faces"])
    lane.colours([(onset, box) for onset, _, box in items], size, there["colour_faces"])
    return {name: _apart(lane.fetch(f"{name}, checked", shape, np.float32)[..., ::STEP, ::STEP], told[name]) for name, shape in shapes.items()}


def _wrong(off: dict[str, float]) -> str:
    for name, found in off.items():
        most = MOST.get(name, OTHERS)
        if not found <= most:  # nor where it is no number
            what = f"the kernel {name} computes something else on this GPU than it should"
            return f"{what} (off by {found:.3g}, at most {most:g}); another driver may mend it"
    return ""


def load() -> dict[str, np.ndarray]:
    """The pictures (uint8) and the answers (float32) by name, see `realtime.naming.inputs.answers`.

    Raises:
        EngineError: the file is missing or damaged.
    """
    with np.load(io.BytesIO(fatbin.read(fatbin.ANSWERS, "answers_sha256"))) as told:
        return dict(told)


def save(answers: dict[str, np.ndarray]) -> str:
    """Write what `load` reads (uint8, int32 and float32 arrays) beside the kernels, and into their manifest. Returns that in words."""
    file = io.BytesIO()
    np.savez_compressed(file, **cast(dict[str, Any], answers))
    fatbin.record(fatbin.ANSWERS, file.getvalue(), answers_sha256=hashlib.sha256(file.getvalue()).hexdigest())
    return f"{fatbin.ANSWERS.name}: {len(file.getvalue())} bytes"


def _apart(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.sqrt(np.square(np.subtract(found, expected, dtype=np.float64)).mean()))
