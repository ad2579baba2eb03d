"""What the GPU kernels compute, without a GPU: compiled for the host, and run through engines/flow/cuda.py."""

import mmap
import subprocess
import sys
import threading

import numpy as np
import pytest
from gpu import needs_cuda
from moved_faces import PULLS, moved
from shim import fake_cuda
from shim.fake_cuda import H200, RTX_4090, RTX_5090
from shim.host import pair

from engines.flow import cpu, cuda, lanes, launches, memory, settings
from realtime.naming.inputs import dual_atme, face, flow_map


@pytest.mark.parametrize(
    ("kind", "size", "kernel"),
    [
        (H200, (128, 128), "tvl1_near"),
        (H200, (224, 224), "tvl1_near"),
        (H200, (97, 61), "tvl1_near"),
        (H200, (5, 3), "tvl1_near"),
        (RTX_5090, (128, 128), "tvl1_near"),
        (RTX_5090, (224, 224), "tvl1_far"),
        (H200, (250, 260), "tvl1_far"),
        (RTX_4090, (128, 128), "tvl1_alone"),
        (RTX_4090, (40, 57), "tvl1_alone"),
    ],
)
def test_the_flow_is_that_of_the_cpu(start, kind, size, kernel):
    gpu = start(**kind)
    pictures = pair(*size)
    (flow,) = cuda.tvl1_many([pictures])
    assert [launch[0] for launch in gpu.launched] == [kernel]
    off = np.linalg.norm(flow - cpu.tvl1(*pictures), axis=2)
    assert off.mean() < 2e-4 and (off > 0.01).mean() < 2e-3  # pixels: a few flip at the edge of a threshold
    assert np.abs(flow).max() > 0.02


def test_a_pair_flows_alike_in_any_batch_and_nothing_is_allocated_twice(start):
    gpu = start(**H200)
    pairs = [pair(48, 40, seed=1), pair(32, 56, seed=2), pair(48, 40, seed=3), pair(48, 40, seed=4, movement=0)]
    together = cuda.tvl1_many(pairs)
    assert [(name, grid) for name, grid, _, _ in gpu.launched] == [("tvl1_near", (24,)), ("tvl1_near", (8,))]
    before = gpu.allocations
    for alone, one in zip(pairs, together, strict=True):
        assert np.array_equal(cuda.tvl1_many([alone])[0], one)
    assert gpu.allocations == before and cuda.tvl1_many([]) == []


def test_flows_stand_in_memory_that_is_used_again_once_nobody_holds_it(start, monkeypatch):
    start(**RTX_4090)
    pairs = [pair(20, 24, seed) for seed in range(2)]
    first = cuda.tvl1_many(pairs)
    kept, numbers, place = first[1], first[1].copy(), first[0].ctypes.data
    del first
    second = cuda.tvl1_many(pairs[::-1])
    assert np.array_equal(kept, numbers) and second[0].ctypes.data != place
    del kept
    assert cuda.tvl1_many(pairs)[0].ctypes.data == place
    assert memory._known and all(one.ctypes.data % mmap.PAGESIZE == 0 for one in memory._known)
    monkeypatch.setattr(memory, "MOST", 0)
    held = [cuda.tvl1_many(pairs) for _ in range(4)]
    assert len(memory._known) == 2 and all(np.array_equal(one[1], numbers) for one in held)


def test_more_pairs_than_one_launch_takes_are_shared_out(start, monkeypatch):
    gpu = start(**RTX_4090)
    monkeypatch.setattr(lanes, "BATCH_BYTES", 2 * 4 * launches.room(20, 20, "tvl1_alone"))
    assert len(cuda.tvl1_many([pair(20, 20, seed) for seed in range(5)])) == 5
    assert [grid for _, grid, _, _ in gpu.launched] == [(2,), (2,), (1,)]


RULES = flow_map.FACE, flow_map.MAP, flow_map.SMOOTHING
BOXES = {
    "within": (30, 20, 200, 210),
    "outside": (-10, -5, 230, 240),
    "beyond": (230, 10, 400, 200),
    "unscaled": (20, 20, 148, 148),
    "halved": (-20, -20, 236, 236),
    "small": (40, 50, 150, 170),
    "narrow": (50, 60, 130, 220),
}


