import numpy as np
import pytest

from realtime.naming.inputs.tim import interpolate, weights


def test_as_many_frames_come_back_as_they_were():
    for count in (1, 2, 5, 16):
        frames = np.random.default_rng(count).uniform(0, 255, (count, 6, 5)).astype(np.float32)
        assert np.allclose(interpolate(frames, count), frames, atol=1e-3)


def test_first_and_last_stay_and_no_weight_is_lost():
    frames = np.random.default_rng(0).uniform(0, 1, (7, 4))
    longer = interpolate(frames, 11)
    assert longer.shape == (11, 4) and np.allclose(longer[[0, -1]], frames[[0, -1]], atol=1e-5)
    assert np.allclose(weights(7, 11).sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("count", [2, 3, 6, 9])
def test_a_steady_movement_is_half_way_in_the_middle(count):
    places = np.linspace(0, 10, count)[:, None]
    assert interpolate(places, 11)[5, 0] == pytest.approx(5, abs=1e-4)
    assert np.all(np.diff(interpolate(places, 11)[:, 0]) > 0)


def test_every_frame_of_a_doubled_clip_is_an_old_one_or_between():
    frames = np.sin(np.linspace(0, 3, 8))[:, None]  # smooth, as a movement is
    doubled = interpolate(frames, 15)
    assert np.allclose(doubled[::2], frames, atol=1e-5)
    assert np.allclose(doubled[1::2], (frames[1:] + frames[:-1]) / 2, atol=0.03)


def test_nothing_is_no_clip():
    with pytest.raises(ValueError, match="one frame or more"):
        interpolate(np.zeros((0, 3)), 4)
