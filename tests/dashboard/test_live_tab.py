"""The live tab in Chromium, whose camera plays the demo clip: its events, and what can be done with them."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
from living import best_match, built, figures, listen, module, place, says, start, state_of, wait_for_frames, wait_until

from realtime.dashboard.live import latest_frames
from realtime.output.frame_table import COLUMNS
from realtime.output.log import Log
from realtime.output.recorder import recordings
from realtime.pipeline import Step
from realtime.records import Frame

PICTURES = "document.querySelectorAll('#mer-detail .mer-picture img')"


def sessions(log: Path) -> list[tuple[int, int]]:
    """(number, how many events) of each session that was kept."""
    return [(one["id"], one["events"]) for one in Log(log).sessions()] if log.exists() else []


@pytest.mark.live
def test_the_five_expressions_of_the_clip_appear_in_the_page(camera_page, shot):
    page = camera_page(dark=True)
    events = listen(page)
    start(page, consent=False)
    says(page, "Tick the box first")
    start(page)
    for _ in range(40):
        page.wait_for_timeout(1500)
        if len(best_match(events)) == 5:
            break
    assert len(best_match(events)) == 5, events
    assert page.locator(".mer-event").count() >= 5
    assert page.locator("#mer-recsign").is_hidden()
    page.wait_for_function("document.querySelectorAll('.mer-event img[src^=blob]').length >= 10")
    page.wait_for_function(f"{PICTURES}.length >= 3")
    shot(page, "live-dark")
    told = figures(page)
    assert told["codec"] == "h264" and told["lag_ms"] and "kernel_ridge" in told["backend"]


@pytest.mark.live
def test_the_newest_event_opens_by_itself_until_one_is_chosen(camera_page, shot, axe):
    page = camera_page()
    start(page)
    newest = page.get_by_label("Show the newest event by itself")
    title = page.locator("#mer-detail-title")
    title.wait_for()  # nobody has clicked
    wait_until(page, "figures().flows.length > 0")
    page.evaluate("scrollTo(0, 0)")
    shot(page, "live-newest", whole=False)
    page.locator("#mer-scores .main-svg").first.wait_for()
    seen = number_of(title)
    wait_until(page, f"shown() > {seen}")
    page.wait_for_function(f"{PICTURES}.length == 3")  # flow, motion, strain
    told = figures(page)
    assert len(told["labels"]) >= len(told["flows"]) >= 1 and min(told["labels"]) > 0

    # where the network looked takes seconds: only when it is asked for
    page.get_by_role("button", name="Show where").focus()
    page.keyboard.press("Enter")
    page.get_by_text("Being made …").wait_for()
    older = page.locator(".mer-event").last
    older.focus()
    page.keyboard.press("Enter")
    assert not newest.is_checked()
    page.wait_for_function(f"{PICTURES}.length == 4")
    before, kept = page.locator(".mer-event").count(), title.inner_text()
    page.wait_for_function(f"document.querySelectorAll('.mer-event').length > {before}")
    page.wait_for_timeout(500)
    assert title.inner_text() == kept and older.get_attribute("aria-pressed") == "true"
    newest.check()
    assert number_of(title) > before
    assert axe(page) == []


def number_of(title) -> int:
    return int(re.search(r"Event (\d+)", title.inner_text())[1])


@pytest.mark.live
def test_light_and_on_a_phone(camera_page, shot):
    page = camera_page(size="phone")
    start(page)
    wait_for_frames(page)
    page.locator(".mer-event").first.wait_for()
    shot(page, "live-phone")
    assert place(page, "mer-list")["bottom"] <= place(page, "mer-health")["top"]  # events come before figures
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.set_viewport_size({"width": 1280, "height": 800})
    page.locator(".mer-event").first.click()
    page.wait_for_function(f"{PICTURES}.length == 4")
    shot(page, "live-light")
    # a hidden tab is slowed by browsers, and a camera may be pulled out
    hide = "(hidden) => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true }); document.dispatchEvent(new Event('visibilitychange')); }"
    page.evaluate(hide, True)
    says(page, "browsers slow hidden tabs")
    page.evaluate(hide, False)
    page.evaluate(module("camera().track.dispatchEvent(new Event('ended'))"))
    says(page, "unplugged")
    start(page)
    wait_for_frames(page)


def test_axe_finds_nothing_serious(demo, open_page, axe):
    page = open_page(demo.url)
    start(page, consent=False)
    says(page, "Tick the box first")
    assert axe(page) == []


STILL = ("mer-consent", "mer-start", "mer-play", "mer-stop", "mer-settings-button", "mer-keep", "mer-newest", "mer-downloads")


@pytest.mark.live
def test_the_demo_clip_needs_one_click_and_its_events_can_be_saved_afterwards(demo, open_page, shot):
    """In a browser without a camera; nobody is in view who could agree, and nobody ticked "Keep"."""
    page = open_page(demo.url)
    built(page)
    assert all(0 <= place(page, name)["top"] < place(page, name)["bottom"] <= 800 for name in STILL), "out of sight"
    assert place(page, "mer-start")["bottom"] < place(page, "mer-frame")["top"]
    assert state_of(page) == {"start": "free", "play": "free", "stop": "pale"}
    before, kept = [place(page, name) for name in STILL], sessions(demo.log)
    page.get_by_role("button", name="Play the demo clip").click()
    page.locator(".mer-event").first.wait_for()
    assert state_of(page) == {"start": "free", "play": "runs", "stop": "free"}
    says(page, "The demo clip plays")
    page.get_by_role("button", name="REC").click()
    page.locator("#mer-recsign").get_by_text("video frames").wait_for()
    shot(page, "live-rec")
    page.get_by_role("button", name="REC").click()
    page.locator("#mer-recsign").wait_for(state="hidden")
    (film,) = recordings(demo.log).glob("*.mp4")
    assert film.stat().st_size
    page.locator("#mer-scores .main-svg").first.wait_for()
    page.wait_for_function("document.querySelectorAll('.mer-event').length > 1")
    assert [place(page, name) for name in STILL] == before  # events push nothing away
    says(page, "The demo clip is over. Its events can be downloaded")
    assert state_of(page) == {"start": "free", "play": "free", "stop": "pale"}
    found = page.locator(".mer-event").count()
    for name, ending, head in (("CSV", ".csv", b"\xef\xbb\xbf"), ("Excel", ".xlsx", b"PK"), ("ELAN", ".eaf", b"<?xml")):
        with page.expect_download() as saved:
            page.get_by_role("button", name=f"Download as {name}").click()
        assert saved.value.suggested_filename.endswith(ending)
        data = Path(saved.value.path()).read_bytes()
        assert data[: len(head)] == head
        if name == "CSV":
            assert len(list(csv.DictReader(data.decode("utf-8-sig").splitlines()))) == found
    page.locator(".mer-event").last.click()  # its pictures are still there
    page.wait_for_function(f"{PICTURES}.length == 4")
    assert sessions(demo.log) == kept  # of other tests


def test_every_frame_is_measured_where_that_is_asked_for(demo, open_page, shot):
    page = open_page(demo.url)
    built(page)
    page.get_by_label("Measure every frame (head pose").check()
    page.get_by_role("button", name="Play the demo clip").click()
    page.wait_for_function("parseInt(document.querySelector('#mer-frames-count').textContent) > 60")
    page.get_by_role("button", name="Stop").click()
    shot(page, "live-measured")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download every frame as CSV").click()
    rows = list(csv.DictReader(Path(saved.value.path()).read_text("utf-8-sig").splitlines()))
    assert tuple(rows[0]) == COLUMNS and len(rows) > 60 and float(rows[-1]["browInnerUp"]) > 0 and rows[-1]["pose_Rx"]
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download every frame as Parquet").click()
    assert Path(saved.value.path()).read_bytes()[:4] == b"PAR1"


def test_frames_that_are_held_are_bounded_and_none_is_lost_in_between(tmp_path, monkeypatch):
    monkeypatch.setattr(latest_frames, "BLOCK", 4)
    monkeypatch.setattr(latest_frames, "MOST", 12)
    held = latest_frames.LatestFrames()
    for number in range(30):
        held.write(Step(Frame(np.zeros((4, 4, 3), np.uint8), number, number / 10, 0.0), [], {}, []))
    rows = list(csv.DictReader(held.file("frames", tmp_path).read_text("utf-8-sig").splitlines()))
    assert [int(row["frame"]) for row in rows] == list(range(30 - len(held), 30)) and 8 < len(held) <= 12
    assert f"latest {len(held)} rows" in held.word


def test_what_is_told_at_its_apex_is_confirmed_where_it_stands_or_taken_away(demo, open_page):
    """A server that is made up, so that it withdraws one."""
    page = open_page(demo.url)
    line = {"source": "demo.mp4", "face": 0, "onset_s": 2.0, "apex_s": 2.16, "offset_s": 2.2, "label": "surprise", "kind": "micro"}
    line |= {"scores": {"negative": 0.1, "surprise": 0.9}, "model": "made", "latency_ms": 1.0, "confidence": 0.1}
    told, servers = lambda kind, **more: {"kind": kind, "event": line | more, "unsure": False, "ended": None}, []

    def served(server):
        servers.append(server)
        server.on_message(lambda text: server.send(json.dumps({"kind": "started"})))

    page.route_web_socket("**/mer/live/ws", served)
    page.reload()  # it takes the place of those that are opened from then on
    built(page)
    page.locator("#mer-play").click()
    while not servers:
        page.wait_for_timeout(50)
    send = lambda *args, **more: servers[0].send(json.dumps(told(*args, **more)))
    send("provisional", event=1, provisional=True)
    early = page.locator("#mer-events .mer-early")
    early.get_by_text("provisional").wait_for()
    assert "surprise micro provisional" in early.inner_text().replace("\n", " ") and "not over yet" in early.inner_text()
    assert page.locator("#mer-latest small").inner_text() == "micro, provisional" and page.locator("#mer-count").inner_text() == "0"
    assert page.locator("#mer-downloads button").first.get_attribute("aria-disabled") == "true"
    send("provisional", event=2, provisional=True, label="positive")
    send("event", event=1, provisional=False, label="negative")
    page.locator(".mer-event").get_by_text("negative").wait_for()
    assert page.locator("#mer-events li").count() == 2 and early.count() == 1 and page.locator("#mer-count").inner_text() == "1"
    assert [row.get_attribute("value") for row in page.locator("#mer-events li").all()] == ["2", "1"]  # each where it stood
    send("provisional", event=2, provisional=True, withdrawn=True, label="positive")
    early.get_by_text("Withdrawn: no event came of it.").wait_for()
    early.wait_for(state="detached")
    assert page.locator("#mer-events li").count() == 1 and page.locator("#mer-none").is_hidden()
