"""ELAN, WebVTT, Parquet and the reports: what other programs may rely on."""

import csv
import json
import re
from types import SimpleNamespace
from xml.etree import ElementTree as ET

import numpy as np
import openpyxl
import pytest
from click.testing import CliRunner
from demo_clips import demo_start
from made_events import event

from realtime.cli.replay import main as replay
from realtime.errors import UsageError
from realtime.judged import Trace
from realtime.output.exports import CARE, KINDS, Found, write
from realtime.output.exports.elan import eaf
from realtime.output.exports.elan_merged import merged
from realtime.output.exports.report import html, judged, moments
from realtime.output.exports.webvtt import stamp, vtt

NASTY = 'a<img src=x onerror=alert(1)>&"\x07\udcff.mp4'
CLASSES = ("negative", "positive", "surprise")


def found(*events, name="clip.mp4", seconds=20.0):
    trace = Trace()
    for t in np.arange(0, seconds, 0.02):
        trace.add(float(t), 1.0, 2.0)
    thumbnails = {one.event: (np.full((224, 224, 3), 90, np.uint8),) * 2 for one in events}
    return Found(name, list(events), trace, CLASSES, "kernel_ridge", thumbnails)


def check(root):
    """The rules of EAFv3.0.xsd and of ELAN that a document of this kind can break. Returns tier → [(begin, end, value)]."""
    assert root.tag == "ANNOTATION_DOCUMENT" and root.get("FORMAT") == root.get("VERSION") == "3.0"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", root.get("DATE")) and root.get("AUTHOR")
    order = ["HEADER", "TIME_ORDER", "TIER", "LINGUISTIC_TYPE", "LANGUAGE", "CONSTRAINT", "CONTROLLED_VOCABULARY"]
    places = [order.index(child.tag) for child in root]
    assert places == sorted(places)
    (media,) = root.findall("HEADER/MEDIA_DESCRIPTOR")
    assert root.find("HEADER").get("TIME_UNITS") == "milliseconds" and media.get("MEDIA_URL") and media.get("MIME_TYPE")
    slots = {slot.get("TIME_SLOT_ID"): int(slot.get("TIME_VALUE")) for slot in root.findall("TIME_ORDER/TIME_SLOT")}
    annotations = [*root.iter("ALIGNABLE_ANNOTATION"), *root.iter("REF_ANNOTATION")]
    ids = [*slots, *(one.get("ANNOTATION_ID") for one in annotations)]
    assert len(ids) == len(set(ids)) and all(re.fullmatch(r"[A-Za-z_][\w.-]*", one) for one in ids)  # xs:ID
    assert int(root.find("HEADER/PROPERTY").text) == len(annotations)
    assert list(slots.values()) == sorted(slots.values()) and all(value >= 0 for value in slots.values())
    types = {one.get("LINGUISTIC_TYPE_ID"): one for one in root.findall("LINGUISTIC_TYPE")}
    words = {one.get("CVE_ID"): one.find("CVE_VALUE").text for one in root.iter("CV_ENTRY_ML")}
    assert len(set(words.values())) == len(words) and {one.get("LANG_REF") for one in root.iter("CVE_VALUE")} == {"und"}
    tiers, spans_of, values_of = {}, {}, {}
    for tier in root.findall("TIER"):
        name, kind = tier.get("TIER_ID"), types[tier.get("LINGUISTIC_TYPE_REF")]
        assert name not in tiers and bool(tier.get("PARENT_REF")) == bool(kind.get("CONSTRAINTS"))
        assert tier.get("PARENT_REF") in (None, *tiers)  # parents first
        parents = tiers.get(tier.get("PARENT_REF"), [])
        tiers[name] = []
        for one in tier.findall("ANNOTATION/*"):
            value = one.find("ANNOTATION_VALUE").text
            if kind.get("TIME_ALIGNABLE") == "true":
                begin, end = (slots[one.get(f"TIME_SLOT_REF{i}")] for i in (1, 2))
                assert one.tag == "ALIGNABLE_ANNOTATION" and begin < end
                if kind.get("CONSTRAINTS"):
                    assert any(first <= begin and end <= last for first, last, _ in parents)
                spans_of[one.get("ANNOTATION_ID")] = (begin, end)
            else:
                begin, end = spans_of[one.get("ANNOTATION_REF")]
                assert one.tag == "REF_ANNOTATION" and (begin, end, values_of[one.get("ANNOTATION_REF")]) in parents
            if kind.get("CONTROLLED_VOCABULARY_REF"):
                assert words[one.get("CVE_REF")] == value
            values_of[one.get("ANNOTATION_ID")] = value
            tiers[name].append((begin, end, value))
        assert all(one[1] <= other[0] for one, other in zip(tiers[name], tiers[name][1:], strict=False))  # no overlap within a tier
    return tiers


