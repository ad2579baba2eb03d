import json

import numpy as np
import pytest

from engines.zoo import ZOO
from realtime.naming.inputs import dual_atme, flow_map
from realtime.naming.inputs import face as faces
from realtime.records import Moments


def face_points(shift=(0.0, 0.0)):
    """68 made-up landmarks: only those that the crop reads matter."""
    points = np.zeros((68, 2))
    points[[1, 15, 8]] = (40, 90), (180, 90), (110, 200)
    points[[19, 20, 23]] = (75, 50), (80, 52), (140, 52)
    points[[38, 43]] = (82, 62), (138, 64)
    return points + shift


def face(seed=0, size=224):
    import cv2

    noise = np.random.default_rng(seed).random((size, size, 3)).astype(np.float32)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3), None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)


def moved(picture, top, bottom, left, right, by):
    """`picture` with everything in a box moved `by` (x, y) pixels, fading out at its border."""
    import cv2

    mask = np.zeros(picture.shape[:2], np.float32)
    mask[top:bottom, left:right] = 1
    mask = cv2.GaussianBlur(mask, (0, 0), 6)
    y, x = np.mgrid[: picture.shape[0], : picture.shape[1]].astype(np.float32)
    return cv2.remap(picture, x - by[0] * mask, y - by[1] * mask, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


def test_crop_box_follows_the_paper():
    # d = ((62 - 52) + (64 - 52)) / 2 = 11 above point 19
    assert faces.crop_box(face_points()) == (40, 39, 180, 200)


def test_landmarks_of_no_face_are_refused():
    with pytest.raises(ValueError, match="upright face"):
        faces.crop_box(np.zeros((68, 2)))


def test_a_face_at_the_border_keeps_its_geometry():
    picture = face()
    cut = faces.crop(picture, (-10, 5, 30, 60))
    assert cut.shape == (55, 40, 3)
    assert (cut[:, 10:] == picture[5:60, :30]).all() and (cut[:, :10] == picture[5:60, :1]).all()


def test_flow_map_is_stretched_and_signed():
    onset = face()
    apex = moved(onset, 10, 60, 10, 214, (0, -3))  # brows go up
    flow = flow_map.flow_map(onset, apex)
    assert flow.shape == (28, 28, 3) and flow.dtype == np.float32
    assert flow.min((0, 1)) == pytest.approx([0, 0, 0], abs=1e-3)
    assert flow.max((0, 1)) == pytest.approx([255, 255, 255], abs=1e-3)
    v = flow_map.normalise(flow)[..., 1]
    assert v[3:6, 5:23].mean() < -0.8  # up is negative,
    assert abs(v[14:].mean()) < 0.1  # and the still mouth is at zero


def test_a_still_face_gives_finite_inputs():
    both = dual_atme.from_moments(Moments(face(), face(), face(), face_points()))
    assert all(np.isfinite(array).all() for array in both.values())


def test_strain_of_known_fields():
    y, x = np.mgrid[:9, :9].astype(np.float32)
    stretch = flow_map.strain(np.dstack([0.5 * x, 0 * y]))
    shear = flow_map.strain(np.dstack([0.5 * y, 0 * y]))
    turn = flow_map.strain(np.dstack([-0.1 * y, 0.1 * x]))
    assert stretch == pytest.approx(np.full((9, 9), 0.5), abs=1e-6)
    assert shear == pytest.approx(np.full((9, 9), 0.5 * 0.5**0.5), abs=1e-6)
    assert turn == pytest.approx(np.zeros((9, 9)), abs=1e-6)


def test_puzzle_shows_brows_above_mouth():
    image = np.zeros((28, 28, 3), np.float32)
    image[2:5, 4:11] = 1  # left brow
    image[2:5, 17:24] = 2  # right brow
    image[16:22, 8:20] = 3  # mouth
    image[9:13] = 99  # cheeks and nose: not in the puzzle
    cut = dual_atme.puzzle(image)
    assert cut.shape == (28, 28, 3)
    assert [cut[7, 7, 0], cut[7, 21, 0], cut[21, 14, 0]] == [1, 2, 3]
    assert cut.max() == 3


def test_puzzle_of_a_mirrored_map_is_the_mirrored_puzzle():
    image = np.random.default_rng(1).random((28, 28, 3)).astype(np.float32)
    np.testing.assert_allclose(dual_atme.puzzle(image[:, ::-1]), dual_atme.puzzle(image)[:, ::-1], atol=1e-6)


def test_dual_atme_gives_what_from_map_gives():
    onset = face()
    apex = moved(onset, 140, 190, 80, 150, (4, 0))
    both = dual_atme.from_moments(Moments(onset, apex, onset, face_points()))
    box = faces.crop_box(face_points())
    again = dual_atme.from_map(flow_map.flow_map(faces.crop(onset, box), faces.crop(apex, box)))
    for name in ("full_face", "puzzle"):
        assert both[name].shape == (1, 3, 28, 28) and both[name].dtype == np.float32
        np.testing.assert_array_equal(both[name], again[name])


def test_inputs_are_made_as_the_shipped_network_was_trained():
    manifest = json.loads((ZOO / "dual_atme.json").read_text("utf-8"))
    here = {key: getattr(dual_atme if hasattr(dual_atme, key) else flow_map, key) for key in manifest["made_with"]}
    assert json.loads(json.dumps(here)) == manifest["made_with"]
