"""ONNX Runtime's CUDA provider as what runs networks: a stand-in for it, and (marked so) the real one."""

from concurrent.futures import ThreadPoolExecutor

import fake_gpu
import fake_provider
import numpy as np
import pytest
from gpu import needs_provider

from engines import device, onnx_cuda
from engines.onnx import OnnxRuntime
from engines.onnx_cuda import OnnxCuda
from engines.runtime import Network
from engines.tensorrt import library
from engines.tensorrt.store import Store
from engines.zoo import ZOO, known


@pytest.fixture(autouse=True)
def no_engines(monkeypatch, tmp_path):
    """None was built."""
    monkeypatch.setenv("MER_ENGINES", str(tmp_path / "engines"))


@pytest.fixture
def gpu(monkeypatch, notices):
    """A GPU made of numpy without TensorRT, and the provider on it."""
    fake = fake_gpu.install(monkeypatch)
    monkeypatch.setattr(library, "find", lambda: None)
    monkeypatch.setattr(library, "why_not", lambda: "TensorRT is not installed")
    fake.provider = fake_provider.FakeProvider(monkeypatch, fake)
    return fake


@pytest.fixture
def provider(monkeypatch, notices):
    """The provider on a machine with a driver, without pycuda."""
    monkeypatch.delenv("MER_NO_GPU", raising=False)
    monkeypatch.setattr(device, "_found", (None, "pycuda is not installed"))
    monkeypatch.setattr(device, "driver", lambda: "580.65")
    return fake_provider.FakeProvider(monkeypatch)


def windows(number):
    return {"window": np.random.default_rng(3).normal(size=(number, 46, 96)).astype(np.float32)}


def answers(given):
    path = ZOO / "verifier.onnx"
    return OnnxRuntime(path.read_bytes(), path).run([given])


def test_it_runs_64_samples_at_once_and_nobody_speaks_of_tensorrt(gpu, notices):
    network, given = Network("verifier"), windows(130)
    assert network.backend == "ONNX Runtime, CUDA, Fake GPU 3000" and network.on_gpu and notices == []
    gpu.provider.batches.clear()
    np.testing.assert_allclose(network.many(given), answers(given), atol=1e-5)
    assert gpu.provider.batches == [64, 64, 2]


def test_one_sample_alone_replays_a_graph(gpu):
    network, given = Network("verifier"), windows(5)
    ((options),) = gpu.provider.graphs
    assert options["enable_cuda_graph"] == "1" and options["use_tf32"] == "0"
    gpu.provider.batches.clear()
    replayed = gpu.provider.replayed
    for row in range(3):  # each its own answer, from here and from there
        one = {"window": given["window"][row : row + 1]}
        np.testing.assert_allclose(network.many(one), answers(one), atol=1e-5)
        np.testing.assert_allclose(network.many({"window": gpu.put(one["window"])}), answers(one), atol=1e-5)
    assert (gpu.provider.replayed - replayed, gpu.provider.batches) == (6, [])
    np.testing.assert_allclose(network.many(given), answers(given), atol=1e-5)
    assert gpu.provider.batches == [5]
    network.close()
    np.testing.assert_array_equal(network.many(one), answers(one))


@pytest.mark.parametrize("trouble", [{"unrecordable": "operation not permitted when stream is capturing"}, {"stale": True}], ids=str)
def test_a_graph_that_cannot_be_had_or_is_wrong_is_left_without_a_word(gpu, notices, trouble):
    for name, value in trouble.items():
        setattr(gpu.provider, name, value)
    network, given = Network("verifier"), windows(1)
    gpu.provider.batches.clear()
    np.testing.assert_allclose(network.many(given), answers(given), atol=1e-5)
    assert network.on_gpu and gpu.provider.batches == [1] and notices == []


def test_who_asks_for_the_cpu_gets_the_cpu(gpu, notices):
    """It is what a GPU's answers are held against."""
    gpu.provider.wrong = 5e-4
    here, there = Network("verifier", engine="cpu"), Network("verifier", engine="onnx")
    assert (here.backend, here.on_gpu, there.on_gpu, notices) == ("ONNX Runtime, CPU", False, True, [])
    np.testing.assert_array_equal(here.many(windows(3)), answers(windows(3)))
    assert np.abs(there.many(windows(3)) - answers(windows(3))).max() > 1e-4


def test_libraries_come_first_and_the_stream_is_ours(gpu):
    Network("verifier")
    assert gpu.provider.steps == ["preload", "session", "no fallback"]
    ((options, kwargs),) = gpu.provider.sessions
    assert int(options["user_compute_stream"]) and options["use_tf32"] == "0" and kwargs == {"enable_fallback": 0}


def test_without_pycuda_it_makes_its_own_stream(provider, notices):
    network = Network("verifier")
    assert network.backend == "ONNX Runtime, CUDA" and notices == []
    ((options, _),) = provider.sessions
    assert "user_compute_stream" not in options
    np.testing.assert_allclose(network.many(windows(3)), answers(windows(3)), atol=1e-5)


def test_what_lies_on_the_gpu_is_read_there(gpu):
    network, given = Network("verifier"), windows(3)
    gpu.provider.bound.clear()
    gpu.copies.clear()
    np.testing.assert_allclose(network.many({"window": gpu.put(given["window"])}), answers(given), atol=1e-5)
    assert gpu.provider.bound == ["device"] and gpu.copies == []  # not even copied


