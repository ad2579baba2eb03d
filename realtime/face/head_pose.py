"""How the head is turned, from the points of its face: MediaPipe's facial transformation matrix, in numpy.

The camera is supposed to see FIELD from top to bottom, as MediaPipe supposes where none is known: a lens that sees less or more changes
the angles of a face far from the middle by a little. The steps are those of mediapipe/tasks/cc/vision/face_geometry (geometry_pipeline.cc,
procrustes_solver.cc), which is the oracle in the tests.
"""

from __future__ import annotations

import math

import numpy as np

FIELD = math.radians(63)
NEAR = 1.0  # distance of the plane that the picture lies on; points behind it are in centimetres
# A point of the mesh: how much it counts, and where it lies on the mean face (centimetres; right, up, towards the camera).
# From geometry_pipeline_metadata_landmarks.binarypb in face_landmarker.task (Apache-2.0, see realtime/assets/NOTICE.md).
BASIS = {
    4: (0.0709099, 0, -0.46317, 7.58658),
    6: (0.0321001, 0, 2.47325, 5.78863),
    10: (0.00844655, 0, 8.26178, 4.48153),
    33: (0.0587242, -4.44586, 2.66399, 3.17342),
    54: (0.00766708, -6.27933, 6.61543, 1.42585),
    67: (0.00907806, -3.52396, 8.00598, 3.72916),
    117: (0.00979194, -5.25866, 0.945811, 2.97431),
    119: (0.0145654, -3.30068, 0.861641, 3.87278),
    121: (0.0185914, -1.82073, 1.46795, 4.22412),
    127: (0.00519799, -7.74309, 2.365, -2.00517),
    129: (0.120625, -1.78579, -0.978284, 4.85047),
    132: (0.00556002, -7.2709, -2.89092, -2.25245),
    133: (0.0532862, -1.85643, 2.58524, 3.7579),
    136: (0.0668905, -5.08528, -7.17859, 0.714711),
    143: (0.0148165, -6.40757, 2.23602, 1.56084),
    147: (0.0142628, -6.23488, -1.94443, 1.66354),
    198: (0.0254622, -1.24681, 0.230297, 5.68104),
    205: (0.0472523, -3.83293, -1.53733, 4.13773),
    263: (0.0587242, 4.44586, 2.66399, 3.17342),
    284: (0.00766708, 6.27933, 6.61543, 1.42585),
    297: (0.00907806, 3.52396, 8.00598, 3.72916),
    346: (0.00979194, 5.25866, 0.945811, 2.97431),
    348: (0.0145654, 3.30068, 0.861641, 3.87278),
    350: (0.0185914, 1.82073, 1.46795, 4.22412),
    356: (0.00519799, 7.74309, 2.365, -2.00517),
    358: (0.120625, 1.78579, -0.978284, 4.85047),
    361: (0.00556002, 7.2709, -2.89092, -2.25245),
    362: (0.0532862, 1.85643, 2.58524, 3.7579),
    365: (0.0668905, 5.08528, -7.17859, 0.714711),
    372: (0.0148165, 6.40757, 2.23602, 1.56084),
    376: (0.0142628, 6.23488, -1.94443, 1.66354),
    420: (0.0254622, 1.24681, 0.230297, 5.68104),
    425: (0.0472523, 3.83293, -1.53733, 4.13773),
}
IDS = np.array(list(BASIS))
WEIGHTS, CANONICAL = np.array(list(BASIS.values()))[:, 0], np.array(list(BASIS.values()))[:, 1:]
TO_CAMERA = np.diag([1.0, -1.0, -1.0])  # from (right, up, towards the camera) to (right, down, away from it)


def head_pose(points: np.ndarray, width: int, height: int) -> np.ndarray:
    """(3,) float64, radians: turned about the axis to the right (nodding), down (shaking), and away from the camera (tilting).

    The rotation is Rx·Ry·Rz in these axes, as OpenFace's pose_Rx, pose_Ry, pose_Rz.

    Args:
        points: 478×3 or 468×3 float, pixels of a picture of that size, z in the scale of x.
    """
    m = TO_CAMERA @ rotation(points, width, height) @ TO_CAMERA
    return np.array([math.atan2(-m[1, 2], m[2, 2]), math.asin(max(-1.0, min(1.0, m[0, 2]))), math.atan2(-m[0, 1], m[0, 0])])


def rotation(points: np.ndarray, width: int, height: int) -> np.ndarray:
    """3×3 float64, from the mean face's axes (right, up, towards the camera) to the camera's. Arguments as for `head_pose`."""
    tall = 2 * NEAR * math.tan(FIELD / 2)
    wide = tall * width / height
    x, y, z = points[IDS].astype(np.float64).T
    screen = np.stack([(x / width - 0.5) * wide, (0.5 - y / height) * tall, z / width * wide], axis=1)  # on the plane NEAR
    depth = points[:468, 2].mean() / width * wide
    # how large the face is tells how far away it is; that, in turn, how large it is: two rounds, as in MediaPipe
    scale = _fit(_facing(screen))[1]
    scale *= _fit(_facing(_in_space(screen, depth, scale)))[1]
    return _fit(_facing(_in_space(screen, depth, scale)))[0]


def _in_space(screen: np.ndarray, depth: float, scale: float) -> np.ndarray:
    """N×3 points of the plane at NEAR → where they lie in space, centimetres, z growing away from the camera."""
    z = (screen[:, 2] - depth + NEAR) / scale
    return np.stack([screen[:, 0] * z / NEAR, screen[:, 1] * z / NEAR, z], axis=1)


def _facing(points: np.ndarray) -> np.ndarray:
    """The same with z growing towards the camera."""
    return points * [1.0, 1.0, -1.0]


def _fit(points: np.ndarray) -> tuple[np.ndarray, float]:
    """(rotation 3×3, scale) that carry the mean face onto N×3 `points`, by weighted least squares (Umeyama 1991)."""
    share = WEIGHTS[:, None] / WEIGHTS.sum()
    mean_face, mean = (CANONICAL * share).sum(0), (points * share).sum(0)
    source, target = CANONICAL - mean_face, points - mean
    u, _, vt = np.linalg.svd(target.T @ (share * source))
    if np.linalg.det(u) * np.linalg.det(vt) < 0:
        u[:, 2] *= -1
    turn = u @ vt
    return turn, float((share * (source @ turn.T) * target).sum() / (share * source**2).sum())
