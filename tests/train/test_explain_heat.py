"""Grad-CAM for the dashboard, which has no PyTorch in itself: asked of a child process."""

import numpy as np
import pytest
from moved_faces import moved

pytest.importorskip("torch")

from engines.runtime import Network
from realtime.dashboard.pictures import network
from realtime.errors import ModelError
from realtime.records import Moments
from train.explain.heat import heat


def moments() -> Moments:
    onset, apex, _ = moved("brows", 4.0, side=224)
    views = [np.dstack([one] * 3) for one in (onset, apex, onset)]
    points = np.full((68, 2), 112.0, np.float32)
    points[[1, 15, 8]] = (30, 120), (194, 120), (112, 214)  # cheeks and chin
    points[17:27, 1], points[36:48, 1] = 50, 70  # brows, eyes
    return Moments(*views, points, np.stack(views))


class Named:
    """What `network` needs of a recognizer."""

    def __init__(self, name):
        network = Network(name, engine="cpu")
        self.name, self.path, self.architecture = name, network.path, network.manifest["architecture"]


def test_the_child_says_what_the_code_itself_says(monkeypatch):
    given = moments()
    monkeypatch.setattr(network, "moments_of", lambda keyframes: given)
    title, found = network._gradcam(None, Named("moext"), 120)
    expected_title, expected = heat("moext", given)
    assert title == expected_title == "Grad-CAM: shape features"
    assert np.allclose(found, expected, atol=1e-5) and found.max() == 1 and found.min() >= 0


def test_a_network_without_places_is_left_to_the_other_way(monkeypatch):
    monkeypatch.setattr(network, "moments_of", lambda keyframes: moments())
    assert network._gradcam(None, Named("kernel_ridge"), 120) is None
    with pytest.raises(ModelError, match="no layer"):
        heat("kernel_ridge", moments())


def test_a_child_that_takes_too_long_is_given_up(monkeypatch):
    monkeypatch.setattr(network, "moments_of", lambda keyframes: moments())
    assert network._gradcam(None, Named("moext"), 0.01) is None