def test_elan_has_a_tier_a_kind_and_what_belongs_to_an_event_hangs_on_it():
    root = ET.fromstring(eaf(found(event(1, onset=2.0), event(2, onset=5.0, kind="macro", label="unsure", confidence=0.7))))
    tiers = check(root)
    assert tiers["micro-expression"] == [(2000, 2260, "surprise")] and tiers["macro-expression"] == [(5000, 5260, "unsure")]
    assert tiers["micro-expression apex"] == [(2112, 2132, "apex")] and tiers["macro-expression apex"] == [(5112, 5132, "apex")]
    assert tiers["micro-expression score"] == [(2000, 2260, "0.81")] and tiers["macro-expression confidence"] == [(5000, 5260, "0.70")]
    assert [one.text for one in root.iter("CVE_VALUE")] == [*CLASSES, "unsure"]


def test_estimated_action_units_go_wherever_an_event_goes_and_are_called_so(tmp_path):
    one = found(event(1, onset=2.0, units={"4": 0.9, "L12": 0.7}), event(2, onset=5.0, units={}), event(3, onset=8.0))
    assert check(ET.fromstring(eaf(one)))["micro-expression action units (estimated)"] == [(2000, 2260, "4+L12")]
    assert html(one).count("4+L12 (0.70)") == 1 and "no FACS coder has checked" in html(one) and "estimated" not in html(found(event()))
    assert "action units (estimated) 4+L12" in write("boris", one, tmp_path).read_text("utf-8")
    (_, first, *_) = write("bids", one, tmp_path).read_text("utf-8").splitlines()
    assert first.endswith("\t4+L12")
    sheet = openpyxl.load_workbook(write("excel", one, tmp_path))["events"]
    head, *rows = sheet.iter_rows(values_only=True)
    assert [row[head.index("estimated_units")] for row in rows] == ["4+L12", None, None] or rows[1][head.index("estimated_units")] == ""
    rows = pytest.importorskip("pyarrow.parquet").read_table(write("parquet", one, tmp_path)).to_pylist()
    assert [row["estimated_units"] for row in rows] == ["4+L12", "", None] and rows[0]["certainty_units"] == "4 0.90, L12 0.70"
    grid = pytest.importorskip("praatio.textgrid").openTextgrid(str(write("textgrid", one, tmp_path)), includeEmptyIntervals=False)
    assert [tuple(entry) for entry in grid.getTier("micro-expression action units (estimated)").entries] == [(2.0, 2.26, "4+L12")]


def test_elan_keeps_overlapping_events_and_several_faces_apart_and_bad_names_out():
    events = [event(1, onset=2.0), event(2, onset=2.1), event(3, onset=2.05, face=1), event(4, onset=9.0, offset_s=9.0, apex_s=9.0)]
    root = ET.fromstring(eaf(found(*events, name=NASTY)))
    tiers = check(root)
    assert [len(tiers[name]) for name in ("micro-expression", "micro-expression 2", "micro-expression face 2")] == [2, 1, 1]
    assert root.find("HEADER/MEDIA_DESCRIPTOR").get("RELATIVE_MEDIA_URL") == './a<img src=x onerror=alert(1)>&"\\x07\\xff.mp4'
    check(ET.fromstring(eaf(found())))  # without events it is a document too


def test_elan_has_a_tier_of_what_was_not_judged():
    trace = Trace()
    for n in range(100):
        gate = "blink" if 20 <= n < 30 else "lost" if n >= 95 else None
        trace.add(0.1 * n, *((None, None) if gate == "lost" else (1.0, None if n < 20 else 2.0)), gate)
    tiers = check(ET.fromstring(eaf(Found("a.mp4", [], trace))))
    assert tiers["not judged"] == [(0, 2000, "rest not yet known"), (2000, 3000, "blink"), (9500, 10000, "no face")]


def test_elan_finds_the_recording_where_it_really_is(tmp_path):
    one = found()
    one.path = tmp_path / "my recordings/50% a.mp4"
    media = ET.parse(write("elan", one, tmp_path / "out/a")).find("HEADER/MEDIA_DESCRIPTOR")
    assert media.get("MEDIA_URL") == f"file://{tmp_path.as_posix()}/my recordings/50%25 a.mp4"
    assert media.get("RELATIVE_MEDIA_URL") == "../../my recordings/50%25 a.mp4"


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("my clip (2).mp4", "./my clip (2).mp4"),
        ("person #3.mp4", "./person #3.mp4"),  # as ELAN itself writes them
        ("50% a.mp4", "./50%25 a.mp4"),
        ("a#b#c.mp4", "./a%23b%23c.mp4"),  # no xs:anyURI otherwise, and ELAN refuses the file
    ],
)
def test_elan_is_told_where_the_recording_lies_relative_to_the_file(name, address):
    media = ET.fromstring(eaf(found(name=name))).find("HEADER/MEDIA_DESCRIPTOR")
    assert media.get("RELATIVE_MEDIA_URL") == address and media.get("MEDIA_URL") == f"file:///{address[2:]}"


