"""Tab 2 in a real browser: what the timeline shows of an open recording."""

import av
import numpy as np
import pytest
from films import film, sounding
from places import DEMO
from replaying import LONG, TRUTH, data, dropped, frame_of, go_to, shown

from realtime.judged import GATES


def test_the_events_on_the_timeline_are_the_ones_of_the_script(page, shot):
    events = data(page)["events"]
    assert [(event["label"], event["kind"]) for event in events] == [(row["label"], "micro") for row in TRUTH]
    for event, row in zip(events, TRUTH, strict=True):
        assert float(row["onset_s"]) - 0.1 < event["onset_s"] < event["apex_s"] < event["offset_s"] < float(row["offset_s"]) + 0.15
        assert abs(event["apex_s"] - float(row["apex_s"])) < 0.08
    assert page.locator(".mr-list button").count() == len(TRUTH)
    pictures = page.locator(".mr-pictures .mr-pic")
    page.wait_for_function("document.querySelectorAll('.mr-pictures .mr-pic[data-state=there]').length === 6")
    assert pictures.count() == 6
    shot(page, "replay-light")


def test_the_face_its_regions_and_why_it_is_not_judged_stand_over_the_picture(page):
    known = data(page)
    go_to(page, 105)
    page.locator(".mr-face polygon").nth(2).wait_for()
    sides = "one => { const b = one.getBBox(); return [b.x, b.y, b.x + b.width, b.y + b.height]; }"
    places = page.evaluate(f"[...document.querySelectorAll('.mr-face > *')].map({sides})")
    (left, top, right, bottom), *regions = places
    assert 0.3 < left < right < 0.7 and 0.2 < top < bottom < 0.8  # where the face of the demo clip is
    brows, mouth = regions[:2], regions[2]
    assert brows[0][2] < brows[1][0] and all(brow[3] < mouth[1] for brow in brows)
    assert all(left - 0.05 < region[0] < region[2] < right + 0.05 for region in regions)
    assert not page.locator(".mr-gate").is_visible()
    begin, end = next((begin, end) for begin, end, gate in known["spans"] if gate == "blink")
    blinking = next(number for number, t in enumerate(known["times"]) if t >= (begin + end) / 2)
    assert known["causes"] == GATES  # the curve's words are those of every table
    for number, words in ((0, "Learning the resting face"), (blinking, "Blink: not judged")):
        go_to(page, number)
        page.locator(".mr-gate", has_text=words).wait_for()
        assert words in page.locator(".mr-time").get_attribute("aria-valuetext")
    assert "Judged 92 % of the time; not: rest not yet known 0.8 s" in page.locator(".mr-meta").first.inner_text()


def test_faces_come_in_blocks(page):
    token = page.locator(".mr[data-token]").get_attribute("data-token")
    ask = "url => fetch(url).then(async a => [a.status, (await a.arrayBuffer()).byteLength])"
    size = data(page)["faces"]
    assert page.evaluate(ask, f"/mer/replay/{token}/faces/0") == [200, 4 * size["block"] * size["numbers"]]
    assert page.evaluate(ask, f"/mer/replay/{token}/faces/1") == [200, 4 * (700 - size["block"]) * size["numbers"]]
    assert page.evaluate(ask, f"/mer/replay/{token}/faces/2")[0] == 404
    assert "boxes" not in data(page)


