"""When a face moves and when it rests: coming back, staying where it went, drifting, or trembling more than before."""

import numpy as np
import pytest
from test_spotting import bump, view

from realtime.spotting import SpotterSettings
from realtime.spotting.lbp import smooth_grey
from realtime.spotting.movement import PointFollower
from realtime.spotting.resting import RestingDifference, Waking


def watched(strength, seconds=5.0, fps=50, noise=lambda t: 2.0):
    """[(t, moving, difference)] of a made-up face."""
    first, seen = view(0.0, 0.0), []
    grey = smooth_grey(first.pixels)
    front, follow = RestingDifference(grey, first, SpotterSettings()), PointFollower(grey, first.landmarks, 0.0)
    waking = Waking(front, 0.0)
    for index in range(1, int(seconds * fps)):
        t = index / fps
        grey = smooth_grey(view(t, strength(t), index, noise=noise(t)).pixels)
        front.measure(grey, follow(grey, t, not waking.moving), t, 1 / fps)
        waking(t, 1 / fps)
        seen.append((t, waking.moving, front.difference))
    return np.array(seen).T, waking


@pytest.mark.parametrize("returned", [0.0, 0.5, 1.0])
def test_a_face_is_at_rest_soon_after_a_movement_wherever_it_has_ended(returned):
    course = lambda t: bump(t, 2.0, 2.15, 2.4) if t < 2.15 else 1 - returned + returned * bump(t, 2.0, 2.15, 2.4)
    (t, moving, difference), waking = watched(course)
    end = 2.4 if returned else 2.15
    assert moving[(t > 2.1) & (t < end - 0.05)].all() and not moving[t > end + 0.42].any()
    assert abs(waking.rested - end) < 0.12 and waking.back == (returned == 1.0)
    assert difference[t > end + 0.6].max() < 8  # the next movement is measured from there


def test_a_slow_drift_back_is_rest():
    course = lambda t: bump(t, 2.0, 2.15, 9.0) if t < 2.15 else max(0.0, 1 - (t - 2.15) / 2.5)
    (t, moving, _), _ = watched(course)
    assert moving[(t > 2.1) & (t < 2.15)].all() and not moving[(t > 2.42) & (t < 2.5)].any()


def test_a_picture_that_is_noisier_from_now_on_is_at_rest_again_before_long():
    (t, moving, _), waking = watched(lambda t: 0.0, seconds=12, noise=lambda t: 2.0 if t < 2 else 8.0)
    assert moving[t > 2].any() and not moving[t > 11].any()
