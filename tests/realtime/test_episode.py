from realtime.spotting.episode import Thinned


def test_what_is_kept_of_a_long_movement_is_bounded_and_evenly_spaced():
    kept = Thinned(16)
    for index in range(1000):
        kept.add(index / 50, index)
    times = [pts for pts, _ in kept]
    assert len(kept) <= 16 and times[0] == 0 and times[-1] > 18
    steps = [b - a for a, b in zip(times, times[1:], strict=False)]
    assert max(steps) <= 2.1 * min(steps)
