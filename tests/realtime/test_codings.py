"""Human coders' marks: read from the programs that they use, kept as a reviewer, compared with what was found."""

import json
import random

import pytest
from click.testing import CliRunner
from made_events import event
from places import DEMO

from realtime.cli.log import main
from realtime.errors import UsageError
from realtime.output.log import Session, SqliteSink
from realtime.review import Reviews
from realtime.review.codings import Coding, read_codings
from realtime.review.comparison import SAME, alpha, compare, matched
from realtime.review.item import Item, Marks, overlap

WANTED = [(2.0, 2.4, "AU1+2"), (5.25, 5.5, "AU12")]
ELAN = """<?xml version="1.0"?><ANNOTATION_DOCUMENT><TIME_ORDER>
<TIME_SLOT TIME_SLOT_ID="a" TIME_VALUE="2000"/><TIME_SLOT TIME_SLOT_ID="b" TIME_VALUE="2400"/>
<TIME_SLOT TIME_SLOT_ID="c" TIME_VALUE="5250"/><TIME_SLOT TIME_SLOT_ID="d" TIME_VALUE="5500"/><TIME_SLOT TIME_SLOT_ID="e"/></TIME_ORDER>
<TIER TIER_ID="face" LINGUISTIC_TYPE_REF="x">
<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="2" TIME_SLOT_REF1="c" TIME_SLOT_REF2="d"><ANNOTATION_VALUE>AU12</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="1" TIME_SLOT_REF1="a" TIME_SLOT_REF2="b"><ANNOTATION_VALUE> AU1+2</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="3" TIME_SLOT_REF1="b" TIME_SLOT_REF2="e"><ANNOTATION_VALUE>untimed</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
</TIER></ANNOTATION_DOCUMENT>"""
GRID = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 14
tiers? <exists>
size = 1
item []:
    item [1]:
        class = "IntervalTier"
        name = "face"
        xmin = 0
        xmax = 14
        intervals: size = 2
        intervals [1]:
            xmin = 2.0
            xmax = 2.4
            text = "AU1+2"
        intervals [2]:
            xmin = 5.25
            xmax = 5.5
            text = "AU12"
"""
BORIS = {
    "behaviors_conf": {"0": {"type": "State event", "code": "AU1+2"}, "1": {"type": "State event", "code": "AU12"}},
    "observations": {
        "one": {
            "events": [
                [5.25, "face", "AU12", "", ""],
                [2.0, "face", "AU1+2", "", ""],
                [2.4, "face", "AU1+2", "", ""],
                [5.5, "face", "AU12", "", ""],
            ]
        }
    },
}
TABULAR = """Observation id;one
Observation date;2026-11-27

