import numpy as np
import pytest
from test_inputs import face, moved

from realtime.naming.inputs import INPUTS, dual_atme, flow_map, lbptop
from realtime.records import Moments


def landmarks(shift=(0.0, 0.0)):
    """68 landmarks of an upright, symmetric face in a 224-pixel view; those that no input reads are left at 0."""
    points = np.zeros((68, 2), np.float32)
    points[[1, 15, 8]] = (32, 92), (192, 92), (112, 205)  # cheeks, chin
    points[[17, 19, 20, 21]] = (52, 52), (68, 44), (80, 46), (96, 52)
    points[[22, 23, 24, 26]] = (128, 52), (144, 46), (156, 44), (172, 52)
    points[[37, 38, 43, 44]] = (68, 64), (80, 63), (144, 63), (156, 64)
    points[[33, 48, 51, 54, 57]] = (112, 130), (88, 158), (112, 150), (136, 158), (112, 168)
    points[[27, 31, 35]] = (112, 72), (98, 128), (126, 128)  # the nose's root, nostrils
    points[[40, 41, 46, 47]] = (80, 71), (68, 72), (144, 71), (156, 72)  # lower lids
    return points + np.float32(shift)


def moments(apex=None, **more):
    onset = face()
    return Moments(onset, onset if apex is None else apex, onset, landmarks(), **more)


def test_regions_follow_the_papers_equations():
    left, right, mouth = dual_atme.regions(landmarks())
    assert left == (41, 39, 107, 59)  # le_h = 20, le_l = 44: a quarter of each
    assert right == (117, 39, 183, 59)
    assert mouth == (76, 140, 148, 178)  # m_h = 20: half of it; m_l = 48: a quarter


@pytest.mark.parametrize("which", dual_atme.REGIONS[:-1])
def test_a_puzzle_of_other_regions_is_made_of_those(which):
    """Table 4: two pieces above and one below, each with what is its own in it, and without its neighbours'."""
    where = {"left eyebrows": (68, 52), "right eyebrows": (156, 52), "left cheeks": (72, 110), "right cheeks": (152, 110)}
    where |= {" mouth": (112, 160), " nose": (112, 110), "left eye": (74, 66), "right eye": (150, 66), "chin": (112, 200)}
    above, below = which.split("_")
    names = f"left {above}", f"right {above}", f" {below}"
    for (left, top, right, bottom), name in zip(dual_atme.regions(landmarks(), which), names, strict=True):
        assert [key for key, (x, y) in where.items() if left <= x < right and top <= y < bottom] == [name]


def test_a_puzzle_of_the_full_face_is_the_full_face():
    both = INPUTS["dual_atme_full_face"](moments(moved(face(), 140, 180, 120, 150, (3, 0))))
    np.testing.assert_array_equal(both["puzzle"], both["full_face"])


def test_regions_refuse_landmarks_of_no_face():
    with pytest.raises(ValueError, match="upright face"):
        dual_atme.regions(landmarks() * [1, -1])


def test_the_puzzle_picture_shows_brows_above_mouth():
    view = np.zeros((224, 224, 3), np.uint8)
    for value, (left, top, right, bottom) in zip((50, 100, 200), dual_atme.regions(landmarks())):
        view[top:bottom, left:right] = value
    picture = dual_atme.puzzle_picture(view, dual_atme.regions(landmarks()))
    assert picture.shape == (128, 128, 3)
    assert (picture[:64, :64] == 50).all() and (picture[:64, 64:] == 100).all() and (picture[64:] == 200).all()


def test_the_true_puzzle_has_a_flow_of_its_own():
    both = INPUTS["dual_atme"](moments(moved(face(), 40, 60, 41, 107, (0, -3))))  # the left brow goes up
    v = both["puzzle"][0, 1]
    assert v.shape == (28, 28) and both["puzzle"].dtype == np.float32
    assert v[3:11, 3:11].mean() < -0.8 and abs(v[17:].mean()) < 0.15
    from_map = INPUTS["dual_atme_map"](moments(moved(face(), 40, 60, 41, 107, (0, -3))))
    np.testing.assert_array_equal(both["full_face"], from_map["full_face"])
    assert np.abs(both["puzzle"] - from_map["puzzle"]).max() > 0.1


def test_the_flow_map_alone_is_dual_atmes_full_face():
    asked = moments(moved(face(), 140, 180, 120, 150, (3, 0)))
    alone = INPUTS["flow_map"](asked)
    assert list(alone) == ["full_face"]
    np.testing.assert_array_equal(alone["full_face"], INPUTS["dual_atme"](asked)["full_face"])
    made = flow_map.from_map(np.full((28, 28, 3), 126, np.uint8))["full_face"]
    assert made.shape == (1, 3, 28, 28) and (made == 0).all()


def test_still_faces_give_finite_inputs():
    for kind in ("dual_atme", "flow_map"):
        assert all(np.isfinite(array).all() for array in INPUTS[kind](moments()).values())


def test_lbp_top_counts_known_patterns():
    # brighter to the right and with time, the same from top to bottom
    t, y, x = np.mgrid[: lbptop.LENGTH, : lbptop.FACE, : lbptop.FACE]
    histograms = lbptop.lbp_top((t + x).astype(np.uint8)).reshape(25, 3, 16)
    np.testing.assert_allclose(histograms.sum(2), 1, atol=1e-6)
    # bits 1 and 2: first axis before and after, bits 4 and 8: second axis; 1 where the neighbour is no darker
    assert histograms.argmax(2).tolist() == [[2 + 4 + 8, 2 + 8, 1 + 2 + 8]] * 25
    assert histograms.max(2).min() == 1


def test_lbp_top_keeps_blocks_apart():
    volume = np.full((lbptop.LENGTH, lbptop.FACE, lbptop.FACE), 100, np.uint8)
    volume[5:, 30:40, 80:90] = 200  # a block in the second row, the fourth column, becomes bright
    still = lbptop.lbp_top(np.full_like(volume, 100)).reshape(25, 3, 16)
    changed = np.abs(lbptop.lbp_top(volume).reshape(25, 3, 16) - still).sum((1, 2))
    assert np.flatnonzero(changed).tolist() == [1 * 5 + 3]


def test_lbp_top_takes_the_sequence_and_says_so_where_there_is_none():
    between = np.stack([face()] * 4)
    histograms = INPUTS["lbptop"](moments(between=between))["histograms"]
    assert histograms.shape == (1, 1200) and histograms.dtype == np.float32
    with pytest.raises(ValueError, match="between onset and offset"):
        INPUTS["lbptop"](moments())
