"""The live tab in Chromium, whose camera plays the demo clip: its events, and a way on from each failure."""

from __future__ import annotations

import csv
import json
import re
import socket
from pathlib import Path

import av
import numpy as np
import pytest
from living import module, wait_until
from places import DEMO

from realtime.dashboard.live import latest_frames
from realtime.output.frame_table import COLUMNS
from realtime.output.log import Log
from realtime.output.recorder import recordings
from realtime.pipeline import Step
from realtime.records import Frame

TRUTH = Path(DEMO).with_name("demo.csv")
PICTURES = "document.querySelectorAll('#mer-detail .mer-picture img')"


def sessions(log: Path) -> list[tuple[int, int]]:
    """(number, how many events) of each session that was kept."""
    return [(one["id"], one["events"]) for one in Log(log).sessions()] if log.exists() else []


def built(page) -> None:
    status = "document.getElementById('mer-status')?.textContent.startsWith('Loading the page')"
    page.wait_for_function(f"!({status} ?? true)")


def start(page, consent: bool = True) -> None:
    built(page)
    if consent:
        page.get_by_label("Everyone in view").check()
    page.get_by_role("button", name="Start camera").click()


def figures(page) -> dict:
    return page.evaluate(module("figures()"))


def wait_for_frames(page, more: int = 30) -> None:
    wanted = figures(page).get("frames", 0) + more
    wait_until(page, f"figures().frames >= {wanted}")


def says(page, words: str) -> None:
    page.locator("#mer-stage").get_by_text(re.compile(words)).wait_for()


def truth() -> list[dict]:
    with open(TRUTH) as file:
        return [{"label": row["label"], "apex_s": float(row["apex_s"])} for row in csv.DictReader(file)]


def length(clip: Path = DEMO) -> float:
    with av.open(str(clip)) as film:
        stream = film.streams.video[0]
        return float(stream.duration * stream.time_base)


def matched(events: list[dict], phase: float, loop: float) -> dict[float, dict]:
    """Truth's apex → the event that covers it, the camera having been `phase` into the clip at the stream's 0."""
    found = {}
    for event in events:
        for row in truth():
            inside = event["onset_s"] + ((row["apex_s"] - phase - event["onset_s"]) % loop)
            if inside <= event["offset_s"] and event["label"] in (row["label"], "unsure"):
                found[row["apex_s"]] = event
    return found


def best_match(events: list[dict]) -> dict[float, dict]:
    loop = length()
    return max((matched(events, step * 0.05, loop) for step in range(int(loop / 0.05))), key=len)


def listen(page) -> list[dict]:
    """The events as the server sends them, each of which the page must list, too."""
    events: list[dict] = []

    def heard(told):
        if isinstance(told, str) and '"kind": "event"' in told:
            events.append(json.loads(told)["event"])

    page.on("websocket", lambda opened: opened.on("framereceived", heard))
    return events


@pytest.fixture
def camera_page(demo, camera_chromium, open_page):
    """`camera_page(allowed=True, **as open_page)` → a page in a Chromium with a camera."""

    def open_one(allowed=True, url=None, **kwargs):
        return open_page(url or demo.url, browser=camera_chromium(allowed=allowed), **kwargs)

    return open_one


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


@pytest.mark.parametrize("codec", ("raw", "vp8", "mjpeg"))
def test_other_ways_to_send_the_picture(camera_page, shot, codec):
    page = camera_page()
    built(page)
    page.evaluate(module(f"only('{codec}')"))
    start(page)
    wait_for_frames(page)
    told = figures(page)
    assert told["codec"] == codec and not told["faults"]
    wait_until(page, "figures().lags.length > 5")
    if codec != "mjpeg":
        return
    says(page, "at a lower rate")
    page.get_by_label("Keep events in the log").check()
    says(page, "REC: events are being stored")
    shot(page, "live-rec")
    page.get_by_label("Keep events in the log").uncheck()
    page.locator("#mer-recsign").wait_for(state="hidden")


def test_a_browser_without_a_track_processor(camera_page):
    """Firefox and Safari: pictures are taken from the <video>."""
    page = camera_page()
    page.evaluate("delete window.MediaStreamTrackProcessor")
    events = listen(page)
    start(page)
    wait_for_frames(page, 60)
    told = figures(page)
    assert told["codec"] == "h264" and not told["faults"]
    wait_until(page, "figures().flows.length > 0")  # their times are those of the pictures
    assert best_match(events)


