import numpy as np
import pytest

from realtime.naming.inputs import INPUTS, skd_tstsan
from realtime.naming.inputs.tim import interpolate
from realtime.records import Moments


def face_points():
    points = np.full((68, 2), 100.0)
    points[1], points[15], points[8] = (40, 100), (180, 100), (110, 200)
    points[19] = (80, 50)
    points[[20, 23], 1], points[38, 1], points[43, 1] = 52, 62, 64
    return points.astype(np.float32)


def face():
    smooth = np.random.default_rng(0).random((28, 28, 3))
    return np.kron(smooth, np.ones((8, 8, 1))).astype(np.float32)


def views(*shifts):
    """The face with its lower half moved by so many pixels to the right."""
    import cv2

    base = cv2.GaussianBlur(face() * 255, (0, 0), 3)
    moved = [np.vstack([base[:120], np.roll(base[120:], shift, axis=1)]) for shift in shifts]
    return [view.astype(np.uint8) for view in moved]


def moments(between=None):
    return Moments(*views(0, 3, 0), points=face_points(), between=between)


def test_the_channels_are_where_the_module_says():
    stack = skd_tstsan.from_moments(moments())["stack"]
    assert stack.shape == (1, 38, 48, 48) and stack.dtype == np.float32 and stack.flags.c_contiguous
    stack = stack[0]
    assert stack.min() >= 0 and stack.max() <= 1
    small = 12  # a block is a quarter of the face: shrunk to 12 pixels it is what the whole face shows there
    for whole, blocks in ((stack[0], stack[2:18]), (stack[1], stack[18:34])):
        tiles = blocks.reshape(4, 4, small, 4, small, 4).mean((3, 5))
        np.testing.assert_allclose(tiles.transpose(0, 2, 1, 3).reshape(48, 48), whole, atol=0.08)
    assert np.abs(stack[0, 30:] - stack[1, 30:]).mean() > 3 * np.abs(stack[0, :18] - stack[1, :18]).mean()
    rise, fall = stack[34], stack[36]  # u: the lower half goes to the right, then back
    assert rise[30:40, 10:38].mean() > rise[5:15, 10:38].mean() + 0.3
    assert fall[30:40, 10:38].mean() < fall[5:15, 10:38].mean() - 0.3


def test_interpolated_domains_split_the_movement():
    frames = np.stack(views(0, 1, 2, 3, 2, 1, 0))
    five = INPUTS["skd_tstsan_5"](moments(frames))["stack"]
    ten = INPUTS["skd_tstsan_10"](moments(frames))["stack"]
    assert five.shape == (1, 44, 48, 48) and ten.shape == (1, 54, 48, 48)
    first, last = ten[0, 34], ten[0, 52]  # u of the first and of the last domain
    assert first[30:40].mean() > first[5:15].mean() + 0.2 and last[30:40].mean() < last[5:15].mean() - 0.2
    np.testing.assert_array_equal(five[:, :34], skd_tstsan.from_moments(moments())["stack"][:, :34])


def test_interpolated_domains_need_the_frames_between():
    with pytest.raises(ValueError, match="between onset and offset"):
        INPUTS["skd_tstsan_5"](moments())


def test_a_still_face_gives_the_middle():
    still = views(0)[0]
    stack = skd_tstsan.from_moments(Moments(still, still, still, face_points()))["stack"]
    assert (stack[:, 34:] == 0.5).all() and np.isfinite(stack).all()


def test_interpolation_keeps_the_frames_and_smooths_between():
    t = np.linspace(0, 1, 9)
    clip = np.stack([np.sin(2 * t), t**2, np.ones(9)], axis=1)
    np.testing.assert_allclose(interpolate(clip, 17)[::2], clip, atol=1e-5)
    fine = np.linspace(0, 1, 33)
    np.testing.assert_allclose(interpolate(clip, 33)[:, 0], np.sin(2 * fine), atol=0.02)
    with pytest.raises(ValueError, match="one frame"):
        interpolate(clip[:0], 5)
