import hashlib
import json
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import fake_gpu
import numpy as np
import pytest
from gpu import needs_tensorrt

from engines.errors import EngineError
from engines.runtime import Network
from engines.tensorrt.store import Store
from engines.zoo import ZOO, known


@pytest.fixture
def copy(tmp_path):
    """The shipped network, copied: tests may damage it. Returns the .onnx path."""
    for kind in ("onnx", "json"):
        shutil.copy(ZOO / f"dual_atme.{kind}", tmp_path)
    return tmp_path / "dual_atme.onnx"


def inputs(fill=0.1):
    return {name: np.full((1, 3, 28, 28), fill, np.float32) for name in ("full_face", "puzzle")}


def change(manifest, **values):
    manifest.write_text(json.dumps({**json.loads(manifest.read_text("utf-8")), **values}), "utf-8")


def test_the_shipped_network_gives_probabilities():
    network = Network("dual_atme")
    scores = network(inputs())
    assert network.classes == ("negative", "positive", "surprise")
    assert scores.shape == (3,) and scores.dtype == np.float32
    assert scores.sum() == pytest.approx(1, abs=1e-5) and (scores >= 0).all()


def test_every_shipped_network_loads_and_is_small():
    assert "dual_atme" in known()
    for name in known():
        Network(name)
        assert (ZOO / f"{name}.onnx").stat().st_size < 20_000_000
        assert (ZOO / f"{name}.md").read_text("utf-8").startswith(f"# {name}")


def test_mirrored_faces_score_alike():
    random = np.random.default_rng(0)
    straight = {key: random.normal(size=x.shape).astype(np.float32) for key, x in inputs().items()}
    sign = np.array([-1, 1, 1], np.float32)[:, None, None]
    mirrored = {key: np.ascontiguousarray(x[..., ::-1] * sign) for key, x in straight.items()}
    network = Network("dual_atme")
    np.testing.assert_allclose(network(straight), network(mirrored), atol=1e-5)


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(EngineError, match="did you mean 'dual_atme'"):
        Network("dual_atm")


def test_a_path_that_is_not_there(tmp_path):
    with pytest.raises(EngineError, match="no network file"):
        Network(tmp_path / "gone.onnx")


def test_a_missing_manifest(copy):
    copy.with_suffix(".json").unlink()
    with pytest.raises(EngineError, match="dual_atme.json was expected"):
        Network(copy)


@pytest.mark.parametrize("text", ["not json", "[1, 2]", "{}", ""])
def test_a_broken_manifest(copy, text):
    copy.with_suffix(".json").write_text(text, "utf-8")
    with pytest.raises(EngineError, match="dual_atme.json"):
        Network(copy)


def test_another_file_under_the_same_name_is_never_loaded(copy, monkeypatch):
    copy.write_bytes(copy.read_bytes() + b"\0")
    monkeypatch.setattr("engines.onnx.session", lambda *_: pytest.fail("loaded before its hash was checked"))
    with pytest.raises(EngineError, match="SHA-256"):
        Network(copy)


@pytest.mark.parametrize("content", [b"", b"text that calls itself a network"])
def test_a_damaged_file_with_a_matching_hash(copy, content, capfd):
    copy.write_bytes(content)
    change(copy.with_suffix(".json"), sha256=hashlib.sha256(content).hexdigest())
    with pytest.raises(EngineError, match="damaged") as error:
        Network(copy)
    assert "\n" not in str(error.value)
    assert capfd.readouterr().err == ""


def test_a_manifest_of_another_network(copy):
    change(copy.with_suffix(".json"), inputs=[{"name": "face", "shape": [1, 3, 224, 224]}])
    with pytest.raises(EngineError, match="its manifest says"):
        Network(copy)


def fixed(file, size):
    """A copy of the verifier for batches of `size` alone, as files were exported once. Returns its path."""
    onnx = pytest.importorskip("onnx", reason="needs onnx: pip install 'mer-live[build]'")
    model = onnx.load(str(ZOO / "verifier.onnx"))
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = size
    onnx.save(model, str(file))
    shutil.copy(ZOO / "verifier.json", file.with_suffix(".json"))
    change(file.with_suffix(".json"), sha256=hashlib.sha256(file.read_bytes()).hexdigest())
    return file


def test_a_file_for_one_sample_at_a_time_is_run_one_by_one(tmp_path):
    network = Network(fixed(tmp_path / "old.onnx", 1))
    given = windows(3)
    np.testing.assert_array_equal(network.many(given), answers(given))
    with pytest.raises(EngineError, match=r"takes \{'window': \(2, 46, 96\)\}, its manifest says"):
        Network(fixed(tmp_path / "two.onnx", 2))


