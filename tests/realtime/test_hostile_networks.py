"""Networks and manifests of every wrong kind: one line and exit code 5, never a traceback, never a hang."""

import hashlib
import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from click.testing import CliRunner
from places import DEMO

onnx = pytest.importorskip("onnx")

from onnx import TensorProto, helper, numpy_helper

from engines import isolated
from engines import onnx as ours
from engines.runtime import Network
from realtime.cli.replay import main as replay

SIZE = [1, 3, 28, 28]
CLASSES = ["negative", "positive", "surprise"]
DEEP = "[" * 100_000
MANIFEST = {  # of the sound network, to be broken one field at a time; a key with a dot lies deeper
    "name": [None, 5, "", [], "a" * 5000, "x\x1b[31m", "a\nb"],
    "classes": [None, "abc", [], {}, [1, 2, 3], ["a", "a", "b"], ["a"] * 10**5, [["a"], "b", "c"], ["", "b", "c"], ["a", "b"], ["a", "b", "c", "d"]],
    "inputs": [None, {}, [], "full_face", [None], [{"name": "full_face"}], [{"shape": SIZE}], [{"name": ["x"], "shape": SIZE}]],
    "inputs.0.shape": [
        None,
        "1x3",
        [],
        [1.0, 3, 28, 28],
        [0, 3, 28, 28],
        [-1, 3, 28, 28],
        [1, 3, 28, 10**30],
        [1, 3, 10**6, 10**6],
        [True, 3, 28, 28],
        [1, 3, 28, 29],
        [1] * 500,
        {"a": 1},
    ],
    "inputs.0.name": ["other", 7, None],
    "inputs.0.dtype": ["float64", 3],
    "output": [None, "probabilities", [], {}, {"name": 3}, {"name": "elsewhere"}, {"name": "probabilities", "shape": "wide"}],
    "sha256": [None, 5, "", "f" * 64, "F" * 64, "g" * 64, ["a"] * 64],
    "takes": [None, 7, [], {}, "pictures"],
    "architecture": [[], 5],
    "macro": [None, 1, "yes"],
    "calibration": [
        None,
        5,
        [],
        {"tell_from": "high"},
        {"tell_from": [0.5, 2.0]},
        {"abstain_below": "high"},
        {"abstain_below": float("nan")},
        {"abstain_below": 10**400},
        {"abstain_below": 2},
        {"abstain_below": None},
        {"temperature": []},
    ],
}
BROKEN = [(key, number) for key, values in MANIFEST.items() for number in range(len(values))]
TEXTS = [b"", b"\xff\xfe{}", b"{", b"null", b"[]", b"3", b'"text"', DEEP.encode(), b'{"a":' * 50_000, b"{} " * 500_000, b"\x00" * 50]


def sound(bodies=(), output="probabilities", kind=TensorProto.FLOAT, shape=(1, 3), opset=17):
    """A small network: the nodes `bodies`, by default a softmax over three sums, from full_face to `output`."""
    weights = numpy_helper.from_array(np.full((2352, 3), 1e-3, np.float32), "weights")
    nodes = list(bodies) or [
        helper.make_node("Flatten", ["full_face"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["sums"]),
        helper.make_node("Softmax", ["sums"], ["probabilities"]),
    ]
    given = [helper.make_tensor_value_info("full_face", TensorProto.FLOAT, SIZE)]
    out = [helper.make_tensor_value_info(output, kind, shape)]
    graph = helper.make_graph(nodes, "net", given, out, [weights])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8).SerializeToString()


def constant(array, name="probabilities"):
    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(array))


def endless(*turns):
    """A loop that ends after 2^62 turns, or after "many", which the nodes `turns` give."""
    value = lambda name, kind, shape=(): helper.make_tensor_value_info(name, kind, shape)
    step = [helper.make_node("Identity", ["go"], ["goes"]), helper.make_node("Add", ["x", "x"], ["y"])]
    body = helper.make_graph(
        step,
        "body",
        [value("i", TensorProto.INT64), value("go", TensorProto.BOOL), value("x", TensorProto.FLOAT, (1, 3))],
        [value("goes", TensorProto.BOOL), value("y", TensorProto.FLOAT, (1, 3))],
    )
    return sound(
        [
            *(turns or [constant(np.array(2**62), "many")]),
            constant(np.array(True), "yes"),
            helper.make_node("Flatten", ["full_face"], ["flat"]),
            helper.make_node("MatMul", ["flat", "weights"], ["sums"]),
            helper.make_node("Loop", ["many", "yes", "sums"], ["probabilities"], body=body),
        ]
    )


