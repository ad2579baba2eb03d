"""mer-engine as people type it, and --engine of mer-live and mer-replay; a GPU made of numpy stands in for one."""

import errno
import os
import sys
import threading

import fake_gpu
import numpy as np
import pytest
from click.testing import CliRunner

from engines.flow import CPU
from engines.runtime import Network
from engines.tensorrt import library
from engines.tensorrt.store import Store
from engines.zoo import known
from realtime import networks
from realtime.cli.engine import main as engine
from realtime.cli.live import main as live
from realtime.cli.replay import main as replay
from realtime.naming import examples, recognizer


def run(command, *words):
    """(exit code, stdout, stderr). A traceback fails the test."""
    result = CliRunner().invoke(command, [str(word) for word in words], prog_name=command.name)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(autouse=True)
def own_engines(monkeypatch, tmp_path):
    monkeypatch.setenv("MER_ENGINES", str(tmp_path / "engines"))
    monkeypatch.setattr(networks, "_shared", {})


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setenv("MER_NO_GPU", "1")


@pytest.fixture
def builder(no_gpu):
    if not any(each.name == "tensorrt_rtx" for each in library.installed()):
        pytest.skip("TensorRT for RTX is not installed: pip install 'mer-live[build]'")


@pytest.fixture
def noise(monkeypatch):
    """In place of the demo clip's inputs: the verifier's, and no wait for the clip."""
    given = {"window": np.random.default_rng(1).normal(size=(12, 46, 96)).astype(np.float32)}
    monkeypatch.setattr(examples, "inputs", lambda network, most=40: given)
    return given


def test_a_life_of_an_engine(builder, tmp_path):
    code, out, _ = run(engine, "list")
    assert code == 0 and all(name in out for name in known()) and out.count("none built") == out.count("ONNX Runtime, CPU") == len(known())
    assert "no GPU: MER_NO_GPU is set; TensorRT" in out

    code, out, err = run(engine, "build", "verifier", "--for", "sm_89, sm_80")
    assert (code, err) == (0, "") and "verifier: fp32 for sm_80, sm_89: " in out
    (plan,) = (tmp_path / "engines").glob("*.plan")
    assert str(plan) in out

    made = plan.stat().st_mtime_ns
    code, out, _ = run(engine, "build", "verifier", "--for", "sm_89")
    assert code == 0 and "is current" in out and plan.stat().st_mtime_ns == made
    code, out, _ = run(engine, "build", "verifier", "--for", "sm_80,sm_89", "--force")
    assert code == 0 and "MB in" in out

    out = run(engine, "list")[1]
    assert "fp32" in out and "sm_80, sm_89" in out and "no GPU here" in out

    code, out, _ = run(engine, "clean")
    assert code == 0 and "MB freed" in out and not list((tmp_path / "engines").glob("*.plan"))
    assert "nothing to remove" in run(engine, "clean")[1]


def test_a_damaged_engine_is_built_again(builder, tmp_path):
    run(engine, "build", "verifier", "--for", "sm_89")
    (plan,) = (tmp_path / "engines").glob("*.plan")
    plan.write_bytes(plan.read_bytes()[:-1] + b"!")
    assert "MB in" in run(engine, "build", "verifier", "--for", "sm_89")[1]


def test_the_list_says_why_an_engine_is_not_used(monkeypatch, tmp_path):
    gpu = fake_gpu.install(monkeypatch)
    gpu.engine_of(Network("verifier", engine="cpu"), Store())
    gpu.engine_of(Network("moext", engine="cpu"), Store(), version="10.9.0", precision="int8", kept_fp32=("a", "b"))
    (tmp_path / "engines/sa_at.fp32.tensorrt.sm_89.json").write_text("[]")
    (tmp_path / "engines/sa_at.fp32.tensorrt.sm_89.json").chmod(0o600)
    code, out, _ = run(engine, "list")
    rows = {line.split()[0]: line for line in out.splitlines()[1 : 1 + len(known())]}
    assert code == 0 and rows["verifier"].rstrip().endswith("current") and "damaged" in rows["sa_at"]
    assert "int8, 2 in fp32" in rows["moext"] and rows["moext"].rstrip().endswith("not used")
    assert "mer-engine build moext --precision int8" in out and "sa_at.fp32.tensorrt.sm_89.json is not sound" in out
    assert "Fake GPU 3000, sm_89, driver 580.65; TensorRT 11.4.0" in out


@pytest.mark.parametrize(
    "words, said",
    [
        ((), "there is no GPU here to build for (MER_NO_GPU is set): name an architecture, --for sm_89"),
        (("--for", "sm_12"), "does not build for sm_12: it knows sm_75"),
    ],
)
def test_what_no_network_can_be_built_for_is_said_once(builder, words, said):
    code, out, err = run(engine, "build", *words)
    assert code == 5 and said in err and err.count("\n") == 1 and out == ""


def test_an_unknown_network():
    code, _, err = run(engine, "build", "verifer")
    assert code == 5 and "did you mean 'verifier'" in err and err.count("\n") == 1


def test_a_full_disk_leaves_the_older_engine(builder, monkeypatch, tmp_path):
    run(engine, "build", "verifier", "--for", "sm_89")
    before = {path.name: path.read_bytes() for path in (tmp_path / "engines").glob("verifier*")}

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    code, _, err = run(engine, "build", "verifier", "--for", "sm_89", "--force")
    assert code == 6 and "the disk is full" in err and err.count("\n") == 1
    assert {path.name: path.read_bytes() for path in (tmp_path / "engines").glob("verifier*")} == before


