"""`mer-bench early`: what is counted of provisional events. A clip is watched once, of the demo."""

from demo_clips import demo_start

from train.bench.early import Seen, Told, markdown, watched
from train.bench.spotting.detect import Truth
from train.bench.spotting.score import Interval


def test_what_became_of_each_is_counted_by_folder():
    kept = Told(2.16, 2.20, "micro", "surprise", 2.15, "micro", "surprise")
    other = Told(4.00, 4.06, "micro", "positive", 4.0, "macro", "negative")
    unsure = Told(6.00, 6.05, "micro", "positive", None, "micro", "unsure")
    gone = Told(8.00, 8.10, "micro", "negative", None, None, None)
    seen = [Seen(30.0, 20.0, (kept, other), ((True, 0.2), (True, 0.3))), Seen(30.0, 10.0, (unsure, gone), ((True, 0.4), (False, 0.5)))]
    row = [cell.strip() for cell in markdown({"micro-at-30": seen, "none": []}).splitlines()[2].split("|")[1:-1]]
    assert row[:7] == ["micro-at-30", "4", "8.0", "3 of 4", "2 of 4", "2 of 3", "1 of 2"]
    assert row[7].startswith("55 /") and row[8].startswith("55 /") and row[9:] == ["3 of 4", "300 / 390"]
    assert "| none | 0 | – | – |" in markdown({"none": []})


def test_a_clip_is_watched_as_live(tmp_path):
    clip = demo_start(tmp_path / "short.mp4", 3)
    truth = Truth(clip.name, "p", 50.0, 3.0, "", (Interval(2.0, 2.16, 2.4),), (), ())
    seen = watched(clip, truth)
    (told,) = seen.told
    assert told.true_apex_s == 2.16 and (told.final_kind, told.final_label) == (told.kind, "surprise")
    assert 2.16 < told.told_s < 2.3 and [before for before, _ in seen.finals] == [True] and seen.finals[0][1] > told.told_s - told.apex_s
