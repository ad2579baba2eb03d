"""The GPU kernels without a GPU: compiled for the host and run through engines/flow/cuda.py, and built by nvcc."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import threading

import numpy as np
import pytest
from gpu import needs_cuda
from moved_faces import PULLS, moved
from shim import fake_cuda, host

from engines import device, notices
from engines.errors import EngineError, GpuLost
from engines.flow import Flow, cpu, cuda, fatbin, lanes, launches, selfcheck, settings
from realtime.inputs import answers, dual_atme, face, flow_map

cv2 = pytest.importorskip("cv2")

H200 = {"compute": (9, 0), "shared": 227 << 10}
RTX_5090 = {"compute": (12, 0), "shared": 99 << 10}
RTX_4090 = {"compute": (8, 9), "shared": 99 << 10}


def pair(height, width, seed=0, channels=1, movement=2.0):
    """Two noisy uint8 pictures of a texture, the second bulging by up to `movement` pixels at two places."""
    random = np.random.default_rng(seed)
    texture = cv2.GaussianBlur(random.random((height, width, channels)).astype(np.float32), (0, 0), 2.5)
    texture = cv2.normalize(texture, None, 20, 235, cv2.NORM_MINMAX).reshape(height, width, channels)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    u = movement * np.exp(-((x - width / 2) ** 2 + (y - height * 0.6) ** 2) / (3 * width))
    v = -0.7 * movement * np.exp(-((x - width * 0.7) ** 2 + (y - height * 0.3) ** 2) / (2 * width))
    moved = cv2.remap(texture, x - u, y - v, cv2.INTER_CUBIC).reshape(height, width, channels)
    return tuple(np.clip(p + random.normal(0, 1, p.shape), 0, 255).astype(np.uint8).squeeze() for p in (texture, moved))


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return host.Library(tmp_path_factory.mktemp("kernels"))


@pytest.fixture
def start(monkeypatch, library):
    """`start(compute=…, shared=…)` → a fake GPU in the place of the real one, running the host build.

    checked: the kernels check themselves when they are loaded, as always outside of tests; it takes a second here.
    """
    made = []

    def start(checked=False, **kind):
        fake_cuda.fresh(monkeypatch)
        if not checked:
            monkeypatch.setattr(selfcheck, "check", lambda lane: "")
        made.append(fake_cuda.Gpu(library, **kind))
        fake_cuda.install(monkeypatch, made[-1])
        return made[-1]

    yield start
    for gpu in made:
        gpu.raises.clear()
        broken = device._broken
        device._close()
        assert gpu.faults == []
        assert broken or gpu.blocks == {}, "everything was freed while it could be"


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
            faces = np.frombuffer(fake_memory(pictures + at * 2 * 128 * 128, 2 * 128 * 128), np.uint8).copy()
            faces = faces.reshape(2, 128, 128)
            flows[at] = faces, cpu.tvl1(*faces)
            fake_memory(out + at * 8 * 128 * 128, 8 * 128 * 128)[:] = flows[at][1].tobytes()

    monkeypatch.setattr(gpu, "library", type("", (), {"run": staticmethod(without_flow)}))
    views = [pair(224, 224, seed, channels=3) for seed in range(len(BOXES))]
    maps = cuda.flow_maps([(*pair, box) for pair, box in zip(views, BOXES.values(), strict=True)], *RULES)
    for at, ((onset, apex), box) in enumerate(zip(views, BOXES.values(), strict=True)):
        crops = [face.crop(view, box) for view in (onset, apex)]
        assert np.array_equal(flows[at][0], [face.grey(part, 128) for part in crops]), list(BOXES)[at]
        expected = flow_map.from_map(flow_map.flow_map(*crops))["full_face"]
        assert np.abs(maps.numpy()[at] - expected).max() < 1e-5, list(BOXES)[at]


def fake_memory(address, size):
    import ctypes

    return (ctypes.c_char * int(size)).from_address(int(address))


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


def test_a_gpu_without_memory_is_lost_and_nothing_else_is(start):
    gpu = start(**H200)
    gpu.free = 1 << 16
    with pytest.raises(GpuLost, match="out of memory"):
        cuda.tvl1_many([pair(128, 128)])
    with pytest.raises(GpuLost, match="out of memory"):
        cuda.flow_maps([(*pair(224, 224, channels=3), (0, 0, 224, 224))], *RULES)
    assert gpu.stack() == []
    gpu.free = 1 << 30
    assert cuda.tvl1_many([pair(32, 32)])[0].shape == (32, 32, 2)


@pytest.mark.parametrize("call", ["cuLaunchKernel", "cuStreamSynchronize", "cuModuleLoadDataEx"])
def test_a_gpu_that_fails_in_the_middle_is_lost(start, call):
    gpu = start(**H200)
    gpu.raises[call] = gpu.module.LaunchError(f"{call} failed: unspecified\nlaunch failure")
    with pytest.raises(GpuLost, match=f"{call} failed: unspecified launch failure"):
        cuda.tvl1_many([pair(32, 32)])
    assert gpu.stack() == []


OUTPUTS = {"grey_faces": (16, np.uint8), **dict.fromkeys(("tvl1_near", "tvl1_far", "tvl1_alone", "face_maps", "cut_puzzles"), (8, np.float32))}


@pytest.mark.parametrize("kind", [H200, RTX_4090], ids=["clusters", "blocks"])
def test_kernels_that_compute_what_they_should_are_used(start, kind):
    gpu = start(checked=True, **kind)
    assert Flow("cuda").on_gpu and Flow("auto").on_gpu
    ran = [name for name, *_ in gpu.launched]
    assert ran.count("grey_faces") == (2 if kind is H200 else 1)  # once for all who ask
    assert set(ran) == set(OUTPUTS) - ({"tvl1_alone"} if kind is H200 else {"tvl1_near", "tvl1_far"})


@pytest.mark.parametrize("wrong", OUTPUTS)
def test_a_kernel_that_computes_something_else_is_left_and_named(start, monkeypatch, wrong):
    """The machine code of one kernel is wrong in an eighth of what it writes."""
    gpu, said = start(checked=True, **(RTX_4090 if wrong == "tvl1_alone" else H200)), []
    run, (at, kind) = gpu.library.run, OUTPUTS[wrong]

    def miscompiled(kernel, blocks, floats, parameters):
        run(kernel, blocks, floats, parameters)
        if kernel == wrong:
            (address,) = np.frombuffer(parameters[at : at + 8], np.uint64)
            whole = next(start + size - int(address) for start, size in gpu.blocks.items() if start <= address < start + size)
            out = np.frombuffer(fake_memory(address, whole), kind)
            out[: len(out) // 8] += kind(1)

    monkeypatch.setattr(gpu, "library", type("", (), {"run": staticmethod(miscompiled)}))
    notices.forget()
    end = notices.listen(said.append)
    flows = [Flow("auto"), Flow("auto")]
    end()
    assert [flow.words for flow in flows] == ["CPU", "CPU"]
    assert len(said) == 1 and f"optical flow runs on the CPU: the kernel {wrong} computes something else" in said[0]
    ran, pictures = len(gpu.launched), pair(40, 40)
    assert np.array_equal(flows[1](*pictures), cpu.tvl1(*pictures)) and len(gpu.launched) == ran
    with pytest.raises(EngineError, match=f"cannot run on Fake H200 .the kernel {wrong}"):
        Flow("cuda")


def test_the_answers_that_ship_are_those_of_the_cpu():
    stored, made = selfcheck.load(), answers.make()
    assert stored.keys() == made.keys()
    for name, found in made.items():
        assert np.allclose(stored[name], found, atol=1e-4), f"{name}: run python -P -m realtime.inputs.answers"


@pytest.mark.parametrize("damage", ["flipped", "missing", "no manifest", "a lie", "another version", "other answers"])
def test_damaged_kernels_are_never_given_to_the_driver(start, monkeypatch, tmp_path, damage):
    code, manifest = bytearray(fatbin.FATBIN.read_bytes()), json.loads(fatbin.MANIFEST.read_text())
    if damage == "flipped":
        code[len(code) // 2] ^= 1
    if damage == "a lie":
        manifest["fatbin_sha256"] = 7
    if damage == "another version":
        manifest["sources_sha256"] = "0" * 64
    if damage == "other answers":
        manifest["answers_sha256"] = "0" * 64
    (tmp_path / "k.fatbin").write_bytes(code)
    (tmp_path / "k.json").write_text("{" if damage == "no manifest" else json.dumps(manifest))
    monkeypatch.setattr(fatbin, "FATBIN", tmp_path / ("absent" if damage == "missing" else "k.fatbin"))
    monkeypatch.setattr(fatbin, "MANIFEST", tmp_path / "k.json")
    gpu = start(checked=True, **H200)
    if damage != "other answers":
        gpu.raises["cuModuleLoadDataEx"] = AssertionError("loaded")
    with pytest.raises(GpuLost, match="python -P -m engines.flow.fatbin") as caught:
        cuda.ready()
    assert "\n" not in str(caught.value) and gpu.launched == []


@pytest.mark.parametrize("sanitizer", ["thread", "address,undefined"])
def test_no_kernel_races_or_leaves_its_memory(tmp_path, sanitizer):
    """Threads that touch the same memory have a barrier between; nobody reads or writes outside of what is theirs."""
    try:
        options = ("-fsanitize=" + sanitizer, "-fno-sanitize-recover=all")
        program = host.build(tmp_path / "once", "-O1", "-g", "-DONCE", *options)
    except AssertionError as error:
        if not any(name in str(error) for name in ("tsan", "asan")):
            raise
        pytest.skip(f"needs g++'s sanitizer for: {sanitizer}")
    options = {"TSAN_OPTIONS": "halt_on_error=1 exitcode=66", "ASAN_OPTIONS": "detect_leaks=0"}
    done = subprocess.run([program], capture_output=True, text=True, env=options)
    if "unexpected memory mapping" in done.stderr:
        pytest.skip("the thread sanitizer does not run under this kernel")
    assert done.returncode == 0 and done.stdout == "done 1\n", done.stderr[:3000]


def test_the_committed_kernels_are_built_from_these_sources():
    manifest = json.loads(fatbin.MANIFEST.read_text())
    assert manifest["sources_sha256"] == fatbin.sources_sha256(), "run python -P -m engines.flow.fatbin, commit both files"
    assert manifest["fatbin_sha256"] == hashlib.sha256(fatbin.load()).hexdigest()
    assert tuple(manifest["architectures"]) == fatbin.ARCHITECTURES and manifest["ptx"] == fatbin.PTX
    assert fatbin.FATBIN.stat().st_size < 1 << 20


def test_nvcc_builds_them_for_every_architecture_without_spills(tmp_path):
    if shutil.which("nvcc") is None:
        pytest.skip("needs nvcc, to build the GPU kernels")
    report = fatbin.build(tmp_path / "made.fatbin")
    assert "warning" not in report
    kernel = r"entry function '(\w+)' for '(\w+)'.*?(\d+) bytes spill stores, (\d+) bytes spill loads.*?Used (\d+) reg"
    found = re.findall(kernel, report, re.S)
    kernels = {(name, architecture) for name, architecture, *_ in found}
    for architecture in fatbin.ARCHITECTURES:
        assert {("tvl1_alone", architecture), ("grey_faces", architecture), ("face_maps", architecture)} <= kernels
        assert (("tvl1_near", architecture) in kernels) == (int(architecture[3:]) >= 90)
    for name, architecture, stores, loads, registers in found:
        assert (stores, loads) == ("0", "0"), f"{name} for {architecture} spills registers"
        assert int(registers) * (1024 if name.startswith("tvl1") else 512) <= 65536
    assert not re.search(r"[1-9]\d* bytes smem", report), "all shared memory is given at launch"
    if fatbin.version() == json.loads(fatbin.MANIFEST.read_text())["nvcc"]:
        assert (tmp_path / "made.fatbin").read_bytes() == fatbin.load()


def test_the_settings_are_ones_that_the_kernels_follow():
    assert settings.MEDIAN == 3 and settings.SCALES <= launches.LEVELS


def test_faces_fit_the_shared_memory_of_gpus_with_clusters():
    near = {size: launches.tvl1("tvl1_near", 0, 0, 0, 1, size, size).shared for size in (128, 224)}
    assert near[128] <= 99 << 10 and near[224] <= 227 << 10
    assert 2 * (near[128] + 1024) <= 228 << 10  # two blocks side by side on a multiprocessor of an H200


def test_without_nvcc_building_says_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineError, match="nvcc is not on the PATH"):
        fatbin.build(tmp_path / "made.fatbin")


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
def test_a_real_gpu_serves_threads_and_ends_cleanly():
    """In a process of its own, for what happens at its end."""
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
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[0, 1, 2, 3]\n", "")
