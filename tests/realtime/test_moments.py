"""The moments of a movement, from how its parts moved: whether it goes back, stays or goes half of the way."""

import numpy as np
import pytest

from realtime.spotting.course import refined
from realtime.spotting.movement import PARTS, Movement

TRUE = np.array([1.0, 1.15, 1.38])


def made(returned: float, fps: float, noise=0.0005, size=0.02) -> Movement:
    """A brow and a mouth corner that move, and lids that blink, seen from 0.3 s before until 0.08 s after."""
    t = np.arange(0.7, 1.46, 1 / fps)
    ramp = lambda x: 0.5 - 0.5 * np.cos(np.pi * np.clip(x, 0, 1))
    course = ramp((t - 1.0) / 0.15) - returned * ramp((t - 1.15) / 0.23)
    moved = np.random.default_rng(1).normal(0, noise, (len(t), len(PARTS), 2))
    moved[:, 3:6, 1] += size * course[:, None]
    moved[:, 15, 0] -= size / 2 * course
    moved[:, 7:9, 1] += 0.05 * np.exp(-(((t - 1.3) / 0.06) ** 2))[:, None]
    return Movement(t, moved, *(TRUE + (0.035, -0.03, 0.04)))


@pytest.mark.parametrize("fps", [30, 100, 200])
@pytest.mark.parametrize("returned, within", [(1.0, 0.015), (0.5, 0.03)])
def test_onset_apex_and_offset_are_where_the_parts_begin_turn_and_rest(fps, returned, within):
    found = refined(made(returned, fps))
    assert np.abs(np.array([found.onset, found.apex, found.offset]) - TRUE).max() <= within


def test_the_offset_of_a_face_that_stays_is_where_it_was_believed():
    move = made(0.0, 100)
    found = refined(move)
    assert abs(found.onset - 1.0) <= 0.015 and abs(found.apex - 1.15) <= 0.03
    assert abs(found.offset - move.offset) <= 0.03


def test_where_nothing_moved_nothing_is_moved():
    move = made(1.0, 100, size=0.0)
    move.moved[:, 7:9] = 0
    found = refined(move)
    assert (found.onset, found.apex, found.offset) == (move.onset, move.apex, move.offset)


def test_nothing_ends_after_the_last_moment_that_was_seen():
    for last in np.arange(1.2, 1.38, 0.01):
        whole = made(1.0, 100)
        seen = whole.t <= last
        move = Movement(whole.t[seen], whole.moved[seen], 1.0, 1.15, float(whole.t[seen][-1]))
        assert refined(move).offset <= move.t[-1]
