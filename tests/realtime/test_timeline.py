import warnings

import cv2
import numpy as np
import pytest
from made_events import event

from realtime.errors import OutputError
from realtime.judged import Trace
from realtime.output.timeline import MAX_LANES, _rows, draw, envelope, pages


def trace(seconds=4.0, fps=50, lost=(0, 0)):
    made = Trace()
    for t in np.arange(0, seconds, 1 / fps):
        gone = lost[0] <= t < lost[1]
        seen = 0.05 + 0.2 * np.exp(-(((t - 1.1) / 0.05) ** 2)), 0.1, None
        made.add(t, *((None, None, "lost") if gone else seen))
    return made


def test_gates_become_spans_that_end_where_the_next_frame_begins():
    made = Trace()
    for pts, gate in [(0.0, "lost"), (0.1, "lost"), (0.3, None), (0.4, "blink"), (0.5, "motion"), (0.7, "motion")]:
        made.add(pts, None if gate == "lost" else 0.2, 0.1, gate)
    assert made.spans == [(0.0, 0.3, "lost"), (0.4, 0.5, "blink"), (0.5, pytest.approx(0.9), "motion")]
    assert made.gated.tolist() == [True, True, False, True, True, True]
    assert np.isnan(made.difference[:2]).all() and made.difference[2] == 0.2
    with pytest.raises(ValueError, match="lost, motion, blink"):
        made.add(1.0, 0.1, 0.1, "sneeze")


def test_envelope_keeps_every_peak_and_gap():
    t = np.arange(120_000) / 200
    curve = np.full(len(t), 0.05)
    curve[77_777] = 0.9
    curve[50_000:60_000] = np.nan
    thin_t, thin = envelope(t, curve, bins=1500)
    assert len(thin_t) == len(thin) <= 3000 and np.nanmax(thin) == 0.9
    assert thin_t[np.nanargmax(thin)] == pytest.approx(t[77_777], abs=0.5)
    assert np.isnan(thin[(thin_t > 251) & (thin_t < 299)]).all()
    assert not np.isnan(thin[(thin_t < 249) | (thin_t > 301)]).any()
    assert len(envelope(t[:100], curve[:100], bins=1500)[0]) == 100  # short ones stay as they are


def test_labels_do_not_overlap_and_stay_on_the_paper():
    marks = [(100.0 + 30 * i, 110.0) for i in range(24)] + [(1990.0, 110.0)]
    rows = _rows(marks, right=2000)
    spots = sorted((row, x) for row, x in rows if row >= 0)
    assert len(spots) == 25 and max(row for row, _ in spots) < MAX_LANES
    for (row, x), (next_row, next_x) in zip(spots, spots[1:]):
        assert row != next_row or x + 110 < next_x
    assert rows[-1][1] + 110 < 2000
    assert any(row < 0 for row, _ in _rows([(100.0 + i, 110.0) for i in range(20)], right=2000))  # no room for all


@pytest.mark.parametrize(
    "made, events, title",
    [
        (Trace(), [], "nothing"),
        (trace(0.02), [], "one frame"),
        (trace(lost=(0, 9)), [], "never a face"),
        (trace(), [], "no events"),
        (trace(), [event(i, onset=1 + i / 20, label="何", scores={}) for i in range(30)], "odd $names$ 表情 _{x.mp4"),
    ],
)
def test_any_recording_can_be_drawn(tmp_path, made, events, title):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a warning would land on the user's terminal
        draw(tmp_path / "new" / "t.png", made, events, title)
    assert cv2.imread(str(tmp_path / "new" / "t.png")).shape[1] == 9 * 150


def test_the_picture_shows_lost_span_event_and_grows_with_time(tmp_path):
    draw(tmp_path / "t.png", trace(lost=(2, 3)), [event(onset=1.0)], "clip")
    picture = cv2.imread(str(tmp_path / "t.png"))
    grey = np.flatnonzero((picture[300] == 0xE2).all(axis=1))
    left, right = 0.62 * 150, (9 - 0.25) * 150
    grey = grey[grey >= left]  # not the numbers beside the axis
    assert (grey.min() - left) / (right - left) == pytest.approx(2 / 4, abs=0.01)
    assert (grey.max() - left) / (right - left) == pytest.approx(3 / 4, abs=0.01)
    blue = np.array([0xA8, 0x6E, 0x3B])  # surprise, BGR
    stem = np.flatnonzero((abs(picture.astype(int) - blue).max(axis=2) < 12).sum(axis=0) > 20)
    assert (stem.mean() - left) / (right - left) == pytest.approx(1.112 / 4, abs=0.01)
    draw(tmp_path / "longer.png", trace(80, fps=20), [], "longer")
    assert picture.shape[1] < cv2.imread(str(tmp_path / "longer.png")).shape[1] <= 20 * 150


def test_a_long_recording_has_pages_of_a_few_minutes_with_times_as_a_clock(tmp_path):
    events = [event(1, onset=30.0), event(2, onset=59.8), event(3, onset=400.0)]
    first, second = pages(trace(412, fps=10), events, "long")
    assert [len(figure.axes) for figure in (first, second)] == [5, 2]
    assert [axes.get_xlim() for axes in second.axes] == [(300, 360), (360, 420)]
    ticks = [label.get_text() for label in second.axes[0].get_xticklabels()]
    assert {"05:00", "05:30", "06:00"} <= set(ticks)
    notes = [[text.get_text() for text in figure.texts] for figure in (first, second)]
    assert notes == [["long", "00:00 to 05:00 of 06:52  ·  2 events"], ["long", "05:00 to 06:52 of 06:52  ·  1 event"]]
    labels = [[text.get_text() for text in axes.texts] for axes in first.axes[:2]]
    assert labels == [["surprise 0.81", "surprise 0.81"], []]  # the one over two rows is named where its apex is
    (tmp_path / "t-9.png").touch()
    (tmp_path / "t-b.png").touch()
    assert draw(tmp_path / "t.png", trace(412, fps=10), [], "long") == [tmp_path / "t.png", tmp_path / "t-2.png"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t-2.png", "t-b.png", "t.png"]


def test_a_blink_does_not_set_the_height_of_the_paper():
    made = Trace()
    for n in range(2000):
        t = n / 50
        blink = 20 * np.exp(-(((t % 4 - 2) / 0.1) ** 2))
        made.add(t, 1 + blink + 1.5 * np.exp(-(((t - 9) / 0.05) ** 2)), 2.0, "blink" if blink > 8 else None)
    (figure,) = pages(made, [event(onset=8.888)], "blinks")
    assert 2.5 < figure.axes[0].get_ylim()[1] < 4


def test_unwritable(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="a file stands"):
        draw(tmp_path / "file" / "t.png", trace(), [], "clip")
