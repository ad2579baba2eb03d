"""The pictures of an event, of a made movement whose size and place are known."""

import cv2
import numpy as np
import pytest

pytest.importorskip("plotly")

from engines.flow import CPU
from realtime.dashboard.pictures import event as pictures
from realtime.dashboard.pictures import network
from realtime.dashboard.pictures.network import scores_figure, unsure_below
from realtime.face.geometry import EYE_LINE, OUTER_EYES
from realtime.records import Event, FaceView, Keyframes

DOWN = 2.0  # pixels that the mouth moves, of a view
MOUTH = (112, 160)
SCALE = pictures.SIDE / 224


def face(moved: float) -> np.ndarray:
    """A picture full of texture, BGR, with more blue than red; around MOUTH it is `moved` pixels further down."""
    rng = np.random.default_rng(5)
    grey = cv2.GaussianBlur(rng.integers(0, 256, (224, 224)).astype(np.float32), (0, 0), 2.5)
    grey = cv2.normalize(grey, None, 60, 200, cv2.NORM_MINMAX)
    rows, columns = np.indices((224, 224), np.float32)
    share = np.exp(-((columns - MOUTH[0]) ** 2 + (rows - MOUTH[1]) ** 2) / (2 * 22.0**2))
    grey = cv2.remap(grey, columns, rows - moved * share, cv2.INTER_CUBIC)
    return np.dstack([grey, 0.9 * grey, 0.8 * grey]).clip(0, 255).astype(np.uint8)


def view(index: int, pixels: np.ndarray) -> FaceView:
    landmarks = np.full((478, 2), 112.0, np.float32)
    landmarks[[33, 263]] = EYE_LINE + np.array([[-OUTER_EYES / 2, 0], [OUTER_EYES / 2, 0]])
    return FaceView(0, 0, index, index / 50, 0.0, pixels, landmarks, (0, 0, 224, 224), 0.0, 0.3)


@pytest.fixture(scope="module")
def keyframes():
    views = [view(i, face(DOWN * i / 8)) for i in range(9)]
    back = [view(i, face(DOWN * (16 - i) / 8)) for i in range(9, 17)]
    return Keyframes(views[0], views[8], back[-1], 3.0, 1.0, between=(*views, *back))


def moved(picture, other) -> float:
    """How far the mouth went down between two pictures, in pixels of a view."""
    small = [cv2.resize(cv2.cvtColor(one, cv2.COLOR_RGB2GRAY), (224, 224), interpolation=cv2.INTER_AREA) for one in (picture, other)]
    x, y = MOUTH
    return float(np.median(CPU(*small)[y - 4 : y + 5, x - 4 : x + 5, 1]))


def test_the_motion_is_as_many_times_as_large_as_was_asked(keyframes):
    onset, apex = pictures.thumbnails(keyframes)
    assert onset.shape == (336, 336, 3) and onset[..., 2].mean() > onset[..., 0].mean()  # RGB
    assert moved(onset, apex) == pytest.approx(DOWN, abs=0.3)
    true, large, none = (pictures.magnified(keyframes, factor) for factor in (1, 4, 0))
    assert 24 <= len(true) <= 32
    assert np.abs(true[-1].astype(int) - apex).max() <= 1 and np.array_equal(true[0], onset)
    assert moved(onset, none[-1]) == pytest.approx(0, abs=0.2)
    assert moved(onset, large[-1]) == pytest.approx(4 * DOWN, abs=1.2)
    halfway = moved(onset, large[pictures.SLOW // 2])
    assert 0.3 * 4 * DOWN < halfway < 0.7 * 4 * DOWN


def test_a_movement_of_three_views_has_pictures_too(keyframes):
    bare = Keyframes(keyframes.onset, keyframes.apex, keyframes.offset, 3.0, 1.0)
    assert moved(pictures.thumbnails(bare)[0], pictures.magnified(bare, 3)[-1]) == pytest.approx(3 * DOWN, abs=1)


def test_the_flow_is_where_the_movement_was_and_opposite_ways_have_opposite_colours(keyframes):
    def at_mouth(picture):
        x, y = (round(side * SCALE) for side in MOUTH)
        return cv2.cvtColor(picture[y - 3 : y + 4, x - 3 : x + 4], cv2.COLOR_RGB2HSV).reshape(-1, 3).mean(axis=0)

    down = pictures.flow_wheel(keyframes)
    up = pictures.flow_wheel(Keyframes(keyframes.apex, view(20, keyframes.onset.pixels), keyframes.offset, 3.0, 1.0))
    assert at_mouth(down)[1] > 120 and at_mouth(up)[1] > 120
    assert 70 < abs(at_mouth(down)[0] - at_mouth(up)[0]) < 110  # of 180
    still = cv2.cvtColor(down[10:60, 10:60], cv2.COLOR_RGB2HSV)[..., 1].mean()
    assert still < 40


def test_strain_is_hot_at_the_rim_of_the_movement_and_cold_where_nothing_moved(keyframes):
    picture = pictures.strain(keyframes).astype(int)
    heat = np.abs(picture - picture.mean(axis=2, keepdims=True)).sum(axis=2)  # the face below is grey
    x, y = (round(side * SCALE) for side in MOUTH)
    rim = round(22 * SCALE)
    assert heat[y - rim - 8 : y - rim + 8, x - 8 : x + 8].mean() > 60
    assert heat[:40, :40].mean() < 10


class LooksLeft:
    """Sure of itself as long as it sees texture in the left half of the face."""

    name, classes = "left", ("a", "b")

    def __call__(self, keyframes):
        sure = 0.5 + 0.4 * min(1.0, float(keyframes.onset.pixels[60:180, 50:110].std()) / 20)
        return "a", {"a": sure, "b": 1 - sure}


def test_a_covered_face_tells_where_a_network_looks(keyframes):
    title, heat = network._occlusion(keyframes, LooksLeft(), (40, 40, 184, 200))
    assert "cover" in title and heat.shape == (network.GRID,) * 2
    assert heat[:, : network.GRID // 2].mean() > 3 * heat[:, network.GRID // 2 + 1 :].mean()


def test_the_scores_show_the_band_in_which_a_network_abstains():
    event = Event(1, "x", 0, 1.0, 1.1, 1.3, "surprise", {"negative": 0.1, "positive": 0.1, "surprise": 0.8}, "kernel_ridge", 1.0)
    below = unsure_below("kernel_ridge")
    assert 0.3 < below < 0.9 and unsure_below("dual_atme_that_is_not_there") == 0
    figure = scores_figure(event)
    assert list(figure.data[0].y)[-1] == "surprise" and figure.layout.shapes[0].x1 == below
    assert not scores_figure(event, below=0).layout.shapes
