"""What goes wrong on a GPU: full, gone, shared, miscompiled, or with kernels of another version. The CPU does the work."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from moved_faces import PULLS, moved
from shim import fake_cuda
from shim.fake_cuda import H200, RTX_4090
from shim.host import pair

from engines import device
from engines.errors import EngineError, GpuLost
from engines.flow import Flow, cpu, cuda, fatbin, lanes, memory, selfcheck
from realtime import warm
from realtime.naming.inputs import answers, flow_map
from realtime.naming.recognizer import Recognizer
from realtime.records import FaceView, Keyframes

RULES = flow_map.FACE, flow_map.MAP, flow_map.SMOOTHING


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


@pytest.mark.parametrize("kind", [H200, RTX_4090], ids=["clusters", "blocks"])
def test_64_pairs_that_do_not_fit_are_computed_some_at_a_time(start, notices, kind):
    """And at once when another program has given its memory back."""
    gpu = start(**kind)
    pairs = [pair(24, 20, seed % 3) for seed in range(64)]
    expected = cuda.tvl1_many(pairs[:3])
    gpu.free, gpu.launched[:] = 1 << 20, []
    flow = Flow("cuda")
    found = flow.many(pairs)
    assert all(np.array_equal(one, expected[at % 3]) for at, one in enumerate(found))
    assert len(gpu.launched) > 2 and flow.on_gpu
    assert notices == ["the GPU's memory is full: optical flow takes fewer pairs at a time"]
    gpu.free, gpu.launched[:] = 1 << 30, []
    assert len(flow.many(pairs)) == 64 and len(gpu.launched) == 1


def test_maps_that_do_not_fit_are_made_some_at_a_time(start, notices):
    gpu = start(**RTX_4090)
    items = [(*pair(40, 40, seed, channels=3), (0, 0, 40, 40)) for seed in range(9)]
    expected = cuda.flow_maps(items, 24, 12, 2.0).numpy()
    gpu.free, gpu.launched[:] = 60 << 10, []
    found = cuda.flow_maps([*items, *items], 24, 12, 2.0).numpy()
    assert np.array_equal(found, np.concatenate([expected, expected]))
    assert sum(name == "face_maps" for name, *_ in gpu.launched) > 1 and len(notices) == 1


@pytest.mark.parametrize("kept", ["by the lane", "by arrays that are gone"])
def test_what_is_kept_for_later_stands_in_nobodys_way(start, kept):
    gpu, items = start(**RTX_4090), [(*pair(224, 224, channels=3), (0, 0, 224, 224))] * 2
    maps = cuda.flow_maps(items, 24, 12, 2.0)
    if kept == "by arrays that are gone":
        maps = memory.DeviceArray((1 << 17,))
        with device.active():
            lanes._idle.pop().close()
    gpu.free, flow = 0, Flow("cuda")
    del maps
    assert flow(*pair(40, 40)).shape == (40, 40, 2) and flow.on_gpu


def test_a_gpu_too_full_for_one_pair_is_left_to_others(start, notices):
    gpu, pictures = start(**H200), pair(40, 40)
    flow = Flow("cuda")
    gpu.free = 4096
    assert np.array_equal(flow(*pictures), cpu.tvl1(*pictures)) and flow.words == "CPU"
    assert notices[-1] == "the GPU failed: cuMemAlloc failed: out of memory: optical flow goes on on the CPU"
    gpu.free = 1 << 30
    assert Flow("auto").on_gpu  # another session may find it free again


@pytest.mark.parametrize("call", ["cuLaunchKernel", "cuStreamSynchronize", "cuModuleLoadDataEx"])
def test_a_gpu_that_fails_in_the_middle_is_lost(start, call):
    gpu = start(**H200)
    gpu.raises[call] = gpu.module.LaunchError(f"{call} failed: unspecified\nlaunch failure")
    with pytest.raises(GpuLost, match=f"{call} failed: unspecified launch failure"):
        cuda.tvl1_many([pair(32, 32)])
    assert gpu.stack() == []


def test_a_gpu_that_was_taken_away_is_not_asked_again(start, notices):
    gpu, pictures = start(**H200), [pair(32, 32, seed) for seed in range(3)]
    flow = Flow("auto")
    flow.many(pictures)
    gpu.raises["cuMemcpyHtoDAsync"] = gpu.module.LogicError("cuMemcpyHtoDAsync failed: GPU is lost")
    expected = [cpu.tvl1(*one) for one in pictures]
    assert all(np.array_equal(*both) for both in zip(flow.many(pictures), expected, strict=True))
    launched = len(gpu.launched)
    later = Flow("auto")  # a session that begins after that
    assert all(np.array_equal(*both) for both in zip(later.many(pictures), expected, strict=True))
    assert (flow.words, later.words, len(gpu.launched)) == ("CPU", "CPU", launched)
    assert notices == ["the GPU failed: cuMemcpyHtoDAsync failed: GPU is lost: optical flow goes on on the CPU"]
    with pytest.raises(EngineError, match="^no GPU for optical flow .the GPU failed: cuMemcpyHtoDAsync failed: GPU is lost."):
        Flow("cuda")
    with pytest.raises(GpuLost, match="GPU is lost"), device.active():
        pytest.fail("not entered")


def keyframes(pull, size):
    """A face that moves, as the spotter hands it over."""
    before, after, _ = moved(pull, size, 224)
    pictures = [np.dstack([picture] * 3) for picture in (before, after, before)]
    views = [FaceView(0, 0, n, n / 30, 0.0, one, warm.mesh(), (0, 0, 224, 224), 0.0, 0.3) for n, one in enumerate(pictures)]
    return Keyframes(*views, peak=2.0, threshold=1.0)


def test_no_movement_is_lost_where_a_gpu_fills_up_and_then_goes(start, notices):
    """Flow and maps in the kernels, named as on the CPU: with room for all, with room for few, and with no GPU any more."""
    gpu, movements = start(**RTX_4090), [keyframes(pull, size) for pull in PULLS for size in (1.0, 2.0)]
    expected = [Recognizer("kernel_ridge", "cpu")(one) for one in movements]
    named = Recognizer("kernel_ridge", flow=Flow("cuda"))
    for trouble in (None, "full", "gone"):
        if trouble == "full":
            with device.active():
                lanes.make_room(lanes._idle[0])
            gpu.free = 3 << 20
        if trouble == "gone":
            gpu.raises["cuLaunchKernel"] = gpu.module.LaunchError("cuLaunchKernel failed: unspecified launch failure")
        with ThreadPoolExecutor(6) as pool:
            found = list(pool.map(named, movements))
        for (label, scores), (expected_label, expected_scores) in zip(found, expected, strict=True):
            assert label == expected_label and scores == pytest.approx(expected_scores, abs=1e-3)
        assert ("flow on CUDA" in named.engines) == (trouble != "gone")
    assert [line for line in notices if "flow" in line] == [
        "the GPU's memory is full: optical flow takes fewer pairs at a time",
        "the GPU failed: cuLaunchKernel failed: unspecified launch failure: optical flow goes on on the CPU",
    ]


def test_a_gpu_that_another_process_has_for_itself_is_left_to_it(start, notices):
    gpu, pictures = start(**H200), pair(32, 32)
    gpu.raises["retain"] = gpu.module.RuntimeError("cuDevicePrimaryCtxRetain failed: exclusive-thread device already in use")
    flow = Flow("auto")
    assert np.array_equal(flow(*pictures), cpu.tvl1(*pictures)) and flow.words == "CPU"
    assert len(notices) == 1 and notices[0].startswith("optical flow runs on the CPU: the GPU failed: cuDevicePrimaryCtxRetain failed")


OUTPUTS = {"grey_faces": (16, np.uint8), **dict.fromkeys(("tvl1_near", "tvl1_far", "tvl1_alone", "face_maps", "cut_puzzles"), (8, np.float32))}
OUTPUTS |= dict.fromkeys(("stack_faces", "colour_faces"), (16, np.float32))


@pytest.mark.parametrize("kind", [H200, RTX_4090], ids=["clusters", "blocks"])
def test_kernels_that_compute_what_they_should_are_used(start, kind):
    gpu = start(checked=True, **kind)
    assert Flow("cuda").on_gpu and Flow("auto").on_gpu
    ran = [name for name, *_ in gpu.launched]
    assert ran.count("grey_faces") == (3 if kind is H200 else 2)  # once for all who ask
    assert set(ran) == set(OUTPUTS) - ({"tvl1_alone"} if kind is H200 else {"tvl1_near", "tvl1_far"})


@pytest.mark.parametrize("wrong", OUTPUTS)
def test_a_kernel_that_computes_something_else_is_left_and_named(start, monkeypatch, notices, wrong):
    """The machine code of one kernel is wrong in an eighth of what it writes."""
    gpu = start(checked=True, **(RTX_4090 if wrong == "tvl1_alone" else H200))
    run, (at, kind) = gpu.library.run, OUTPUTS[wrong]

    def miscompiled(kernel, blocks, floats, parameters):
        run(kernel, blocks, floats, parameters)
        if kernel == wrong:
            (address,) = np.frombuffer(parameters[at : at + 8], np.uint64)
            whole = next(start + size - int(address) for start, size in gpu.blocks.items() if start <= address < start + size)
            out = np.frombuffer(fake_cuda.memory(address, whole), kind)
            out[: len(out) // 8] += kind(1)

    monkeypatch.setattr(gpu, "library", type("", (), {"run": staticmethod(miscompiled)}))
    flows = [Flow("auto"), Flow("auto")]
    assert [flow.words for flow in flows] == ["CPU", "CPU"]
    assert len(notices) == 1 and f"optical flow runs on the CPU: the kernel {wrong} computes something else" in notices[0]
    ran, pictures = len(gpu.launched), pair(40, 40)
    assert np.array_equal(flows[1](*pictures), cpu.tvl1(*pictures)) and len(gpu.launched) == ran
    with pytest.raises(EngineError, match=f"cannot run on Fake H200 .the kernel {wrong}"):
        Flow("cuda")


def test_the_answers_that_ship_are_those_of_the_cpu():
    stored, made = selfcheck.load(), answers.make()
    assert stored.keys() == made.keys()
    for name, found in made.items():
        assert np.allclose(stored[name], found, atol=1e-4), f"{name}: run python -P -m realtime.naming.inputs.answers"


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
