"""The door: what it takes and gives, and which engine stands behind it."""

import sys
from types import ModuleType

import cv2
import numpy as np
import pytest
from moved_faces import moved

from engines import device, flow
from engines.device import Device
from engines.errors import EngineError, GpuLost
from engines.flow import CPU, Flow, cpu
from engines.flow.shared import SharedFlow


def textured(seed=0, size=128):
    noise = np.random.default_rng(seed).random((size, size)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 2)
    return cv2.normalize(smooth, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr(device, "find", lambda: None)
    monkeypatch.setattr(device, "why_not", lambda: "no NVIDIA driver")


@pytest.fixture
def gpu(monkeypatch):
    """A GPU that answers with flows of 7 until `gpu.fails` is set."""
    module = ModuleType("engines.flow.cuda")
    module.fails, module.broken, module.batches = False, False, []

    def tvl1_many(pairs):
        module.batches.append(len(pairs))
        if module.fails:
            raise GpuLost("the GPU failed: out of memory")
        return [np.full((*first.shape, 2), 7, np.float32) for first, _ in pairs]

    def ready():
        if module.broken:
            raise EngineError("kernels.fatbin is damaged")

    module.tvl1_many, module.ready = tvl1_many, ready
    monkeypatch.setitem(sys.modules, "engines.flow.cuda", module)
    monkeypatch.setattr(flow, "cuda", module, raising=False)
    monkeypatch.setattr(device, "find", lambda: Device("Fake GPU", "sm_90", "1", "13.0", 1024))
    return module


@pytest.mark.parametrize("shift", [(0.4, 0.0), (0.0, -1.0), (1.5, 2.0), (-2.0, 2.2)])
def test_small_movements_are_found_with_their_sign(shift):
    picture = textured()
    by = np.float32([[1, 0, shift[0]], [0, 1, shift[1]]])
    moving = cv2.warpAffine(picture, by, (128, 128), borderMode=cv2.BORDER_REFLECT)
    found = CPU(picture, moving)
    assert found.shape == (128, 128, 2) and found.dtype == np.float32
    error = np.linalg.norm(found[16:-16, 16:-16] - shift, axis=2)
    assert error.mean() < 0.12


def test_a_still_picture_does_not_move():
    assert np.abs(CPU(textured(), textured())).max() < 1e-3


@pytest.mark.parametrize(
    "other",
    [np.zeros((64, 64), np.uint8), np.zeros((128, 128), np.float32), np.zeros((128, 128, 3), np.uint8), np.zeros((0, 0), np.uint8)],
)
def test_other_arrays_are_refused(other):
    with pytest.raises(ValueError, match="one size"):
        CPU(textured(), other)
    with pytest.raises(ValueError, match="one size"):
        CPU.many([(textured(), textured()), (other, other[:1])])
    if other.ndim != 2 or other.dtype != np.uint8 or not other.size:
        with pytest.raises(ValueError, match="one size"):
            CPU(other, other)


def test_a_batch_gives_the_bits_of_its_pairs_one_by_one(no_gpu):
    pairs = [moved(pull, size, side)[:2] for pull, size, side in (("brows", 1, 128), ("smile", 2, 128), ("wince", 1, 97))]
    pairs.append((textured(1, 40)[:, 3:], textured(2, 40)[:, 3:]))  # not contiguous
    for found, pair in zip(CPU.many(pairs), pairs, strict=True):
        assert np.array_equal(found, CPU(*pair))
    assert CPU.many([]) == []


def test_what_two_look_at_is_computed_once(monkeypatch):
    first, second, third = textured(), textured(1), textured(2)
    expected = CPU.many([(first, second), (second, third)])
    asked, many = [], cpu.tvl1_many
    monkeypatch.setattr(cpu, "tvl1_many", lambda pairs: asked.append(len(pairs)) or many(pairs))
    shared = SharedFlow()
    found = shared.many([(first, second), (second, third), (first.copy(), second.copy())])
    assert asked == [2] and all(np.array_equal(*pair) for pair in zip(found, [*expected, expected[0]]))
    assert np.array_equal(shared(first, second), expected[0]) and sum(asked) == 2
    assert not np.array_equal(shared(second, first), expected[0]) and sum(asked) == 3  # the way back is another flow


def test_the_processor_is_taken_where_there_is_no_gpu(no_gpu):
    assert Flow().words == Flow("cpu").words == "CPU"
    with pytest.raises(EngineError, match=r"no GPU for optical flow \(no NVIDIA driver\): take the flow engine cpu or auto"):
        Flow("cuda")
    with pytest.raises(EngineError, match="unknown flow engine 'gpu': expected one of auto, cpu, cuda"):
        Flow("gpu")
    assert np.array_equal(Flow()(textured(), textured(1)), cpu.tvl1(textured(), textured(1)))


def test_a_gpu_is_taken_of_itself_and_batches_go_to_it_whole(gpu):
    flow = Flow()
    assert flow.words == Flow("cuda").words == "CUDA, Fake GPU"
    assert flow(textured(), textured())[0, 0, 0] == 7
    flow.many([(textured(), textured())] * 5)
    assert gpu.batches == [1, 5]


def test_one_flow_changes_nothing_for_another(gpu, notices):
    """Two sessions of one process, one of them on the CPU; then a GPU fails one of two that use it."""
    there, here, other = Flow("cuda"), Flow("cpu"), Flow("auto")
    pair = textured(), textured(1)
    expected = cpu.tvl1(*pair)
    assert there(*pair)[0, 0, 0] == 7 and np.array_equal(here(*pair), expected) and there(*pair)[0, 0, 0] == 7
    gpu.fails = True
    assert np.array_equal(there(*pair), expected)
    gpu.fails = False
    assert other(*pair)[0, 0, 0] == 7 and other.on_gpu and not there.on_gpu
    assert np.array_equal(CPU(*pair), expected) and len(notices) == 1


def test_a_gpu_that_fails_is_left_for_good_and_that_is_said_once(gpu, notices):
    flow, pairs = Flow(), [(textured(), textured(1))] * 2
    flow.many(pairs)
    gpu.fails = True
    expected = cpu.tvl1(*pairs[0])
    assert all(np.array_equal(found, expected) for found in flow.many(pairs))
    gpu.fails = False
    assert np.array_equal(flow(*pairs[0]), expected) and gpu.batches == [2, 2]
    assert flow.words == "CPU"
    assert notices == ["the GPU failed: out of memory: optical flow goes on on the CPU"]


def test_a_gpu_without_its_kernels_is_told_of(gpu, notices):
    gpu.broken = True
    assert Flow("auto").words == "CPU"
    assert notices == ["optical flow runs on the CPU: kernels.fatbin is damaged"]
    with pytest.raises(EngineError, match=r"optical flow cannot run on Fake GPU \(kernels.fatbin is damaged\)"):
        Flow("cuda")