def test_pieces_from_here_and_from_the_gpu_share_a_run(gpu):
    network, given = Network("verifier"), windows(6)
    pieces = [{"window": gpu.put(given["window"][:2])}, {"window": given["window"][2:3]}, {"window": gpu.put(given["window"][3:])}]
    gpu.provider.batches.clear()
    np.testing.assert_allclose(network.run(pieces), answers(given), atol=1e-5)
    assert gpu.provider.batches == [6] and gpu.copies.count("dtod") == 2 and gpu.copies.count("htod") == 1


def test_a_file_for_one_sample_at_a_time_is_run_one_by_one(gpu, tmp_path):
    onnx = pytest.importorskip("onnx", reason="needs onnx: pip install 'mer-live[build]'")
    model = onnx.load(str(ZOO / "verifier.onnx"))
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = 1
    old, path = model.SerializeToString(), tmp_path / "old.onnx"
    network, given = OnnxCuda(old, path, OnnxRuntime(old, path)), windows(5)
    gpu.provider.batches.clear()
    np.testing.assert_allclose(network.run([{"window": gpu.put(given["window"])}]), answers(given), atol=1e-5)
    assert gpu.provider.batches == [1] * 5


@pytest.mark.parametrize("room, batches", [(20, [16, 16, 16, 16]), (1, [1] * 64)])
def test_a_gpu_that_is_full_computes_fewer_at_a_time(gpu, notices, room, batches):
    network, given = Network("verifier"), windows(64)
    gpu.provider.room = room
    gpu.provider.batches.clear()
    for _ in range(2):  # the second time it knows
        np.testing.assert_allclose(network.many(given), answers(given), atol=1e-5)
    assert gpu.provider.batches == 2 * batches and network.on_gpu
    assert notices == ["verifier: the GPU's memory does not hold 64 samples at once: it computes fewer at a time"]


def test_a_gpu_without_room_for_one_leaves_it_to_the_cpu(gpu, notices):
    gpu.provider.unrecordable = "out of memory"
    network, given = Network("verifier"), windows(1)
    gpu.provider.room = 0
    np.testing.assert_array_equal(network.many(given), answers(given))
    assert not network.on_gpu and len(notices) == 1 and "CPU" in notices[0] and "\n" not in notices[0]


def test_a_gpu_that_is_taken_away_costs_no_answer(gpu, notices):
    network, given = Network("verifier"), windows(9)
    gpu.provider.failure = "CUDA failure 719: unspecified launch failure\nexpr=cudaStreamSynchronize"
    gpu.fail("cuStreamSynchronize failed: unspecified launch failure")
    found = [network({"window": row[None]}) for row in given["window"]]
    np.testing.assert_array_equal(found, answers(given))
    assert network.backend == "ONNX Runtime, CPU" and len(notices) == 1 and "\n" not in notices[0] and "CPU from now on" in notices[0]


def test_missing_libraries_are_one_line_and_the_cpu(provider, notices):
    provider.broken = True
    network = Network("verifier")
    Network("moext")
    assert network.backend == "ONNX Runtime, CPU" and network(windows(1)).shape == (9,)
    (line,) = notices
    assert "libcudnn.so.9: cannot open" in line and "mer-live[cuda]" in line and "\n" not in line


def test_without_a_driver_there_is_nothing_to_say(provider, notices, monkeypatch):
    provider.broken = True
    monkeypatch.setattr(device, "driver", lambda: "")
    assert Network("verifier").backend == "ONNX Runtime, CPU" and notices == []


def test_the_other_package_lies_over_it(monkeypatch, notices):
    monkeypatch.setenv("MER_NO_GPU", "0")
    monkeypatch.setattr(onnx_cuda.metadata, "version", lambda name: "1.31.1")
    assert Network("verifier").backend == "ONNX Runtime, CPU"
    assert notices[-1].startswith("onnxruntime-gpu is installed, but onnxruntime lies over it: pip install")


def test_no_gpu_means_none(provider, notices, monkeypatch):
    monkeypatch.setenv("MER_NO_GPU", "1")
    assert Network("verifier").backend == "ONNX Runtime, CPU" and not provider.sessions and notices == []


def test_a_gpu_that_answers_otherwise_is_left(gpu, notices):
    gpu.provider.wrong = 0.01
    assert Network("verifier").backend == "ONNX Runtime, CPU"
    assert "answers otherwise on the GPU" in notices[-1]


def test_an_engine_that_somebody_built_is_still_worth_a_word(gpu, notices, monkeypatch):
    tensorrt = library.Library("tensorrt", gpu.trt.__version__, gpu.trt)
    monkeypatch.setattr(library, "find", lambda: tensorrt)
    gpu.engine_of(Network("verifier", engine="cpu"), Store(), version="10.9.0")
    assert "CUDA" in Network("verifier").backend
    (line,) = notices
    assert "here is TensorRT 11.4.0" in line


@needs_provider
@pytest.mark.parametrize("name", known())
def test_each_network_on_the_real_provider(name):
    """Run at several sizes, from several threads, closed: the numbers of the CPU."""
    cpu, network = Network(name, engine="cpu"), Network(name, engine="onnx")
    assert network.on_gpu and "CUDA" in network.backend and not cpu.on_gpu
    random = np.random.default_rng(0)
    given = {key: random.random((64, *shape[1:]), np.float32) for key, shape in network.shapes.items()}
    expected = cpu.many(given)
    np.testing.assert_allclose(network.many(given), expected, atol=2e-4)
    one = [{key: x[row : row + 1] for key, x in given.items()} for row in range(64)]
    with ThreadPoolExecutor(8) as pool:  # in whatever batch it comes
        np.testing.assert_allclose(list(pool.map(network, one)), expected, atol=2e-4)
    network.close()
    assert not network.on_gpu
    np.testing.assert_array_equal(network.many(one[0]), expected[:1])
