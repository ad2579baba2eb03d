import numpy as np
import pytest

from realtime.naming.inputs import sa_at
from realtime.naming.inputs.face import crop_box
from realtime.records import Moments


def points():
    """68 made-up landmarks: only those that the crop reads matter."""
    made = np.zeros((68, 2), np.float32)
    made[[1, 15, 8]] = (40, 90), (180, 90), (110, 200)
    made[[19, 20, 23]] = (75, 50), (80, 52), (140, 52)
    made[[38, 43]] = (82, 62), (138, 64)
    return made


def view(blue, red):
    picture = np.zeros((224, 224, 3), np.uint8)
    picture[..., 0], picture[..., 2] = blue, red
    return picture


def test_apex_and_onset_are_whole_numbers_of_the_papers_size_in_rgb():
    both = sa_at.from_moments(Moments(view(10, 20), view(30, 40), view(50, 60), points()))
    assert list(both) == ["apex", "onset"]
    for name, (red, blue) in {"apex": (40, 30), "onset": (20, 10)}.items():
        assert both[name].shape == (1, 3, 256, 256) and both[name].dtype == np.float32
        assert both[name][0, :, 128, 128].tolist() == [red, 0, blue]
        assert both[name].flags.c_contiguous
    alone = sa_at.from_moments_apex(Moments(view(10, 20), view(30, 40), view(50, 60), points()))
    assert list(alone) == ["apex"] and np.array_equal(alone["apex"], both["apex"])


def test_both_are_cut_alike_and_to_the_face():
    left, top, right, bottom = crop_box(points())
    picture = np.zeros((224, 224, 3), np.uint8)
    picture[top:bottom, left:right] = 200
    both = sa_at.from_moments(Moments(picture, picture, picture, points()))
    np.testing.assert_array_equal(both["apex"], both["onset"])
    assert both["apex"].min() == 200  # nothing but the face
    noise = np.random.default_rng(0).integers(0, 256, (224, 224, 3), np.uint8)
    found = sa_at.from_moments(Moments(noise, noise, noise, points()))["apex"]
    np.testing.assert_array_equal(found, found.astype(np.uint8))


def test_landmarks_of_no_face_are_refused():
    with pytest.raises(ValueError, match="upright face"):
        sa_at.from_moments(Moments(view(1, 2), view(1, 2), view(1, 2), np.zeros((68, 2), np.float32)))
