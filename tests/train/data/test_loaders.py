"""Each loader on a small tree in its set's real layout, with that set's known errors."""

import shutil
from dataclasses import replace

import made_sets
import pytest

from realtime.errors import UsageError
from train.data.annotations import Clip, LeftOut
from train.data.loaders import casme2, casme3, ckplus, dfme, fourdme, generic, images, mmew, samm, smic, synthetic
from train.data.loaders.generic import moments
from train.synthesis.clip import TRUTH

LOADERS = {f.__name__: f for f in (casme2, samm, smic, mmew, casme3, dfme, fourdme, ckplus, images, generic)}


def load(name, root):
    """(the usable clips by name, the others by row)."""
    found = LOADERS[name](getattr(made_sets, name)(root))
    assert all(path.is_file() for one in found if isinstance(one, Clip) for path in one.pictures)
    usable = {one.name: one for one in found if isinstance(one, Clip)}
    return usable, {one.row: one.why for one in found if isinstance(one, LeftOut)}


def shown(clip):
    """(number of the first frame, of the apex, of the last one)."""
    return tuple(int(clip.pictures[i].stem.split("_")[-1].lstrip("regima")) for i in (0, clip.apex, -1))


@pytest.mark.parametrize(
    "frames, name",
    [
        ("Cropped/sub{:02d}/{}", "reg_img{}.jpg"),
        ("CASME2_RAW_selected/sub{:02d}/{}", "img{}.jpg"),
        ("sub{:02d}/{}", "img{}.jpg"),
    ],
)
def test_casme2(tmp_path, frames, name):
    found = casme2(made_sets.casme2(tmp_path, frames, name))
    one, no_apex, wrong_offset, absent, short, still = found
    assert (one.dataset, one.subject, one.name, one.kind) == ("casme2", "sub01", "sub01/EP02_01f", "micro")
    assert (one.label, one.action_units, one.row) == ("happiness", "12", "CASME2-coding-20140508.xlsx row 2")
    assert shown(one) == (46, 59, 86) and len(one.pictures) == 41
    assert shown(no_apex) == (1, 5, 9)
    assert shown(wrong_offset) == (5, 8, 20)
    assert absent.row.endswith("row 5") and "sub26/EP13_01'" in absent.why and "no frames" in absent.why
    assert shown(short) == (73, 94, 96)
    assert shown(still) == (10, 10, 20) and still.still and not one.still


def test_raw_frames_go_before_cropped_ones(tmp_path):
    made_sets.casme2(tmp_path, "data/CASME2-RAW/sub{:02d}/{}", "img{}.jpg")
    made_sets.casme2(tmp_path)  # nearer to the root
    assert "CASME2-RAW" in str(casme2(tmp_path)[0].pictures[0])


def test_samm_finds_its_sheet_and_keeps_padded_subjects(tmp_path):
    usable, left_out = load("samm", tmp_path)
    assert not left_out
    assert [clip.subject for clip in usable.values()] == ["006", "007"]
    assert usable["006_1_2"].row == "SAMM_Micro_FACS_Codes_v2.xlsx row 15"
    assert shown(usable["006_1_2"]) == (5562, 5565, 5570)
    assert shown(usable["007_3_1"]) == (12, 16, 20)  # apex -1
    assert [clip.label for clip in usable.values()] == ["anger", "other"]


def test_smic_takes_the_middle_of_hs_only(tmp_path):
    usable, left_out = load("smic", tmp_path)
    assert {(c.subject, c.name, c.label) for c in usable.values()} == {("s01", "s1_ne_01", "negative"), ("s11", "s11_sur_01", "surprise")}
    assert (usable["s1_ne_01"].apex, len(usable["s1_ne_01"].pictures)) == (5, 11)
    assert list(left_out) == ["s11/micro/positive/s11_po_01"]
    assert len([c for c in smic(tmp_path / "SMIC_all_cropped/HS") if isinstance(c, Clip)]) == 2


def test_mmew_finds_clips_by_name_and_rebases_trimmed_folders(tmp_path):
    usable, left_out = load("mmew", tmp_path)
    assert not left_out
    assert shown(usable["S01-01-001"]) == (3, 7, 12)
    others = usable["S02-07-001"]
    assert (others.label, others.subject, shown(others)) == ("others", "S02", (1, 5, 10))
    assert {c.name: (c.kind, c.label, c.subject) for c in usable.values() if c.kind != "micro"} == {
        "macro/S01-07-001": ("image", "anger", "S01"),
        "macro/S02-03-002": ("macro", "fear", "S02"),
    }


def test_casme3(tmp_path):
    usable, left_out = load("casme3", tmp_path)
    table = "cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx row"
    assert shown(usable["micro/spNO.1/a/5-11"]) == (5, 8, 11)
    assert usable["micro/spNO.1/a/20-24"].label == "others"
    macro = usable["macro/spNO.2/b/2-29"]
    assert (macro.kind, macro.label, macro.subject, shown(macro)) == ("macro", "happy", "spNO.2", (2, 14, 29))
    assert len(usable) == 6
    places = {"12-16": (12, 12, 16, True), "13-16": (13, 16, 16, False), "17-17": (17, 17, 17, True), "20-24": (20, 22, 24, False)}
    for name, (*frames, still) in places.items():
        clip = usable[f"micro/spNO.1/a/{name}"]
        assert [*shown(clip)] == frames and clip.still is still
    assert "offset '17' is not after the onset 17" in left_out[f"{table} 6"]
    assert "apex 18 is before the onset 20" in left_out[f"{table} 7"]
    assert left_out[f"{table} 9"] == f"the same clip twice (also in {table} 8)"
    assert "onset 0" in left_out[f"{table} 10"] and "1…30" in left_out[f"{table} 10"]


