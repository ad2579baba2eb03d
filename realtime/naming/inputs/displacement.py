"""What the estimator of action units looks at: how far each point of the face's mesh moved from onset to apex."""

from __future__ import annotations

import cv2
import numpy as np

from engines.flow import CPU, Flow
from realtime.face.geometry import OUTER_EYES, to_68
from realtime.naming.inputs.face import crop, crop_box, grey
from realtime.records import FaceView

FACE = 128  # pixels a side at which the flow is computed
SMOOTHING = 1.5  # sigma of the Gaussian over the flow, its pixels
POINTS = 468  # of the mesh; the irises go their own way


def inputs(onset: FaceView, apex: FaceView, tvl1: Flow = CPU) -> dict[str, np.ndarray]:
    """{"moved": (1, 2, POINTS) float32}: displacement of each point (x right, y down), hundredths of the outer-eye distance.

    Args:
        onset: view whose landmarks say where the points are.
        apex: view of the same anchor.
    """
    return {"moved": moved(onset.pixels, apex.pixels, onset.landmarks, tvl1)[None]}


def moved(onset: np.ndarray, apex: np.ndarray, landmarks: np.ndarray, tvl1: Flow = CPU) -> np.ndarray:
    """(2, POINTS) float32, see `inputs`.

    Args:
        onset: ALIGNED×ALIGNED×3 uint8 BGR.
        apex: like onset.
        landmarks: 478×2, pixels of these.
    """
    left, top, right, bottom = box = crop_box(to_68(landmarks))
    size = np.array([right - left, bottom - top], np.float32)
    flow = tvl1(grey(crop(onset, box), FACE), grey(crop(apex, box), FACE))
    flow = cv2.GaussianBlur(flow, (0, 0), SMOOTHING, borderType=cv2.BORDER_REPLICATE)
    at = ((landmarks[:POINTS] - (left, top) + 0.5) * (FACE / size) - 0.5).astype(np.float32)
    there = cv2.remap(flow, at[:, None], None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[:, 0]
    return np.ascontiguousarray((there * (size / FACE * 100 / OUTER_EYES)).T, np.float32)
