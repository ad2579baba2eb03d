import numpy as np

from realtime.face import geometry


def test_similarity_finds_the_motion_that_was_applied():
    angle, scale = np.deg2rad(7), 1.3
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    true = np.column_stack([linear, [12.0, -4.0]])
    found = geometry.similarity(geometry.TEMPLATE, geometry.apply(true, geometry.TEMPLATE), np.ones(len(geometry.TEMPLATE)))
    np.testing.assert_allclose(found, true, atol=1e-4)


def test_one_moving_eye_corner_does_not_bend_the_robust_one():
    moved = geometry.TEMPLATE.astype(float).copy()
    moved[0] += (6.0, 3.0)
    transform, distance = geometry.robust_similarity(geometry.TEMPLATE.astype(float), moved)
    np.testing.assert_allclose(transform, np.eye(2, 3), atol=0.02)
    assert distance.argmax() == 0


def test_inverse_undoes():
    transform = np.array([[0.9, -0.1, 5.0], [0.1, 0.9, -3.0]])
    np.testing.assert_allclose(geometry.chain(geometry.inverse(transform), transform), np.eye(2, 3), atol=1e-12)
    there = geometry.apply(transform, geometry.TEMPLATE).astype(np.float32)
    np.testing.assert_allclose(geometry.apply_inverse(transform, there), geometry.TEMPLATE, atol=1e-4)


def test_eye_opening_tells_shut_from_open():
    landmarks = np.zeros((478, 2))
    for first in (36, 42):
        ids = geometry.LANDMARKS_68[first : first + 6]
        landmarks[ids] = [(0, 0), (10, -5), (20, -5), (30, 0), (20, 5), (10, 5)]
    assert np.isclose(geometry.eye_opening(landmarks), 1 / 3)
    landmarks[:, 1] *= 0.1
    assert geometry.eye_opening(landmarks) < 0.05
