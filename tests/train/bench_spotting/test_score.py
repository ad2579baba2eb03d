import math

import pytest

from train.bench.spotting.score import Clip, Interval, bootstrap, calibration, curve, judge, match, overlap, total, true_of_ten


def clip(truth=(), detected=(), nuisances=(), subject="p1", seconds=60.0):
    return Clip("c", subject, 100.0, seconds, "", tuple(truth), tuple(detected), tuple(nuisances))


def span(onset, offset, **fields):
    return Interval(onset, (onset + offset) / 2, offset, **fields)


def test_overlap_by_hand():
    assert overlap(span(0, 2), span(1, 3)) == pytest.approx(1 / 3)
    assert overlap(span(0, 1), span(1, 2)) == 0.0


def test_a_truth_is_found_once():
    assert match((span(0, 1),), (span(0, 1), span(0, 0.9))) == {0: 0}


def test_half_an_overlap_is_enough_and_less_is_not():
    assert judge(clip([span(0, 1)], [span(0, 0.5)])).true == 1
    outcome = judge(clip([span(0, 1)], [span(0, 0.49)]))
    assert (outcome.true, outcome.false, outcome.missed) == (0, 1, 1) and outcome.blamed == {"badly placed": 1}


def test_counts_give_precision_recall_and_f1():
    outcome = judge(clip([span(0, 1), span(5, 6)], [span(0, 1), span(10, 11), span(20, 21)]))
    assert (outcome.precision, outcome.recall) == (pytest.approx(1 / 3), 0.5)
    assert outcome.f1 == pytest.approx(0.4) and outcome.false_a_minute == 2.0


def test_false_alarms_are_blamed():
    nuisances = [("speech", 9.5, 12), ("blink", 10.5, 10.7), ("macro", 30, 32)]
    outcome = judge(clip([], [span(10, 11), span(20, 21), span(31, 31.3)], nuisances))
    assert outcome.blamed == {"blink": 1, "nothing": 1, "macro": 1}


def test_delay_runs_from_the_later_offset():
    outcome = judge(clip([span(0, 1)], [span(0, 0.8, known_at=1.1)]))
    assert outcome.delays == [pytest.approx(0.1)]
    assert outcome.apex_errors == [pytest.approx(0.1)]


def test_totals_add_up_over_clips_and_nothing_found_is_no_number():
    both = total([clip([span(0, 1)], [span(0, 1)]), clip([span(0, 1)], [], subject="p2")])
    assert both.recall == 0.5 and both.seconds == 120
    assert math.isnan(total([clip()]).f1)


def test_bootstrap_draws_people():
    good = [clip([span(0, 1)], [span(0, 1)], subject=f"g{i}") for i in range(5)]
    bad = [clip([span(0, 1)], [], subject=f"b{i}") for i in range(5)]
    low, high = bootstrap(good + bad)["recall"]
    assert low < 0.5 < high and high - low > 0.3
    assert bootstrap(good)["recall"] == (1.0, 1.0)


def test_curve_and_calibration_use_the_confidence():
    clips = [clip([span(0, 1)], [span(0, 1, confidence=0.9), span(5, 6, confidence=0.2)])]
    assert curve(clips) == [(0.9, 1.0, 1.0), (0.2, 0.5, 1.0)]
    assert [(share, n) for _, share, n in calibration(clips)] == [(0.0, 1), (1.0, 1)]


def test_rows_of_some_truths_leave_the_others_out_and_share_the_false_alarms():
    near, far = span(5.4, 6.4), span(20, 21)  # badly placed at the second truth; nowhere near one
    clips = [clip([span(0, 1, intensity="A"), span(5, 6, intensity="C")], [span(0, 1), near, far])]
    first, second = (total(clips, which=lambda t, i=i: t.intensity == i) for i in "AC")
    assert (first.true, first.false, first.missed) == (1, 0.5, 0) and first.f1 == pytest.approx(0.8)
    assert (second.true, second.false, second.missed) == (0, 1.5, 1) and second.seconds == 30
    assert bootstrap(clips, lambda t: t.intensity == "A")["recall"] == (1.0, 1.0)


def test_how_many_of_ten_alarms_are_true_at_a_realistic_rate():
    likely, fewest, most = true_of_ten(0.8, 20, 40.0, 0.25)  # 0.2 found and 0.5 false a minute
    assert likely == pytest.approx(10 * 0.2 / 0.7) and 2 < fewest < likely < most < 4.2
    assert true_of_ten(0.8, 0, 10.0, 0.25)[0] == 10 and true_of_ten(0.8, 0, 10.0, 0.25)[1] < 4  # ten minutes prove little
    assert math.isnan(true_of_ten(0.0, 0, 10.0, 0.25)[0])
