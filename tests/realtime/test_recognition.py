"""From keyframes to a label, or to none."""

import json

import numpy as np
import pytest

from engines.runtime import ZOO
from realtime.errors import ModelError
from realtime.geometry import LANDMARKS_68
from realtime.recognition import Recognizer
from realtime.records import FaceView, Keyframes


@pytest.fixture
def shy(tmp_path):
    """The shipped network in a folder of its own: (file, a function that changes its manifest)."""
    for suffix in (".onnx", ".json"):
        (tmp_path / f"shy{suffix}").write_bytes((ZOO / f"dual_atme{suffix}").read_bytes())

    def change(**fields):
        manifest = json.loads((tmp_path / "shy.json").read_text("utf-8")) | fields
        (tmp_path / "shy.json").write_text(json.dumps(manifest), "utf-8")

    return tmp_path / "shy.onnx", change


@pytest.fixture
def keyframes():
    points = np.zeros((68, 2), np.float32)
    points[[1, 15, 8]] = (40, 90), (180, 90), (110, 200)
    points[[19, 20, 23, 38, 43]] = (75, 50), (80, 52), (140, 52), (82, 62), (138, 64)
    landmarks = np.zeros((478, 2), np.float32)
    landmarks[LANDMARKS_68] = points
    random = np.random.default_rng(0)
    views = [
        FaceView(0, 0, n, n / 30, 0.0, random.integers(0, 255, (224, 224, 3), np.uint8), landmarks, (0, 0, 9, 9), 0.0, 0.3)
        for n in range(3)
    ]
    return Keyframes(*views, peak=2.0, threshold=1.0)


def test_a_network_that_is_not_sure_enough_says_so(shy, keyframes):
    file, change = shy
    change(calibration={"abstain_below": 0.0})
    label, scores = Recognizer(str(file))(keyframes)
    assert label == max(scores, key=scores.get)
    change(calibration={"abstain_below": 1.01})
    assert Recognizer(str(file))(keyframes) == ("unsure", scores)


def test_a_network_that_takes_something_unknown_is_refused(shy):
    file, change = shy
    change(takes="sound")
    with pytest.raises(ModelError, match="takes 'sound': expected one of"):
        Recognizer(str(file))
