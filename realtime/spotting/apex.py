"""The apex of a clip that was cut out already: SA-AT Algorithm 1, with the parts that the streaming spotter uses."""

from __future__ import annotations

import numpy as np

from realtime.lbp import RegionHistograms, distance, regions, smooth_grey
from realtime.records import FaceView


def apex_of_clip(views: list[FaceView]) -> int:
    """The index of the view that differs most from the first (Eq. 1, summed over the three regions).

    `views`: one face, one anchor, at least two. Raises ValueError for fewer.
    """
    if len(views) < 2:
        raise ValueError(f"an apex needs at least two views, got {len(views)}")
    grey = [smooth_grey(view) for view in views]
    histograms = RegionHistograms(regions(views[0].landmarks), grey[0].shape)
    first = histograms(grey[0])
    return int(np.argmax([distance(first, histograms(picture)).sum() for picture in grey]))
