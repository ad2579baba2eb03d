"""Tab 2 in a real browser: what one leaves with, and what is kept."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from places import DEMO
from replaying import TRUTH, data, taken_away

from realtime.output.log import Log
from realtime.review import Reviews
from realtime.review.data_set import export


@pytest.mark.parametrize(
    ("name", "ending"),
    [
        ("CSV", ".csv"),
        ("Excel", ".xlsx"),
        ("JSONL", ".jsonl"),
        ("Parquet", ".parquet"),
        ("WebVTT", ".vtt"),
        ("Report (HTML)", ".html"),
        ("Report (PDF)", ".pdf"),
    ],
)
def test_each_export_is_a_download(page, name, ending):
    file = taken_away(page, name)
    assert file.suggested_filename.endswith(ending)
    content = open(file.path(), "rb").read()
    assert len(content) > 200
    if name == "Report (HTML)":
        assert b"<img src=x" not in content and content.count(b"data:image/jpeg") == 2 * len(TRUTH)


def test_the_menu_goes_by_keyboard_and_says_where_faces_are_in(page):
    menu = page.locator(".mr-menu")
    menu.locator("summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.dataset.kind") == "excel"
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.dataset.kind") == "parquet"
    with_faces = menu.locator("button", has_text="face").evaluate_all("all => all.map((one) => one.dataset.kind)")
    assert with_faces == ["report", "pdf", "video"]
    page.keyboard.press("Escape")
    assert menu.get_attribute("open") is None and page.evaluate("document.activeElement.tagName") == "SUMMARY"


def test_one_leaves_with_an_elan_file(page):
    root = ET.parse(taken_away(page, "ELAN").path()).getroot()
    slots = {slot.get("TIME_SLOT_ID"): int(slot.get("TIME_VALUE")) for slot in root.iter("TIME_SLOT")}
    spans = [
        (slots[one.get("TIME_SLOT_REF1")], slots[one.get("TIME_SLOT_REF2")], one.find("ANNOTATION_VALUE").text.split()[0])
        for one in root.findall("TIER[@TIER_ID='micro-expression']/ANNOTATION/ALIGNABLE_ANNOTATION")
    ]
    assert spans == [(round(1000 * e["onset_s"]), round(1000 * e["offset_s"]), e["label"]) for e in data(page)["events"]]


def test_the_events_are_kept_for_review_only_when_asked(page, replay_demo, tmp_path):
    assert not replay_demo.log.exists() or not Log(replay_demo.log).sessions()
    page.get_by_role("button", name="Keep for Review", exact=True).click()
    page.locator("#mer-replay-kept .mer-rec").wait_for()
    (session,) = Log(replay_demo.log).sessions()
    assert session["events"] == len(TRUTH)
    kept = replay_demo.log.with_name(f"{replay_demo.log.name}.pictures")
    assert len(list(kept.glob("*/*/times.json"))) == len(TRUTH) and session["files"] == {}
    # with the recording, a movement that was missed can be seen and trained on; what is deleted is gone, and can be kept again
    page.get_by_label("With the recording itself").check()
    page.get_by_role("button", name="Keep for Review", exact=True).click()
    page.locator("#mer-replay-kept").get_by_text("and the recording").wait_for()
    (session,) = Log(replay_demo.log).sessions()
    assert Path(session["files"]["demo.mp4"]).read_bytes() == DEMO.read_bytes()
    reviews = Reviews(replay_demo.log)
    reviews.add(session["id"], "Ann", "demo.mp4", 6.0, "surprise")
    exported = export(reviews, tmp_path / "training", (session["id"],), "Ann", True)
    assert len(exported.rows) == 1 and len(list((tmp_path / "training").rglob("*.png"))) > 5
    reviews.delete(session["id"])
    assert not list(kept.iterdir())
    page.get_by_label("With the recording itself").uncheck()
    page.get_by_role("button", name="Keep for Review", exact=True).click()
    page.locator("#mer-replay-kept").get_by_text(f"session {session['id'] + 1}").wait_for()
