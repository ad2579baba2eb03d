"""Faces in a picture → 478 mesh points each: which runner finds them, and a thread that may begin early."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from realtime.errors import UsageError
from realtime.face.measures import Measured, Measurer
from realtime.records import Frame

RUNNERS = ("onnx", "cuda", "mediapipe")


def make_landmarker(most_faces: int, runner: str = "onnx"):
    """Finds faces in single pictures: landmarker(H×W×3 uint8 BGR) → faces×478×3 float32, pixels; then `close()`.

    Neither runner looks back on purpose: each answer depends on its picture alone, so that live and replay see the same
    landmarks whatever was dropped in between, and no smoothing delays a blink.

    Args:
        most_faces: the surest ones in a picture.
        runner: "onnx" runs MediaPipe's networks by ONNX Runtime, "cuda" the same on an NVIDIA GPU, all streams' pictures that wait in
            one batch; "mediapipe" is MediaPipe itself. They find the same points.

    Raises:
        UsageError: there is no such runner.
        MissingPartError: a network's file is damaged or missing, or there is no MediaPipe or GPU.
    """
    if runner in ("onnx", "cuda"):
        from realtime.face.facemesh import FaceMesh

        return FaceMesh(most_faces, gpu=runner == "cuda")
    if runner == "mediapipe":
        from realtime.face.facemesh.with_mediapipe import MediaPipeLandmarker

        return MediaPipeLandmarker(most_faces)
    raise UsageError(f"unknown faces.runner '{runner}': expected one of {', '.join(RUNNERS)}")


@dataclass(frozen=True, eq=False)
class FoundFace:
    """A face in a picture.

    Attributes:
        points: 478×2 float32, image pixels.
        measured: where that was asked for.
    """

    points: np.ndarray
    measured: Measured | None = None


class EarlyLandmarker:
    """A landmarker in a thread of its own, which may begin with a picture before the answer is wanted.

    An answer depends on its picture alone, so an early beginning saves time and changes nothing else.
    """

    def __init__(self, most_faces: int, runner: str = "onnx", took: Callable[[float], None] = lambda seconds: None, measures: bool = False):
        """
        Args:
            measures: faces are measured, too (`realtime.face.measures`).
            took: is told how long each run took, from the thread that does it.
        """
        self._took = took
        self._landmarker = make_landmarker(most_faces, runner)
        self._measure = Measurer() if measures else None
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="landmarks")
        self._begun: tuple[np.ndarray, Future[list[FoundFace]]] | None = None

    def begin(self, frame: Frame) -> None:
        """One picture at a time: what was begun before and never asked for is forgotten."""
        if self._begun is not None:
            before, answer = self._begun
            if before is frame.pixels:
                return
            answer.cancel()
        self._begun = frame.pixels, self._worker.submit(self._find, frame.pixels, frame.pts)

    def __call__(self, frame: Frame) -> list[FoundFace]:
        """The faces in a picture; there may be none."""
        self.begin(frame)
        (_, answer), self._begun = self._begun, None
        return answer.result()

    def _find(self, pixels: np.ndarray, pts: float) -> list[FoundFace]:
        begun = time.perf_counter()
        faces = self._landmarker(pixels)
        found = [FoundFace(np.ascontiguousarray(points[:, :2])) for points in faces]
        if self._measure:
            size, sure = (pixels.shape[1], pixels.shape[0]), self._landmarker.confidence
            found = [replace(one, measured=self._measure(points, size, pts, there)) for one, points, there in zip(found, faces, sure, strict=True)]
        self._took(time.perf_counter() - begun)
        return found

    def close(self):
        self._worker.shutdown(cancel_futures=True)
        self._landmarker.close()
