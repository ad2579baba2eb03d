"""SKD-TSTSAN's inputs: whole face, face blocks and flow fields of the three streams, 48×48 each (Sec. 4.2).

The channels of "stack", each in [0, 1]:

    0       apex, whole face                  S-stream
    1       onset, whole face
    2–17    apex, 4×4 blocks, row by row      L-stream
    18–33   onset, 4×4 blocks
    34–37   u₁ v₁ (onset → apex) u₂ v₂ (apex → offset)      T-stream; 10 or 20 channels in the variants of Table 6

Faces and each component of a flow are stretched over their own range (which also takes out a change of exposure);
blocks are cut from the stretched face.
"""

from __future__ import annotations

import cv2
import numpy as np

from engines.flow import CPU, Flow
from realtime.naming.inputs.face import crop, crop_box, grey
from realtime.naming.inputs.tim import interpolate
from realtime.records import Moments

FACE = 128  # pixels a side of the face, at which flow is computed
SIDE = 48  # pixels a side of every channel
GRID = 4  # blocks a side


def from_moments(moments: Moments, tvl1: Flow = CPU) -> dict[str, np.ndarray]:
    """{"stack": (1, 38, 48, 48) float32}: flow onset → apex and apex → offset, two temporal domains."""
    onset, apex, offset = _faces(moments, (moments.onset, moments.apex, moments.offset))
    return stack(onset, apex, [(onset, apex), (apex, offset)], tvl1)


def from_moments_5(moments: Moments, tvl1: Flow = CPU) -> dict[str, np.ndarray]:
    """{"stack": (1, 44, 48, 48) float32}: five temporal domains, see `_even_domains`."""
    return _even_domains(moments, 5, tvl1)


def from_moments_10(moments: Moments, tvl1: Flow = CPU) -> dict[str, np.ndarray]:
    """{"stack": (1, 54, 48, 48) float32}: ten temporal domains, see `_even_domains`."""
    return _even_domains(moments, 10, tvl1)


def _even_domains(moments: Moments, count: int, tvl1: Flow) -> dict[str, np.ndarray]:
    """Flow between neighbours of count + 1 frames that TIM makes of the whole movement (Sec. 4.5.4, Table 6)."""
    if moments.between is None:
        raise ValueError(
            f"{count} flow fields are interpolated from the frames between onset and offset, which are not at hand here: use a network with two"
        )
    onset, apex = _faces(moments, (moments.onset, moments.apex))
    smooth = interpolate(np.stack(_faces(moments, moments.between)), count + 1)  # a curve may overshoot a little
    frames = np.clip(np.rint(smooth), 0, 255).astype(np.uint8)
    return stack(onset, apex, list(zip(frames[:-1], frames[1:], strict=True)), tvl1)


def _faces(moments: Moments, views) -> list[np.ndarray]:
    box = crop_box(moments.points)  # of the onset: the face must not move with its own crop
    return [grey(crop(view, box), FACE) for view in views]


def stack(onset: np.ndarray, apex: np.ndarray, domains: list[tuple[np.ndarray, np.ndarray]], tvl1: Flow) -> dict[str, np.ndarray]:
    """Of grey faces, FACE×FACE uint8, and pairs of such between which flow is computed."""
    onset, apex = _stretch(onset), _stretch(apex)
    channels = [_small(apex), _small(onset), *_blocks(apex), *_blocks(onset)]
    for flow in map(_small, tvl1.many(domains)):  # 48×48×2
        channels += [_stretch(flow[..., 0]), _stretch(flow[..., 1])]
    return {"stack": np.stack(channels)[None]}


def _blocks(face: np.ndarray) -> list[np.ndarray]:
    step = FACE // GRID
    corners = ((row, column) for row in range(0, FACE, step) for column in range(0, FACE, step))
    return [cv2.resize(face[y : y + step, x : x + step], (SIDE, SIDE)) for y, x in corners]


def _small(image: np.ndarray) -> np.ndarray:
    return cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def _stretch(image: np.ndarray) -> np.ndarray:
    """To [0, 1], lowest to highest; a picture of one value becomes 0.5, the middle, where no movement lies."""
    image = image.astype(np.float32)
    low, high = image.min(), image.max()
    return (image - low) / (high - low) if high - low > 1e-6 else np.full_like(image, 0.5)