@pytest.mark.parametrize(
    "wrong",
    [
        {"full_face": np.zeros((1, 3, 28, 28), np.float32)},
        {**inputs(), "puzzle": np.zeros((1, 3, 14, 28), np.float32)},
        {**inputs(), "puzzle": np.zeros((1, 3, 28, 28), np.float64)},
    ],
)
def test_other_inputs_than_the_manifest_says(wrong):
    with pytest.raises(EngineError, match="takes float32"):
        Network("dual_atme")(wrong)


def test_no_torch_is_needed():
    code = "import sys, realtime.naming.inputs, engines.runtime as r; r.Network('dual_atme'); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", known())
def test_a_shipped_file_says_nothing_of_the_disk_it_was_made_on(name):
    model = (ZOO / f"{name}.onnx").read_bytes()
    # a word before the ending: in megabytes of numbers the three bytes alone come up by chance
    assert b"site-packages" not in model and not re.search(rb"\w{3}\.py", model)


# -- which backend


@pytest.fixture
def gpu(monkeypatch, tmp_path, notices):
    """A GPU made of numpy, an empty folder of engines, and the notices that were said."""
    monkeypatch.setenv("MER_ENGINES", str(tmp_path / "engines"))
    fake = fake_gpu.install(monkeypatch)
    fake.store, fake.said = Store(), notices
    return fake


def windows(number):
    return {"window": np.random.default_rng(3).normal(size=(number, 46, 96)).astype(np.float32)}


def answers(given):
    """The verifier's, one by one on the CPU."""
    network = Network("verifier", engine="cpu")
    return np.stack([network({"window": row[None]}) for row in given["window"]])


def test_a_valid_engine_is_taken_and_gives_the_same_numbers(gpu):
    gpu.engine_of(Network("verifier", engine="cpu"), gpu.store, precision="fp16")
    network = Network("verifier")
    assert network.backend == "TensorRT 11.4.0, Fake GPU 3000, fp16" and network.on_gpu
    given = windows(11)
    np.testing.assert_allclose(network.many(given), answers(given), atol=1e-6)
    np.testing.assert_allclose(network({"window": given["window"][:1]}), answers(given)[0], atol=1e-6)
    assert gpu.said == []


def test_onnx_never_looks_at_an_engine(gpu):
    gpu.engine_of(Network("verifier", engine="cpu"), gpu.store)
    network = Network("verifier", engine="cpu")
    assert network.backend == "ONNX Runtime, CPU"
    network(windows(1))
    assert not gpu.runs


def test_many_is_one_by_one_on_the_cpu_too():
    given = windows(5)
    np.testing.assert_array_equal(Network("verifier", engine="cpu").many(given), answers(given))


def flip(gpu):
    plan = next(gpu.store.path.glob("*.plan"))
    content = bytearray(plan.read_bytes())
    content[5] ^= 1
    plan.write_bytes(content)


def tell_a_lie(gpu):
    """The plan is another network's, and the manifest says it is this one's."""
    flip(gpu)
    manifest = next(gpu.store.path.glob("*.json"))
    manifest.write_text(manifest.read_text().replace('"network": "verifier"', '"network": "moext"'))


UNFIT = {
    "one byte flipped": ({}, flip, "SHA-256"),
    "another TensorRT": ({"version": "10.9.0"}, None, "here is TensorRT 11.4.0"),
    "another GPU": ({"targets": ("sm_75",)}, None, "built for sm_75"),
    "another ONNX file": ({"onnx_sha256": "0" * 64}, None, "has changed since"),
    "a manifest that lies": ({}, tell_a_lie, "manifest"),
}


@pytest.mark.parametrize("case", UNFIT)
def test_an_engine_that_does_not_fit_is_never_loaded(gpu, monkeypatch, case):
    changed, damage, why = UNFIT[case]
    gpu.engine_of(Network("verifier", engine="cpu"), gpu.store, **changed)
    if damage:
        damage(gpu)
    monkeypatch.setattr(gpu.trt, "Runtime", lambda log: pytest.fail("it was loaded"))
    network = Network("verifier")
    Network("verifier")
    assert network.backend == "ONNX Runtime, CPU" and network(windows(1)).shape == (9,)
    (said,) = gpu.said  # once
    assert why in said and said.endswith("mer-engine build verifier")
    with pytest.raises(EngineError, match=f"{why}.*mer-engine build verifier$"):
        Network("verifier", engine="tensorrt")


def test_an_engine_that_tensorrt_itself_refuses(gpu):
    gpu.plans.pop(gpu.engine_of(Network("verifier", engine="cpu"), gpu.store))
    assert Network("verifier").backend == "ONNX Runtime, CPU"
    assert "refuses" in gpu.said[0] and gpu.said[0].endswith("mer-engine build verifier")


