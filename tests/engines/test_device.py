import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from gpu import needs_cuda
from shim import fake_cuda

from engines import device
from engines.errors import EngineError, GpuLost


@pytest.fixture
def gpu(monkeypatch):
    gpu = fake_cuda.Gpu()
    fake_cuda.install(monkeypatch, gpu)
    fake_cuda.fresh(monkeypatch)  # last: what an earlier test left behind may ask for the GPU at any time
    return gpu


def test_the_device_is_found_once_and_described(gpu, monkeypatch):
    found = device.find()
    assert (found.name, found.compute, found.cuda, found.memory_mib) == ("Fake H200", "sm_90", "13.0", 141 * 1024)
    assert found.driver and device.why_not() == ""
    monkeypatch.delitem(sys.modules, "pycuda.driver")
    assert device.find() is found


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        ("missing", r"pip install 'mer-live\[gpu\]'"),
        ("no libcuda", "no NVIDIA driver .*libcuda.so.1"),
        ("no device", "shows no GPU"),
        ("dead driver", "finds no usable GPU .*no CUDA-capable device"),
        ("old", "compute capability 6.1, at least 7.5"),
        ("forbidden", "MER_NO_GPU"),
    ],
)
def test_where_there_is_no_gpu_it_says_why_and_lends_none(gpu, monkeypatch, trouble, reason):
    driver = sys.modules["pycuda.driver"]
    if trouble == "missing":
        monkeypatch.setitem(sys.modules, "pycuda", None)
        monkeypatch.setitem(sys.modules, "pycuda.driver", None)
    elif trouble == "no libcuda":

        class Finder:
            @staticmethod
            def find_spec(name, path=None, target=None):
                if name.startswith("pycuda"):
                    raise ImportError("libcuda.so.1: cannot open shared object file: No such file or directory")

        for name in ("pycuda", "pycuda.driver"):
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setattr(sys, "meta_path", [Finder, *sys.meta_path])
    elif trouble == "no device":
        monkeypatch.setattr(driver.Device, "count", staticmethod(lambda: 0))
    elif trouble == "dead driver":

        def init():
            raise driver.RuntimeError("cuInit failed: no CUDA-capable device is detected")

        monkeypatch.setattr(driver, "init", init)
    elif trouble == "old":
        gpu.compute = (6, 1)
    else:
        monkeypatch.setenv("MER_NO_GPU", "1")
    assert device.find() is None
    assert pytest.raises(EngineError, device.active().__enter__).match(reason)
    assert "\n" not in device.why_not()


def test_active_blocks_nest_and_leave_nothing_behind_in_any_thread(gpu):
    def work():
        with device.active(), device.active():
            assert len(gpu.stack()) == 2
        with pytest.raises(KeyError), device.active():
            raise KeyError
        left.append(len(gpu.stack()))

    left = []
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert left == [0, 0, 0, 0] and gpu.retained == 1


@pytest.mark.parametrize("kind", ["MemoryError", "LaunchError", "Error"])
def test_what_the_driver_raises_is_one_line_of_gpu_lost(gpu, kind):
    raised = getattr(sys.modules["pycuda.driver"], kind)("cuMemAlloc failed: out\nof memory")
    with pytest.raises(GpuLost, match="^the GPU failed: cuMemAlloc failed: out of memory$"), device.active():
        raise raised
    assert gpu.stack() == []
    gpu.raises["push"] = raised
    with pytest.raises(GpuLost), device.active():
        pytest.fail("not entered")


def test_at_the_end_everything_is_freed_before_the_context_goes(gpu):
    order = []
    with device.active():
        for name in "ab":
            device.on_close(lambda name=name: order.append((name, gpu.alive, len(gpu.stack()))))
    device._close()
    assert order == [("b", True, 1), ("a", True, 1)]
    assert not gpu.alive and gpu.stack() == []
    device._close()  # a second time: nothing left to do


def test_a_broken_gpu_is_let_go_without_another_word(gpu):
    with pytest.raises(GpuLost), device.active():
        device.on_close(lambda: pytest.fail("nothing can be freed there"))
        raise sys.modules["pycuda.driver"].LaunchError("unspecified launch failure")
    device._close()
    assert not gpu.alive and gpu.stack() == []


def test_who_records_has_the_gpu_alone():
    begun, go_on, order = threading.Event(), threading.Event(), []

    def use():
        with device.shared(), device.shared():
            begun.set()
            assert go_on.wait(60)
            order.append("used")

    with ThreadPoolExecutor(2) as pool:
        pool.submit(use)
        assert begun.wait(60)
        with pytest.raises(EngineError, match="in use by other threads"), device.alone(0.05):
            pytest.fail("entered")
        go_on.set()
        with device.alone(10), device.shared():  # its own use is no other's
            order.append("alone")
            later = pool.submit(use)
            assert not later.done()
            order.append("still alone")
        later.result(60)
    assert order == ["used", "alone", "still alone", "used"] and (device._inside, device._keeper) == (0, None)


@needs_cuda
def test_a_real_gpu_is_lent_to_several_threads():
    import pycuda.driver as cuda

    def work():
        for _ in range(50):
            with device.active():
                memory = cuda.mem_alloc(1 << 20)
                with device.active():
                    cuda.memset_d8(memory, 1, 1 << 20)
                memory.free()
        done.append(cuda.Context.get_current())

    done = []
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [None] * 4
    with pytest.raises(GpuLost), device.active():
        cuda.mem_alloc(1 << 50)
