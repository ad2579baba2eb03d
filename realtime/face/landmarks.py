"""Faces in a picture → 478 mesh points each: which runner finds them, and a thread that may begin early."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from realtime.errors import UsageError

RUNNERS = ("onnx", "mediapipe")


def make_landmarker(most_faces: int, runner: str = "onnx"):
    """Finds faces in single pictures: landmarker(H×W×3 uint8 BGR) → faces×478×3 float32, pixels; then `close()`.

    Neither runner looks back on purpose: each answer depends on its picture alone, so that live and replay see the same
    landmarks whatever was dropped in between, and no smoothing delays a blink.

    Args:
        most_faces: the surest ones in a picture.
        runner: "onnx" runs MediaPipe's networks by ONNX Runtime, "mediapipe" is MediaPipe itself; they find the same points.

    Raises:
        UsageError: there is no such runner.
        MissingPartError: a network's file is damaged or missing, or MediaPipe is not there.
    """
    if runner == "onnx":
        from realtime.face.facemesh import FaceMesh

        return FaceMesh(most_faces)
    if runner == "mediapipe":
        from realtime.face.facemesh.with_mediapipe import MediaPipeLandmarker

        return MediaPipeLandmarker(most_faces)
    raise UsageError(f"unknown faces.runner '{runner}': expected one of {', '.join(RUNNERS)}")


class EarlyLandmarker:
    """A landmarker in a thread of its own, which may begin with a picture before the answer is wanted.

    An answer depends on its picture alone, so an early beginning saves time and changes nothing else.
    """

    def __init__(self, most_faces: int, runner: str = "onnx", took: Callable[[float], None] = lambda seconds: None):
        """
        Args:
            took: is told how long each run took, from the thread that does it.
        """
        self._took = took
        self._landmarker = make_landmarker(most_faces, runner)
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="landmarks")
        self._begun: tuple[np.ndarray, Future[np.ndarray]] | None = None

    def begin(self, pixels: np.ndarray) -> None:
        """One picture at a time: what was begun before and never asked for is forgotten.

        Args:
            pixels: H×W×3 uint8 BGR.
        """
        if self._begun is not None:
            before, answer = self._begun
            if before is pixels:
                return
            answer.cancel()
        self._begun = pixels, self._worker.submit(self._find, pixels)

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """
        Args:
            pixels: H×W×3 uint8 BGR.

        Returns:
            faces×478×2 float32 in image pixels (faces may be 0).
        """
        self.begin(pixels)
        (_, answer), self._begun = self._begun, None
        return np.ascontiguousarray(answer.result()[..., :2])

    def _find(self, pixels: np.ndarray) -> np.ndarray:
        begun = time.perf_counter()
        found = self._landmarker(pixels)
        self._took(time.perf_counter() - begun)
        return found

    def close(self):
        self._worker.shutdown(cancel_futures=True)
        self._landmarker.close()
