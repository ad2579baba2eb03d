"""A session as its reviewers left it, in every format that it can leave in."""

import csv
import json
from xml.etree import ElementTree as ET

import openpyxl
import pytest
from click.testing import CliRunner
from made_events import event
from test_exports import check

from realtime.cli.log import main
from realtime.output.log import Session, SqliteSink
from realtime.review import Reviews


@pytest.fixture
def session(tmp_path):
    """Two recordings. Of four events the first is corrected by Ann and accepted by Ben, the second rejected by Ann, the third
    judged by nobody; Ben adds one to the second recording."""
    clips = [tmp_path / "rec/a.mp4", tmp_path / "rec/b.mp4"]
    clips[0].parent.mkdir()
    for clip in clips:
        clip.touch()
    sink = SqliteSink(Session("kernel_ridge", [str(clip) for clip in clips], {}))
    sink.open()
    for number, onset in enumerate((2.0, 5.0, 9.0), 1):
        sink.write(event(number, onset=onset, source=str(clips[0])))
    sink.close()
    reviews = Reviews()
    reviews.judge(1, "e1", "Ann", label="fear", onset_s=1.9, kind="macro", action_units="1+2", note="=brows")
    reviews.judge(1, "e1", "Ben")
    reviews.judge(1, "e2", "Ann", reject=True)
    reviews.add(1, "Ben", str(clips[1]), 3.0, "positive")
    return clips


def export(*words):
    done = CliRunner().invoke(main, ["export", *map(str, words)], prog_name="mer-log")
    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    return done


def test_a_table_holds_each_reviewer_s_word_and_nothing_that_was_rejected(session, tmp_path):
    assert export(tmp_path / "r.csv", "--reviewed").output.startswith("4 events in")
    rows = list(csv.DictReader((tmp_path / "r.csv").open(encoding="utf-8-sig")))
    short = [(row["reviewer"], row["verdict"], row["event"], row["onset_s"], row["label"], row["kind"]) for row in rows]
    assert short == [
        ("Ann", "corrected", "1", "1.900", "fear", "macro"),
        ("Ben", "accepted", "1", "2.000", "surprise", "micro"),
        ("", "not reviewed", "3", "9.000", "surprise", "micro"),
        ("Ben", "added", "m1", "2.800", "positive", "micro"),
    ]
    assert rows[0]["action_units"] == "1+2" and rows[0]["note"] == "'=brows" and rows[0]["session"] == "1"
    assert [row["certainty_label"] for row in rows] == ["", "0.81", "0.81", ""]  # the network's, not a person's
    assert [row["certainty_movement"] for row in rows] == ["1.00", "1.00", "1.00", ""]
    export(tmp_path / "r.jsonl", "--reviewed")
    lines = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    assert [line["reviewer"] for line in lines] == ["Ann", "Ben", "", "Ben"] and lines[3]["confidence"] is None
    export(tmp_path / "found.csv")
    assert [row["event"] for row in csv.DictReader((tmp_path / "found.csv").open(encoding="utf-8-sig"))] == ["1", "2", "3"]


def test_a_folder_gets_tables_and_files_of_each_recording_with_the_reviewers_tiers(session, tmp_path):
    assert export(tmp_path / "out", "--reviewed", "--session", 1, "--csv-separator", ";").exit_code == 0
    files = {f"{stem}.{ending}" for stem in "ab" for ending in ("eaf", "vtt", "html", "pdf")}
    assert {path.name for path in (tmp_path / "out").iterdir()} == files | {"events.csv", "events.xlsx", "codebook.csv"}
    tiers = check(ET.parse(tmp_path / "out/a.eaf").getroot())
    assert tiers["macro-expression Ann"] == [(1900, 2260, "fear")] and tiers["macro-expression Ann action units"][0][2] == "1+2"
    assert tiers["micro-expression Ben"] == [(2000, 2260, "surprise")] and tiers["micro-expression"] == [(9000, 9260, "surprise")]
    media = ET.parse(tmp_path / "out/a.eaf").find("HEADER/MEDIA_DESCRIPTOR")
    assert media.get("RELATIVE_MEDIA_URL") == "../rec/a.mp4" and media.get("MEDIA_URL") == f"file://{session[0]}"
    (tier,) = [one for one in ET.parse(tmp_path / "out/a.eaf").iter("TIER") if one.get("TIER_ID") == "macro-expression Ann"]
    assert tier.get("ANNOTATOR") == "Ann"
    assert check(ET.parse(tmp_path / "out/b.eaf").getroot())["micro-expression Ben"] == [(2800, 3240, "positive")]
    assert "surprise 0.81 (micro, apex 2.112 s, Ben)" in (tmp_path / "out/a.vtt").read_text("utf-8")
    assert "fear (macro, apex 2.112 s, Ann)" in (tmp_path / "out/a.vtt").read_text("utf-8")
    page = (tmp_path / "out/a.html").read_text("utf-8")
    assert "<td>Ann</td>" in page and "2 events: 2 micro, 1 macro" in page and "judged by Ann, Ben" in page
    sheet = openpyxl.load_workbook(tmp_path / "out/events.xlsx")["events"]
    assert [sheet.cell(2, place).value for place in range(1, 5)] == [1, "Ann", "corrected", 1]
    assert "reviewer;" in (tmp_path / "out/codebook.csv").read_text("utf-8-sig")


def test_a_file_of_one_recording_needs_a_session_of_one(session, tmp_path):
    done = export(tmp_path / "x.eaf", "--reviewed")
    assert done.exit_code == 2 and "2 recordings: name a folder" in done.output
    assert export(tmp_path / "x.txt").exit_code == 2 and export(tmp_path / "x.csv", "--csv-separator", "|").exit_code == 2