def test_a_second_build_waits_and_says_so(builder):
    held, release, told = threading.Event(), threading.Event(), []

    def hold():
        with Store().lock():
            held.set()
            release.wait(60)

    first = threading.Thread(target=hold)
    first.start()
    assert held.wait(60)
    second = threading.Thread(target=lambda: told.append(run(engine, "build", "verifier", "--for", "sm_89")))
    second.start()
    second.join(0.5)
    assert second.is_alive() and not told
    release.set()
    second.join(60)
    first.join(60)
    code, out, err = told[0]
    assert code == 0 and "another mer-engine is at work" in err and "MB in" in out


def test_a_folder_that_others_can_write_is_refused(builder, tmp_path):
    (tmp_path / "engines").mkdir()
    (tmp_path / "engines").chmod(0o777)
    for words in (("list",), ("build", "verifier", "--for", "sm_89"), ("clean",)):
        code, _, err = run(engine, *words)
        assert code in (5, 6) and "chmod 700" in err and err.count("\n") == 1


def test_check_without_a_gpu_compares_the_files_and_says_that_no_engine_was_run(builder, noise):
    code, out, _ = run(engine, "check", "verifier")
    assert code == 0 and "no engine was run" in out and "MER_NO_GPU is set" in out
    for what in ("fp32, batches of 8", "fp16", "bf16", "int8"):
        (row,) = [line for line in out.splitlines() if what in line]
        assert " 12 " in row


def test_check_and_bench_on_a_gpu(monkeypatch, noise):
    gpu = fake_gpu.install(monkeypatch)
    content = gpu.engine_of(Network("verifier", engine="cpu"), Store())
    code, out, _ = run(engine, "check", "verifier")
    (row,) = [line for line in out.splitlines() if "Fake GPU" in line]
    assert code == 0 and row.split()[-3:] == ["12", "0.0e+00", "0"] and "no engine was run" not in out

    code, out, _ = run(engine, "bench", "verifier", "--seconds", 0)
    assert code == 0 and "Fake GPU 3000" in out.splitlines()[0]
    assert "ONNX Runtime, CPU" in out and "TensorRT 11.4.0, Fake GPU 3000, fp32" in out

    right = gpu.plans[content].run
    gpu.plans[content].run = lambda inputs: np.roll(right(inputs), 1, axis=1)
    code, out, err = run(engine, "check", "verifier")
    assert code == 5 and "decisions flip in verifier" in err
    assert "current" in run(engine, "list")[1]


def test_without_tensorrt_and_onnx_each_command_says_what_to_install(no_gpu, noise, monkeypatch):
    missing = "TensorRT is not installed: pip install 'mer-live[gpu]'"
    monkeypatch.setattr(library, "installed", lambda: ())
    monkeypatch.setattr(library, "find", lambda: None)
    monkeypatch.setattr(library, "why_not", lambda: missing)
    monkeypatch.setitem(sys.modules, "onnx", None)
    code, _, err = run(engine, "build")
    assert code == 7 and missing in err and err.count("\n") == 1
    assert missing in run(engine, "list")[1]
    code, out, _ = run(engine, "check", "verifier")
    assert code == 0 and "pip install 'mer-live[build]'" in out


def test_bench_says_what_was_not_measured(no_gpu, noise):
    code, out, _ = run(engine, "bench", "verifier", "--seconds", 0)
    assert code == 0 and "TensorRT was not measured: MER_NO_GPU is set" in out and "no GPU" in out.splitlines()[0]
    (row,) = [line for line in out.splitlines() if line.startswith("verifier")]
    assert row.count(" / ") == 6


def test_an_engine_that_is_not_used_is_said_once_when_the_stream_starts(monkeypatch):
    gpu = fake_gpu.install(monkeypatch)
    monkeypatch.setattr(recognizer, "Flow", lambda engine: CPU)
    gpu.engine_of(Network("kernel_ridge", engine="cpu"), Store(), version="10.9.0")
    code, out, err = run(live, "--source", "gone.mp4", "--no-log")
    assert code == 3 and "kernel_ridge on ONNX Runtime, CPU; flow on CPU" in out
    lines = err.splitlines()
    assert len(lines) == 2 and lines[0].startswith("mer-live: ") and lines[0].endswith("mer-engine build kernel_ridge")


@pytest.mark.parametrize("command, words", [(live, ["--demo"]), (replay, ["clip.mp4", "--out", "results"])])
def test_the_engine_that_streams_run_on(command, words, no_gpu, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clip.mp4").touch()
    code, _, err = run(command, *words, "--engine", "tensorrt", "--no-log")
    assert code == 5 and "kernel_ridge cannot run on TensorRT here: MER_NO_GPU is set" in err and err.count("\n") == 1
    code, _, err = run(command, *words, "--engine", "cuda")
    assert code == 2 and "'auto', 'tensorrt', 'onnx'" in err and err.count("\n") == 1


@pytest.mark.parametrize("name", ["kernel_ridge", "verifier"])
def test_examples_are_what_the_network_takes(name):
    network = Network(name, engine="cpu")
    given = examples.inputs(network)
    rows = network.many(given)
    assert len(rows) == 40 and np.isfinite(rows).all()
    assert len(np.unique(rows[:, :6].argmax(1))) > 1  # not one and the same movement forty times
