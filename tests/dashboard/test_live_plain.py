"""Where no WebSocket gets through: Gradio's own webcam component, and what it is worth."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from living import says, start, wait_until

OWN_NAMES = ("decoder behind", "queue full", "no key frame yet", "damaged chunk", "rim")  # the program's, not people's
NO_SOCKET = """
window.WebSocket = class {
  static OPEN = 1;
  readyState = 3;
  constructor() { setTimeout(() => this.onclose?.()); }
  close() {}
};
"""


def record(page) -> None:
    """Allow the camera and press Gradio's button; again to stop."""
    camera = page.locator("#mer-plain-camera")
    if camera.locator("[title='grant webcam access']").count():
        camera.locator("[title='grant webcam access'] button").click()
    camera.get_by_role("button", name="capture photo").click()


@pytest.fixture
def plain_page(demo, camera_chromium, open_page):
    """A page whose browser opens no WebSocket, with the plain camera's accordion open."""
    page = open_page("about:blank", browser=camera_chromium(), ready=False)
    page.own = demo.url.split("/")[2]
    page.add_init_script(NO_SOCKET)
    page.goto(demo.url)
    start(page)
    says(page, "not over a live connection")
    return page


@pytest.mark.live
def test_a_page_without_a_websocket_goes_on_with_the_plain_camera(plain_page, demo, shot, axe):
    words = plain_page.locator("#mer-plain-words")
    record(plain_page)
    words.get_by_text(re.compile(r"Running, [\d.]+ pictures a second with kernel_ridge")).wait_for()
    plain_page.locator("#mer-plain-view img").wait_for()
    found = plain_page.locator(".mer-plain-list .mer-event")
    for _ in range(16):  # once through the clip, at most
        plain_page.wait_for_timeout(1000)
        if found.count():
            break
    said = words.inner_text()
    print(said, plain_page.locator(".mer-plain-list strong").all_inner_texts())
    rate = float(re.search(r"([\d.]+) pictures", said)[1])
    figures = plain_page.locator("#mer-plain-words").inner_text()
    assert "Judged " in figures and "rest not yet known" in figures
    assert not any(name in figures for name in (*OWN_NAMES, "spotted"))
    if found.count():
        assert found.first.locator("img").count() == 3  # onset, apex, flow
    else:  # a slow machine: then it must say so
        assert rate < 25
    assert rate >= 25 or "the briefest movements are missed" in said
    shot(plain_page, "live-plain")
    assert axe(plain_page) == []

    private = next(demo.temp.glob("mer-demo-*"))
    assert [path.name for path in private.rglob("*") if path.is_file()] == ["lock"]  # no picture was written
    record(plain_page)
    words.get_by_text("Stopped. Nothing is being watched.").wait_for()
    assert plain_page.locator("#mer-plain-view img").count() == 0
    count = found.count()
    for name, head in (("CSV", b"\xef\xbb\xbf"), ("Excel", b"PK"), ("ELAN", b"<?xml")) if count else ():
        with plain_page.expect_download() as saved:
            plain_page.get_by_role("button", name=f"Events as {name}").click()
        data = Path(saved.value.path()).read_bytes()
        assert data[: len(head)] == head
        if name == "CSV":
            assert len(list(csv.DictReader(data.decode("utf-8-sig").splitlines()))) >= count  # and what ended with the run
    assert not demo.log.exists()  # nobody asked for it to be kept


def test_nobody_is_analysed_who_has_not_agreed(plain_page):
    plain_page.get_by_label("Everyone in view").uncheck()
    plain_page.get_by_role("button", name="Events as CSV").click()
    plain_page.get_by_text("there are no events yet").wait_for()
    record(plain_page)
    plain_page.get_by_text("Tick the box first: everyone in view must know and agree.").wait_for()
    assert plain_page.locator("#mer-plain-view img").count() == 0


@pytest.mark.live
def test_it_takes_a_seat_as_the_others_do(plain_page, demo):
    from realtime.dashboard.live.session import SEATS

    record(plain_page)
    plain_page.get_by_text(re.compile("Running, ")).wait_for()
    for _ in range(SEATS):
        other = plain_page.context.new_page()
        other.goto(demo.url)
        other.get_by_role("tab", name="Speed").wait_for()
        start(other)
    says(other, "already runs in another tab")
    plain_page.close()  # and the seat is free again, after a while without pictures
    other.wait_for_timeout(6000)
    other.get_by_role("button", name="Stop", exact=True).first.click()
    start(other, consent=False)
    wait_until(other, "figures().frames > 10")
