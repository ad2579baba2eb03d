"""`mer-bench trials`: what each stream shows, what is counted as found, and a user's own folder of clips."""

import sys
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from places import ROOT

sys.path.insert(0, str(Path(__file__).parents[1] / "data"))
import made_sets

pytest.importorskip("torch")

from train.bench.cli import main
from train.bench.spotting import trials
from train.bench.spotting.trials import Cut, Trial, frames, judged, markdown, own, render
from train.data.cut import Unusable

CLIP = Cut("a", "disgust", 10.0, [np.full((40, 40, 3), shade, np.uint8) for shade in (50, 100, 150, 200)])


def test_each_way_ends_the_clip_as_it_says(monkeypatch):
    monkeypatch.setattr(trials, "_face", lambda picture: (0.0, 10.0))
    shades = {way: [round(float(f.pixels.mean()), -1) for f in frames(CLIP, way)] for way in trials.WAYS}
    assert all(seen[:20] == [50] * 20 and seen[20:24] == [50, 100, 150, 200] and len(seen) >= 44 for seen in shades.values())
    assert shades["held"][24:] == [200] * 20
    assert shades["played back slowly"][24:39] == [200] * 3 + [150] * 3 + [100] * 3 + [50] * 3 + [50] * 3
    assert shades["faded"][-20:] == [50] * 20 and 50 < shades["faded"][26] < 200
    assert len(shades["snapped back"]) == 4 + 40 + 2
    times = [f.pts for f in frames(CLIP, "held")]
    assert np.allclose(np.diff(times), 0.1)


def event(kind, onset, offset, label="negative"):
    return SimpleNamespace(kind=kind, onset_s=onset, apex_s=(onset + offset) / 2, offset_s=offset, label=label)


def test_what_counts_as_found():
    right = judged(CLIP, "held", [event("micro", 2.0, 2.2), event("micro", 3.5, 3.8)])  # the truth: 2.0 to 2.3
    assert right == Trial("a", "held", "negative", pytest.approx(2 / 3), "negative", False, 1)
    assert judged(CLIP, "held", [event("macro", 2.0, 3.0)]).macro and judged(CLIP, "held", []).iou == 0
    beside = judged(CLIP, "held", [event("micro", 3.0, 3.2), event("macro", 2.0, 2.3)])
    assert (beside.iou, beside.label, beside.macro, beside.false) == (0, "", True, 1)
    table = markdown([right, Trial("b", "faded", "positive", 0.4, "negative"), Trial("c", "faded", "", failed="broken")])
    assert "| faded | 1 | 1 | 0 | 0 | 0 of 1 | 0 |" in table and "| all | 2 | 2 | 1 | 0 | 1 of 2 | 1 |" in table


def test_a_folder_of_ones_own(tmp_path, monkeypatch):
    made_sets.run(tmp_path / "set/Surprise/one", "{}.png", range(1, 6))
    made_sets.run(tmp_path / "set/long", "{}.png", range(1, 30))
    made_sets.run(tmp_path / "set/.hidden", "{}.png", range(1, 6))
    first, second = own(tmp_path / "set", 5.0)
    assert (first().name, first().label, len(first().pictures)) == ("Surprise/one", "surprise", 5)

    def tried(clip, way, settings):
        return Trial(clip.name, way, "surprise", 0.6 if way == "held" else 0.0, "surprise")

    monkeypatch.setattr(trials, "tried", tried)
    words = ["trials", tmp_path / "set", "--fps", "10", "--jobs", "1", "--table", tmp_path / "t.csv", "spotter.confidence=0.5"]
    monkeypatch.setattr(trials, "LONGEST", 1.0)
    done = CliRunner().invoke(main, list(map(str, words)))
    assert done.exit_code == 0 and "not tried" in done.output and "29 pictures, 2.9 s" in done.output.replace("\n", " "), done.output
    assert (tmp_path / "t.csv").read_text().count("Surprise/one,") == 4
    broken = tmp_path / "set/Surprise/one/2.png"
    broken.write_bytes(b"")
    with pytest.raises(Unusable):
        first()


@pytest.mark.parametrize("words, why", [(["nowhere"], "no folder nowhere"), (["."], "no clip in"), (["a", "b"], "unexpected 'b'")])
def test_a_mistake_is_one_line(words, why, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["trials", *words])
    assert done.exit_code == 2 and why in done.stderr


def test_a_made_clip_goes_from_onset_to_offset():
    clip = render(ROOT / "realtime/assets/astronaut.jpg", 0, 0, 50.0)
    assert 0.1 < len(clip.pictures) / clip.fps <= 0.56 and clip.label
    smooth = [cv2.GaussianBlur(picture, (0, 0), 3).astype(int) for picture in clip.pictures]  # without the camera's noise
    moved = [np.abs(picture - smooth[0]).max() for picture in smooth]
    assert max(moved) > 2 * moved[1]
