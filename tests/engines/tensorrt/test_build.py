"""Real engines from all our ONNX files, built without a GPU; and everything that keeps one from being built."""

import functools
import hashlib
import json
import logging
import os
import signal
import sys
import time

import numpy as np
import pytest
from plan_facts import GPU

from engines import device
from engines.errors import EngineError
from engines.tensorrt import build as builder
from engines.tensorrt import library
from engines.tensorrt.build import build, known_targets
from engines.zoo import known

pytest.importorskip("onnx", reason="making engines needs onnx: pip install 'mer-live[build]'")
pytestmark = pytest.mark.usefixtures("no_gpu")


@pytest.mark.parametrize("name", known())
def test_every_shipped_network_becomes_an_engine(name, zoo, rtx, store, capfd):
    about, model = zoo(name)
    heard = []
    plan, manifest = build(about, model, targets=["sm_89"], progress=heard.append)
    assert manifest.network == name and manifest.onnx_sha256 == about["sha256"]
    assert manifest.plan_sha256 == hashlib.sha256(plan).hexdigest() and len(plan) > 100_000
    assert (manifest.library, manifest.version) == ("tensorrt_rtx", rtx.version)
    assert (manifest.targets, manifest.precision, manifest.profiles) == (("sm_89",), "fp32", (1, 8, 64))
    assert (manifest.gpu, manifest.driver, manifest.cuda, manifest.kept_fp32) == ("", "", "", ())
    store.save(manifest, plan)
    assert store.load(name, about["sha256"], GPU, rtx) == (plan, manifest)
    assert heard and all(line.startswith(name) for line in heard)
    assert capfd.readouterr() == ("", "")


@pytest.fixture(scope="module")
def whole():
    """`whole(…)` → the engine of these, built once."""
    return functools.cache(lambda about, model: build(json.loads(about), model, targets=["sm_89"])[0])


@pytest.mark.parametrize("precision, share", [("fp16", 0.7), ("bf16", 0.7), ("int8", 0.7)])
def test_lower_precisions_and_several_architectures(precision, share, zoo, rtx, real, whole):
    about, model = zoo("kernel_ridge")
    plan, manifest = build(about, model, precision, ["sm_120", "sm_86"], real("kernel_ridge"))
    assert manifest.targets == ("sm_86", "sm_120") and manifest.precision == precision
    assert len(plan) < share * len(whole(json.dumps(about), model))


def test_a_gpu_that_is_there_needs_no_name(tiny, rtx, monkeypatch):
    monkeypatch.setattr(device, "find", lambda: GPU)
    monkeypatch.setattr(library, "find", lambda: rtx)
    _, manifest = build(*tiny)
    assert manifest.targets == ("sm_89",)
    assert (manifest.gpu, manifest.driver, manifest.cuda) == (GPU.name, GPU.driver, GPU.cuda)


@pytest.fixture
def full(rtx, monkeypatch):
    """TensorRT proper on a machine with a GPU, played by the bindings at hand: they have the same functions."""
    monkeypatch.setattr(device, "find", lambda: GPU)
    disguised = library.Library("tensorrt", "11.4.0.1", rtx.module)
    monkeypatch.setattr(library, "find", lambda: disguised)
    monkeypatch.setattr(library, "installed", lambda: (disguised,))
    return disguised


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # TensorRT for RTX keeps no timings, it only plays along
def test_tensorrt_proper_builds_for_its_gpu_and_keeps_timings(tiny, full, store):
    plan, manifest = build(*tiny, store=store)
    assert (manifest.library, manifest.targets, manifest.gpu) == ("tensorrt", ("sm_89",), GPU.name)
    assert store.timings(full, "sm_89")
    build(*tiny, targets=["sm_89"], store=store)
    with pytest.raises(EngineError, match=r"TensorRT 11.4.0.1 builds for the GPU at hand only.*mer-live\[rtx\]"):
        build(*tiny, targets=["sm_120"])


def refused(words, *args, **kwargs):
    with pytest.raises(EngineError, match=words) as error:
        build(*args, **kwargs)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_without_a_gpu_and_without_a_name_for_one(tiny, rtx):
    text = refused("no GPU here to build for .no NVIDIA driver.: name an architecture, --for sm_", *tiny)
    assert text.split()[-1] in known_targets()


@pytest.mark.parametrize("target", ["sm_90", "sm89", "ampere", ""])
def test_architectures_it_does_not_know(tiny, rtx, target):
    refused("it knows sm_75, sm_80, sm_86, sm_89, sm_120", *tiny, targets=[target])


def test_this_gpu_is_one_that_rtx_does_not_know(tiny, rtx, monkeypatch):
    monkeypatch.setattr(device, "find", lambda: device.Device("NVIDIA H200", "sm_90", "580", "13.0", 143771))
    monkeypatch.setattr(library, "find", lambda: rtx)
    refused(r"does not build for sm_90: .*for this GPU install TensorRT", *tiny)


