"""Each set of long recordings on a small tree in its real layout, with that set's known errors."""

import made_sets
import numpy as np
import pytest

from realtime.errors import UsageError
from train.data.loaders.long_sets import cas_me2, casme3, generic, megc, samm_lv


def told(made):
    """({recording: its expressions (kind, frames of onset, apex, offset, label)}, {where: why left out}, {where: how mended})."""
    first = {one.name: one.span[0] for one in made.recordings}
    there = {
        one.name: [(e.kind, *(round(t * one.fps) + first[one.name] for t in (e.onset, e.apex, e.offset)), e.label) for e in one.expressions]
        for one in made.recordings
    }
    return there, *({row.row.split("row ")[1]: row.why for row in rows} for rows in (made.left, made.mended))


def test_samm_long_videos(tmp_path):
    made = samm_lv(made_sets.samm_lv(tmp_path))
    there, left, mended = told(made)
    assert there["006_1"] == [("micro", 11, 15, 20, "anger"), ("macro", 25, 32, 40, ""), ("macro", 45, 50, 60, "")]
    assert there["020_6"] == [("micro", 1, 4, 8, "")]
    assert "no frames" in left["15"] and "onset '?'" in left["16"] and len(left) == 2
    assert "apex '-1' became 32" in mended["12"] and "offset 5476 became 60" in mended["13"] and "onset 0 became 1" in mended["14"]
    assert {one.subject for one in made.recordings} == {"006", "020"} and made.recordings[0].fps == 200


def test_cas_me2(tmp_path):
    there, left, mended = told(cas_me2(made_sets.cas_me2(tmp_path)))
    assert there == {"s15/15_0101disgustingteeth": [("micro", 5, 8, 12, "negative"), ("macro", 20, 22, 30, "negative")]}
    assert "no frames" in left["3"] and "'neither' is neither" in left["4"] and "offset 0 became 30" in mended["2"]


def test_casme3_part_a(tmp_path):
    there, left, mended = told(casme3(made_sets.casme3(tmp_path)))
    assert there["spNO.1/a"][:2] == [("micro", 5, 8, 11, "disgust"), ("micro", 12, 12, 16, "disgust")]
    assert [e[0] for e in there["spNO.2/b"]] == ["micro", "macro"] and not left
    assert ("micro", 17, 17, 17, "anger") in there["spNO.1/a"]  # of a single frame
    assert "apex '18' became 22" in mended["7"] and "onset 0 became 1" in mended["10"]


def test_the_challenges_test_set_has_no_annotations(tmp_path):
    made = megc(made_sets.megc(tmp_path))
    assert {one.name: (one.fps, len(one.frames), one.table) for one in made.recordings} == {
        "001_1": (200, 40, "samm_pred"),
        "b": (30, 31, "cas_pred"),
    }
    assert not made.annotated and [one.name for one in made.left] == ["c"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no recording of MEGC's unseen test set found in .*empty"):
        megc(tmp_path / "empty")


def test_a_generic_table(tmp_path):
    made = generic(made_sets.generic_long(tmp_path))
    there, left, _ = told(made)
    assert there["frames/one"] == [("micro", 2, 4, 6, "surprise")] and there["still.mp4"] == []
    (film,) = next(one for one in made.recordings if one.name == "film.mp4").expressions
    assert (film.onset, film.apex, film.offset, film.label) == (0.5, 0.6, 0.8, "negative")
    assert "no stretch" in left["3"] and "'twitch'" in left["5"] and "no file" in left["7"] and "needs its fps" in left["8"]


def test_frames_come_at_their_numbers_and_a_broken_one_is_a_gap(tmp_path):
    one = generic(made_sets.generic_long(tmp_path)).recordings[0]
    one.frames[3].write_bytes(b"no picture")
    frames = list(one)
    assert np.allclose([frame.pts * 50 for frame in frames], [0, 1, 3, 4, 5, 6, 7]) and frames[0].pixels.shape == (8, 8, 3)


def test_what_is_not_there_is_one_line(tmp_path):
    with pytest.raises(UsageError, match="no table SAMM_LongVideos"):
        samm_lv(tmp_path)
    made_sets.cas_me2(tmp_path)
    (tmp_path / "rawpic").rename(tmp_path / "elsewhere")
    (tmp_path / "elsewhere/s15").rename(tmp_path / "elsewhere/person")
    (tmp_path / "cropped/s15").rename(tmp_path / "cropped/person")
    with pytest.raises(UsageError, match="data.root"):
        cas_me2(tmp_path)
    made_sets.generic_long(tmp_path / "own")
    (tmp_path / "own/frames/one").rename(tmp_path / "own/frames/three")
    (tmp_path / "own/film.mp4").unlink()
    with pytest.raises(UsageError, match="none of the annotated expressions"):
        generic(tmp_path / "own")
