import numpy as np
import pytest

from train.measure.metrics import abstain_below, calibration, ece, temperature, tempered


@pytest.fixture(scope="module")
def oversure():
    """2000 predictions of 40 people whose logits are three times too large."""
    random = np.random.default_rng(0)
    logits = random.normal(0, 1.2, (2000, 3))
    true = tempered(np.exp(logits), 1.0)
    label = np.array([random.choice(3, p=p) for p in true])
    return tempered(true, 1 / 3), label, np.repeat(np.arange(40).astype(str), 50)


def test_the_temperature_that_was_put_in_is_found(oversure):
    probabilities, label, _ = oversure
    assert temperature(probabilities, label) == pytest.approx(3, rel=0.15)


def test_calibration_mends_the_error_and_says_so(oversure):
    found = calibration(*oversure)
    assert found["ece_before"] > 0.15 and found["ece_after"] < 0.05
    assert found["right_of_kept"] > found["right_of_all"]


def test_ece_of_bins_worked_by_hand():
    p = np.array([[0.95, 0.05], [0.95, 0.05], [0.65, 0.35], [0.65, 0.35]])
    # two at 0.95, one right: 0.45 off; two at 0.65, both right: 0.35 off
    assert ece(p, np.array([0, 1, 0, 0])) == pytest.approx((0.45 + 0.35) / 2)


def test_a_temperature_never_changes_the_answer(oversure):
    probabilities = oversure[0]
    for t in (0.3, 1.0, 5.0):
        assert (tempered(probabilities, t).argmax(1) == probabilities.argmax(1)).all()
    np.testing.assert_allclose(tempered(probabilities, 1.0), probabilities, atol=1e-9)


def test_abstaining_keeps_the_sure_ones():
    confidence = np.linspace(0.4, 0.99, 100)
    p = np.stack([confidence, 1 - confidence], 1)
    p[confidence < 0.5] = p[confidence < 0.5][:, ::-1]
    p[confidence < 0.5, 0] = 0.5 + 1e-3
    p[confidence < 0.5, 1] = 0.5 - 1e-3
    label = (confidence < 0.7).astype(int)  # everything below 0.7 is wrong
    limit = abstain_below(p, label)
    kept = p.max(1) >= limit
    assert (p.argmax(1) == label)[kept].mean() >= 0.85 and kept.mean() >= 0.5
    assert abstain_below(p, np.zeros(100, int)) == 0  # all right: nothing to withhold


def test_one_person_alone_teaches_the_other_half_nothing():
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = calibration(np.array([[0.8, 0.2], [0.3, 0.7]], np.float32), np.array([0, 1]), np.array(["a", "a"]))
    assert found["samples"] == 2 and found["ece_after"] == pytest.approx(0.25)