def test_bf16_on_an_architecture_without_it(zoo, rtx, real):
    text = refused("could not build verifier for sm_75", *zoo("verifier"), "bf16", ["sm_75"], real("verifier"))
    assert len(text) < 500


def test_no_tensorrt(tiny, monkeypatch):
    monkeypatch.setattr(library, "NAMES", {"tensorrt_of_nobody": "tensorrt"})
    clear()
    try:
        refused(r"cannot be built: TensorRT is not installed: pip install 'mer-live\[gpu\]'", *tiny, targets=["sm_89"])
        monkeypatch.setattr(library, "NAMES", {"broken_tensorrt": "tensorrt"})
        clear()
        monkeypatch.setattr(library.importlib, "import_module", broken)
        refused("installed but does not load .broken_tensorrt: libcudart.so.13: cannot open", *tiny, targets=["sm_89"])
    finally:
        monkeypatch.undo()
        clear()


def broken(name):
    raise OSError("libcudart.so.13: cannot open\nshared object file")


def clear():
    for cached in (library._look, library._load, library.installed):
        cached.cache_clear()


def test_no_onnx_package(tiny, rtx, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    refused(r"pip install 'mer-live\[build\]'", *tiny, targets=["sm_89"])


def test_an_unknown_operation(network, rtx):
    model = network([("MyTrick", ["x"], ["y"], {})], out=(1, 4), domain="org.example")
    refused(r"MyTrick", {"name": "odd"}, model, targets=["sm_89"])
    with pytest.raises(EngineError, match=r"TensorRT for RTX .* cannot build odd: .* operation MyTrick .node 'node0'."):
        builder._compile(rtx, {"name": "odd"}, model, ("sm_89",), None, print, None)


def test_an_operation_that_only_onnx_runtime_knows(network, rtx):
    nodes = [("Reshape", ["x", "s"], ["m"], {}), ("Det", ["m"], ["y"], {})]
    model = network(nodes, {"s": np.array([1, 2, 2])}, out=(1,))
    words = "cannot build odd: it does not know the operation Det .node 'node1'."
    refused(words, {"name": "odd"}, model, targets=["sm_89"])


def test_a_network_for_one_sample_at_a_time(network, rtx):
    model = network([("Relu", ["x"], ["y"], {})], shape=(1, 4), out=(1, 4))
    refused(r"odd gets no engine.*takes no batches.*its input x.*export it again", {"name": "odd"}, model, targets=["sm_89"])


@pytest.mark.parametrize("model", [b"", b"\xffgarbage", b"\x08\x0a"])
def test_a_damaged_file(model, rtx):
    refused("ONNX file", {"name": "odd"}, model, targets=["sm_89"])
    about = {"name": "odd", "sha256": "0" * 64}
    refused("not the one that the manifest of odd describes", about, model, targets=["sm_89"])


def test_precisions_that_cannot_be(tiny, rtx):
    refused("unknown precision 'fp8': expected one of fp32, fp16, bf16, int8", *tiny, "fp8", ["sm_89"])
    refused("give samples", *tiny, "int8", ["sm_89"])


def test_what_tensorrt_says_goes_to_the_log(network, rtx, caplog, capfd):
    caplog.set_level(logging.INFO, "engines.tensorrt")
    with pytest.raises(EngineError):
        builder._compile(rtx, {"name": "odd"}, b"nonsense", ("sm_89",), None, print, None)
    assert "Failed to parse" in caplog.text
    assert capfd.readouterr() == ("", "")


def test_ctrl_c_ends_a_build_and_leaves_nothing_running(zoo, rtx, monkeypatch):
    """The signal comes while TensorRT is at work, to the thread of whoever called."""
    ended = []
    monkeypatch.setattr(builder, "LOOK", 0.01)
    at_work = builder.patiently

    def watched(work, monitor, progress):
        def noted():
            ended.append(work())
            return ended[-1]

        return at_work(noted, monitor, progress)

    monkeypatch.setattr(builder, "patiently", watched)

    def interrupt(line):
        if not line.endswith("reading"):
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        build(*zoo("sa_at"), targets=["sm_89"], progress=interrupt)
    assert ended == [None]  # TensorRT gave up, and had done so when the interrupt came through


def test_a_build_that_is_given_up_stops_at_the_next_step():
    """The same with a build that takes longer than any test would wait."""
    monitor, steps = type("Monitor", (), {"phase": "timing", "stop": False})(), []

    def forever():
        while not monitor.stop:
            steps.append(1)
            time.sleep(0.01)

    def no_more(line):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        builder.patiently(forever, monitor, no_more)
    count = len(steps)
    time.sleep(0.05)
    assert len(steps) == count
