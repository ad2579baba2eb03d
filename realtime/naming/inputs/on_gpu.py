"""The same inputs as the CPU makes, for many movements at once, made on the GPU and left there for the network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from realtime.naming.inputs import dual_atme, flow_map, moext, sa_at, skd_tstsan
from realtime.naming.inputs.face import crop_box
from realtime.records import Moments


@dataclass(frozen=True)
class OnGpu:
    """How one kind of input is made on the GPU.

    Attributes:
        one: what is made of a movement on this side, by the thread that asks; raises ValueError as the CPU's inputs do.
        many: of all that came to be asked together {name: (N, …) float32} as `engines.flow.cuda.DeviceArray`s; raises
            GpuLost.
        flow: whether flow is computed for it; pictures alone are worth the way only where the network runs there, too.
    """

    one: Callable[[Moments], object]
    many: Callable[[Sequence], dict]
    flow: bool = True


def _face(moments: Moments) -> tuple:
    return moments.onset, moments.apex, crop_box(moments.points)


def _face_and_puzzle(moments: Moments) -> tuple:
    boxes, face = dual_atme.regions(moments.points), _face(moments)
    onset, apex = (dual_atme.puzzle_picture(view, boxes) for view in (moments.onset, moments.apex))
    return face, (onset, apex, (0, 0, flow_map.FACE, flow_map.FACE))


def _maps(items: Sequence[tuple]):
    from engines.flow import cuda

    return cuda.flow_maps(items, flow_map.FACE, flow_map.MAP, flow_map.SMOOTHING)


def _flow_map(faces: Sequence) -> dict:
    return {"full_face": _maps(faces)}


def _from_moments(faces: Sequence) -> dict:
    from engines.flow import cuda

    maps = _maps(faces)
    return {"full_face": maps, "puzzle": cuda.puzzles(maps, dual_atme.PUZZLE)}


def _from_pictures(both: Sequence) -> dict:
    faces, puzzles = zip(*both, strict=True)
    return {"full_face": _maps(faces), "puzzle": _maps(puzzles)}


def _three_faces(moments: Moments) -> tuple:
    return moments.onset, moments.apex, moments.offset, crop_box(moments.points)


def _stack(items: Sequence[tuple]) -> dict:
    from engines.flow import cuda

    return {"stack": cuda.stacks(items, skd_tstsan.FACE, skd_tstsan.SIDE, skd_tstsan.GRID)}


def _square_faces(moments: Moments) -> dict:
    box = moext.crop_box(moments.points)
    return {"onset": (moments.onset, box), "apex": (moments.apex, box)}


def _faces(moments: Moments) -> dict:
    box = crop_box(moments.points)
    return {"onset": (moments.onset, box), "apex": (moments.apex, box)}


def _apex(moments: Moments) -> dict:
    return {"apex": (moments.apex, crop_box(moments.points))}


def _colours(size: int) -> Callable[[Sequence[dict]], dict]:
    def pictures(items: Sequence[dict]) -> dict:
        from engines.flow import cuda

        return {name: cuda.colours([item[name] for item in items], size) for name in items[0]}

    return pictures


# By the kind that a network's manifest names, as in `realtime.naming.inputs.INPUTS`. Of the other kinds only the flow runs on the GPU.
ON_GPU: dict[str, OnGpu] = {
    "dual_atme": OnGpu(_face_and_puzzle, _from_pictures),
    "dual_atme_map": OnGpu(_face, _from_moments),
    "flow_map": OnGpu(_face, _flow_map),
    "moext": OnGpu(_square_faces, _colours(moext.SIZE), flow=False),
    "sa_at": OnGpu(_faces, _colours(sa_at.SIZE), flow=False),
    "sa_at_apex": OnGpu(_apex, _colours(sa_at.SIZE), flow=False),
    "skd_tstsan": OnGpu(_three_faces, _stack),
}
