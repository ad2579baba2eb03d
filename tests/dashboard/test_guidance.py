"""What the page says of itself: three steps at a first visit, its keys at "?"."""

import pytest
from playwright.sync_api import expect


def steps(page):
    return page.get_by_role("region", name="Three steps to begin with")


@pytest.mark.parametrize(("dark", "size"), [(False, "wide"), (True, "phone")])
def test_a_first_visit_explains_itself_once(demo, open_page, shot, axe, dark, size):
    page = open_page(demo.url, first=True, dark=dark, size=size)
    expect(steps(page).get_by_role("listitem")).to_have_count(3)
    shot(page, f"first-visit-{size}", whole=False)
    assert not axe(page)
    steps(page).get_by_role("button", name="Open Replay").click()
    expect(page.get_by_role("tab", name="Replay")).to_be_focused()
    expect(page.get_by_role("tab", name="Replay")).to_have_attribute("aria-selected", "true")
    steps(page).get_by_role("button", name="Close the three steps").focus()
    page.keyboard.press("Escape")
    expect(steps(page)).to_be_hidden()
    expect(page.get_by_role("tab", name="Replay")).to_be_focused()
    page.reload()
    page.get_by_role("tab", name="Speed").wait_for()
    page.evaluate("import('/mer/static/shared/help.js').then(() => new Promise((go) => setTimeout(go, 200)))")  # it looks every 100 ms
    expect(steps(page)).to_be_hidden()
    page.get_by_role("button", name="Keys").click()  # there again when somebody asks
    page.get_by_role("button", name="Show the first steps").click()
    expect(steps(page).get_by_role("button", name="Play the demo clip")).to_be_focused()


def test_the_keys_are_told_and_none_goes_through_to_the_tab(demo, open_page, shot, axe):
    page = open_page(demo.url, tab="Review")
    dialog = page.get_by_role("dialog", name="Keys")
    page.get_by_label("Your name").fill("Ann?")
    page.get_by_label("Your name").press("?")
    expect(dialog).to_be_hidden()
    assert page.get_by_label("Your name").input_value() == "Ann??"
    page.get_by_role("tab", name="Review").focus()
    page.keyboard.press("?")
    expect(dialog).to_be_visible()
    assert dialog.locator("h3").all_text_contents()[0] == "Review"
    assert dialog.get_by_text("move the onset by a frame").is_visible()
    shot(page, "keys", whole=False)
    assert not axe(page)
    asked = len(page.asked)
    page.keyboard.press("n")  # in the tab it would go to a field
    assert page.evaluate("document.querySelector('#mer-help').contains(document.activeElement)") and len(page.asked) == asked
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("tab", name="Review")).to_be_focused()
