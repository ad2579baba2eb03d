"""DFME and 4DME in small trees of what public code says of their layouts."""

import made_sets
import pytest

from realtime.errors import UsageError
from train.data.annotations import Clip
from train.data.grouping import class_of
from train.data.loaders import LOADERS

DFME = ["Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Emotion", "AU"]


def told(name, root):
    found = LOADERS[name](root)
    usable = {one.name: one for one in found if isinstance(one, Clip)}
    assert all(path.is_file() for one in usable.values() for path in one.pictures)
    return usable, {one.name: one.why for one in found if not isinstance(one, Clip)}


def shown(clip):
    return tuple(int(clip.pictures[i].stem.split("_")[-1]) for i in (0, clip.apex, -1))


def test_dfme(tmp_path):
    lines = [
        DFME,
        ["12", "12_a_1", 0, 8, 20, "Happiness", "6+12"],
        ["12", "12_a_2", 3, None, 11, "Fear", ""],
        ["13", "13_b_9", 0, 2, 4, "Anger", "4"],
    ]
    made_sets.xlsx(tmp_path / "annotation/training_full_with_AU.xlsx", lines)
    made_sets.xlsx(tmp_path / "annotation/training_full.xlsx", lines)  # the same without action units
    made_sets.xlsx(tmp_path / "annotation/testA_with_AU.xlsx", [DFME[:5], *([n, f"{n}_c_1", 0, 4, 6] for n in range(60, 100))])  # as in the challenge
    for name, last in (("train_data/train_data/12_a_1", 24), ("train_data/train_data/12_a_2", 14), ("test_data_A/63_c_1", 9)):
        made_sets.run(tmp_path / name, "{:05d}.png", range(last))
    usable, left = told("dfme", tmp_path)
    assert {name: (clip.label, clip.subject, clip.action_units, shown(clip)) for name, clip in usable.items()} == {
        "12_a_1": ("happiness", "12", "6+12", (0, 8, 20)),
        "12_a_2": ("fear", "12", "", (3, 7, 11)),
    }
    absent = {name: f"no folder '{name}' of its frames" for name in ("13_b_9", *(f"{n}_c_1" for n in range(60, 100) if n != 63))}
    assert left == absent | {"63_c_1": "no emotion is annotated"}
    one, _ = told("dfme", tmp_path / "annotation/training_full_with_AU.xlsx")
    assert one == usable
    with pytest.raises(UsageError, match="no folder of a clip that the table names"):
        told("dfme", tmp_path / "annotation")


HEAD = [None, "SubID", "VideoNo", "fold_name", "Onset", "Apex", "Offset", "Emotion"]


def test_4dme(tmp_path):
    lines = [HEAD, [1, "01", 1, "01_1_1", 1826, 1830, 1840, "Negative"], [2, "01", 1, "01_1_2", 40, 44, 60, "Negative and Repression"]]
    lines += [[3, "02", 1, "02_1_1", 7, None, 9, "Surprise;Positive"], [4, "02", 1, "02_1_9", 1, 2, 3, "Others"]]
    made_sets.xlsx(tmp_path / "4DME/Micro_and_Macro-expression_labels_new_2D.xlsx", lines)
    grey = tmp_path / "4DME/micro_short_gray_video/micro short gray video"
    made_sets.run(grey / "01/01_1_1", "Frame_{:09d}.jpg", range(1826, 1841))
    made_sets.run(tmp_path / "4DME/macro_short_gray_video/01/01_1_2", "Frame_{:09d}.jpg", range(40, 61))
    made_sets.run(grey / "02/02_1_1", "Frame_{:09d}.jpg", range(7, 10))
    for other in ("a_color_video", "a_gray_video_cropped"):
        made_sets.run(tmp_path / f"4DME/{other}/inner/01/01_1_1", "Frame_{:09d}.jpg", range(1826, 1841))
    usable, left = told("4dme", tmp_path)
    assert {name: (clip.kind, clip.label, clip.subject, shown(clip)) for name, clip in usable.items()} == {
        "01/01_1_1": ("micro", "negative", "01", (1826, 1830, 1840)),
        "01/01_1_2": ("macro", "negative+repression", "01", (40, 44, 60)),
        "02/02_1_1": ("micro", "surprise+positive", "02", (7, 8, 9)),
    }
    assert "micro_short_gray_video" in str(usable["01/01_1_1"].pictures[0]) and list(left) == ["02/02_1_9"]


def test_a_clip_of_several_emotions_is_of_the_one_class_that_they_make():
    def of(grouping, label):
        return class_of(grouping, "4dme", "c", label, "t.xlsx row 3")

    assert of("three", "negative+repression") == "negative" and of("three", "positive+others") == "positive"
    assert of("three", "surprise+positive") is None and of("4dme_5", "negative+repression") is None
    assert of("4dme_5", "repression") == "repression" and of("three", "others") is None
    with pytest.raises(UsageError, match="row 3: the emotion 'joy' is none of"):
        of("three", "negative+joy")
