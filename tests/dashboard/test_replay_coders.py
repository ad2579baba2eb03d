"""Tab 2 in a real browser: a coder's marks on a lane beside ours, and compared."""

import json

import pytest
from playwright.sync_api import expect
from replaying import data, taken_away

from realtime.output.log import Log
from realtime.review import Reviews
from realtime.review.comparison import compare

TABLE = "onset,offset,label,tier\n{},{},happiness,expression\n{},{},tic,expression\n0.1,0.3,tic,expression\n1,2,talks,speech\n"


@pytest.fixture
def coded(page, tmp_path):
    """A coder who names the first event otherwise, marks the second as it is, sees a third elsewhere, and has a tier for speech."""
    first, second, *_ = data(page)["events"]
    file = tmp_path / "ada.csv"
    file.write_text(TABLE.format(first["onset_s"], first["offset_s"], second["onset_s"], second["offset_s"]), "utf-8")
    return file


def add(page, file):
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Add a coder's marks").click()
    chooser.value.set_files(file)


def test_a_coder_lies_beside_ours_and_is_compared(page, coded, replay_demo, shot, axe):
    pytest.importorskip("krippendorff")
    events = data(page)["events"]
    before = page.locator(".mr-time canvas").bounding_box()["height"]
    add(page, coded)
    dialog = page.get_by_role("dialog", name="What the marks of ada.csv mean")
    expect(dialog.get_by_label("Whose marks they are")).to_be_focused()
    expect(dialog.get_by_label("expression × 3")).to_be_checked()
    assert not dialog.get_by_label("speech × 1").is_checked()
    assert dialog.get_by_label("happiness × 1").input_value() == "positive" and dialog.get_by_text("talks").count() == 0
    shot(page, "replay-coder-dialog", whole=False)
    assert not axe(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Add a coder's marks")).to_be_focused()
    assert page.get_by_text("Beside human coders").count() == 0

    add(page, coded)
    dialog.get_by_label("Whose marks they are").fill("Ada")
    dialog.get_by_label("tic × 2").select_option(events[1]["label"])
    dialog.get_by_role("button", name="Compare").click()
    row = page.locator("#mer-replay-coded tbody tr")
    expect(row.locator("th")).to_have_text("Ada")
    page.wait_for_function("wanted => document.querySelector('.mr-time canvas').getBoundingClientRect().height === wanted", arg=before + 32)
    cells = row.locator("td").all_text_contents()[:-1]
    assert cells[:3] == ["2", "1", str(len(events) - 2)] and cells[4] == "0.67" and cells[6:8] == ["+0 ± 0", "–"]
    page.locator(".mr-time").focus()
    page.keyboard.press("ArrowDown")
    page.locator(f".mr-list [data-event='{events[0]['event']}']").click()
    assert "Ada: positive" in page.locator(".mr-time").get_attribute("aria-valuetext")
    shot(page, "replay-coder")
    assert not axe(page)
    page.evaluate("document.body.classList.add('dark')")
    assert not axe(page)
    page.evaluate("document.body.classList.remove('dark')")
    page.locator("[data-iou]").fill("1")
    page.locator("[data-iou]").press("Enter")
    expect(page.locator("#mer-replay-coded")).to_contain_text("overlap of 1 on")
    assert "Beside human coders" in open(taken_away(page, "Report (HTML)").path(), encoding="utf-8").read()

    # what is kept for Review says the same as the page does
    page.get_by_role("button", name="Keep for Review", exact=True).click()
    page.locator("#mer-replay-kept .mer-rec").wait_for()
    reviews = Reviews(replay_demo.log)
    session = Log(replay_demo.log).sessions()[-1]["id"]
    one = compare(reviews.items(session), "Ada")
    assert [str(cell) for cell in one.cells[1:6]] == cells[:5]
    page.get_by_role("button", name="Remove Ada").click()
    expect(page.locator("#mer-replay-coded table")).to_have_count(0)
    assert page.locator(".mr-time canvas").bounding_box()["height"] == before
    reviews.delete(session)
    page.get_by_role("button", name="Show demo.mp4", exact=True).click()  # nothing is stored any more, for the next test
    expect(page.locator("#mer-replay-kept .mer-rec")).to_have_count(0)


def test_what_is_no_coding_is_one_line(page, tmp_path):
    file = tmp_path / "not.eaf"
    file.write_text(json.dumps({"a": 1}), "utf-8")
    add(page, file)
    line = page.locator("#mer-replay-coded [role=alert]")
    expect(line).to_contain_text("not.eaf cannot be read as codings")
    assert "/" not in line.text_content().replace("not.eaf", "")
