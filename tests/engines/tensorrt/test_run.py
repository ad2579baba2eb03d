"""A plan on the GPU: on one made of numpy, and (marked so) on a real one."""

import ctypes
import gc
import threading
from concurrent.futures import ThreadPoolExecutor

import fake_gpu
import numpy as np
import pytest

from engines import device
from engines.errors import EngineError, GpuLost
from engines.tensorrt import run
from engines.tensorrt.library import Library, installed

there_is_a_gpu = device.find() is not None  # before the tests put another in its place
SHAPES = {"a": (1, 3, 4), "b": (1, 2)}


def adds(inputs):
    """(N, 2): what each sample's inputs add up to, and the first number of b."""
    return np.stack([inputs["a"].sum((1, 2)) + inputs["b"].sum(1), inputs["b"][:, 0]], 1)


def samples(number, seed=0):
    random = np.random.default_rng(seed)
    return {name: random.random((number, *shape[1:]), np.float32) for name, shape in SHAPES.items()}


@pytest.fixture
def gpu(monkeypatch):
    fake = fake_gpu.install(monkeypatch)
    fake.plan(b"adds", adds, SHAPES, "sum")
    return fake


def open_plan(gpu, content=b"adds", shapes=SHAPES, output="sum"):
    return run.Plan(content, Library("tensorrt", "11.4", gpu.trt), shapes, output, "words")


@pytest.mark.parametrize("number", [1, 2, 8, 9, 64, 65, 150])
def test_any_number_of_samples(gpu, number):
    given = samples(number)
    np.testing.assert_allclose(open_plan(gpu).run([given]), adds(given), rtol=1e-5)


def test_a_call_runs_in_the_smallest_batch_that_holds_it(gpu):
    plan = open_plan(gpu)
    gpu.runs.clear()
    for number in (1, 2, 8, 9, 64, 65):
        plan.run([samples(number)])
    assert gpu.runs == [1, 8, 8, 64, 64, 64, 1]


def test_pieces_from_here_and_from_the_gpu_keep_their_order(gpu):
    plan = open_plan(gpu)
    pieces = [samples(n, seed=n) for n in (1, 2, 3, 1)]
    there = [piece if n % 2 else {key: gpu.put(x) for key, x in piece.items()} for n, piece in enumerate(pieces)]
    gpu.copies.clear()
    found = plan.run(there)
    together = {name: np.concatenate([piece[name] for piece in pieces]) for name in SHAPES}
    np.testing.assert_allclose(found, adds(together), rtol=1e-5)
    assert gpu.copies.count("dtod") == 4  # what the GPU makes stays there


def test_nothing_is_allocated_after_the_beginning(gpu):
    plan = open_plan(gpu)
    before = sorted(gpu.memory)
    for number in (1, 8, 64, 5, 100):
        plan.run([samples(number)])
    assert sorted(gpu.memory) == before


def test_threads_take_turns_and_get_their_own_answers(gpu):
    plan = open_plan(gpu)
    given = [samples(1 + n % 3, seed=n) for n in range(60)]
    with ThreadPoolExecutor(6) as pool:
        for one, found in zip(given, pool.map(lambda piece: plan.run([piece]), given), strict=True):
            np.testing.assert_allclose(found, adds(one), rtol=1e-5)


def test_closing_gives_all_memory_back_in_any_order_and_from_any_thread(gpu):
    plans = [open_plan(gpu) for _ in range(3)]
    plans[1].close()
    thread = threading.Thread(target=plans[0].close)
    thread.start()
    thread.join()
    plans[2].close()
    plans[2].close()
    gc.collect()
    assert not gpu.memory and getattr(gpu.current, "depth", 0) == 0
    with pytest.raises(GpuLost, match="closed"):
        plans[0].run([samples(1)])


def test_a_plan_that_nobody_holds_gives_its_memory_back(gpu):
    open_plan(gpu)
    gc.collect()
    assert not gpu.memory


@pytest.mark.parametrize("text", ["cuStreamSynchronize failed: an illegal memory access", "cuMemcpyHtoDAsync failed: unknown error"])
def test_a_gpu_that_fails_is_lost_and_closes_without_complaint(gpu, text):
    plan = open_plan(gpu)
    gpu.fail(text)
    with pytest.raises(GpuLost, match=text.split(":")[1]):
        plan.run([samples(1)])
    plan.close()


