"""The same points found by MediaPipe itself: the other choice of `faces.runner`, and the oracle of the tests.

MediaPipe 1.2 looks its maker's logging server up whenever a landmarker is made, and has no switch for it. So all of it
runs in a thread that can open no socket, nor any thread that it starts. What does it is seccomp, a filter on system calls
that Linux puts on a thread for good and that its threads and children inherit; it needs no rights. The rest of the process,
which may read network streams, is not touched.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.resources import files

import cv2
import numpy as np

from realtime.errors import MissingPartError
from realtime.face.facemesh.networks import POINTS


class MediaPipeLandmarker:
    """MediaPipe's Face Landmarker in its IMAGE mode: each answer depends on its picture alone.

    Attributes:
        confidence: of each face of the latest picture: NaN, MediaPipe does not say.
    """

    def __init__(self, most_faces: int, everything: bool = False):
        """
        Raises:
            MissingPartError: MediaPipe is not there, or cannot be kept from the network.
        """
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="mediapipe")
        try:
            self._landmarker = self._worker.submit(self._start, most_faces, everything).result()
        except BaseException:
            self._worker.shutdown()
            raise
        # MediaPipe's own way out may hang where garbage takes its thread away first
        self._close = weakref.finalize(self, _end, self._worker, self._landmarker)
        self._close.atexit = False
        with _native_log_off():
            self(np.zeros((64, 64, 3), np.uint8))  # its first run says more, and costs more

    def _start(self, most_faces: int, everything: bool):
        if not forbid_sockets():
            raise MissingPartError(
                "MediaPipe calls its maker's server, and only Linux on x86-64 or ARM64, with seccomp, can keep it from that: use faces.runner=onnx"
            )
        try:
            import mediapipe
            from mediapipe.tasks.python import BaseOptions, vision
        except (ImportError, OSError) as error:
            raise MissingPartError(
                f"MediaPipe cannot start ({error}). On Debian: apt install libgl1 libegl1 libgles2 libglib2.0-0; or use faces.runner=onnx"
            ) from error
        self._image, self._format = mediapipe.Image, mediapipe.ImageFormat.SRGB
        model = files("realtime").joinpath("assets/face_landmarker.task").read_bytes()
        options = vision.FaceLandmarkerOptions(
            base_options=BaseOptions(model_asset_buffer=model),
            num_faces=most_faces,
            output_face_blendshapes=everything,
            output_facial_transformation_matrixes=everything,
        )
        with _native_log_off():
            return vision.FaceLandmarker.create_from_options(options)

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """
        Args:
            pixels: H×W×3 uint8 BGR.

        Returns:
            faces×478×3 float32, pixels; z in the scale of x, smaller = nearer to the camera.
        """
        return self.all(pixels)[0]

    def all(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
        """The points, and where everything was asked for: blendshapes, faces×52 in 0…1, and for each face the 4×4 that places it."""
        height, width = pixels.shape[:2]
        rgb = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
        found = self._worker.submit(self._find, rgb).result()
        self.confidence = [float("nan")] * len(found.face_landmarks)  # it does not say
        points = np.array([[(p.x, p.y, p.z) for p in face] for face in found.face_landmarks], np.float32)
        shapes = np.array([[shape.score for shape in face] for face in found.face_blendshapes], np.float32)
        return points.reshape(-1, POINTS, 3) * np.array([width, height, width], np.float32), shapes, list(found.facial_transformation_matrixes or [])

    def _find(self, rgb: np.ndarray):
        return self._landmarker.detect(self._image(image_format=self._format, data=rgb))

    def close(self) -> None:
        self._close()


def _end(worker: ThreadPoolExecutor, landmarker) -> None:
    worker.submit(landmarker.close)  # there: it may start threads, too
    worker.shutdown()


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


PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
ALLOW, DENY = 0x7FFF0000, 0x00050000 | errno.EPERM
LOAD, EQUAL, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06  # BPF: word at an offset, jumps, end
NUMBER, ARCHITECTURE = 0, 4  # offsets in the kernel's `struct seccomp_data`
SOCKETS = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}  # machine → (audit architecture, socket())
IO_URING = 425  # io_uring_setup(), the other door to a socket
FOREIGN = 0x40000000  # calls of the x32 interface, which have other numbers


def forbid_sockets() -> bool:
    """From here on, socket() fails with EPERM in this thread and in whatever it starts. False where this cannot be had.

    Sockets of every kind: a look-up may also go over a local daemon's. Those that are open stay usable.
    """
    if not sys.platform.startswith("linux") or platform.machine() not in SOCKETS or sys.maxsize < 2**32:
        return False
    architecture, socket = SOCKETS[platform.machine()]
    steps = [
        (LOAD, 0, 0, ARCHITECTURE),
        (EQUAL, 0, 5, architecture),
        (LOAD, 0, 0, NUMBER),
        (AT_LEAST, 3, 0, FOREIGN),
        (EQUAL, 2, 0, socket),
        (EQUAL, 1, 0, IO_URING),
        (RETURN, 0, 0, ALLOW),
        (RETURN, 0, 0, DENY),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = ctypes.create_string_buffer(struct.pack("HP", len(steps), ctypes.addressof(code)))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4
    if prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(program), 0, 0) == 0
