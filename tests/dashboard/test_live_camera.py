"""Which camera the live tab takes and how its pictures reach the server, with a way on from each failure."""

from __future__ import annotations

import socket

import pytest
from living import best_match, built, figures, listen, module, says, start, state_of, wait_for_frames, wait_until
from places import DEMO

# as a browser answers whose person said no; the smaller Chromium asks nobody
REFUSED = "void (navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('refused', 'NotAllowedError'); })"


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


@pytest.mark.live
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
    page = camera_page()
    page.evaluate(REFUSED)
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
