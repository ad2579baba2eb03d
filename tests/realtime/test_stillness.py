"""A face at rest: its landmarks stand until something moves, or a fifth of a second is over."""

import cv2
import numpy as np
from made_faces import FACE, smile

from realtime.face.geometry import ALIGNED
from realtime.face.stillness import SAME, Stillness
from realtime.face.tracker import FaceSettings, FaceTracker
from realtime.records import Frame

FPS = 30.0


def seen_by(faces, **settings):
    """(frames in which landmarks were asked for, views of each frame) of a camera that adds its noise to these pictures."""
    tracker, asked, random = FaceTracker(FaceSettings(**settings)), [], np.random.default_rng(0)
    finder = tracker._landmarker

    class Told:
        begin, close = finder.begin, finder.close

        def __call__(self, frame):
            asked.append(frame.index)
            return finder(frame)

    tracker._landmarker = Told()
    noisy = [np.clip(face + random.normal(0, 2, face.shape), 0, 255).astype(np.uint8) for face in faces]
    views = [tracker(Frame(face, i, i / FPS, 0.0)) for i, face in enumerate(noisy)]
    tracker.close()
    return asked, views


def test_a_face_at_rest_is_asked_for_five_times_a_second():
    asked, views = seen_by([FACE] * 26)
    assert len(asked) == 5 and max(np.diff(asked)) <= 7 and all(len(found) == 1 for found in views)


def test_what_moves_is_asked_for_at_once_and_for_as_long_as_it_moves():
    asked, views = seen_by([FACE] * 8 + [smile(0.7 * k) for k in range(1, 8)] + [smile(4.9)] * 6)
    first = next(i for i in asked if i > 7)
    assert first <= 10 and [i for i in asked if 7 < i <= 15] == list(range(first, 16, 2))  # as often as landmark_interval lets it
    assert len({found[0].landmarks[61].tobytes() for found in views[:first]}) < len({found[0].landmarks[61].tobytes() for found in views[first:16]})


def test_who_wants_measures_has_them_all_along_and_the_rest_is_the_same():
    faces = [FACE] * 9 + [smile(3)] * 4
    few, plain = seen_by(faces)
    many, measured = seen_by(faces, measures=True)
    assert len(many) > len(few) and all(i - round(FPS * found[0].measured.pts) < 2 for i, found in enumerate(measured))
    for (one,), (other,) in zip(plain, measured, strict=True):
        assert one.eye_opening == other.eye_opening and one.box == other.box
        np.testing.assert_array_equal(one.landmarks, other.landmarks)


def test_a_face_that_is_covered_is_lost_as_soon_as_before():
    covered = cv2.rectangle(FACE.copy(), (0, 0), FACE.shape[1::-1], (90, 90, 90), -1)
    _, views = seen_by([FACE] * 8 + [covered] * 6)
    assert all(views[:8]) and not any(views[10:])


def test_noise_is_no_movement_and_a_lid_is():
    random, picture, still = np.random.default_rng(1), np.full((ALIGNED, ALIGNED, 3), 120.0), Stillness()
    first, later, lid = (picture + random.normal(0, 6, picture.shape) for _ in range(3))
    lid[58:66, 50:80] += 25  # eight rows of thirty pixels
    assert still.off(first.astype(np.uint8)) == np.inf
    still.found(first.astype(np.uint8))
    assert still.off(later.astype(np.uint8)) < SAME < still.off(lid.astype(np.uint8))
