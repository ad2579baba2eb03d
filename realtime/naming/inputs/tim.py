"""The temporal interpolation model (Zhou, Zhao and Pietikäinen 2011; Pfister et al. 2011): a clip of any length."""

from __future__ import annotations

import numpy as np


def interpolate(frames: np.ndarray, length: int) -> np.ndarray:
    """N×… frames → length×… float32, the first and the last of them kept.

    The frames are nodes of a path graph, and its N − 1 eigenvectors other than the constant one embed them as points of the
    curve F(t) with f_k(t) = sin(πkt + π(N − k)/2N), t in [1/N, 1] (Zhou et al., Eq. 3–5); the i-th frame lies at i/N. The
    papers go from the curve back to pictures through an SVD of the frames. That linear map is also the least-squares one
    from the embedded nodes to the frames less their mean, and as the nodes span all that N centred frames can be, it is
    exact: length = N gives the frames back. Frames that are linearly dependent, where the SVD falls short of rank, are no
    special case here.

    Raises:
        ValueError: no frame or a length below 1.
    """
    frames = np.asarray(frames)
    if len(frames) < 1 or length < 1:
        raise ValueError(f"one frame or more, interpolated to one or more, got {len(frames)} to {length}")
    flat = frames.reshape(len(frames), -1).astype(np.float32)
    return (weights(len(frames), length) @ flat).reshape(length, *frames.shape[1:])


def weights(n: int, length: int) -> np.ndarray:
    """length×n float32: each interpolated frame as a weighted sum of the n frames."""
    if n == 1:
        return np.ones((length, 1), np.float32)
    nodes = _curve(n, np.arange(1, n + 1) / n)  # (n, n-1), orthogonal columns of sum 0 and squared length n/2: its inverse is at hand
    wanted = _curve(n, np.linspace(1 / n, 1, length))  # (length, n-1)
    return ((1 + 2 * wanted @ nodes.T) / n).astype(np.float32)


def _curve(n: int, t: np.ndarray) -> np.ndarray:
    """F at the places t (T,): T×(n − 1)."""
    k = np.arange(1, n)
    return np.sin(np.pi * k * t[:, None] + np.pi * (n - k) / (2 * n))
