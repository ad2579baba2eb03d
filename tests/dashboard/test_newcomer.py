"""The way of somebody who has never seen the page: three steps, the demo clip, a lane, a table, the keys."""

import csv

from living import PATIENCE
from playwright.sync_api import expect
from replaying import LONG, TRUTH, taken_away

SIZES = {"wide": {"width": 1280, "height": 800}, "tall": {"width": 1280, "height": 1820}}

# what shows a number and neither itself nor what it stands in says on hover what it is
UNSAID = """selectors => [...document.querySelectorAll(selectors)].flatMap((root) => {
  const found = [], walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let one = walk.nextNode(); one; one = walk.nextNode()) {
    const within = one.parentElement, number = /\\d/.test(one.data.replaceAll("demo.mp4", ""));
    if (number && within.checkVisibility() && !within.closest('[title]:not([title=""]), select, .mr-formats')) found.push(one.data);
  }
  return found;
})"""
NUMBERS = {
    "Live": "#mer-live-parts .mer-head, #mer-events, #mer-detail-title, #mer-scores, #mer-curve, #mer-health, #mer-more dl",
    "Replay": "#mer-replay-queue, #mer-replay-player, #mer-replay-compared, #mer-replay-coded",
    "Review": "#rv-progress, #rv-events",
    "Speed": "#mer-speed table",
}


def test_a_newcomer_finds_the_way(demo, open_page, shot, axe):
    page = open_page(demo.url, first=True)
    steps = page.get_by_role("region", name="Three steps to begin with")
    steps.get_by_role("button", name="Play the demo clip").click()
    page.locator(".mer-event").nth(1).wait_for(timeout=PATIENCE)
    expect(page.locator("#mer-detail-title")).to_contain_text("Event")
    page.locator('#mer-detail .mer-picture[data-name="flow"] img').wait_for()
    page.evaluate("scrollTo(0, 0)")
    shot(page, "newcomer", whole=False, readme=True)

    steps.get_by_role("button", name="Open Replay").click()
    page.get_by_label("Measure every frame (head pose, gaze, 52 blendshapes)").locator("visible=true").check()
    page.get_by_role("button", name="Take the demo clip").click()
    page.locator(".mr-time").wait_for(timeout=LONG)
    page.locator(".mr-lanes summary").click()
    page.get_by_label("mouthSmileLeft").check()
    page.wait_for_function("document.querySelector('.mr-time').getAttribute('aria-valuetext').includes('mouthSmileLeft 0')")
    page.locator(".mr-lanes summary").click()
    page.evaluate("scrollTo(0, 0)")
    page.set_viewport_size(SIZES["tall"])
    shot(page, "newcomer-replay", whole=False)
    page.set_viewport_size(SIZES["wide"])
    with open(taken_away(page, "CSV").path(), encoding="utf-8-sig") as file:
        assert [row["label"] for row in csv.DictReader(file)] == [row["label"] for row in TRUTH]

    page.get_by_label("Compare with").click()
    page.get_by_role("option", name="dual_atme").click()
    page.get_by_text("the same label").wait_for(timeout=LONG)
    page.get_by_role("button", name="Keep for Review", exact=True).click()
    page.locator("#mer-replay-kept .mer-rec").wait_for()
    steps.get_by_role("button", name="Open Review").click()
    page.locator("tr[data-key]").first.wait_for()
    unsaid = {}
    for tab, parts in NUMBERS.items():
        page.get_by_role("tab", name=tab).click()
        page.locator(parts).first.wait_for()
        unsaid |= {text: tab for text in page.evaluate(UNSAID, parts)}
    assert not unsaid

    page.get_by_role("tab", name="Replay").click()
    steps.get_by_role("button", name="Close the three steps").click()
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keys")
    expect(keys.get_by_role("heading", level=3).first).to_have_text("Replay")
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    assert not axe(page)
