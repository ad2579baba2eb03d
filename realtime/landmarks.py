"""MediaPipe's Face Landmarker: faces in a picture → 478 mesh points each."""

from __future__ import annotations

import os
import sys
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
            self(np.zeros((64, 64, 3), np.uint8))  # its first run says more, and costs more

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """`pixels`: H×W×3 uint8 BGR. Returns faces×478×2 float32 in image pixels (faces may be 0)."""
        rgb = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
        found = self._landmarker.detect(self._image(image_format=self._format, data=rgb)).face_landmarks
        size = np.array([pixels.shape[1], pixels.shape[0]], np.float32)
        points = np.array([[(p.x, p.y) for p in face] for face in found], np.float32).reshape(-1, 478, 2)
        return points * size

    def close(self):
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
