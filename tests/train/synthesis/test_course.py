import math

import pytest

from train.synthesis.course import Course


def test_what_is_not_given_back_stays_or_goes():
    for course, later in (
        (Course(0.15, 0.02, 0.18), [0.0, 0.0, 0.0]),
        (Course(0.15, 0.02, 0.18, returned=0.4), [0.6, 0.6, 0.6]),
        (Course(0.15, 0.02, 0.18, returned=0.4, stay=1.0, away=0.4), [0.6, 0.3, 0.0]),
        (Course(0.15, 0.02, 0.18, returned=0.0, stay=0.0, away=0.1), [1.0, 0.0, 0.0]),
    ):
        assert course.length == pytest.approx(0.35) and course.share(0.0) == 0 and course.share(0.16) == 1
        assert [course.share(0.35 + t) for t in (1e-9, 1.2, 60.0)] == pytest.approx(later, abs=1e-4)
        steps = [course.share(t / 1000) for t in range(2000)]
        assert max(abs(a - b) for a, b in zip(steps, steps[1:])) < 0.03 and max(steps) == 1  # no jump anywhere


def test_parts_of_a_face_set_in_later_and_return_otherwise():
    course = Course(0.2, 0.0, 0.2, returned=0.5, stay=math.inf)
    assert course.share(0.05, lag=0.5) == 0 and course.share(0.2, lag=0.5) == 1
    assert course.share(1.0, more=0.2) == pytest.approx(0.3)