def test_casme3_cut_into_clips(tmp_path):
    (clip,) = [one for one in casme3(made_sets.casme3(tmp_path, cut=True)) if isinstance(one, Clip)]
    assert (clip.subject, shown(clip)) == ("spNO.1", (5, 8, 11))


def test_ckplus_ends_as_it_began(tmp_path):
    usable, left_out = load("ckplus", tmp_path)
    (clip,) = usable.values()
    assert (clip.subject, clip.name, clip.label, clip.kind) == ("S005", "S005/001", "disgust", "macro")
    assert shown(clip) == (1, 11, 1)
    assert set(left_out) == {"Emotion/S005/002", "Emotion/S010/002/S010_002_00000014_emotion.txt"}


def test_images(tmp_path):
    usable, _ = load("images", tmp_path)
    assert {(c.label, c.subject, c.kind) for c in usable.values()} == {("happiness", "p01", "image"), ("anger", "face", "image")} and len(usable) == 3


def test_generic(tmp_path):
    usable, left_out = load("generic", tmp_path)
    assert shown(usable["frames/one@2"]) == (2, 4, 6) and usable["frames/one@2"].label == "surprise"
    assert usable["film.mp4@0.5"].times == (0.5, 0.61, 0.8) and usable["film.mp4@0.5"].video == tmp_path / "film.mp4"
    assert usable["film.mp4@2"].times == (2, 2.5, 3) and usable["film.mp4@2"].kind == "macro"
    assert usable["face.png"].kind == "image" and len(usable["face.png"].pictures) == 1
    assert {row.split()[-1] for row in left_out} == {"6", "7", "8", "9"}
    assert generic(tmp_path / "clips.csv") == generic(tmp_path)
    assert moments("1", "1", "2") == (1, 1, 2) and replace(usable["film.mp4@0.5"], times=(1, 1, 2)).still and not usable["film.mp4@0.5"].still


def test_synthetic(tmp_path):
    facts = ["4+7", "anger", "micro", "2.2225", "2.3083", "2.4439", "B", "both", "1"]
    lines = [TRUTH, ["p000", "p000.mp4", 216, 225, 238, *facts], ["p001", "p001.mp4", 216, 225, 238, *facts]]
    lines += [["p000", "p000.mp4", 0, 3, 9, "12", "happiness", "macro", "-0.0100", "0.05", "0.3", "B", "both", "0"]]
    made_sets.table(tmp_path / "truth.csv", lines)
    (tmp_path / "p000.mp4").write_bytes(b"")
    disturbed, no_video, before = synthetic(tmp_path)
    assert disturbed.times == (2.2225, 2.3083, 2.4439) and disturbed.video == tmp_path / "p000.mp4"
    assert (disturbed.label, disturbed.kind, disturbed.subject) == ("anger", "micro", "p000")
    assert "no video" in no_video.why and before.row == "truth.csv row 4" and "-0.01" in before.why


def test_a_missing_column_is_named_with_those_that_are_there(tmp_path):
    made_sets.samm(tmp_path)
    lines = [["Subject", "Filename", "Onset Frame", "Offset Frame", "Estimated Emotion"]]
    made_sets.xlsx(tmp_path / "SAMM_Micro_FACS_Codes_v2.xlsx", lines, "MICRO_ONLY")
    with pytest.raises(UsageError, match="no column 'Apex Frame'; its columns are: Subject, Filename, Onset") as error:
        samm(tmp_path)
    assert "SAMM_Micro_FACS_Codes_v2.xlsx" in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("name", LOADERS)
def test_a_folder_of_something_else_is_a_clear_error(name, tmp_path):
    for root in (tmp_path, tmp_path / "absent"):
        with pytest.raises(UsageError) as error:
            LOADERS[name](root)
        assert str(root) in str(error.value) and "\n" not in str(error.value)


def test_bad_tables(tmp_path):
    made_sets.casme2(tmp_path)
    path = tmp_path / "CASME2-coding-20140508.xlsx"
    shutil.copy(path, tmp_path / "CASME2-coding-20190701.xlsx")
    with pytest.raises(UsageError, match="2 tables"):
        casme2(tmp_path)
    path.unlink()
    (tmp_path / "CASME2-coding-20190701.xlsx").write_bytes(b"PK no workbook")
    with pytest.raises(UsageError, match="cannot read .*20190701"):
        casme2(tmp_path)


def test_no_usable_clip_names_the_first_reason(tmp_path):
    made_sets.casme2(tmp_path)
    shutil.rmtree(tmp_path / "Cropped")
    (tmp_path / "Cropped/sub01").mkdir(parents=True)
    with pytest.raises(UsageError, match=r"row 2: no frames in .*EP02_01f"):
        casme2(tmp_path)
