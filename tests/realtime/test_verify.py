"""The even grid of time, and the way from the verifier's answers to events."""

import numpy as np
import pytest

from engines.runtime import Network
from realtime.errors import ModelError
from realtime.spotting import verify
from realtime.spotting.movement import MIRRORED, PARTS, Sample


def sample(t: float, amount: float) -> Sample:
    moved = np.zeros((len(PARTS), 2), np.float32)
    moved[0] = amount, 2 * amount
    return Sample(t, 1.0, np.ones(3, np.float32), moved, 0.3, 0.0)


def series(fps: float, seconds: float = 2.0) -> verify.Series:
    made = verify.Series()
    for index in range(int(seconds * fps) + 1):
        made.push(sample(index / fps, 0.01 * index / fps), 0.3)
    return made


def test_the_window_does_not_depend_on_the_frame_rate():
    # places that move evenly are the same line, whoever samples it
    windows = [series(fps).window() for fps in (25, 30, 100, 200)]
    assert all(w.shape == (verify.CHANNELS, verify.WINDOW) for w in windows)
    for window in windows[1:]:
        np.testing.assert_allclose(window, windows[0], atol=1e-4)
    assert windows[0][0, -1] - windows[0][0, 0] == pytest.approx(100 * 0.01 * (verify.WINDOW - 1) / verify.RATE, rel=1e-4)


def test_a_young_series_is_filled_with_its_first_moment_and_not_asked_about():
    young = series(30, 0.3)
    assert not young.full and young.window().shape == (verify.CHANNELS, verify.WINDOW)
    assert series(30, 1.0).full


def test_the_mirror_swaps_sides_and_turns_x_around():
    window = np.random.default_rng(0).normal(size=(verify.CHANNELS, verify.WINDOW)).astype(np.float32)
    there = verify.mirrored(window)
    np.testing.assert_array_equal(verify.mirrored(there), window)
    names = list(PARTS)
    left, right = names.index("left mouth corner"), names.index("right mouth corner")
    assert MIRRORED[left] == right
    np.testing.assert_array_equal(there[left], -window[right])
    np.testing.assert_array_equal(there[len(PARTS) + left], window[len(PARTS) + right])


def test_the_surest_answer_within_a_moment_is_reported_once():
    suspicion = verify.Suspicion(0.5)
    ago = np.array([0.4, 0.2, 0.05])
    assert suspicion.consider(10.0, 0.6, ago)
    assert not suspicion.consider(10.03, 0.9, ago + 0.03)  # not the first
    assert suspicion.settled(10.04) is None
    found = suspicion.settled(10.08)
    assert found.confidence == 0.9 and found.onset == pytest.approx(9.6) and found.offset == pytest.approx(9.95)
    assert not suspicion.consider(10.1, 0.95, ago + 0.1)  # the same one again
    assert suspicion.settled(10.3) is None


def test_unsure_or_senseless_answers_are_no_events():
    suspicion = verify.Suspicion(0.5)
    suspicion.consider(10.0, 0.4, np.array([0.4, 0.2, 0.05]))
    suspicion.consider(10.0, 0.9, np.array([0.1, 0.2, 0.05]))
    assert suspicion.settled(11.0) is None


def test_another_network_is_no_verifier():
    with pytest.raises(ModelError, match="expected a verifier"):
        verify.Verifier("dual_atme")


def test_the_shipped_verifier_was_made_for_this_series():
    about = Network("verifier").manifest["made_with"]
    assert about == {"RATE": verify.RATE, "WINDOW": verify.WINDOW, "PARTS": list(PARTS)}, "train the verifier again"


def test_the_shipped_verifier_says_nothing_of_a_still_face_and_gives_probabilities():
    scores, ago = verify.Verifier("verifier")(np.zeros((verify.CHANNELS, verify.WINDOW), np.float32))
    assert sum(scores.values()) == pytest.approx(1.0, abs=1e-4) and scores["micro"] < 0.5
    assert ago[0] > ago[1] > ago[2] > 0  # onset, apex, offset: the earlier, the longer ago