"Time";"Media file path";"Subject";"Behavior";"Behavior type"
2,0;a.mp4;face;AU1+2;START
2,4;a.mp4;face;AU1+2;STOP
5,25;a.mp4;face;AU12;START
5,5;a.mp4;face;AU12;STOP
"""
FILES = {
    "coder.eaf": ELAN,
    "coder.TextGrid": GRID,
    "coder.boris": json.dumps(BORIS),
    "tabular.csv": TABULAR,
    "aggregated.tsv": "Subject\tBehavior\tBehavior type\tStart (s)\tStop (s)\nface\tAU1+2\tSTATE\t2.0\t2.4\nface\tAU12\tSTATE\t5.25\t5.5\n",
    "mine.csv": "onset;apex;offset;label;tier\n0:02,0;2,1;2,4;AU1+2;face\n5,25;;5,5;AU12;face\n",
    "pipes.txt": "from|to|code|tier\n2|2.4|AU1+2|face\n5.25|5.5|AU12|face\n",
}


@pytest.mark.parametrize("name", FILES)
def test_what_coders_use_is_read(name, tmp_path):
    if name.endswith("TextGrid"):
        pytest.importorskip("praatio")
    (tmp_path / name).write_text(FILES[name], "utf-8")
    found = read_codings(tmp_path / name)
    assert [(one.onset_s, one.offset_s, one.code) for one in found] == WANTED and {one.tier for one in found} == {"face"}
    assert found[0].apex_s == (2.1 if name == "mine.csv" else None)
    with pytest.raises(UsageError, match="no tier 'hands': it has 'face'"):
        read_codings(tmp_path / name, ["hands"])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cut.eaf", ELAN[:300]),
        ("not.eaf", "onset,offset,label\n1,2,x\n"),
        ("no.csv", "a,b,c\n1,2,3\n"),
        ("empty.csv", ""),
        ("words.csv", "onset,offset,label\nsoon,later,x\n"),
        ("back.csv", "onset,offset,label\n3,2,x\n"),
        ("endless.boris", json.dumps(BORIS | {"observations": {"one": {"events": [[1.0, "a", "AU12", "", ""]]}}})),
        ("list.boris", "[]"),
        ("no.TextGrid", "nothing"),
        ("binary.csv", "\x00\x01"),
    ],
)
def test_what_cannot_be_read_is_one_line(name, content, tmp_path):
    if name.endswith("TextGrid"):
        pytest.importorskip("praatio")
    (tmp_path / name).write_text(content, "utf-8")
    with pytest.raises(UsageError) as caught:
        read_codings(tmp_path / name)
    assert name in str(caught.value) and "\n" not in str(caught.value)


def replayed():
    """A session of the demo clip with three events, without looking for them."""
    moments = ((2.04, 2.18, 2.36, "surprise"), (4.42, 4.56, 4.76, "positive"), (6.82, 6.96, 7.14, "negative"))
    sink = SqliteSink(Session("kernel_ridge", [str(DEMO)], {}))
    sink.open()
    for number, (onset, apex, offset, label) in enumerate(moments, 1):
        sink.write(event(number, onset=onset, apex_s=apex, offset_s=offset, label=label, source=str(DEMO)))
    sink.close()


def mer_log(*words):
    result = CliRunner().invoke(main, [str(word) for word in words])
    return result.exit_code, result.output


@pytest.fixture
def coded(tmp_path):
    """A coder who saw the first as the program did, called the second otherwise, did not see the third, and saw a fourth."""
    replayed()
    file = tmp_path / "coder.csv"
    file.write_text("onset,offset,label\n2.00,2.40,au1\n4.40,4.80,negative\n9.0,9.3,au1\n10,10.2,blink\n")
    return file


def test_a_coder_becomes_a_reviewer_and_is_compared(coded):
    pytest.importorskip("krippendorff")
    words = "import", coded, "--reviewer", "Ada", "--map", "au1=surprise", "--map", "blink=", "--complete"
    code, said = mer_log(*words)
    assert code == 0 and "3 codings by Ada: 2 about events that were found, 1 added" in said
    reviews = Reviews()
    items = reviews.items(1)
    assert [(item.event, item.verdict("Ada")) for item in items] == [(1, "corrected"), (2, "corrected"), (3, "rejected"), (None, "added")]
    assert items[0].marks("Ada").apex_s == 2.18 and items[3].marks("Ada").apex_s == 9.15  # not marked: the program's, else the middle
    one = compare(items, "Ada")
    assert (one.found, one.missed, one.false) == (2, 1, 1)
    assert one.precision == one.recall == one.f1 == pytest.approx(2 / 3) and one.onset_ms == (pytest.approx(30), pytest.approx(10))
    assert one.kappa == pytest.approx((1 / 2 - 1 / 4) / (1 - 1 / 4))
    # 3 of 4 pairs differ; by chance, of 3 times surprise, 2 negative, 2 nothing, 1 positive, 46 of 56 would
    assert alpha(items) == pytest.approx(1 - (3 / 4) / (46 / 56))
    code, said = mer_log("compare")
    assert code == 0 and "Ada" in said and "0.67" in said and "+30 ± 10" in said and "alpha" in said
    before = [(item.key, item.reviews["Ada"].id) for item in items]
    assert mer_log(*words)[0] == 0  # once more: nothing is written twice
    assert [(item.key, item.reviews["Ada"].id) for item in reviews.items(1)] == before
    assert compare(items, "Ada", iou=0.99).found == 0


def test_what_is_asked_for_in_vain_is_one_line(coded, tmp_path):
    code, said = mer_log("compare")
    assert code == 2 and "nobody has judged session 1" in said
    two = tmp_path / "two.csv"
    two.write_text("onset,offset,label,tier\n1,2,x,a\n3,4,y,b\n")
    code, said = mer_log("import", two, "--reviewer", "Ada")
    assert code == 2 and "choose with --tier" in said
    assert mer_log("import", two, "--reviewer", "Ada", "--tier", "a")[0] == 0
    for words, says in ((["--map", "x"], "CODE=LABEL"), (["--source", "other.mp4"], "--source"), (["--session", "9"], "9")):
        code, said = mer_log("import", coded, "--reviewer", "Ada", *words)
        assert code == 2 and says in said and "Traceback" not in said


def test_our_own_elan_file_comes_back(tmp_path):
    replayed()
    assert mer_log("export", tmp_path / "ours.eaf")[0] == 0
    found = read_codings(tmp_path / "ours.eaf", ["micro-expression"])
    assert [(one.onset_s, one.offset_s, one.code) for one in found] == [(2.04, 2.36, "surprise"), (4.42, 4.76, "positive"), (6.82, 7.14, "negative")]


def test_the_best_pairs_are_found_among_near_ones():
    """As all pairs would give, looked at one by one."""
    draw = random.Random(3)
    begins = [draw.uniform(0, 8) for _ in range(24)]
    items = [Item(0, f"e{n}", n, "s", 0, Marks(at, at + 0.01, at + draw.choice([0.2, 0.5, 3]), "x")) for n, at in enumerate(begins[:12])]
    codings = [Coding(at, at + draw.choice([0.1, 0.4, 2, 5]), "x") for at in begins[12:]]
    shares = {(n, k): overlap((one.onset_s, one.offset_s), item.found.span) for n, one in enumerate(codings) for k, item in enumerate(items)}
    wanted = {}
    for n, k in sorted(shares, key=lambda pair: (-shares[pair], pair)):
        if shares[n, k] >= SAME and n not in wanted and items[k] not in wanted.values():
            wanted[n] = items[k]
    assert len(wanted) > 4 and matched(items, codings) == wanted


def test_overlap_by_hand():
    assert overlap((0, 2), (1, 3)) == pytest.approx(1 / 3) and overlap((0, 1), (2, 3)) == 0 and overlap((0, 1), (0, 1)) == 1