def test_the_keyboard_goes_by_frames_and_by_events(page):
    times = data(page)["times"]
    page.locator(".mr-time").focus()
    page.keyboard.press("Home")
    assert frame_of(page) == 0
    for key, expected in (("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("Shift+ArrowRight", 11)):
        page.keyboard.press(key)
        assert frame_of(page) == expected
    page.wait_for_function("document.querySelector('.mr-stage img').dataset.frame === '11'")
    apexes = [event["apex_s"] for event in data(page)["events"]]
    for place in (0, 1, 2):
        page.keyboard.press("ArrowDown")
        assert times[frame_of(page)] == pytest.approx(apexes[place], abs=0.011)
    page.keyboard.press("ArrowUp")
    assert times[frame_of(page)] == pytest.approx(apexes[1], abs=0.011)
    assert page.locator(".mr-list button[aria-current=true]").get_attribute("data-event") == "2"
    assert "positive" in page.locator(".mr-time").get_attribute("aria-valuetext")
    page.keyboard.press("Space")  # plays
    before = frame_of(page)
    page.wait_for_function(f"Number(document.querySelector('.mr-time').getAttribute('aria-valuenow')) > {before}")
    page.keyboard.press("Space")


def test_the_frame_on_screen_is_that_frame_of_the_recording(page):
    token, wanted = page.locator(".mr[data-token]").get_attribute("data-token"), 109
    shown = page.evaluate("url => fetch(url).then(a => a.arrayBuffer()).then(b => [...new Uint8Array(b)])", f"/mer/replay/{token}/frame/{wanted}.jpg")
    import cv2

    picture = cv2.imdecode(np.array(shown, np.uint8), cv2.IMREAD_COLOR).astype(int)
    near, off = (wanted - 5, wanted, wanted + 5), {}
    with av.open(str(DEMO)) as container:
        for n, frame in zip(range(wanted + 6), container.decode(video=0), strict=False):
            if n in near:
                small = cv2.resize(frame.to_ndarray(format="bgr24"), picture.shape[1::-1])
                off[n] = np.abs(small.astype(int) - picture).mean()
    assert min(off, key=off.get) == wanted and off[wanted] < 4


def test_the_filter_leaves_what_is_wanted_and_says_so(page):
    shown = page.locator(".mr-list button:visible")
    assert shown.count() == len(TRUTH)
    page.get_by_label("Label").select_option("negative")
    assert shown.count() == sum(row["label"] == "negative" for row in TRUTH)
    page.get_by_text(f"2 of {len(TRUTH)} events shown").wait_for()
    negative = [place for place, row in enumerate(TRUTH) if row["label"] == "negative"]
    page.locator(".mr-time").focus()
    page.keyboard.press("Home")
    for place in (*negative, negative[-1]):  # the arrow keys know those only
        page.keyboard.press("ArrowDown")
        assert page.locator(".mr-list button[aria-current=true]").get_attribute("data-event") == str(place + 1)
    page.get_by_label("Label").select_option("all")
    page.get_by_label("Certainty, at least").fill("1")
    assert shown.count() < len(TRUTH)
    page.get_by_label("Certainty, at least").fill("0")
    assert shown.count() == len(TRUTH)


def test_two_models_are_compared_on_the_same_movements(page, axe, shot):
    page.get_by_label("Compare with").click()
    page.get_by_role("option", name="moext", exact=True).click()
    page.locator("#mer-replay-compared table").wait_for()
    rows = page.locator("#mer-replay-compared tbody tr").all_inner_texts()
    assert len(rows) == len(TRUTH) and all(row.split()[-1] in ("same", "differs") for row in rows)
    same = sum(row.split()[-1] == "same" for row in rows)
    assert f"{same} of {len(TRUTH)} events" in page.locator("#mer-replay-compared").inner_text()
    page.get_by_role("button", name="4", exact=True).click()  # the row's event on the timeline
    assert page.locator(".mr-list button[aria-current=true]").get_attribute("data-event") == "4"
    assert page.locator(".mr-detail .mr-scores").count() == 2  # of both models
    assert not axe(page)
    shot(page, "replay-compared")


def test_the_player_plays_the_sound_in_step_and_none_in_slow_motion(page, tmp_path):
    dropped(page, "sounding.mp4", sounding(tmp_path / "sounding.mp4"))
    page.get_by_role("button", name="Show sounding.mp4").click(timeout=LONG)
    page.locator(".mr h3", has_text="sounding.mp4").wait_for()
    page.wait_for_function("document.querySelector('.mr audio').readyState >= 3")
    go_to(page, 100)
    page.keyboard.press("Space")
    page.wait_for_function("document.querySelector('.mr audio').currentTime > 2.6")
    # the moment on screen and the moment that is heard, in one look
    both = """() => [document.querySelector('.mr audio').currentTime,
      parseFloat(document.querySelector('.mr-under output').textContent.split(', ')[1])]"""
    heard, seen = page.evaluate(both)
    assert heard == pytest.approx(seen, abs=0.15)
    page.get_by_label("Speed").select_option("0.25")
    page.wait_for_function(
        "document.querySelector('.mr audio').paused && document.querySelector('.mr-keys button:nth-child(3)').textContent === 'Pause'"
    )
    page.get_by_label("Speed").select_option("1")
    page.wait_for_function("!document.querySelector('.mr audio').paused")
    page.get_by_role("button", name="Sound on").click()
    page.wait_for_function("document.querySelector('.mr audio').paused")
    page.get_by_role("button", name="Sound off").click()
    page.get_by_role("button", name="Pause").click()
    page.wait_for_function("document.querySelector('.mr audio').paused")
    page.get_by_role("button", name="Show demo.mp4").click()
    page.get_by_role("button", name="No sound").wait_for()


def test_the_tab_fits_a_phone_and_reads_well_in_the_dark(page, shot):
    page.get_by_role("button", name="Show demo.mp4").first.click()
    page.locator(".mr h3", has_text="demo.mp4").first.wait_for()
    page.wait_for_function("document.querySelectorAll('.mr-pictures .mr-pic[data-state=there]').length === 6")
    try:
        page.evaluate("document.body.classList.add('dark')")
        shot(page, "replay-dark")
        page.set_viewport_size({"width": 390, "height": 844})
        page.wait_for_timeout(500)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        shot(page, "replay-phone")
    finally:
        page.evaluate("document.body.classList.remove('dark')")
        page.set_viewport_size({"width": 1280, "height": 800})


@pytest.mark.parametrize("dark", [True, False])
def test_axe_finds_nothing_serious(page, axe, dark):
    page.evaluate("dark => document.body.classList.toggle('dark', dark)", dark)
    page.wait_for_timeout(400)
    assert not axe(page)


def test_nobody_else_gets_at_a_recording(page, replay_demo, open_page):
    token = page.locator(".mr[data-token]").get_attribute("data-token")
    wrong = token[:-1] + ("y" if token[-1] == "x" else "x")
    other = open_page(replay_demo.url)
    status = "url => fetch(url).then(a => a.status)"
    assert other.evaluate(status, f"/mer/replay/{wrong}/data") == 404
    for address in (
        "event/1/motion.webp?factor=nan",
        "frame/99999.jpg",
        "frame/-1.jpg",
        "event/99/onset.jpg",
        "event/1/secret.jpg",
        "event/1/..%2f..%2fcopy.mp4",
    ):
        assert other.evaluate(status, f"/mer/replay/{token}/{address}") in (404, 422)
    assert other.evaluate(status, "/mer/replay/queue/none") == 404


def test_of_a_long_recording_it_is_said_which_part_is_shown(page, tmp_path):
    dropped(page, "long.mp4", film(tmp_path / "long.mp4", [number / 2 for number in range(150)]))
    shown(page, "long.mp4", LONG)
    part = page.locator(".mr-partly")
    part.get_by_text("Shown: 0.0 s to 60.0 s of 75.0 s").wait_for()
    page.locator(".mr-time").focus()
    page.keyboard.press("End")  # what is shown follows
    part.get_by_text("to 75.0 s of 75.0 s").wait_for()
    part.get_by_role("button", name="Show all of it").click()
    part.wait_for(state="hidden")
    shown(page, "demo.mp4")
    assert part.is_hidden()  # 14 s are shown whole