def asking(count, *nodes):
    """A network whose one `nodes` are given a square "big" of count² numbers, and whose last gives "end"."""
    return sound(
        [
            helper.make_node("ReduceSum", ["full_face"], ["sum"], keepdims=0),
            constant(np.array([count, count]), "size"),
            helper.make_node("Expand", ["sum", "size"], ["big"]),
            *nodes,
            helper.make_node("ReduceSum", ["end"], ["total"], keepdims=0),
            constant(np.array([1, 3]), "three"),
            helper.make_node("Expand", ["total", "three"], ["probabilities"]),
        ]
    )


SAYS = {
    "endless loop": "no answer within 1 s",
    "endless where there is something to see": "no answer within 1 s",
    "one endless operation": "no answer within 1 s",
    "40 GB": "more memory than there is for it",
    "40 GB of nothing but a constant": "more memory than there is for it",
}
FILES = {
    "empty": lambda: b"",
    "text": lambda: b"This is no network. " * 50,
    "cut short": lambda: sound()[:-2000],
    "half": lambda: sound()[: len(sound()) // 2],
    "zeros": lambda: bytes(10_000),
    "endless loop": endless,
    "endless where there is something to see": lambda: endless(
        helper.make_node("ReduceL2", ["full_face"], ["size"], keepdims=0),
        constant(np.float32(1e15), "times"),
        helper.make_node("Mul", ["size", "times"], ["product"]),
        helper.make_node("Cast", ["product"], ["many"], to=TensorProto.INT64),
    ),
    "one endless operation": lambda: asking(10_000, helper.make_node("MatMul", ["big", "big"], ["end"])),
    "40 GB": lambda: asking(100_000, helper.make_node("Sqrt", ["big"], ["end"])),
    "40 GB of nothing but a constant": lambda: asking(
        1,
        constant(np.array([10**10]), "many"),
        helper.make_node("ConstantOfShape", ["many"], ["zeros"]),
        helper.make_node("Add", ["zeros", "big"], ["end"]),
    ),
    "strings": lambda: sound([constant(np.array([["a", "b", "c"]], object))], kind=TensorProto.STRING),
    "integers": lambda: sound([constant(np.array([[1, 2, 3]]))], kind=TensorProto.INT64),
    "NaN": lambda: sound([constant(np.array([[np.nan, 0, 1]], np.float32))]),
    "infinity": lambda: sound([constant(np.array([[np.inf, 0, 1]], np.float32))]),
    "two numbers": lambda: sound([constant(np.ones((1, 2), np.float32))], shape=(1, 2)),
    "four numbers": lambda: sound([constant(np.ones((1, 4), np.float32))], shape=(1, 4)),
    "no number": lambda: sound([constant(np.ones((1, 0), np.float32))], shape=(1, 0)),
    "one number alone": lambda: sound([constant(np.float32(1))], shape=()),
    "three dimensions": lambda: sound([constant(np.ones((1, 3, 1), np.float32))], shape=(1, 3, 1)),
    "two rows": lambda: sound([constant(np.ones((2, 3), np.float32))], shape=(2, 3)),
    "another output": lambda: sound([constant(np.ones((1, 3), np.float32), "other")], output="other"),
    "an unknown operation": lambda: sound([helper.make_node("NoSuchThing", ["full_face"], ["probabilities"])]),
    "fails while it runs": lambda: sound(
        [
            helper.make_node("Flatten", ["full_face"], ["flat"]),
            helper.make_node("NonZero", ["flat"], ["places"]),
            helper.make_node("Cast", ["places"], ["numbers"], to=TensorProto.FLOAT),
            constant(np.array([1, 3]), "size"),
            helper.make_node("Reshape", ["numbers", "size"], ["probabilities"]),
        ]
    ),
    "from the future": lambda: sound(opset=9999),
}


@pytest.fixture
def network(tmp_path, monkeypatch):
    """The sound one with its manifest, to be broken; nothing is known of it from before."""
    monkeypatch.setattr(ours, "_sound", set())
    return write(tmp_path, sound())


def write(folder, model, **changes):
    manifest = {
        "name": "mine",
        "takes": "flow_map",
        "classes": CLASSES,
        "inputs": [{"name": "full_face", "shape": SIZE, "dtype": "float32"}],
        "output": {"name": "probabilities", "shape": [1, 3]},
        "sha256": hashlib.sha256(model).hexdigest(),
    }
    (folder / "mine.onnx").write_bytes(model)
    (folder / "mine.json").write_text(json.dumps(manifest | changes))
    return folder / "mine.onnx"


def refused(network, tmp_path):
    """What mer-replay says of it."""
    words = [str(DEMO), "--out", str(tmp_path / "out"), "--model", str(network), "--no-log"]
    done = CliRunner().invoke(replay, words, prog_name="mer-replay")
    assert isinstance(done.exception, SystemExit) and done.exit_code == 5, (done.exit_code, done.output, done.exception)
    assert done.output.count("\n") == 1 and len(done.output) < 1000 and "\x1b" not in done.output, done.output
    assert not (tmp_path / "out").exists()
    return done.output


@pytest.mark.parametrize(("key", "number"), BROKEN)
def test_a_field_of_the_manifest_that_is_wrong(network, tmp_path, key, number):
    file = network.with_suffix(".json")
    manifest = place = json.loads(file.read_text())
    *way, last = [int(part) if part.isdigit() else part for part in key.split(".")]
    for part in way:
        place = place[part]
    place[last] = MANIFEST[key][number]
    file.write_text(json.dumps(manifest))
    refused(network, tmp_path)


@pytest.mark.parametrize("key", ["name", "classes", "inputs", "output", "sha256", "takes"])
def test_a_field_of_the_manifest_that_is_not_there(network, tmp_path, key):
    file = network.with_suffix(".json")
    manifest = json.loads(file.read_text())
    del manifest[key]
    file.write_text(json.dumps(manifest))
    refused(network, tmp_path)


@pytest.mark.parametrize("number", range(len(TEXTS)))
def test_a_manifest_that_is_none(network, tmp_path, number):
    network.with_suffix(".json").write_bytes(TEXTS[number])
    assert "mine.json" in refused(network, tmp_path)


@pytest.mark.parametrize("what", FILES)
def test_a_file_that_is_no_such_network(tmp_path, monkeypatch, what):
    monkeypatch.setattr(ours, "SECONDS", 1.0)
    began = time.monotonic()
    assert SAYS.get(what, "mine") in refused(write(tmp_path, FILES[what]()), tmp_path)
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL])
def test_a_file_that_crashes_onnx_runtime_itself(network, tmp_path, monkeypatch, number):
    """No such file is at hand: the child dies as if it had read one."""
    monkeypatch.setattr(isolated, "command", lambda *_: [sys.executable, "-Ic", f"import os; os.kill(os.getpid(), {int(number)})"])
    assert f"crashes ONNX Runtime or takes all its memory ({signal.strsignal(number)})" in refused(network, tmp_path)


