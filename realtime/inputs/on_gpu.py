"""The same inputs as the CPU makes, for many movements at once, made on the GPU and left there for the network."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from realtime.inputs import dual_atme, flow_map
from realtime.inputs.face import crop_box
from realtime.records import Moments


def _full_face(many: Sequence[Moments]):
    from engines.flow import cuda

    items = [(moments.onset, moments.apex, crop_box(moments.points)) for moments in many]
    return cuda.flow_maps(items, flow_map.FACE, flow_map.MAP, flow_map.SMOOTHING)


def _flow_map(many: Sequence[Moments]) -> dict:
    return {"full_face": _full_face(many)}


def _from_moments(many: Sequence[Moments]) -> dict:
    from engines.flow import cuda

    maps = _full_face(many)
    return {"full_face": maps, "puzzle": cuda.puzzles(maps, dual_atme.PUZZLE)}


def _from_pictures(many: Sequence[Moments]) -> dict:
    from engines.flow import cuda

    items, whole = [], (0, 0, flow_map.FACE, flow_map.FACE)
    for moments in many:
        boxes = dual_atme.regions(moments.points)
        onset, apex = (dual_atme.puzzle_picture(view, boxes) for view in (moments.onset, moments.apex))
        items.append((onset, apex, whole))
    puzzles = cuda.flow_maps(items, flow_map.FACE, flow_map.MAP, flow_map.SMOOTHING)
    return {"full_face": _full_face(many), "puzzle": puzzles}


# By the kind that a network's manifest names, as in `realtime.inputs.INPUTS`: N movements → {name: (N, 3, 28, 28) float32}
# as `engines.flow.cuda.DeviceArray`. They raise GpuLost. The other kinds have no maps, only their flow runs on the GPU.
ON_GPU: dict[str, Callable[[Sequence[Moments]], dict]] = {
    "dual_atme": _from_pictures,
    "dual_atme_map": _from_moments,
    "flow_map": _flow_map,
}
