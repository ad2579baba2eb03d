"""ELAN, WebVTT, Parquet and the reports: what other programs may rely on."""

import json
import re
from xml.etree import ElementTree as ET

import av
import numpy as np
import pytest
from click.testing import CliRunner
from made_events import event
from places import DEMO

from realtime.cli.replay import main as replay
from realtime.exports import CARE, KINDS, Found, write
from realtime.exports.elan import eaf
from realtime.exports.report import html, judged
from realtime.exports.webvtt import stamp, vtt
from realtime.timeline import Trace

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
    order = ["HEADER", "TIME_ORDER", "TIER", "LINGUISTIC_TYPE", "CONSTRAINT"]
    places = [order.index(child.tag) for child in root]
    assert places == sorted(places)
    (media,) = root.findall("HEADER/MEDIA_DESCRIPTOR")
    assert root.find("HEADER").get("TIME_UNITS") == "milliseconds" and media.get("MEDIA_URL") and media.get("MIME_TYPE")
    slots = {slot.get("TIME_SLOT_ID"): int(slot.get("TIME_VALUE")) for slot in root.findall("TIME_ORDER/TIME_SLOT")}
    ids = [*slots, *(one.get("ANNOTATION_ID") for one in root.iter("ALIGNABLE_ANNOTATION"))]
    assert len(ids) == len(set(ids)) and all(re.fullmatch(r"[A-Za-z_][\w.-]*", one) for one in ids)  # xs:ID
    assert list(slots.values()) == sorted(slots.values()) and all(value >= 0 for value in slots.values())
    types = {one.get("LINGUISTIC_TYPE_ID"): one.get("TIME_ALIGNABLE") for one in root.findall("LINGUISTIC_TYPE")}
    names = [tier.get("TIER_ID") for tier in root.findall("TIER")]
    assert len(names) == len(set(names))
    tiers = {}
    for tier in root.findall("TIER"):
        assert types[tier.get("LINGUISTIC_TYPE_REF")] == "true"
        spans = []
        for one in tier.findall("ANNOTATION/ALIGNABLE_ANNOTATION"):
            begin, end = (slots[one.get(f"TIME_SLOT_REF{i}")] for i in (1, 2))
            assert begin < end
            spans.append((begin, end, one.find("ANNOTATION_VALUE").text))
        assert all(one[1] <= other[0] for one, other in zip(spans, spans[1:], strict=False))  # no overlap within a tier
        tiers[tier.get("TIER_ID")] = spans
    return tiers


def test_elan_has_a_tier_a_kind_and_the_apex_in_its_own():
    tiers = check(ET.fromstring(eaf(found(event(1, onset=2.0), event(2, onset=5.0, kind="macro", label="positive")))))
    assert tiers["micro-expression"] == [(2000, 2260, "surprise 0.81")]
    assert tiers["macro-expression"] == [(5000, 5260, "positive 0.81")]
    assert tiers["apex"] == [(2112, 2132, "surprise"), (5112, 5132, "positive")]


def test_elan_keeps_overlapping_events_and_several_faces_apart_and_bad_names_out():
    events = [event(1, onset=2.0), event(2, onset=2.1), event(3, onset=2.05, face=1), event(4, onset=9.0, offset_s=9.0, apex_s=9.0)]
    root = ET.fromstring(eaf(found(*events, name=NASTY)))
    tiers = check(root)
    assert [len(tiers[name]) for name in ("micro-expression", "micro-expression 2", "micro-expression face 2")] == [2, 1, 1]
    assert root.find("HEADER/MEDIA_DESCRIPTOR").get("RELATIVE_MEDIA_URL") == './a<img src=x onerror=alert(1)>&"??.mp4'
    check(ET.fromstring(eaf(found())))  # without events it is a document too


@pytest.mark.parametrize(("name", "address"), [
    ("my clip (2).mp4", "./my clip (2).mp4"), ("person #3.mp4", "./person #3.mp4"),  # as ELAN itself writes them
    ("50% a.mp4", "./50%25 a.mp4"), ("a#b#c.mp4", "./a%23b%23c.mp4"),  # no xs:anyURI otherwise, and ELAN refuses the file
])  # fmt: skip
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
    assert judged(one) == "Judged 65 % of the time; the rest: learning the resting face 20 %, blink 10 %, no face 5 %."
    assert judged(one) in html(one)
    assert judged(found(seconds=1.0)) == "Judged 100 % of the time." and judged(Found("a.mp4", [])) == judged(Found("a.mp4", [], Trace())) == ""


def test_the_html_report_is_one_file_and_runs_nothing():
    text = html(found(event(1, onset=2.0), event(2, onset=5.0, label="<script>x</script>"), name=NASTY))
    assert CARE in text and "a&lt;img src=x onerror=alert(1)&gt;&amp;&quot;" in text
    assert "<script" not in text and "<img src=x" not in text
    assert set(re.findall(r'src="([^",]*)', text)) == {"data:image/png;base64", "data:image/jpeg;base64"}
    assert not re.search(r"(href|url\(|@import)", text) and text.count("data:image/jpeg") == 4
    text.encode("utf-8")


def test_the_pdf_report_is_one_page_and_more_only_for_many_events(tmp_path):
    pages = {}
    for count in (0, 5, 20):
        events = [event(i + 1, onset=1.0 + 0.7 * i) for i in range(count)]
        data = write("pdf", found(*events, name="x.mp4"), tmp_path).read_bytes()
        assert data.startswith(b"%PDF-")
        pages[count] = len(re.findall(rb"/Type /Page\b", data))
    assert pages == {0: 1, 5: 1, 20: 3}


def test_parquet_holds_the_event_line(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    (row,) = parquet.read_table(write("parquet", found(event()), tmp_path)).to_pylist()
    assert row["label"] == "surprise" and row["score_surprise"] == 0.81 and row["apex_s"] == 12.412


def test_mer_replay_writes_the_exports_that_are_asked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with av.open(str(DEMO)) as given, av.open("a.mp4", "w") as made:  # its first three seconds: one event
        stream = made.add_stream_from_template(given.streams.video[0])
        for packet in given.demux(video=0):
            if packet.dts is not None and packet.pts * packet.time_base < 3.0:
                packet.stream = stream
                made.mux(packet)
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
