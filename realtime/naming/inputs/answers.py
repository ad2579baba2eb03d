"""`python -P -m realtime.naming.inputs.answers`: writes what the GPU's kernels must compute beside them, as the CPU computes it.

The kernels are held against it whenever they are loaded (`engines.flow.selfcheck`): two pictures of a face that moves,
cut by two boxes, with the sizes that networks take. To be run again whenever the CPU's flow or flow maps change.
"""

from __future__ import annotations

from importlib.resources import files

import cv2
import numpy as np

from engines.flow import CPU, selfcheck
from realtime.naming.inputs import dual_atme, flow_map, moext, skd_tstsan
from realtime.naming.inputs.face import as_batch, crop, grey

FACE = (233, 153, 413, 357)  # in the portrait at 640×480: left, top, right, bottom
VIEW = (134, 152)  # width and height of the view: the face, and nothing around it
BOXES = ((-3, -2, 136, 154), (17, 30, 120, 131))  # one shrinks and reaches outside the view, one grows
PULLS = (((0.19, 0.12), (0.3, -1.8)), ((0.72, 0.63), (2.0, -1.1)))  # a brow and a corner of the mouth: place in VIEW, pixels
REACH = 0.12  # of the view's width: sigma of a pull


def make() -> dict[str, np.ndarray]:
    """What `engines.flow.selfcheck` reads, by name. change: of the apex since the onset, modulo 256, which packs well.

    Pictures are H×W×3 uint8 BGR, grey ones uint8, flow N×H×W×2 float32 in pixels, the networks' inputs (N, …) float32.
    """
    onset, apex = _views()
    crops = [(crop(onset, box), crop(apex, box)) for box in BOXES]
    faces = [(grey(before, flow_map.FACE), grey(after, flow_map.FACE)) for before, after in crops]
    inputs = [dual_atme.from_map(flow_map.flow_map(*pair)) for pair in crops]
    stacks = [skd_tstsan.stack(*pair, [pair, pair[::-1]], CPU)["stack"][0] for pair in faces]  # ends as it began
    colours = [as_batch(moext.picture(onset, box))[0] for box in BOXES]
    step = slice(None, None, selfcheck.STEP)
    return {
        "onset": onset,
        "change": apex - onset,
        "boxes": np.array(BOXES, np.int32),
        "puzzle_boxes": np.array(dual_atme.PUZZLE, np.int32),
        "rules": np.array([flow_map.FACE, flow_map.MAP, flow_map.SMOOTHING]),
        "grey_faces": np.array(faces, np.uint8)[:, :, step, step],
        "tvl1": np.array([CPU(*pair) for pair in faces], np.float32)[:, step, step],
        "face_maps": np.concatenate([one["full_face"] for one in inputs]),
        "cut_puzzles": np.concatenate([one["puzzle"] for one in inputs]),
        "sizes": np.array([skd_tstsan.SIDE, skd_tstsan.GRID, moext.SIZE], np.int32),
        "stack_faces": np.array(stacks, np.float32)[:, :, step, step],
        "colour_faces": np.array(colours).astype(np.uint8)[:, :, step, step],
    }


def _views() -> tuple[np.ndarray, np.ndarray]:
    """The bundled portrait's face, H×W×3 uint8 BGR, and the same with a brow raised and a corner of the mouth pulled."""
    encoded = np.frombuffer(files("realtime").joinpath("assets/astronaut.jpg").read_bytes(), np.uint8)
    portrait = cv2.resize(cv2.imdecode(encoded, cv2.IMREAD_COLOR), (640, 480), interpolation=cv2.INTER_AREA)
    onset = cv2.resize(crop(portrait, FACE), VIEW, interpolation=cv2.INTER_AREA)
    y, x = np.mgrid[: VIEW[1], : VIEW[0]].astype(np.float32)
    moved = np.zeros((2, VIEW[1], VIEW[0]), np.float32)
    for (at_x, at_y), by in PULLS:
        distance = np.hypot(x - at_x * VIEW[0], y - at_y * VIEW[1]) / (REACH * VIEW[0])
        moved += np.exp(-0.5 * distance**2) * np.array(by, np.float32)[:, None, None]
    return onset, cv2.remap(onset, x - moved[0], y - moved[1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


if __name__ == "__main__":
    print(selfcheck.save(make()))
