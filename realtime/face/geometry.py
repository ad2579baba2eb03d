"""Where things are on a face: landmark names, and the aligned picture that all later steps work in.

The aligned picture is ALIGNED × ALIGNED pixels. The outer eye corners lie level, OUTER_EYES pixels apart, and the
whole Dual-ATME crop (brows to chin, cheek to cheek) fits in with a margin.
"""

from __future__ import annotations

import numpy as np

from engines.compiled import compiled

ALIGNED = 224
OUTER_EYES = 104.0
EYE_LINE = np.array([112.0, 62.0])  # the point midway between the outer eye corners, (x, y)

# Points that expressions move least: eye corners, the nose's bridge and slopes, temples. No expression moves most of
# them, so those that move (the corners in a blink) are outvoted. Their places are the means over frontal portraits,
# made symmetric, in outer-eye distances from the point midway between the outer eye corners.
_MIDDLE = {168: -0.026, 6: 0.062, 197: 0.147, 195: 0.225, 5: 0.309, 4: 0.410}  # down the bridge of the nose
_PAIRS = {  # (left, right): distance from the middle, height
    (33, 263): (0.500, 0.000),  # outer eye corners: these come first
    (133, 362): (0.198, 0.021),
    (122, 351): (0.065, 0.078),
    (196, 419): (0.062, 0.160),
    (3, 248): (0.059, 0.234),
    (127, 356): (0.829, 0.045),
    (143, 372): (0.728, 0.054),
}
STABLE = {point: (side * x, y) for pair, (x, y) in _PAIRS.items() for point, side in zip(pair, (-1, 1))}
STABLE |= {point: (0.0, y) for point, y in _MIDDLE.items()}
STABLE_IDS = np.array(list(STABLE))
TEMPLATE = (np.array(list(STABLE.values())) * OUTER_EYES + EYE_LINE).astype(np.float32)  # (20, 2) aligned pixels

# The mesh points that stand where the 68-point scheme has its own (jaw, brows, nose, eyes, lips, in its order).
# fmt: off - a table, a number a line would hide it
LANDMARKS_68 = np.array(
    [
        162,
        234,
        93,
        58,
        172,
        136,
        149,
        148,
        152,
        377,
        378,
        365,
        397,
        288,
        323,
        454,
        389,
        70,
        63,
        105,
        66,
        107,
        336,
        296,
        334,
        293,
        300,
        168,
        197,
        5,
        4,
        75,
        97,
        2,
        326,
        305,
        33,
        160,
        158,
        133,
        153,
        144,
        362,
        385,
        387,
        263,
        373,
        380,
        61,
        39,
        37,
        0,
        267,
        269,
        291,
        405,
        314,
        17,
        84,
        181,
        78,
        82,
        13,
        312,
        308,
        317,
        14,
        87,
    ]
)
# fmt: on


def to_68(landmarks: np.ndarray) -> np.ndarray:
    """The 68-point landmarks (68×2) that correspond to MediaPipe's 478 (478×2), in the same coordinates."""
    return landmarks[LANDMARKS_68]


def eye_opening(landmarks: np.ndarray) -> float:
    """Lid distance over eye width, mean of both eyes (Soukupová and Čech 2016, the eye aspect ratio).

    About 0.3 for open eyes, below 0.15 for shut ones.

    Args:
        landmarks: 478×2.
    """
    eyes = to_68(landmarks)[36:48].reshape(2, 6, 2)
    height = np.linalg.norm(eyes[:, [1, 2]] - eyes[:, [5, 4]], axis=2).mean(axis=1)
    width = np.linalg.norm(eyes[:, 0] - eyes[:, 3], axis=1)
    return float((height / np.maximum(width, 1e-6)).mean())


@compiled
def similarity(source: np.ndarray, target: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The rotation, scale and shift (2×3) that carries `source` nearest to `target`, least squares.

    Umeyama 1991, without reflection. Both N×2 float64; `weights` (N,) float64 are non-negative.
    """
    w = weights / weights.sum()
    sx = sy = tx = ty = 0.0
    for i in range(len(w)):
        sx += w[i] * source[i, 0]
        sy += w[i] * source[i, 1]
        tx += w[i] * target[i, 0]
        ty += w[i] * target[i, 1]
    norm = along = across = 0.0
    for i in range(len(w)):
        s, t, u, v = source[i, 0] - sx, source[i, 1] - sy, target[i, 0] - tx, target[i, 1] - ty
        norm += w[i] * (s * s + t * t)
        along += w[i] * (s * u + t * v)
        across += w[i] * (s * v - t * u)
    a, b = along / norm, across / norm
    return np.array([[a, -b, tx - (a * sx - b * sy)], [b, a, ty - (b * sx + a * sy)]])


@compiled
def robust_similarity(source: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`similarity` that one moving eye corner cannot bend: Cauchy weights, a few rounds. Both N×2 float64.

    Returns the 2×3 transform and each point's remaining distance (N,).
    """
    weights = np.ones(len(source))
    distance = np.empty(len(source))
    for _ in range(4):
        transform = similarity(source, target, weights)
        for i in range(len(source)):
            x = transform[0, 0] * source[i, 0] + transform[0, 1] * source[i, 1] + transform[0, 2] - target[i, 0]
            y = transform[1, 0] * source[i, 0] + transform[1, 1] * source[i, 1] + transform[1, 2] - target[i, 1]
            distance[i] = np.sqrt(x * x + y * y)
        weights = 1.0 / (1.0 + (distance / max(np.median(distance), 0.05)) ** 2)
    return transform, distance


def apply(transform: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Carry points (N×2) by a 2×3 transform."""
    return points @ transform[:, :2].T + transform[:, 2]


def chain(after: np.ndarray, before: np.ndarray) -> np.ndarray:
    """The 2×3 transform that does `before`, then `after`."""
    linear = after[:, :2] @ before[:, :2]
    return np.column_stack([linear, after[:, :2] @ before[:, 2] + after[:, 2]])


def inverse(transform: np.ndarray) -> np.ndarray:
    """The 2×3 transform that undoes `transform`."""
    linear = np.linalg.inv(transform[:, :2])
    return np.column_stack([linear, -linear @ transform[:, 2]])


@compiled
def apply_inverse(transform: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Carry points (N×2 float32) back by what undoes `transform` (2×3 float64): N×2 float64."""
    a, b, c, d = transform[0, 0], transform[0, 1], transform[1, 0], transform[1, 1]
    over = 1.0 / (a * d - b * c)
    out = np.empty((len(points), 2))
    for i in range(len(points)):
        x, y = points[i, 0] - transform[0, 2], points[i, 1] - transform[1, 2]
        out[i, 0] = over * (d * x - b * y)
        out[i, 1] = over * (a * y - c * x)
    return out
