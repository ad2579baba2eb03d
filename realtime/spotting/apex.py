"""The apex of a clip that was cut out already: SA-AT Algorithm 1, with the parts that the streaming spotter uses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from realtime.records import FaceView
from realtime.spotting.lbp import RegionHistograms, distance, regions, smooth_grey


def apex_of_clip(views: list[FaceView]) -> int:
    """The index of the view that differs most from the first (Eq. 1, summed over the three regions).

    `views`: one face, one anchor, at least two. Raises ValueError for fewer.
    """
    landmarks = views[0].landmarks if views else None
    return int(np.argmax(differences([view.pixels for view in views], landmarks)))


def differences(pictures: Sequence[np.ndarray], landmarks: np.ndarray) -> np.ndarray:
    """How far each picture (H×W×3 uint8 BGR, of one anchor) is from the first: (N,), Eq. 1 summed over the regions.

    landmarks: 478×2, the first one's face mesh in the pictures' pixels. Raises ValueError for fewer than two pictures.
    """
    if len(pictures) < 2:
        raise ValueError(f"an apex needs at least two views, got {len(pictures)}")
    grey = [smooth_grey(picture) for picture in pictures]
    histograms = RegionHistograms(regions(landmarks), grey[0].shape)
    first = histograms(grey[0])
    return np.array([distance(first, histograms(picture)).sum() for picture in grey])