@pytest.mark.parametrize("kind", [H200, RTX_4090], ids=["clusters", "blocks"])
def test_flow_maps_are_those_of_realtime_without_leaving_the_gpu(start, monkeypatch, kind):
    gpu = start(**kind)
    views = [pair(224, 224, seed, channels=3) for seed in range(len(BOXES))]
    maps = cuda.flow_maps([(*pair, box) for pair, box in zip(views, BOXES.values(), strict=True)], *RULES)
    pieces = cuda.puzzles(maps, dual_atme.PUZZLE)
    assert gpu.copies == ["up", "up"]
    assert maps.shape == pieces.shape == (len(BOXES), 3, 28, 28)
    for (onset, apex), box, full, puzzle in zip(views, BOXES.values(), maps.numpy(), pieces.numpy(), strict=True):
        expected = dual_atme.from_map(flow_map.flow_map(face.crop(onset, box), face.crop(apex, box)))
        for found, wanted in ((full, expected["full_face"][0]), (puzzle, expected["puzzle"][0])):
            off = np.abs(found - wanted)  # of values within ±2
            assert off.max() < 0.1 and off.mean() < 5e-3
    assert cuda.flow_maps([], *RULES).numpy().shape == (0, 3, 28, 28)


def test_the_faces_and_what_follows_the_flow_are_exact(start, monkeypatch):
    """The same with the CPU's flow in the middle: grey faces bit by bit, maps to rounding."""
    gpu = start(**H200)
    flows = {}
    run = gpu.library.run

    def without_flow(kernel, blocks, floats, parameters):
        if not kernel.startswith("tvl1"):
            return run(kernel, blocks, floats, parameters)
        pictures, out = np.frombuffer(parameters[:16], np.uint64)
        for at in range(blocks // 8):
            faces = np.frombuffer(fake_cuda.memory(pictures + at * 2 * 128 * 128, 2 * 128 * 128), np.uint8).copy()
            faces = faces.reshape(2, 128, 128)
            flows[at] = faces, cpu.tvl1(*faces)
            fake_cuda.memory(out + at * 8 * 128 * 128, 8 * 128 * 128)[:] = flows[at][1].tobytes()

    monkeypatch.setattr(gpu, "library", type("", (), {"run": staticmethod(without_flow)}))
    views = [pair(224, 224, seed, channels=3) for seed in range(len(BOXES))]
    maps = cuda.flow_maps([(*pair, box) for pair, box in zip(views, BOXES.values(), strict=True)], *RULES)
    for at, ((onset, apex), box) in enumerate(zip(views, BOXES.values(), strict=True)):
        crops = [face.crop(view, box) for view in (onset, apex)]
        assert np.array_equal(flows[at][0], [face.grey(part, 128) for part in crops]), list(BOXES)[at]
        expected = flow_map.from_map(flow_map.flow_map(*crops))["full_face"]
        assert np.abs(maps.numpy()[at] - expected).max() < 1e-5, list(BOXES)[at]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"box": (10, 10, 10, 20)}, "box .* not empty"),
        ({"onset": np.zeros((9, 9), np.uint8)}, "H×W×3 uint8"),
        ({"apex": np.zeros((9, 9, 3), np.float32)}, "H×W×3 uint8"),
    ],
)
def test_other_items_are_refused(start, change, message):
    start(**H200)
    blank = np.zeros((9, 9, 3), np.uint8)
    item = {"onset": blank, "apex": blank, "box": (0, 0, 9, 9)} | change
    with pytest.raises(ValueError, match=message):
        cuda.flow_maps([tuple(item.values())], *RULES)


def test_maps_that_cannot_be_made_are_refused(start):
    gpu = start(**H200)
    for wrong in ((128, 200, 2.0), (128, 28, 0), (128, 28, 9.0), (1024, 28, 2.0)):
        with pytest.raises(ValueError, match="a map of at least 2 pixels"):
            cuda.flow_maps([], *wrong)
    assert gpu.launched == []


