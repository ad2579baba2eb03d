"""The apex of a clip whose table does not name it: SA-AT's Algorithm 1, on views that are aligned already."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from realtime.geometry import LANDMARKS_68
from realtime.lbp import BLUR, RegionHistograms, distance, regions


def apex_by_algorithm_1(views: Sequence[np.ndarray], points: np.ndarray) -> int:
    """The index of the view that differs most from the first: LBP histograms of three regions, Eq. 1 summed over them.

    views: two or more H×W×3 uint8 BGR of one anchor, the onset first. points: 68×2, the onset's landmarks in the views'
    pixels; the views are aligned, so they hold for all (the paper finds them anew in each frame, and their trembling
    would be part of the difference). The first view is never the answer. Raises ValueError for fewer than two views.
    """
    if len(views) < 2:
        raise ValueError(f"an apex needs at least two views, got {len(views)}")
    mesh = np.zeros((478, 2), np.float32)
    mesh[LANDMARKS_68] = points  # of the mesh, `regions` reads these points only
    grey = [cv2.GaussianBlur(cv2.cvtColor(view, cv2.COLOR_BGR2GRAY), (0, 0), BLUR) for view in views]
    histograms = RegionHistograms(regions(mesh), grey[0].shape)
    first = histograms(grey[0])
    return 1 + int(np.argmax([distance(first, histograms(picture)).sum() for picture in grey[1:]]))