def test_webvtt_has_a_cue_an_event_and_nothing_that_could_be_a_tag():
    text = vtt(found(event(2, onset=3700.5, label="<i>x --> y"), event(1, onset=2.0), name=NASTY))
    head, note, first, second = text.rstrip("\n").split("\n\n")
    assert head == "WEBVTT" and note.startswith("NOTE ")
    assert first == "1\n00:00:02.000 --> 00:00:02.260\nsurprise 0.81 (micro, apex 2.112 s)"
    assert second.splitlines()[1] == "01:01:40.500 --> 01:01:40.760"
    assert "<" not in text and text.count("-->") == 2
    assert stamp(59.9996) == "00:01:00.000"


def test_a_report_says_for_how_much_of_the_time_anything_could_be_found():
    trace = Trace()
    for n in range(100):
        gate = "blink" if 20 <= n < 30 else "lost" if n >= 95 else None
        trace.add(0.1 * n, *((None, None) if gate == "lost" else (1.0, None if n < 20 else 2.0)), gate)
    one = Found("a.mp4", [], trace)
    assert judged(one) == "Judged 65 % of the time; the rest: rest not yet known 20 %, blink 10 %, no face 5 %."
    assert judged(one) in html(one)
    assert judged(found(seconds=1.0)) == "Judged 100 % of the time." and judged(Found("a.mp4", [])) == judged(Found("a.mp4", [], Trace())) == ""


def test_the_html_report_is_one_file_and_runs_nothing():
    text = html(found(event(1, onset=2.0), event(2, onset=5.0, label="<script>x</script>"), name=NASTY))
    assert CARE in text and "a&lt;img src=x onerror=alert(1)&gt;&amp;&quot;" in text
    assert "<script" not in text and "<img src=x" not in text
    assert set(re.findall(r'src="([^",]*)', text)) == {"data:image/png;base64", "data:image/jpeg;base64"}
    assert not re.search(r"(href|url\(|@import)", text) and text.count("data:image/jpeg") == 4
    text.encode("utf-8")


def test_a_report_says_that_it_holds_pictures_of_faces():
    one = found(event(1, onset=2.0), event(2, onset=5.0))
    assert "This report holds 4 pictures of faces" in html(one)
    one.thumbnails.clear()
    assert "pictures of faces" not in html(one)
    said = CliRunner().invoke(replay, ["--help"], prog_name="mer-replay").output
    assert "two pictures of the face for each event" in " ".join(said.split())


def test_times_of_a_long_recording_are_told_in_minutes_too():
    early, late = event(1, onset=2.0), event(2, onset=75.3)
    assert "00:02.000" not in html(found(early)) and ">2.000<" in html(found(early))
    long = html(found(early, late))
    assert "2.000<br>00:02.000" in long and "75.300<br>01:15.300" in long
    assert [line[0] for line in moments(late, found(early, late))] == ["75.300", "01:15.300"]


def test_the_pdf_report_is_one_page_and_more_only_for_many_events(tmp_path):
    pages = {}
    for count in (0, 5, 20):
        events = [event(i + 1, onset=1.0 + 0.7 * i) for i in range(count)]
        data = write("pdf", found(*events, name="x.mp4"), tmp_path).read_bytes()
        assert data.startswith(b"%PDF-")
        pages[count] = len(re.findall(rb"/Type /Page\b", data))
    assert pages == {0: 1, 5: 1, 20: 3}