def test_threads_have_lanes_of_their_own(start):
    gpu = start(**RTX_4090)
    pictures = [pair(24, 24 + seed, seed) for seed in range(4)]
    expected = [cpu.tvl1(*one) for one in pictures]
    off = []

    def work(one, flow):
        for _ in range(3):
            off.append(np.abs(cuda.tvl1_many([one])[0] - flow).max())

    threads = [threading.Thread(target=work, args=both) for both in zip(pictures, expected, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(off) == 12 and max(off) < 0.01
    assert gpu.stack() == []


def test_the_settings_are_ones_that_the_kernels_follow():
    assert settings.MEDIAN == 3 and settings.SCALES <= launches.LEVELS


def test_faces_fit_the_shared_memory_of_gpus_with_clusters():
    near = {size: launches.tvl1("tvl1_near", 0, 0, 0, 1, size, size).shared for size in (128, 224)}
    assert near[128] <= 99 << 10 and near[224] <= 227 << 10
    assert 2 * (near[128] + 1024) <= 228 << 10  # two blocks side by side on a multiprocessor of an H200


def faces_of(height, width):
    """Nine pairs of pictures of a face, moved in different ways. Not textures: on noise, iterations that stop a step apart,
    as rounding has it, lead to flows that differ by a hundredth of a pixel in the mean, and none is better than the other."""
    ways = [(pull, size) for pull in PULLS for size in (0.5, 1.0, 2.0)]
    return [tuple(p[:height, :width] for p in moved(*way, max(height, width))[:2]) for way in ways]


@needs_cuda
@pytest.mark.parametrize("size", [(128, 128), (224, 224), (97, 61), (250, 260), (5, 3)])
def test_a_real_gpu_flows_as_the_cpu_does_in_any_batch(size):
    pairs = faces_of(*size)
    together = cuda.tvl1_many(pairs)
    for pictures, flow in zip(pairs, together, strict=True):
        off = np.linalg.norm(flow - cpu.tvl1(*pictures), axis=2)
        assert off.mean() < 1e-3
        assert np.array_equal(cuda.tvl1_many([pictures])[0], flow)


@needs_cuda
def test_a_real_gpu_makes_the_flow_maps_of_realtime():
    views = [tuple(np.dstack([p] * 3) for p in pictures) for pictures in faces_of(224, 224)]
    maps = cuda.flow_maps([(*pictures, box) for pictures, box in zip(views, BOXES.values(), strict=False)], *RULES)
    pieces = cuda.puzzles(maps, dual_atme.PUZZLE).numpy()
    for (onset, apex), box, full, puzzle in zip(views, BOXES.values(), maps.numpy(), pieces, strict=False):
        expected = dual_atme.from_map(flow_map.flow_map(face.crop(onset, box), face.crop(apex, box)))
        assert np.abs(full - expected["full_face"][0]).mean() < 1e-4
        assert np.abs(puzzle - expected["puzzle"][0]).mean() < 1e-4


@needs_cuda
def test_a_real_gpu_serves_threads_and_processes_and_ends_cleanly():
    """In two processes of their own, at once, for what happens at their end."""
    code = """
import threading, numpy as np
from engines.flow import cuda
pictures = [np.random.default_rng(k).integers(0, 255, (128, 128), np.uint8) for k in range(4)]
expected = cuda.tvl1_many([(pictures[k], pictures[k - 1]) for k in range(4)])
def work(k):
    for _ in range(20):
        assert np.array_equal(cuda.tvl1_many([(pictures[k], pictures[k - 1])])[0], expected[k])
    good.append(k)
good = []
threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
[thread.start() for thread in threads], [thread.join() for thread in threads]
print(sorted(good))
"""
    piped = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    both = [subprocess.Popen([sys.executable, "-W", "error", "-c", code], **piped) for _ in range(2)]
    for one in both:
        assert (*one.communicate(), one.returncode) == ("[0, 1, 2, 3]\n", "", 0)


def test_make_gpu_says_how_far_the_kernels_are_from_the_cpu(start, monkeypatch, capsys):
    from realtime import warm
    from realtime.naming import examples
    from realtime.records import Keyframes
    from train.bench.gpu import kernels

    gpu, seen = start(**H200), warm.views()
    monkeypatch.setattr(examples, "movements", lambda: [Keyframes(seen[0], seen[1], seen[-1], 1.0, 1.0, between=tuple(seen))])
    assert kernels.main(small=True) == 0
    said = capsys.readouterr().out
    assert "self-checks: right" in said and "flow, 128²: 1 compared" in said and "puzzle: 1 compared" in said and "WRONG" not in said
    assert {launch[0] for launch in gpu.launched} >= {"grey_faces", "tvl1_near", "face_maps", "cut_puzzles"}
    launched = len(gpu.launched)
    assert kernels.tiny() == 0 and "tvl1_far, 48²" in capsys.readouterr().out
    assert {launch[0] for launch in gpu.launched[launched:]} == {"tvl1_far", *(launch[0] for launch in gpu.launched[:launched])}
    monkeypatch.setattr(kernels, "MAPS", -1.0)
    assert kernels.main(small=True) == 1 and "WRONG" in capsys.readouterr().out
    monkeypatch.setattr(kernels, "TIMES", 2)
    kernels.timed("1 pair of 48²", [pair(48, 48)])
    assert [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()] == ["1 pair of 48², GPU", "1 pair of 48², CPU"]
