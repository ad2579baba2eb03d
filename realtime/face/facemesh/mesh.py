"""478 points of a face: Attention Mesh (Grishchenko et al. 2020) in its second version, with the irises."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from realtime.face.facemesh.regions import Region, blob

SIDE = 256  # pixels of the cut that the network sees
POINTS = 478
LEAST_PRESENCE = 0.5


class Mesh:
    """`mesh(cuts)` → the points in each cut, and whether there is a face. Many cuts are one run of the network."""

    def __init__(self, run: Callable[[np.ndarray], np.ndarray]):
        """run: N×3×256×256 float32 RGB in 0…1 → N×1×1435, 478 times (x, y, z) in pixels of the cut, and how surely it is a face,
        before its sigmoid."""
        self._run = run

    def __call__(self, pictures: Sequence[np.ndarray], regions: Sequence[Region]) -> list[np.ndarray | None]:
        """pictures: for each region its picture, H×W×3 uint8 BGR. Returns 478×3 float32 each, pixels of the picture, z in the
        scale of x and smaller where it is nearer; None where no face is."""
        if not regions:
            return []
        cuts = [region.cut(picture, SIDE) for picture, region in zip(pictures, regions, strict=True)]
        rows = self._run(blob(cuts, low=0.0))[:, 0]
        there = 1.0 / (1.0 + np.exp(-np.clip(rows[:, -1], -80.0, 80.0))) > LEAST_PRESENCE
        points = rows[:, :-1].reshape(-1, POINTS, 3) / SIDE
        return [region.out(one) if is_face else None for one, region, is_face in zip(points, regions, there, strict=True)]