def test_a_table_for_people_opens_in_excel_as_it_is(tmp_path):
    one = found(event(1, onset=3661.5, source='=cmd|"x"!A1.mp4', confidence=0.7), event(2, label="unsure", kind="macro"), name="=1+1.mp4")
    plain, german = write("csv", one, tmp_path / "a"), write("csv", one, tmp_path / "b", ";")
    assert plain.read_bytes().startswith(b"\xef\xbb\xbfevent,")
    first, second = csv.DictReader(plain.open(encoding="utf-8-sig", newline=""))
    assert first["source"] == '\'=cmd|"x"!A1.mp4' and first["onset_time"] == "1:01:01.500" and first["onset_s"] == "3661.500"
    assert (first["duration_s"], first["certainty_movement"], first["certainty_label"]) == ("0.260", "0.70", "0.81")
    assert (second["kind"], second["onset_time"], second["label"]) == ("macro", "00:12.300", "unsure")
    (row, _) = csv.DictReader(german.open(encoding="utf-8-sig", newline=""), delimiter=";")
    assert (row["onset_s"], row["onset_time"], row["score_surprise"]) == ("3661,500", "1:01:01,500", "0,81")
    assert list(row) == list(first)

    book = openpyxl.load_workbook(write("excel", one, tmp_path))
    head, *rows = book["events"].iter_rows()
    cells = dict(zip((cell.value for cell in head), rows[0], strict=True))
    assert list(cells) == list(first) and cells["source"].value == '=cmd|"x"!A1.mp4' and cells["source"].data_type == "s"
    assert cells["onset_s"].value == 3661.5 and cells["onset_s"].number_format == "0.000" and len(rows) == 2
    explained = {row[0].value: row[1].value for row in book["codebook"].iter_rows(min_row=2)}
    assert list(explained) == list(first) and all(explained.values())
    assert explained["certainty_movement"].startswith("Is it a movement?") and explained["certainty_label"].startswith("Which one?")


def test_the_time_of_day_is_the_last_column_where_it_is_known(tmp_path):
    utc = "2026-03-01T09:30:12.412+00:00"
    one = found(event(1, utc=utc), event(2), name="camera 0")
    rows = list(csv.DictReader(write("csv", one, tmp_path).open(encoding="utf-8-sig", newline="")))
    assert [row["utc"] for row in rows] == [utc, ""] and list(rows[0])[-1] == "utc"
    book = openpyxl.load_workbook(write("excel", one, tmp_path))
    assert [row[-1].value for row in book["events"].iter_rows()] == ["utc", utc, None]
    assert "UTC" in {row[0].value: row[1].value for row in book["codebook"].iter_rows()}["utc"]
    assert [json.loads(line).get("utc") for line in write("jsonl", one, tmp_path).open()] == [utc, None]
    assert "utc" not in write("csv", found(event()), tmp_path).read_text("utf-8-sig")


def test_parquet_holds_the_event_line(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    (row,) = parquet.read_table(write("parquet", found(event(utc="2026")), tmp_path)).to_pylist()
    assert list(row)[-1] == "utc" and row["utc"] == "2026"
    (row,) = parquet.read_table(write("parquet", found(event()), tmp_path)).to_pylist()
    assert row["label"] == "surprise" and row["score_surprise"] == 0.81 and row["apex_s"] == 12.412


def test_mer_replay_writes_the_exports_that_are_asked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    demo_start("a.mp4", 3.0)  # one event
    words = ["a.mp4", "--out", "out", "--no-log", "--export", "elan,webvtt,report"]
    done = CliRunner().invoke(replay, words, prog_name="mer-replay")
    assert done.exit_code == 0, done.output
    (line,) = (tmp_path / "out/a/events.jsonl").read_text().splitlines()
    tiers = check(ET.parse("out/a/a.eaf").getroot())
    assert [span[:2] for span in tiers["micro-expression"]] == [tuple(round(1000 * json.loads(line)[key]) for key in ("onset_s", "offset_s"))]
    assert "WEBVTT" in (tmp_path / "out/a/a.vtt").read_text() and (tmp_path / "out/a/a.pdf").stat().st_size > 20_000
    assert (tmp_path / "out/a/a.html").read_text().count("data:image/jpeg") == 2
    wrong = CliRunner().invoke(replay, ["a.mp4", "--out", "out", "--export", "elon"], prog_name="mer-replay")
    assert wrong.exit_code == 2 and "elan, webvtt, report, parquet" in wrong.output


def test_every_kind_can_be_written_for_a_recording_without_events(tmp_path):
    for kind in KINDS:
        assert write(kind, found(name="none.mp4", seconds=1.0), tmp_path).stat().st_size >= 0


def test_a_long_recording_with_many_events_has_a_curve_every_few_minutes_and_forty_pictures(tmp_path):
    events = [event(n, onset=10.0 + 8 * n) for n in range(1, 31)]
    one = found(*events, name="long.mp4", seconds=400.0)
    one.thumbnails.clear()
    for n in range(1, 31):
        view = SimpleNamespace(pixels=np.full((224, 224, 3), 90, np.uint8))
        one.see(n, SimpleNamespace(onset=view, apex=view, confidence=n / 30))
    assert sorted(one.thumbnails) == list(range(11, 31))  # the surest
    text = html(one)
    assert text.count("data:image/jpeg") == 40 and text.count("data:image/png") == 2 and "of the 20 surest of 30 events" in text
    assert len(re.findall(rb"/Type /Page\b", write("pdf", one, tmp_path).read_bytes())) == 1 + 2 + 2


def test_praat_reads_the_events_and_their_apexes(tmp_path):
    textgrid = pytest.importorskip("praatio.textgrid")
    path = write("textgrid", found(event(1), event(2, onset=4.0, apex_s=4.1, offset_s=4.4, label="positive", kind="macro")), tmp_path)
    grid = textgrid.openTextgrid(str(path), includeEmptyIntervals=False)
    ((begin, end, word),) = grid.getTier("micro-expression").entries
    assert (begin, end, word) == (event(1).onset_s, event(1).offset_s, event(1).label) and path.suffix == ".TextGrid"
    assert [point.time for point in grid.getTier("macro-expression apex").entries] == [4.1]


def test_boris_and_bids_have_the_columns_that_they_ask_for(tmp_path):
    one, other = event(1), event(2, onset=1.0, apex_s=1.1, offset_s=1.4, label="a\tb")
    lines = [line.split("\t") for line in write("boris", found(one, other), tmp_path).read_text("utf-8").splitlines()]
    assert [line[0] for line in lines] == sorted(line[0] for line in lines) and len(lines) == 4 and {len(line) for line in lines} == {5}
    path = write("bids", found(one, other), tmp_path)
    assert path.name == "clip_events.tsv" and not path.read_bytes().startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(path.open(encoding="utf-8"), delimiter="\t"))
    assert list(rows[0])[:3] == ["onset", "duration", "trial_type"]
    assert (rows[0]["onset"], rows[0]["duration"], rows[0]["trial_type"]) == ("1.000", "0.400", "micro")


