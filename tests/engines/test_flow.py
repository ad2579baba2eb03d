import numpy as np
import pytest

from engines import flow
from engines.errors import EngineError

cv2 = pytest.importorskip("cv2")


def textured(seed=0, size=128):
    noise = np.random.default_rng(seed).random((size, size)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 2)
    return cv2.normalize(smooth, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)


@pytest.mark.parametrize("shift", [(0.4, 0.0), (0.0, -1.0), (1.5, 2.0)])
def test_small_movements_are_found_with_their_sign(shift):
    picture = textured()
    by = np.float32([[1, 0, shift[0]], [0, 1, shift[1]]])
    moved = cv2.warpAffine(picture, by, (128, 128), borderMode=cv2.BORDER_REFLECT)
    found = flow.tvl1(picture, moved)
    assert found.shape == (128, 128, 2) and found.dtype == np.float32
    error = np.linalg.norm(found[16:-16, 16:-16] - shift, axis=2)
    assert error.mean() < 0.12


def test_a_still_picture_does_not_move():
    assert np.abs(flow.tvl1(textured(), textured())).max() < 1e-3


def test_pictures_of_two_sizes_are_refused():
    with pytest.raises(ValueError, match="one size"):
        flow.tvl1(textured(), textured(size=64))


def test_opencv_without_contrib_says_what_to_do(monkeypatch):
    monkeypatch.delattr(cv2.optflow, "DualTVL1OpticalFlow_create")
    with pytest.raises(EngineError, match="opencv-contrib-python"):
        flow.tvl1(textured(), textured())
