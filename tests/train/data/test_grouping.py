"""Emotions to classes: the papers' numbers, and MEGC2019's exact ones."""

import numpy as np
import pytest
from places import DATA

from realtime.errors import UsageError
from train.data.grouping import COMPOSITE, DROPPED, GROUPINGS, check_composite, class_of, classes, grouping

# clips of each emotion, as SKD-TSTSAN Sec. 4.1 counts them
CASME2 = dict(happiness=32, disgust=63, repression=27, surprise=25, sadness=7, fear=2, others=99)
SAMM = dict(anger=57, happiness=26, surprise=15, contempt=12, disgust=9, fear=8, sadness=6, other=26)
MMEW = dict(happiness=36, disgust=72, surprise=89, fear=16, sadness=13, anger=8, others=66)
CASME3 = dict(anger=64, disgust=250, fear=86, happy=55, others=161, sad=57, surprise=187)


def counts(name, dataset, emotions):
    found = dict.fromkeys(classes(name), 0)
    for emotion, n in emotions.items():
        if group := grouping(name, dataset)[emotion]:
            found[group] += n
    return tuple(found.values())


@pytest.mark.parametrize(
    "name, dataset, emotions, expected",
    [
        ("three", "casme2", CASME2, (90, 32, 25)),
        ("three", "samm", SAMM, (92, 26, 15)),
        ("three", "casme3", CASME3, (457, 55, 187)),
        ("casme2_5", "casme2", CASME2, (32, 63, 27, 25, 99)),
        ("samm_5", "samm", SAMM, (26, 57, 12, 15, 26)),
        ("mmew_4", "mmew", MMEW, (36, 72, 89, 66)),
        ("mmew_6", "mmew", MMEW, (36, 72, 89, 16, 13, 66)),
        ("casme3_4", "casme3", CASME3, (457, 55, 187, 161)),
        ("casme3_7", "casme3", CASME3, (64, 250, 86, 55, 161, 57, 187)),
    ],
)
def test_groupings_give_the_papers_counts(name, dataset, emotions, expected):
    assert counts(name, dataset, emotions) == expected


def test_classes_of_a_grouping_are_its_own():
    for name in GROUPINGS:
        assert set(grouping(name, "generic").values()) - {None} == set(classes(name))
    assert classes("three") == ("negative", "positive", "surprise")


def test_what_does_not_fit_is_said():
    with pytest.raises(UsageError, match="table.xlsx row 17: the emotion 'hapiness'"):
        class_of("three", "casme2", "sub01/EP01", "hapiness", "table.xlsx row 17")
    with pytest.raises(UsageError, match="choose one of megc2019"):
        classes("3")
    with pytest.raises(UsageError, match="SMIC is labelled"):
        grouping("casme2_5", "smic")


def test_clips_that_are_not_in_the_composite():
    assert class_of("megc2019", "casme2", "sub04/EP12_01f", "disgust") is None
    assert class_of("three", "casme2", "sub04/EP12_01f", "disgust") == "negative"
    assert class_of("megc2019", "casme2", "sub24/EP02_07", "repression") is None
    assert class_of("megc2019", "casme2", "sub05/EP12_03f", "repression") is None
    assert class_of("megc2019", "casme2", "sub05/EP12_03f", "surprise") == "surprise"


def composite():
    """A row (dataset, subject, class) for each of the 442 clips."""
    rows = []
    for dataset, (*clips, people) in COMPOSITE.items():
        labels = np.repeat(classes("megc2019"), clips)
        rows += [(dataset, f"s{i % people}", label) for i, label in enumerate(labels)]
    return rows


def test_the_composite_is_checked_when_complete():
    rows = composite()
    assert len(rows) == 442 and check_composite(*zip(*rows, strict=True)) == []
    assert check_composite(*zip(*[row for row in rows if row[0] != "samm"], strict=True)) == []
    lines = check_composite(*zip(*rows[1:], strict=True))
    assert lines == ["smic: 69 negative (MEGC2019: 70)", "the composite: 249 negative (MEGC2019: 250)"]


def test_names_agree_with_the_real_composite():
    """The real archive names people and clips as the loaders do, and lacks what is dropped."""
    path = DATA / "megc2019/flow_28x28.npz"
    if not path.exists():
        pytest.skip("the MEGC2019 flow archive is absent (set MER_DATA to the folder of megc2019/)")
    with np.load(path) as file:
        columns = (file[key] for key in ("dataset", "subject", "clip", "label"))
        rows = {f"{s}/{c}": classes("megc2019")[n] for d, s, c, n in zip(*columns, strict=True) if d == "casme2"}
    assert "sub01/EP19_05f" in rows
    assert {clip: rows[clip] for clip in DROPPED if clip in rows} == {"sub05/EP12_03f": "surprise"}
