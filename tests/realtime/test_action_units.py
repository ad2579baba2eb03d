"""The estimator of action units: what it looks at, what it writes, and that an event carries it."""

from pathlib import Path

import numpy as np
import pytest
from demo_clips import demo_start

from engines.runtime import Network
from realtime.errors import ModelError
from realtime.naming.action_units import UnitEstimator, written
from realtime.naming.inputs import displacement
from realtime.pipeline import PipelineSettings, replay
from realtime.warm import mesh, views


def test_units_are_written_as_facs_writes_them():
    names, least = ["R1", "L1", "R4", "L4", "R12", "L12", "17"], [0.4, 0.4, 0.6, 0.6, 0.5, 0.5, 0.3]
    sure = np.array([0.39, 0.1, 0.8, 0.31, 0.1, 0.7, 0.3])
    assert written(names, sure, least) == {"4": 0.8, "L12": 0.7, "17": 0.3}  # by number, both sides of 4 moved, 1 is too unsure
    assert list(written(names[::-1], sure[::-1], least[::-1])) == ["4", "L12", "17"]
    assert written(names, np.zeros(7), least) == {}


def test_what_slides_down_is_measured_in_hundredths_of_the_outer_eye_distance():
    still = views(1)[0].pixels
    y, x = np.mgrid[:224, :224].astype(np.float32)
    smooth = (127 + 60 * np.sin(x / 9) * np.cos(y / 7)).astype(np.uint8)[..., None].repeat(3, 2)
    found = displacement.moved(smooth, np.roll(smooth, 1, axis=0), mesh())
    assert found.shape == (2, displacement.POINTS) and found.dtype == np.float32
    assert np.median(found[1]) == pytest.approx(100 / 104, abs=0.1) and np.median(found[0]) == pytest.approx(0, abs=0.05)
    assert np.abs(displacement.moved(still, still, mesh())).max() < 1e-3


def test_the_shipped_network_was_made_with_what_it_is_asked_with():
    manifest = Network("action_units", engine="cpu").manifest
    assert manifest["made_with"] == {name: getattr(displacement, name) for name in ("FACE", "SMOOTHING", "POINTS")}
    assert len(manifest["calibration"]["tell_from"]) == len(manifest["classes"])
    assert Path(Network("action_units").path).stat().st_size < 2e6


def test_another_network_is_refused_in_one_line():
    with pytest.raises(ModelError, match="verifier is no network for action units.*null"):
        UnitEstimator("verifier")


def test_every_event_carries_its_estimate_unless_it_is_switched_off(tmp_path):
    clip = demo_start(tmp_path / "a.mp4", 6.0)
    surprise, smile = replay(clip)
    assert {"1", "2"} <= surprise.units.keys() and {"6", "12"} <= smile.units.keys()
    line = smile.as_dict()
    assert line["estimated_units"].split("+") == list(line["unit_confidences"])
    without = list(replay(clip, PipelineSettings(action_units=None)))
    assert [one.label for one in without] == [surprise.label, smile.label]
    assert all(one.units is None and "estimated_units" not in one.as_dict() for one in without)