def test_spss_reads_the_table_with_what_its_columns_mean(tmp_path):
    pyreadstat = pytest.importorskip("pyreadstat")
    table, about = pyreadstat.read_sav(str(write("spss", found(event(1), event(2)), tmp_path)))
    assert table["event"].tolist() == [1, 2] and table["onset_s"].tolist() == [event(1).onset_s] * 2 and table["label"][0] == event(1).label
    assert about.column_names_to_labels["onset_s"].startswith("Begin of the movement")
    empty, _ = pyreadstat.read_sav(str(write("spss", found(name="none.mp4"), tmp_path)))
    assert len(empty) == 0 and empty.columns.tolist() == table.columns.tolist()


def test_our_tiers_go_into_a_coders_file_and_hers_stay():
    theirs = eaf(found(event(1, label="AU12")))  # a document with the very names that ours has
    ours = eaf(found(event(1), event(2, onset=4.0, apex_s=4.1, offset_s=4.4)))
    whole = ET.fromstring(merged(theirs, ours, "coder.eaf"))
    tiers = {tier.get("TIER_ID"): tier for tier in whole.iter("TIER")}
    before = {tier.get("TIER_ID"): ET.tostring(tier) for tier in ET.fromstring(theirs).iter("TIER")}
    stripped = {name: b"".join(ET.tostring(tiers[name]).split()) for name in before}
    assert stripped == {name: b"".join(text.split()) for name, text in before.items()}
    mine = [one.text for one in tiers["micro-expression (mer-live)"].iter("ANNOTATION_VALUE")]
    assert mine == ["surprise", "surprise"]
    slots = {slot.get("TIME_SLOT_ID"): int(slot.get("TIME_VALUE")) for slot in whole.iter("TIME_SLOT")}
    span = next(tiers["micro-expression (mer-live)"].iter("ALIGNABLE_ANNOTATION"))
    assert slots[span.get("TIME_SLOT_REF1")] == 4000
    ids = [one.get("ANNOTATION_ID") for one in whole.iter() if one.get("ANNOTATION_ID")] + list(slots)
    assert len(ids) == len(set(ids))
    for name in ("LINGUISTIC_TYPE_REF",):
        assert {tier.get(name) for tier in tiers.values()} <= {one.get("LINGUISTIC_TYPE_ID") for one in whole.iter("LINGUISTIC_TYPE")}
    again = ET.fromstring(merged(ET.tostring(whole), ours, "coder.eaf"))  # once more: ours are replaced, not doubled
    assert sorted(tier.get("TIER_ID") for tier in again.iter("TIER")) == sorted(tiers)
    for wrong in (b"", b"<a/>", theirs[:400]):
        with pytest.raises(UsageError, match="coder.eaf is no ELAN file"):
            merged(wrong, ours, "coder.eaf")
