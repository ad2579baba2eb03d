"""Faces in a picture → 478 points each: the networks of MediaPipe's Face Landmarker, run by ONNX Runtime.

    faces = FaceMesh(most_faces=4)
    faces(pixels)                        # faces×478×3
    faces.many([pixels, others])         # the same for several pictures, in one run of each network

The steps are those of MediaPipe's graph for single pictures (mediapipe/tasks/cc/vision, face_detector_graph.cc,
face_landmarks_detector_graph.cc), which is the oracle in the tests: a face is sought, a turned square
around it is cut out, its points are found (`networks`); from these, who wants them, `blendshapes`. Each answer depends
on its picture alone: nothing is smoothed over time.

Streams share the networks. On the CPU each runs them in its own thread, one picture at a time: a batch takes longer there, for
what one picture's layers leave in the cache is lost (mesh, a core with 1 MB: 5.8 ms one by one, 8.8 ms each of eight). On a
GPU the streams' pictures make batches.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Sequence
from importlib.resources import as_file, files

import numpy as np

from engines.errors import EngineError
from engines.onnx import OnnxRuntime
from engines.onnx_cuda import OnnxCuda
from engines.served import Served
from realtime.errors import MissingPartError
from realtime.face.facemesh.blendshapes import Blendshapes
from realtime.face.facemesh.networks import POINTS, Detector, Mesh


class FaceMesh:
    """Finds up to `most_faces` faces, the surest first. One thread; each answer depends on its picture alone.

    Attributes:
        confidence: of each face of the latest picture, how surely it is one, 0…1.
    """

    def __init__(self, most_faces: int, gpu: bool = False):
        """
        Args:
            most_faces: at most so many.
            gpu: run there.

        Raises:
            MissingPartError: a network's file is damaged or missing, or it cannot run on a GPU here.
        """
        self._most, self.confidence = most_faces, list[float]()
        self._detector, self._mesh = Detector(_network("face_detector", gpu)), Mesh(_network("face_mesh", gpu))

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """
        Args:
            pixels: H×W×3 uint8 BGR.

        Returns:
            faces×478×3 float32, pixels; z in the scale of x, smaller = nearer to the camera.
        """
        return self.many([pixels])[0]

    def many(self, pictures: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The same for several pictures, which may differ in size: all faces of all of them are one run of the mesh.

        Args:
            pictures: each H×W×3 uint8 BGR.

        Returns:
            For each, faces×478×3 float32, as of one.
        """
        found = self._detector(pictures, self._most)
        owners = [number for number, regions in enumerate(found) for _ in regions]
        faces = self._mesh([pictures[number] for number in owners], [region for regions in found for region in regions])
        seen: list[list[np.ndarray]] = [[] for _ in pictures]
        surely: list[list[float]] = [[] for _ in pictures]
        for number, (face, there) in zip(owners, faces, strict=True):
            if face is not None:
                seen[number].append(face)
                surely[number].append(there)
        self.confidence = surely[-1] if surely else []
        return [np.array(one, np.float32).reshape(-1, POINTS, 3) for one in seen]

    def close(self) -> None:
        """Nothing is held that ends by itself too; the other runner has something to close."""


def blendshapes() -> Blendshapes:
    """The network for the movements.

    Raises:
        MissingPartError: its file is damaged or missing.
    """
    return Blendshapes(_network("face_blendshapes"))


class _Network:
    """One of our networks: its one input → its one output."""

    def __init__(self, name: str, gpu: bool):
        try:
            with as_file(files("realtime").joinpath(f"assets/{name}.onnx")) as path:
                model = path.read_bytes()
                cpu = OnnxRuntime(model, path)  # one thread: more cost more than they gain at this size
        except (OSError, EngineError) as error:
            raise MissingPartError(f"the network {name}.onnx cannot be used ({error}): install mer-live anew") from error
        try:
            self._served = Served(name, cpu, OnnxCuda(model, path, cpu) if gpu else None)
        except EngineError as error:
            raise MissingPartError(f"faces.runner=cuda cannot be had: {error}") from error

    def __call__(self, values: np.ndarray) -> np.ndarray:
        return self._served.answer({"input": values})


# a GPU's for as long as any stream uses them; the CPU's for good, or each of an archive's many short clips would load them anew
_on_gpu: weakref.WeakValueDictionary[str, _Network] = weakref.WeakValueDictionary()
_on_cpu: dict[str, _Network] = {}
_guard = threading.Lock()


def _network(name: str, gpu: bool = False) -> _Network:
    with _guard:
        shared = _on_gpu if gpu else _on_cpu
        found = shared.get(name) or _Network(name, gpu)
        shared[name] = found
        return found
