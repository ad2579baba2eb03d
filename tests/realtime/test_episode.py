import numpy as np
import pytest

from realtime.spotting.kinds import came_and_went_with_lost_pictures
from realtime.spotting.memory import Thinned
from realtime.spotting.movement import PARTS, Movement


def test_what_is_kept_of_a_long_movement_is_bounded_and_evenly_spaced():
    kept = Thinned(16)
    for index in range(1000):
        kept.add(index / 50, index)
    times = [pts for pts, _ in kept]
    assert len(kept) <= 16 and times[0] == 0 and times[-1] > 18
    steps = [b - a for a, b in zip(times, times[1:], strict=False)]
    assert max(steps) <= 2.1 * min(steps)


@pytest.mark.parametrize(("missing", "explained"), [((20, 30), True), ((20,), False), ((), False)])
def test_what_comes_and_goes_with_lost_pictures_is_no_movement(missing, explained):
    t = np.array([0.02 * n for n in range(60) if n not in missing])
    share = ((t > 0.39) & (t < 0.61)).astype(float)  # at once there, at once half gone
    share[t >= 0.61] = 0.5
    moved = np.zeros((len(t), len(PARTS), 2))
    moved[:, list(PARTS).index("left cheek"), 1] = 0.015 * share
    assert came_and_went_with_lost_pictures(Movement(t, moved, 0.38, 0.5, 0.62)) is explained
