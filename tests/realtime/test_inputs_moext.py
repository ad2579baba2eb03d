import numpy as np
import pytest

from realtime.naming.inputs import INPUTS, moext
from realtime.records import Moments


def face_points(shift=(0.0, 0.0)):
    """68 made-up landmarks: only those that the crop reads matter."""
    points = np.zeros((68, 2), np.float32)
    points[[7, 8]] = (100, 190), (112, 200)
    points[24] = (150, 40)
    points[[39, 42]] = (92, 64), (132, 66)
    return points + np.float32(shift)


def view(seed=0):
    return np.random.default_rng(seed).integers(0, 256, (224, 224, 3), np.uint8)


def test_the_crop_is_a_square_from_brow_to_chin():
    # half of the 25 pixels from brow to eyes is kept above the brow: 27.5 to 200
    left, top, right, bottom = moext.crop_box(face_points())
    assert right - left == bottom - top == 172
    assert (top, (left + right) // 2) == (28, 112)


def test_pictures_are_whole_numbers_in_rgb_so_that_training_may_keep_them_as_bytes():
    onset, apex = view(0), view(1)
    onset[..., 2] = 200  # red, in BGR
    both = INPUTS["moext"](Moments(onset, apex, apex, face_points()))
    assert list(both) == ["onset", "apex"]
    for array in both.values():
        assert array.shape == (1, 3, moext.SIZE, moext.SIZE) and array.dtype == np.float32 and array.flags.c_contiguous
        np.testing.assert_array_equal(array, array.astype(np.uint8))
    assert (both["onset"][0, 0] == 200).all()


def test_still_frames_stay_alike_and_a_movement_stays_where_it_was():
    onset = view()
    apex = onset.copy()
    apex[150:160, 100:110] ^= 64
    both = moext.inputs(Moments(onset, apex, onset, face_points()))
    rows, columns = np.nonzero((both["onset"] != both["apex"]).any(axis=(0, 1)))
    left, top, right, _ = moext.crop_box(face_points())
    zoom = moext.SIZE / (right - left)
    assert abs(rows.mean() - (154.5 - top) * zoom) < 2 and abs(columns.mean() - (104.5 - left) * zoom) < 2


def test_a_face_at_the_border_is_filled_up():
    both = moext.inputs(Moments(view(), view(), view(), face_points((-80, -30))))
    assert both["onset"].shape == (1, 3, moext.SIZE, moext.SIZE)


def test_landmarks_of_no_face_are_refused():
    with pytest.raises(ValueError, match="upright face"):
        moext.crop_box(np.zeros((68, 2), np.float32))
    with pytest.raises(ValueError, match="upright face"):
        moext.crop_box(face_points() * np.float32([1, -1]))