def test_a_child_that_cannot_start_is_no_word_for_the_network(network, tmp_path, monkeypatch):
    monkeypatch.setattr(isolated, "command", lambda *_: [sys.executable, "-Ic", "import nothing_of_this_name"])
    assert "could not be tried" in refused(network, tmp_path)


def test_a_network_of_the_zoo_is_not_tried_and_another_only_once(network, monkeypatch):
    started = []
    command = isolated.command
    monkeypatch.setattr(isolated, "command", lambda *words: started.append(words[0]) or command(*words))
    Network("kernel_ridge")
    assert started == []
    Network(network), Network(network)
    assert started == ["engines.onnx"]


def test_nobody_waits_for_a_trial_whose_parent_is_gone():
    """It ends itself: the limit is the child's own."""
    asked = {"path": "mine", "inputs": {"full_face": SIZE}, "output": "probabilities", "least": 3, "seconds": 0.5, "memory": 2**31}
    child = subprocess.run(isolated.command("engines.onnx", json.dumps(asked)), input=endless(), timeout=180, capture_output=True)
    assert child.returncode == -signal.SIGALRM


def test_a_folder_or_an_unreadable_path(tmp_path):
    (tmp_path / "mine.onnx").mkdir()
    refused(tmp_path / "mine.onnx", tmp_path)
    refused(tmp_path / ("x" * 300 + ".onnx"), tmp_path)


def test_a_sound_network_is_taken(network):
    from realtime.naming.recognizer import Recognizer

    recognizer = Recognizer(str(network))
    assert recognizer.classes == tuple(CLASSES)
    inputs = {"full_face": np.ones(SIZE, np.float32)}
    np.testing.assert_allclose(recognizer._network(inputs), 1 / 3, atol=1e-6)


def test_inputs_of_another_kind_are_noticed_before_the_first_event(tmp_path):
    """The file and its manifest agree, but "moext" is fed with something else than full_face."""
    assert "takes float32" in refused(write(tmp_path, sound(), takes="moext"), tmp_path)
