"""A clip that was cut to its movement: there is no rest before it to compare with, so its first picture stands for rest.

Its apex is sought as in SA-AT Algorithm 1, with the parts that the streaming spotter uses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from realtime.records import FaceView
from realtime.spotting.lbp import RegionHistograms, distance, regions, smooth_grey
from realtime.spotting.movement import LEAST, Movement, Sample, movement
from realtime.spotting.verify import Series, Verifier

CUT_SECONDS = 1.5  # a source that is over by then has had no time for rest and a movement
LEVEL = 0.1  # onset and offset are where this share of the apex's displacement is left, if it is ever
SMOOTH = 0.02  # seconds over which the displacement is averaged before its peak is sought
LEAST_RATIO = 6.0  # of the way to the apex over the step from frame to frame: trembling goes nowhere
AFTER = 0.1  # seconds that the last picture is taken to last, for the verifier: a movement is judged when it is over
REMARK = "too short to show the face at rest first: the first picture was taken as rest"


def apex_of_clip(views: list[FaceView]) -> int:
    """The index of the view that differs most from the first (Eq. 1, summed over the three regions).

    Args:
        views: one face, one anchor, at least two.

    Raises:
        ValueError: fewer.
    """
    landmarks = views[0].landmarks if views else None
    return int(np.argmax(differences([view.pixels for view in views], landmarks)))


def differences(pictures: Sequence[np.ndarray], landmarks: np.ndarray) -> np.ndarray:
    """How far each picture (H×W×3 uint8 BGR, of one anchor) is from the first: (N,), Eq. 1 summed over the regions.

    Args:
        landmarks: 478×2, the first one's face mesh in the pictures' pixels.

    Raises:
        ValueError: fewer than two pictures.
    """
    if len(pictures) < 2:
        raise ValueError(f"an apex needs at least two views, got {len(pictures)}")
    grey = [smooth_grey(picture) for picture in pictures]
    histograms = RegionHistograms(regions(landmarks), grey[0].shape)
    first = histograms(grey[0])
    return np.array([distance(first, histograms(picture)).sum() for picture in grey])


def cut_movement(samples: list[Sample], views: list[FaceView]) -> Movement | None:
    """The one movement of a clip, or None where nothing moved; edges by what moved, the apex sought from SA-AT's Algorithm 1 on.

    Args:
        samples: every moment from the first on (at least three), of one anchor; places are given against the first.
        views: of the same moments.
    """
    apex = views[int(np.argmax(differences([view.pixels for view in views], views[0].landmarks)))].pts
    whole = movement(samples, samples[0].pts, apex, samples[-1].pts)
    whole = _placed(replace(whole, moved=whole.moved - whole.moved[0]))
    way = np.linalg.norm(whole.moved[np.argmin(np.abs(whole.t - whole.apex))], axis=1)  # of each part
    step = np.median(np.linalg.norm(np.diff(whole.moved, axis=0), axis=2), axis=0)
    return whole if np.any((way > LEAST) & (way > LEAST_RATIO * step)) else None


def _placed(move: Movement) -> Movement:
    """Onset, apex and offset where the displacement has them; parts are projected onto what had moved at the apex."""
    t, moved = move.t, move.moved.reshape(len(move.t), -1)
    apex = int(np.argmin(np.abs(t - move.apex)))
    for _ in range(2):  # a better apex gives a better pattern
        pattern = moved[apex]
        size = float(pattern @ pattern)
        if size < LEAST**2:
            return move
        amount = _smoothed(t, moved @ pattern / size)
        apex = int(np.argmax(amount))
    first, last = apex, apex
    while first > 0 and amount[first] > LEVEL * amount[apex]:
        first -= 1
    while last < len(t) - 1 and amount[last] > LEVEL * amount[apex]:
        last += 1
    return replace(move, onset=float(t[first]), apex=float(t[apex]), offset=float(t[last]))


def _smoothed(t: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Mean over SMOOTH seconds around each moment; nothing changes where frames lie further apart."""
    near = np.abs(t[:, None] - t[None, :]) <= SMOOTH / 2 + 1e-9
    return (near * values).sum(axis=1) / near.sum(axis=1)


def judged_alone(verifier: Verifier, samples: list[Sample], offset: float, usual_eyes: float) -> dict[str, float]:
    """What the verifier says of a movement as if the first picture had been there before: {class: probability}."""
    series, end = Series(), offset + AFTER
    for sample in samples:
        if sample.pts <= end:
            series.push(sample, usual_eyes)
            last = sample
    series.push(replace(last, pts=end), usual_eyes)
    return verifier(series.window())[0]
