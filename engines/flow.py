"""Optical flow, TV-L1 (Zach et al. 2007): the one door through which the rest of the program asks for it."""

from __future__ import annotations

import numpy as np

from engines.errors import EngineError

# OpenCV's defaults (5 scales, 5 warps, median 5) take over twice as long and are no more exact on movements of up to
# three pixels, which is all that a micro-expression makes on a 128×128 face. A test holds the exactness.
SETTINGS = {"nscales": 3, "warps": 2, "medianFiltering": 3}


def tvl1(previous: np.ndarray, following: np.ndarray) -> np.ndarray:
    """Flow from `previous` to `following`, H×W uint8 grey: H×W×2 float32, (u, v) in pixels, right and down positive.

    Raises EngineError where OpenCV was installed without its contrib modules, ValueError for other arrays.
    """
    if previous.shape != following.shape or previous.ndim != 2 or previous.dtype != np.uint8:
        got = f"{previous.shape} {previous.dtype} and {following.shape}"
        raise ValueError(f"the flow of two H×W uint8 pictures of one size, got {got}")
    return _create().calc(previous, np.ascontiguousarray(following), None)


def _create():
    """A new OpenCV object for each call: it is cheap to make, and shared between threads it would share buffers."""
    import cv2

    # `cv2.optflow` exists without the function where another OpenCV wheel was unpacked over the contrib one
    make = getattr(getattr(cv2, "optflow", None), "DualTVL1OpticalFlow_create", None)
    if make is None:
        raise EngineError(
            f"OpenCV {cv2.__version__} has no TV-L1 flow: remove every opencv-python* package, "
            "then install opencv-contrib-python again"
        )
    return make(**SETTINGS)
