import numpy as np
import pytest

from realtime.spotting.verify import CHANNELS, CLASSES, WINDOW
from train.bench.spotting.detect import Truth
from train.bench.spotting.score import Interval
from train.verifier.collect import Recording, answers


def truth(**fields):
    usual = dict(name="c", subject="p", fps=60.0, seconds=10.0, conditions="all", micro=(), macro=(), nuisances=())
    return Truth(**(usual | fields))


def test_each_moment_is_told_what_has_just_ended():
    t = np.arange(0, 10, 1 / 60)
    label, since = answers(
        t,
        truth(
            micro=(Interval(2.0, 2.1, 2.3),),
            macro=(Interval(4.0, 5.0, 6.0),),
            nuisances=(("blink", 1.0, 1.2), ("speech", 7.0, 8.0), ("blink", 7.4, 7.5)),
        ),
    )
    names = np.array(CLASSES)[label]
    assert set(names[(t > 2.335) & (t < 2.415)]) == {"micro"} and "micro" not in names[(t < 2.32) | (t > 2.43)]
    assert set(names[(t > 6.04) & (t < 6.11)]) == {"macro"} and set(names[(t > 1.24) & (t < 1.31)]) == {"blink"}
    assert set(names[(t > 7.1) & (t < 7.4)]) == {"speech"} and "blink" in names[(t > 7.5) & (t < 7.65)]
    at = np.flatnonzero(names == "micro")[0]
    assert since[at] == pytest.approx([t[at] - 2.0, t[at] - 2.1, t[at] - 2.3])


def made_up(seed: int, events: int = 12) -> Recording:
    """A mouth corner that goes out and back for a quarter of a second, now and then, in noise."""
    random = np.random.default_rng(seed)
    t = np.arange(0, 2.0 * events + 2, 1 / 60)
    columns = 0.1 * random.standard_normal((len(t), CHANNELS)).astype(np.float32)
    micro = []
    for n in range(events):
        onset = 2.0 * n + 1.5
        columns[:, 15] += 2 * np.exp(-(((t - onset - 0.12) / 0.05) ** 2)).astype(np.float32)
        micro.append(Interval(onset, onset + 0.12, onset + 0.25))
    label, since = answers(t, truth(micro=tuple(micro)))
    return Recording(columns, t, np.zeros(len(t), int), label, since)


def test_a_verifier_learns_a_plain_movement_and_when_it_was():
    pytest.importorskip("torch")
    from train.verifier.calibrate import detections
    from train.verifier.fit import Recipe, Windows, fit

    windows = Windows([made_up(0)])
    assert windows.take(windows.micro[:3]).shape == (3, CHANNELS, WINDOW)
    network = fit([made_up(seed) for seed in range(3)], Recipe(steps=150, batch=64, width=48, dropout=0.3))
    found = detections(network, made_up(9), 0.5)
    true = [sum(abs(f.apex - (2.0 * n + 1.62)) < 0.1 for f in found) for n in range(12)]
    assert sum(one == 1 for one in true) >= 10 and len(found) <= 14
