"""The 28×28 flow map that Dual-ATME, STSTNet and the SVM take: TV-L1 flow and optical strain from onset to apex."""

from __future__ import annotations

import cv2
import numpy as np

from engines.flow import CPU, Flow
from realtime.naming.inputs.face import as_batch, crop, crop_box, grey
from realtime.records import Moments

FACE = 128  # pixels a side at which the flow is computed
MAP = 28  # pixels a side of the flow map, and of each network input

# Sigma of the Gaussian, in flow-map pixels. What tells the classes apart is broad; finer detail is noise that is learnt.
SMOOTHING = 2.0


def inputs(moments: Moments, tvl1: Flow = CPU) -> dict[str, np.ndarray]:
    """{"full_face": (1, 3, 28, 28) float32}: the normalised flow map of the face, cut by the onset's landmarks."""
    box = crop_box(moments.points)
    return from_map(flow_map(crop(moments.onset, box), crop(moments.apex, box), tvl1))


def from_map(flow: np.ndarray) -> dict[str, np.ndarray]:
    """A flow map (28×28×3 in [0, 255]), normalised: {"full_face": (1, 3, 28, 28) float32}."""
    return {"full_face": as_batch(normalise(flow))}


def flow_map(onset_face: np.ndarray, apex_face: np.ndarray, tvl1: Flow = CPU) -> np.ndarray:
    """28×28×3 float32 in [0, 255]: (u, v, optical strain) from onset to apex, each channel stretched over its range.

    The faces are H×W×3 uint8 BGR crops of one box. The stretch loses sign and size of the flow; a channel without any
    variation becomes 0. Sec. 3.2.3, strain as in STSTNet.
    """
    return stretched(tvl1(grey(onset_face, FACE), grey(apex_face, FACE)))


def stretched(flow: np.ndarray) -> np.ndarray:
    """A 128×128×2 flow as a flow map, see `flow_map`."""
    field = np.dstack([flow, strain(flow)])
    small = cv2.resize(field, (MAP, MAP), interpolation=cv2.INTER_AREA)
    low, high = small.min((0, 1)), small.max((0, 1))
    return ((small - low) * (255 / np.maximum(high - low, 1e-6))).astype(np.float32)


def strain(flow: np.ndarray) -> np.ndarray:
    """H×W magnitude of the strain tensor ½(∇f + ∇fᵀ) of an H×W×2 flow: √(ε_xx² + ε_yy² + 2ε_xy²)."""
    u_y, u_x = np.gradient(flow[..., 0])
    v_y, v_x = np.gradient(flow[..., 1])
    return np.sqrt(u_x**2 + v_y**2 + 0.5 * (u_y + v_x) ** 2)


def normalise(flow: np.ndarray) -> np.ndarray:
    """28×28×3 in [0, 255] → 28×28×3 float32 in about [-2, 2]: smoothed, each channel less its median, over 128.

    The median is where the still part of the face lies after the stretch, so 0 again means "does not move", and
    mirroring is a flip with u negated.
    """
    smooth = cv2.GaussianBlur(np.asarray(flow, np.float32), (0, 0), SMOOTHING, borderType=cv2.BORDER_REPLICATE)
    return (smooth - np.median(smooth, axis=(0, 1))) / np.float32(128)
