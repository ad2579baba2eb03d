"""Temporal interpolation (TIM, Zhou et al. 2011; Pfister et al. 2011): a sequence of another length, on a smooth curve."""

from __future__ import annotations

import numpy as np


def interpolate(sequence: np.ndarray, length: int) -> np.ndarray:
    """N×D float → length×D float: the frames of a clip, embedded as a path graph, read off at `length` even places.

    The eigenvectors of the path graph's Laplacian are sines, y_k(t) = sin(πkt + π(N−k)/2N) with t = 1/N … 1; the frames
    less their mean are a linear function of them, exact at every frame. So the first and the last frame stay what they
    are, and each new one is a fixed weighted sum of the old. Raises ValueError for fewer than two frames or places.
    """
    sequence = np.asarray(sequence)
    count = len(sequence)
    if count < 2 or length < 2:
        raise ValueError(f"temporal interpolation takes at least two frames to at least two, got {count} to {length}")
    nodes = _curve(np.linspace(1 / count, 1, count), count)  # count × (count − 1)
    places = _curve(np.linspace(1 / count, 1, length), count)  # length × (count − 1)
    mean = sequence.mean(axis=0, dtype=np.float64)
    return mean + places @ (np.linalg.pinv(nodes) @ (sequence - mean))


def _curve(t: np.ndarray, count: int) -> np.ndarray:
    k = np.arange(1, count)
    return np.sin(np.pi * k * t[:, None] + np.pi * (count - k) / (2 * count))
