"""Finding and following faces, on the demo clip and on real clips."""

import cv2
import numpy as np
import pytest

from realtime.face.alignment import Picture
from realtime.face.geometry import ALIGNED, OUTER_EYES
from realtime.face.tracker import FaceSettings, FaceTracker
from realtime.records import Frame
from realtime.sources import open_source
from train.synthesis.demo import portrait


def views_of(path, **settings):
    """[(pts, views)] of a whole clip."""
    tracker = FaceTracker(FaceSettings(**settings))
    with open_source(path) as source:
        seen = [(frame.pts, tracker(frame)) for frame in source]
    tracker.close()
    return seen


def moved(picture: np.ndarray, dx: float, dy: float, degrees: float = 0.0) -> np.ndarray:
    height, width = picture.shape[:2]
    transform = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0) + [[0, 0, dx], [0, 0, dy]]
    return cv2.warpAffine(picture, transform, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)


def track(pictures, fps=50.0, **settings):
    tracker = FaceTracker(FaceSettings(**settings))
    seen = [tracker(Frame(picture, i, i / fps, 0.0)) for i, picture in enumerate(pictures)]
    tracker.close()
    return seen


def test_the_face_is_found_in_every_frame_of_single_face(real_clip):
    seen = views_of(real_clip("single_face.mp4"))
    assert len(seen) == 72 and all(len(views) == 1 for _, views in seen)
    assert {views[0].face for _, views in seen} == {0}


def test_the_face_is_lost_when_it_leaves_and_found_when_it_enters(real_clip):
    # a cartoon's title stands where the person is not
    leaves = [(pts, bool(views)) for pts, views in views_of(real_clip("face_noface.mov"))]
    assert max(pts for pts, there in leaves if there) == pytest.approx(2.4, abs=0.1)
    assert np.mean([there for pts, there in leaves if pts < 2.2]) > 0.95
    enters = [(pts, bool(views)) for pts, views in views_of(real_clip("noface_face.mov"))]
    assert min(pts for pts, there in enters if there) == pytest.approx(3.95, abs=0.1)


def test_no_face_in_no_face(real_clip):
    assert not any(views for _, views in views_of(real_clip("no_face.mp4")))


def test_head_motion_is_taken_out():
    face = portrait()
    pictures = [moved(face, 0.5 * i, 0.3 * i, 0.1 * i) for i in range(20)]
    seen = track(pictures)
    first, last = seen[0][0], seen[-1][0]
    assert first.pixels.shape == (ALIGNED, ALIGNED, 3) and first.anchor == last.anchor
    inner = (slice(30, 200), slice(30, 194))
    still = np.abs(first.pixels[inner].astype(float) - last.pixels[inner]).mean()
    raw = np.abs(pictures[0].astype(float) - pictures[-1]).mean()
    assert still < 3.0 < raw
    # 0.58 pixels a frame at 50 frames/s, on a face with about 113 pixels between the outer eye corners
    assert last.motion == pytest.approx(0.58 * 50 / 113, rel=0.3)


def test_two_people_keep_their_ids_and_the_largest_comes_first():
    face = portrait()
    small = cv2.resize(face, None, fx=0.8, fy=0.8)
    wide = np.full((480, 1152, 3), 90, np.uint8)
    wide[:, 512:] = face
    wide[50 : 50 + small.shape[0], : small.shape[1]] = small
    seen = track([wide] * 5, most=2)
    assert [[view.face for view in views] for views in seen] == [[0, 1]] * 5
    assert seen[0][0].box[0] > 512 > seen[0][1].box[0]
    assert [len(views) for views in track([wide] * 3, most=1)] == [1, 1, 1]


def test_a_face_that_comes_back_soon_keeps_its_id_and_gets_a_new_anchor():
    face, empty = portrait(), np.full((480, 640, 3), 90, np.uint8)
    seen = track([face] * 5 + [empty] * 10 + [face] * 3)
    assert seen[4][0].face == seen[-1][0].face == 0
    assert seen[4][0].anchor != seen[-1][0].anchor
    seen = track([face] * 3 + [empty] * 80 + [face] * 3)
    assert not seen[-3] and seen[-1][0].face == 1


def test_a_change_of_size_midway_starts_anew_and_does_not_fail():
    face = portrait()
    seen = track([face] * 3 + [cv2.resize(face, (320, 240))] * 3)
    assert all(seen) and seen[2][0].anchor != seen[3][0].anchor


@pytest.mark.parametrize("middle", [(320, 240), (40, 30), (620, 470)])
def test_four_channels_give_the_same_aligned_picture_as_three_also_over_the_rim(middle):
    pixels = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    picture = Picture()
    for turn in (0.0, 4.0, 25.0):  # the second lies in what the first one has prepared
        transform = cv2.getRotationMatrix2D(middle, turn, OUTER_EYES / 97)
        transform[:, 2] += ALIGNED / 2 - np.array(middle)
        whole = cv2.warpAffine(pixels, transform, (ALIGNED, ALIGNED), borderMode=cv2.BORDER_REPLICATE)
        if turn != 4.0:
            picture.show(pixels)
        np.testing.assert_array_equal(picture.warped(transform)[..., :3], whole)


@pytest.mark.parametrize("lost", [0, 3])
def test_landmarks_that_are_sought_early_change_nothing(real_clip, lost):
    """lost: frames that wait and are then dropped, as a live source may drop them, by the dozen."""
    with open_source(real_clip("face_noface.mov")) as source:
        frames = [frame for frame in source if not lost or frame.index % 12 >= lost]
        dropped = [Frame(frame.pixels[::-1].copy(), frame.index, frame.pts + 0.001, 0.0) for frame in frames[:40]]
    plain, early = FaceTracker(FaceSettings()), FaceTracker(FaceSettings())
    for place, frame in enumerate(frames):
        coming = frames[place + 1 : place + 8] if not lost or place % 5 else dropped[place % 40 :][:lost]
        one, other = plain(frame), early(frame, coming)
        assert [view.anchor for view in one] == [view.anchor for view in other]
        for before, after in zip(one, other):
            assert (before.face, before.box, before.motion, before.eye_opening) == (after.face, after.box, after.motion, after.eye_opening)
            np.testing.assert_array_equal(before.pixels, after.pixels)
            np.testing.assert_array_equal(before.landmarks, after.landmarks)
    plain.close()
    early.close()