def test_a_full_gpu_is_lost_too_and_keeps_nothing(gpu):
    gpu.free_bytes = 2000
    with pytest.raises(GpuLost, match="out of memory"):
        open_plan(gpu)
    gc.collect()
    assert not gpu.memory


def test_tensorrts_own_exceptions_mean_that_the_gpu_is_lost(gpu, monkeypatch):
    plan = open_plan(gpu)
    gpu.plans[b"adds"].run = lambda inputs: 1 / 0
    with pytest.raises(GpuLost, match="division"):
        plan.run([samples(1)])


def test_a_plan_that_tensorrt_refuses(gpu):
    with pytest.raises(EngineError, match=r"TensorRT 11.4 refuses the plan \(Serialization assertion failed"):
        open_plan(gpu, b"other")


@pytest.mark.parametrize("shapes, output", [({"a": (1, 3, 4)}, "sum"), ({**SHAPES, "b": (1, 3)}, "sum"), (SHAPES, "product")])
def test_a_plan_of_another_network(gpu, shapes, output):
    with pytest.raises(EngineError, match="expected"):
        open_plan(gpu, shapes=shapes, output=output)


def test_the_run_is_recorded_once_and_replayed(gpu, monkeypatch):
    driver = Driver()
    monkeypatch.setattr(run, "_driver", lambda: driver)
    plan = open_plan(gpu)
    assert driver.calls.count("cuGraphInstantiateWithFlags") == 3  # a graph each for 1, 8 and 64
    gpu.runs.clear()
    driver.calls.clear()
    plan.run([samples(5)])
    assert driver.calls == ["cuGraphLaunch"] and not gpu.runs
    plan.close()
    assert driver.calls.count("cuGraphExecDestroy") == 3


def test_tensorrt_for_rtx_is_told_to_record_by_itself(gpu, monkeypatch):
    gpu.make_rtx()
    monkeypatch.setattr(run, "_driver", lambda: pytest.fail("recorded twice"))
    given = samples(3)
    np.testing.assert_allclose(open_plan(gpu).run([given]), adds(given), rtol=1e-5)
    (config,) = gpu.configs  # one for all sizes: what was compiled for one serves the others
    assert (config.strategy, config.cuda_graph_strategy, config.dynamic_shapes_kernel_specialization_strategy) == (
        "user",
        "whole",
        "eager",
    )


def test_the_real_library_without_a_driver_refuses_in_one_line(gpu, monkeypatch):
    rtx = next((each for each in installed() if each.name == "tensorrt_rtx"), None)
    if rtx is None or there_is_a_gpu:
        pytest.skip("needs TensorRT for RTX, and no GPU")
    with pytest.raises(EngineError, match="TensorRT for RTX .* refuses the plan") as refused:
        run.Plan(b"no plan at all", rtx, SHAPES, "sum", "words")
    assert "\n" not in str(refused.value) and not gpu.memory


@pytest.mark.parametrize("broken", ["cuStreamBeginCapture_v2", "cuStreamEndCapture", "cuGraphInstantiateWithFlags"])
def test_a_network_that_cannot_be_recorded_is_run_each_time(gpu, monkeypatch, broken):
    driver = Driver(broken)
    monkeypatch.setattr(run, "_driver", lambda: driver)
    given = samples(2)
    np.testing.assert_allclose(open_plan(gpu).run([given]), adds(given), rtol=1e-5)
    begun, ended = (driver.calls.count(name) for name in ("cuStreamBeginCapture_v2", "cuStreamEndCapture"))
    assert begun == 3 and ended == (0 if broken == "cuStreamBeginCapture_v2" else 3)
    assert driver.calls.count("cuGraphDestroy") == driver.made


class Driver:
    """The driver's graph functions; `broken` names the one that fails."""

    def __init__(self, broken=""):
        self.calls, self.broken, self.made = [], broken, 0

    def __getattr__(self, name):
        def call(*arguments):
            self.calls.append(name)
            if name == self.broken:
                return 900
            if name == "cuStreamEndCapture":
                self.made += 1
            if name in ("cuStreamEndCapture", "cuGraphInstantiateWithFlags"):
                place = ctypes.cast(arguments[name == "cuStreamEndCapture"], ctypes.POINTER(ctypes.c_void_p))
                place[0] = 1234
            return 0

        return call
