"""The apex of a clip whose table does not name it: SA-AT's Algorithm 1, on views that are aligned already."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from realtime.face.geometry import LANDMARKS_68
from realtime.spotting.apex import differences


def apex_by_algorithm_1(views: Sequence[np.ndarray], points: np.ndarray) -> int:
    """The index of the view that differs most from the first: LBP histograms of three regions, Eq. 1 summed over them.

    views: two or more H×W×3 uint8 BGR of one anchor, the onset first. points: 68×2, the onset's landmarks in the views'
    pixels; the views are aligned, so they hold for all (the paper finds them anew in each frame, and their trembling
    would be part of the difference). The first view is never the answer. Raises ValueError for fewer than two views.
    """
    mesh = np.zeros((478, 2), np.float32)
    mesh[LANDMARKS_68] = points  # of the mesh, the regions need these points only
    return 1 + int(np.argmax(differences(views, mesh)[1:]))
