"""MediaPipe's Face Landmarker: faces in a picture → 478 mesh points each."""

from __future__ import annotations

import os
import sys
import weakref
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from importlib.resources import files

import cv2
import numpy as np

from realtime.errors import MissingPartError


class Landmarker:
    """Finds faces in single pictures.

    It runs in MediaPipe's IMAGE mode on purpose: each answer depends on its picture alone, so that live and replay
    see the same landmarks whatever was dropped in between, and no smoothing delays a blink.
    """

    def __init__(self, most_faces: int):
        try:
            import mediapipe
            from mediapipe.tasks.python import BaseOptions, vision
        except (ImportError, OSError) as error:
            raise MissingPartError(
                f"MediaPipe cannot start ({error}). On Debian: apt install libgl1 libegl1 libgles2 libglib2.0-0"
            ) from error
        self._image, self._format = mediapipe.Image, mediapipe.ImageFormat.SRGB
        model = files("realtime").joinpath("assets/face_landmarker.task").read_bytes()
        options = vision.FaceLandmarkerOptions(
            base_options=BaseOptions(model_asset_buffer=model), num_faces=most_faces
        )
        with _native_log_off():
            self._landmarker = vision.FaceLandmarker.create_from_options(options)
            # MediaPipe's own way out may hang where garbage takes its thread away first
            self._close = weakref.finalize(self, self._landmarker.close)
            self._close.atexit = False
            self(np.zeros((64, 64, 3), np.uint8))  # its first run says more, and costs more

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """`pixels`: H×W×3 uint8 BGR. Returns faces×478×2 float32 in image pixels (faces may be 0)."""
        rgb = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
        found = self._landmarker.detect(self._image(image_format=self._format, data=rgb)).face_landmarks
        size = np.array([pixels.shape[1], pixels.shape[0]], np.float32)
        points = np.array([[(p.x, p.y) for p in face] for face in found], np.float32).reshape(-1, 478, 2)
        return points * size

    def close(self):
        self._close()


class EarlyLandmarker:
    """A Landmarker in a thread of its own, which may begin with a picture before the answer is wanted.

    An answer depends on its picture alone, so an early beginning saves time and changes nothing else.
    """

    def __init__(self, most_faces: int):
        self._landmarker = Landmarker(most_faces)
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="landmarks")
        self._begun: tuple[np.ndarray, Future[np.ndarray]] | None = None

    def begin(self, pixels: np.ndarray) -> None:
        """One picture at a time: what was begun before and never asked for is forgotten."""
        if self._begun is not None:
            before, answer = self._begun
            if before is pixels:
                return
            answer.cancel()
        self._begun = pixels, self._worker.submit(self._landmarker, pixels)

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """As `Landmarker`."""
        self.begin(pixels)
        (_, answer), self._begun = self._begun, None
        return answer.result()

    def close(self):
        self._worker.shutdown(cancel_futures=True)
        self._landmarker.close()


@contextmanager
def _native_log_off():
    """MediaPipe's native start-up log goes straight to file descriptor 2 and would tear the terminal view."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