def test_a_camera_gives_all_that_it_has(demo, playwright, open_page):
    flags = ("--no-sandbox", "--use-fake-device-for-media-stream=fps=60", "--use-fake-ui-for-media-stream")
    browser = playwright.chromium.launch(executable_path=playwright.executable, args=flags)  # it shows no face
    page = open_page(demo.url, browser=browser)
    start(page)
    wait_for_frames(page)
    assert figures(page)["camera_fps"] == 60
    assert "640 × 480, 60 a second" in page.locator("#mer-health").inner_text()
    # a server that falls behind for long: every second picture, evenly apart
    assert page.evaluate(module("camera().slower()"))
    assert page.evaluate(module("camera().fps")) == 30
    assert not page.evaluate(module("camera().slower()"))  # never below what a micro-expression needs
    page.context.close()
    browser.close()


def test_a_camera_that_is_refused_or_missing(demo, camera_page, open_page):
    page = camera_page(allowed=False)
    start(page)
    says(page, "may not use the camera")
    page = open_page(demo.url)  # a browser without a camera
    start(page)
    says(page, "No camera was found")
    # a way on: the server's own
    page.get_by_role("button", name="Settings").click()
    page.get_by_label("Camera number, file or address").fill("rtsp://me:secret@127.0.0.1:9/x")
    page.get_by_role("button", name="Watch it").click()
    says(page, r"cannot open rtsp://me:\*\*\*@")
    assert "secret" not in page.get_by_label("Camera number, file or address").input_value()
    page.get_by_label("Camera number, file or address").fill(str(DEMO))
    page.get_by_label("Camera number, file or address").press("Enter")
    wait_for_frames(page)
    assert page.locator("#mer-viewer").is_visible()


def place(page, name: str) -> dict:
    """Of what has this id, in the window."""
    return page.locator(f"#{name}").evaluate("one => one.getBoundingClientRect().toJSON()")


def state_of(page) -> dict[str, str]:
    """What the three buttons say of themselves."""
    look = "(one) => one.ariaPressed === 'true' ? 'runs' : one.ariaDisabled === 'true' ? 'pale' : 'free'"
    return {name: page.locator(f"#mer-{name}").evaluate(look) for name in ("start", "play", "stop")}


STILL = ("mer-consent", "mer-start", "mer-play", "mer-stop", "mer-settings-button", "mer-keep", "mer-newest", "mer-downloads")


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


def test_a_camera_its_size_and_its_rate_can_be_chosen(demo, playwright, open_page):
    flags = ("--no-sandbox", "--use-fake-device-for-media-stream=device-count=3,fps=60", "--use-fake-ui-for-media-stream")
    browser = playwright.chromium.launch(executable_path=playwright.executable, args=flags)
    page = open_page(demo.url, browser=browser)
    start(page)
    wait_for_frames(page)
    assert state_of(page) == {"start": "runs", "play": "free", "stop": "free"}
    page.get_by_role("button", name="Settings").click()
    names = page.locator("#mer-camera option").all_inner_texts()
    assert len(names) == 4 and len(set(names)) == 4  # with their names, once one was allowed
    page.locator("#mer-camera").select_option(index=3)
    says(page, "goes on as it is: press Stop")
    page.get_by_label("Picture size").select_option("1280x720")
    page.get_by_label("Pictures a second").select_option("30")
    page.get_by_role("button", name="Stop", exact=True).first.click()
    start(page)
    wait_for_frames(page)
    assert page.evaluate(module("camera().track.label")) == names[3]
    assert "1280 × 720, 30 a second" in page.locator("#mer-health").inner_text()
    page.context.close()
    browser.close()


def test_a_server_that_was_restarted(start_demo, camera_page):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    first = start_demo("--port", port)
    page = camera_page(url=first.url, strict=False)  # a server that is away is an error on the console
    start(page)
    wait_for_frames(page)
    first.stop()
    says(page, "does not answer")
    start_demo("--port", port)
    says(page, "The server is back")
    wait_for_frames(page)


def test_two_tabs(demo, camera_page):
    from realtime.dashboard.live.session import SEATS

    page = camera_page()
    start(page)
    wait_for_frames(page)
    others = []
    for _ in range(SEATS):
        other = page.context.new_page()
        other.goto(demo.url)
        other.get_by_role("tab", name="Speed").wait_for()
        start(other)
        others.append(other)
    says(others[-1], "already runs in another tab")
    others[-1].get_by_role("button", name="Use it here instead").click()
    wait_for_frames(others[-1])
    says(page, "now runs in another tab")


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
