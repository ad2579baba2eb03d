"""What streams of one process share: the processors, the landmark networks, and on a GPU their batches (a stand-in for one)."""

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import fake_provider
import numpy as np
import pytest
from made_faces import FACE

from engines import device
from realtime.errors import MissingPartError
from realtime.face.facemesh import FaceMesh
from realtime.face.landmarks import make_landmarker
from realtime.naming.namer import Namer
from realtime.timings import Timings
from realtime.watching import side_by_side


@pytest.fixture
def provider(monkeypatch):
    """ONNX Runtime's CUDA provider on a machine with a driver."""
    monkeypatch.delenv("MER_NO_GPU", raising=False)
    monkeypatch.setattr(device, "_found", (None, "pycuda is not installed"))
    monkeypatch.setattr(device, "driver", lambda: "580.65")
    return fake_provider.FakeProvider(monkeypatch)


def test_streams_share_one_copy_of_the_networks():
    one, other = FaceMesh(1), FaceMesh(4)
    assert one._mesh._run is other._mesh._run and one._detector._run is other._detector._run


def test_on_a_gpu_pictures_that_wait_are_one_batch_and_the_points_are_the_same(provider):
    streams = [make_landmarker(1, "cuda") for _ in range(6)]
    pictures = [np.roll(FACE, 3 * shift, axis=1) for shift in range(6)]
    provider.batches.clear()
    together = Barrier(6)

    def follow(stream, picture):
        together.wait()
        return [stream(picture) for _ in range(4)][-1]

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(follow, streams, pictures))
    alone = FaceMesh(1)
    for picture, faces in zip(pictures, found, strict=True):
        np.testing.assert_allclose(faces, alone(picture), atol=0.01)
    assert max(provider.batches) > 1 and sum(provider.batches) + provider.replayed >= 2 * 4 * 6


def test_a_gpu_that_is_lost_leaves_the_cpu(provider, caplog):
    mesh = make_landmarker(1, "cuda")
    provider.failure = "CUDNN_STATUS_EXECUTION_FAILED"
    np.testing.assert_array_equal(mesh(FACE), FaceMesh(1)(FACE))
    assert [line for line in caplog.messages if "face_mesh" in line and "runs on the CPU from now on" in line]


def test_without_a_gpu_it_is_one_line():
    with pytest.raises(MissingPartError, match="faces.runner=cuda cannot be had"):
        make_landmarker(1, "cuda")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread has no priority of its own")
def test_naming_yields_to_the_frames():
    class Recognizer:
        def warm(self):
            self.priority = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    namer = Namer("a.mp4", recognizer := Recognizer(), None, wait=False, now=False, timings=Timings())
    namer._worker.submit(int).result()
    namer.close()
    here = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert recognizer.priority == min(here + 10, 19) > here or here == 19


def test_several_take_turns_and_one_changes_nothing():
    class Watch:
        def run(self): ...

    before = sys.getswitchinterval()
    sys.setswitchinterval(0.005)  # Python's own: a test before this one may have had several
    try:
        usual = sys.getswitchinterval()
        assert len(side_by_side([Watch()])) == 1 and sys.getswitchinterval() == usual
        assert len(side_by_side([Watch(), Watch()])) == 2 and sys.getswitchinterval() < usual
    finally:
        sys.setswitchinterval(before)