def test_without_an_engine_the_gpu_is_offered_one_and_asking_for_it_is_a_mistake(gpu):
    assert Network("verifier").backend == "ONNX Runtime, CPU"
    assert gpu.said == ["no engine of verifier has been built: mer-engine build verifier"]
    with pytest.raises(EngineError, match="mer-engine build verifier"):
        Network("verifier", engine="tensorrt")


def test_without_a_gpu_and_an_engine_there_is_nothing_to_say(monkeypatch, tmp_path, notices):
    monkeypatch.setenv("MER_ENGINES", str(tmp_path))
    monkeypatch.setenv("MER_NO_GPU", "1")
    assert Network("verifier").backend == "ONNX Runtime, CPU"
    assert notices == []
    with pytest.raises(EngineError, match="cannot run on TensorRT here: MER_NO_GPU is set"):
        Network("verifier", engine="tensorrt")


def test_an_unknown_engine():
    with pytest.raises(EngineError, match="unknown engine 'cuda': expected one of auto, tensorrt, onnx"):
        Network("verifier", engine="cuda")


@pytest.mark.parametrize("failure", ["cuMemcpyHtoDAsync failed: out of memory", "cuStreamSynchronize failed: device not available"])
def test_a_gpu_that_fails_costs_no_answer(gpu, failure):
    gpu.engine_of(Network("verifier", engine="cpu"), gpu.store)
    network, given = Network("verifier"), windows(40)
    expected = answers(given)

    def ask(row):
        if row == 20:
            gpu.fail(failure)
        return network({"window": given["window"][row : row + 1]})

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(ask, range(40)))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert network.backend == "ONNX Runtime, CPU" and not network.on_gpu
    (said,) = gpu.said
    assert failure in said and "verifier" in said and "CPU" in said
    network.close()


def test_a_gpu_without_room_for_the_network(gpu):
    gpu.engine_of(Network("verifier", engine="cpu"), gpu.store)
    gpu.free_bytes = 1000
    assert Network("verifier").backend == "ONNX Runtime, CPU"
    assert "out of memory" in gpu.said[0]


def test_what_lies_on_the_gpu_is_taken_from_there(gpu):
    gpu.engine_of(Network("verifier", engine="cpu"), gpu.store)
    network, given = Network("verifier"), windows(3)
    there = {"window": gpu.put(given["window"])}
    gpu.copies.clear()
    np.testing.assert_allclose(network.many(there), answers(given), atol=1e-6)
    assert gpu.copies == ["dtod"]
    network.close()  # from now on the CPU, which fetches it
    np.testing.assert_allclose(network.many(there), answers(given), atol=1e-6)


def test_a_closed_network_goes_on_on_the_cpu(gpu):
    gpu.engine_of(Network("verifier", engine="cpu"), gpu.store)
    network = Network("verifier")
    network.close()
    network.close()
    assert network(windows(1)).shape == (9,) and gpu.said == [] and not gpu.memory


def test_calls_of_several_streams_share_batches(gpu):
    gpu.engine_of(Network("verifier", engine="cpu"), gpu.store)
    network, given = Network("verifier"), windows(40)
    gpu.runs.clear()
    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(lambda row: network({"window": given["window"][row : row + 1]}), range(40)))
    np.testing.assert_allclose(found, answers(given), atol=1e-6)
    assert len(gpu.runs) < 40


@needs_tensorrt
@pytest.mark.parametrize("name", known())
def test_each_network_as_an_engine_on_a_real_gpu(name, tmp_path, monkeypatch):
    """Built, loaded, run at several sizes from several threads, closed: the numbers of the CPU."""
    from engines.tensorrt.build import build

    monkeypatch.setenv("MER_ENGINES", str(tmp_path / "engines"))
    cpu = Network(name, engine="cpu")
    plan, manifest = build(cpu.manifest, cpu.path.read_bytes())
    Store().save(manifest, plan)
    network = Network(name, engine="tensorrt")
    assert network.on_gpu and "fp32" in network.backend
    random = np.random.default_rng(0)
    given = {key: random.random((21, *shape[1:]), np.float32) for key, shape in cpu.shapes.items()}
    expected = cpu.many(given)
    np.testing.assert_allclose(network.many(given), expected, atol=2e-4)
    with ThreadPoolExecutor(4) as pool:
        one = [{key: array[row : row + 1] for key, array in given.items()} for row in range(21)]
        np.testing.assert_allclose(list(pool.map(network, one)), expected, atol=2e-4)
    network.close()
    assert not network.on_gpu
