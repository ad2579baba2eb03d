import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

from engines.errors import EngineError
from engines.runtime import ZOO, Network, known


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
    monkeypatch.setattr("engines.runtime._session", lambda *_: pytest.fail("loaded before its hash was checked"))
    with pytest.raises(EngineError, match="SHA-256"):
        Network(copy)


@pytest.mark.parametrize("content", [b"", b"text that calls itself a network"])
def test_a_damaged_file_with_a_matching_hash(copy, content, capfd):
    import hashlib

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
    code = "import sys, realtime.inputs, engines.runtime as r; r.Network('dual_atme'); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", known())
def test_a_shipped_file_says_nothing_of_the_disk_it_was_made_on(name):
    model = (ZOO / f"{name}.onnx").read_bytes()
    # a word before the ending: in megabytes of numbers the three bytes alone come up by chance
    assert b"site-packages" not in model and not re.search(rb"\w{3}\.py", model)
